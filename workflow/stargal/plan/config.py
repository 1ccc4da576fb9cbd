"""Check the configuration, and say what is wrong in one line.

The Snakefile imports this package, so it stays with what Snakemake itself has loaded.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from stargal.errors import StargalError
from stargal.plan.experiments import NO_AUGMENTATION, PARTS, ROLES, TABLE_OF, all_comparisons, change, changes
from stargal.plan.schema import first_fault, validator_of


def check_config(config: Mapping[str, Any], schema: Path, files: Iterable[Path]) -> None:
    """Check the merged configuration against its schema, and what a schema cannot say.

    Parameters
    ----------
    config : mapping
        What Snakemake merged from `files` and ``--config``.
    schema : path
        JSON schema in YAML.
    files : iterable of paths
        The files `config` came from, the last one winning; used to name the file at fault.

    Raises
    ------
    StargalError
        At the first fault, naming file, key, what was found and what is allowed.
    """
    validator = validator_of(schema)
    fault = first_fault(config, validator)
    if fault:
        keys, said = fault
        raise _fault(keys, said, files, config)
    _check_skies(config, files)
    image = config["container"]
    if image and "://" not in image and not Path(image).expanduser().exists():
        said = f"found {image!r}, which does not exist; allowed: the path of an image, docker://..., or null"
        raise _fault(["container"], said, files, config)
    if not config["experiments"].get(config["report"]["best"]):
        raise _unknown_name(["report", "best"], config["report"]["best"], "experiments", config, files)
    best = config["experiments"][config["report"]["best"]]
    if best.get("auxiliary") or best.get("task", "star_galaxy") != "star_galaxy":
        raise _fault(
            ["report", "best"],
            f"{config['report']['best']} takes auxiliary inputs or has four classes; allowed are experiments of task "
            "star_galaxy without auxiliary inputs, since the published classifier takes patches alone",
            files,
        )
    for name, experiment in config["experiments"].items():
        if experiment:
            _check_names(experiment, ["experiments", name], config, files)
    many = [name for name, one in config["experiments"].items() if one and one.get("task") == "four_classes"]
    if len(many) > 1:
        raise _fault(["experiments", many[1], "task"], "found a second experiment of four_classes, allowed: one", files)
    for name, comparison in all_comparisons(config).items():
        keys = [next(part for part in PARTS if name in config[part]), name]
        if not config["experiments"].get(comparison["base"]):
            raise _unknown_name([*keys, "base"], comparison["base"], "experiments", config, files)
        for case, new in changes(comparison).items():
            where = [*keys, "vary"] if "vary" in comparison else [*keys, "cases", case]
            _check_names(new, where, config, files)
            experiment = change(config["experiments"][comparison["base"]], new, config)
            kept = {key: experiment.settings[key] for key in ("patch_size", "auxiliary", "task", "positions")}
            varied = {"model": "", "training_set": "", **kept}
            fault = first_fault(
                {**config, "models": {name: experiment.model}, "experiments": {name: varied}}, validator
            )
            if fault:
                path, said = fault
                place = ": ".join(".".join(map(str, part)) for part in (where, path[2:]) if part)
                raise StargalError(f"{_file_of(keys, files)}: {place}: {said}")


def _check_skies(config: Mapping[str, Any], files: Iterable[Path]) -> None:
    """Refuse a sky that is not defined, one without a release, and truth where there is none."""
    skies = {name: block for name, block in config["skies"].items() if block}
    named = [(["sky"], config["sky"]), (["realism", "real"], config["realism"]["real"])]
    for name, experiment in config["experiments"].items():
        if experiment:
            named += [(["experiments", name, role], experiment[role]) for role in ROLES if role in experiment]
    for name, comparison in all_comparisons(config).items():
        part = next(part for part in PARTS if name in config[part])
        for case, new in changes(comparison).items():
            where = [part, name, "vary"] if "vary" in comparison else [part, name, "cases", case]
            named += [([*where, role], new[role]) for role in ROLES if role in new]
    for keys, sky in named:
        if sky is not None and sky not in skies:
            raise _unknown_name(keys, sky, "skies", config, files)
    releases = config["archive"]["releases"]
    for keys, release in [
        (["archive", "release"], config["archive"]["release"]),
        *((["skies", name, "release"], block["release"]) for name, block in skies.items() if "release" in block),
    ]:
        if release not in releases:
            raise _unknown_name(keys, release, "archive.releases", config, files)
    if config["labels"] == "truth" and skies[config["sky"]]["origin"] != "simulator":
        raise _fault(
            ["labels"],
            "found 'truth', which is known for a simulated sky alone; allowed for a sky of an archive: photo",
            files,
        )


def _check_names(
    experiment: Mapping[str, Any], keys: list[str], config: Mapping[str, Any], files: Iterable[Path]
) -> None:
    """Refuse an experiment that names what the configuration does not define."""
    for key, table in TABLE_OF.items():
        if key in experiment and experiment[key] not in (*config[table], NO_AUGMENTATION):
            raise _unknown_name([*keys, key], experiment[key], table, config, files)


def _unknown_name(
    keys: list[str], found: str, table: str, config: Mapping[str, Any], files: Iterable[Path]
) -> StargalError:
    """Return the error for a name that a table of the configuration does not have."""
    block: Any = config
    for key in table.split("."):
        block = block[key]
    return _fault(keys, f"found {found!r}, allowed are the names in {table}: {', '.join(block)}", files, config)


def _fault(keys: list[Any], said: str, files: Iterable[Path], config: Mapping[str, Any] | None = None) -> StargalError:
    place = _file_of(keys, files) if config is None or not _overridden(keys, files, config) else "--config"
    return StargalError(f"{place}: {'.'.join(map(str, keys)) or 'top level'}: {said}")


_NOTHING = object()


def _overridden(keys: list[Any], files: Iterable[Path], config: Mapping[str, Any]) -> bool:
    """Whether the value of a key comes from no file, so from ``--config``.

    The configuration of a module is a block of the file of the workflow that uses it.
    """
    found = _value_of(keys, config)
    contents = [yaml.safe_load(file.read_text(encoding="utf-8")) or {} for file in files]
    blocks = [*contents, *(block for content in contents for block in content.values() if isinstance(block, Mapping))]
    return found is not _NOTHING and all(
        value is _NOTHING or (value != found and not (isinstance(value, Mapping) and isinstance(found, Mapping)))
        for value in (_value_of(keys, block) for block in blocks)
    )


def _value_of(keys: list[Any], node: Any) -> Any:
    """Return the value of nested keys; `_NOTHING` without them."""
    for key in keys:
        held = range(len(node)) if isinstance(node, list) else node if isinstance(node, Mapping) else ()
        if key not in held:
            return _NOTHING
        node = node[key]
    return node


def _file_of(keys: list[Any], files: Iterable[Path]) -> str:
    """Return the last file that sets the key or, where none does, one of its parents."""
    best, depth = "config", -1
    for file in files:
        node, reached = yaml.safe_load(file.read_text(encoding="utf-8")) or {}, 0
        for key in keys:
            if not isinstance(node, Mapping) or key not in node:
                break
            node, reached = node[key], reached + 1
        if reached >= depth:
            best, depth = str(file), reached
    return best
