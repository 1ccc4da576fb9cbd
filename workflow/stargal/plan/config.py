"""Check the configuration and the table of fields; say what is wrong in one line.

The Snakefile imports this module, so it stays with what Snakemake itself has loaded.
"""

import csv
import functools
import itertools
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from stargal.errors import StargalError
from stargal.survey.fields import PIXEL_ARCSEC, ROWS, STEP_ROWS, Field

BUCKETS = ("train", "validation", "test")

TABLE_OF = {"model": "models", "training_set": "training_sets", "augmentation": "augmentations"}
"""Where the config defines what an experiment names."""

OWN = (*TABLE_OF, "patch_size", "auxiliary")
"""Keys of an experiment that a comparison may vary; others are its model's."""

PARTS = ("comparisons", "studies")
"""Where comparisons of experiments are listed: those of every run, and those that are asked for."""

NO_AUGMENTATION = "none"
"""In the place of a name in `augmentations`."""


def check_config(config: Mapping[str, Any], schema: Path, files: Iterable[Path]) -> None:
    """Check the merged configuration against its schema, and what a schema cannot say.

    Parameters
    ----------
    config : mapping
        What Snakemake merged from `files` and ``--config``.
    schema : path
        JSON schema in YAML.
    files : iterable of paths
        The files `config` came from, the last one winning; used to name the culprit.

    Raises
    ------
    StargalError
        At the first fault, naming file, key, what was found and what is allowed.
    """
    validator = _validator(schema)
    fault = _first_fault(config, validator)
    if fault:
        keys, said = fault
        raise StargalError(f"{_file_of(keys, files)}: {'.'.join(map(str, keys)) or 'top level'}: {said}")
    release, releases = config["archive"]["release"], config["archive"]["releases"]
    if release not in releases:
        raise StargalError(
            f"{_file_of(['archive', 'release'], files)}: archive.release: found {release!r}, "
            f"allowed are the names in archive.releases: {', '.join(releases)}"
        )
    if config["labels"] == "truth" and config["simulate"] is None:
        raise StargalError(
            f"{_file_of(['labels'], files)}: labels: found 'truth', which is known for a simulated sky alone; allowed "
            "without `simulate`: photo"
        )
    for keys in (["realism", "transfer_experiment"], ["report", "best"], ["classes"]):
        named: Any = functools.reduce(lambda node, key: node[key], keys, config)
        if named is not None and named not in config["experiments"]:
            raise _unknown_name(keys, named, "experiments", config, files)
    best = config["report"]["best"]
    if config["experiments"][best].get("auxiliary"):
        raise StargalError(
            f"{_file_of(['report', 'best'], files)}: report.best: {best} takes auxiliary inputs; allowed are "
            "experiments without, since the classifier that is published takes patches alone"
        )
    for name, experiment in config["experiments"].items():
        _check_names(experiment, ["experiments", name], config, files)
    for name, comparison in all_comparisons(config).items():
        keys = [next(part for part in PARTS if name in config[part]), name]
        if comparison["base"] not in config["experiments"]:
            raise _unknown_name([*keys, "base"], comparison["base"], "experiments", config, files)
        for case, changes in _changes(comparison).items():
            where = [*keys, "vary"] if "vary" in comparison else [*keys, "cases", case]
            _check_names(changes, where, config, files)
            experiment = _change(config["experiments"][comparison["base"]], changes, config)
            kept = {key: experiment.settings[key] for key in ("patch_size", "auxiliary")}
            varied = {"model": "", "training_set": "", **kept}
            fault = _first_fault(
                {**config, "models": {name: experiment.model}, "experiments": {name: varied}}, validator
            )
            if fault:
                path, said = fault
                place = ": ".join(".".join(map(str, part)) for part in (where, path[2:]) if part)
                raise StargalError(f"{_file_of(keys, files)}: {place}: {said}")


def _check_names(
    experiment: Mapping[str, Any], keys: list[str], config: Mapping[str, Any], files: Iterable[Path]
) -> None:
    """Refuse an experiment that names what the config does not define."""
    for key, table in TABLE_OF.items():
        if key in experiment and experiment[key] not in (*config[table], NO_AUGMENTATION):
            raise _unknown_name([*keys, key], experiment[key], table, config, files)


def _unknown_name(
    keys: list[str], found: str, table: str, config: Mapping[str, Any], files: Iterable[Path]
) -> StargalError:
    return StargalError(
        f"{_file_of(keys, files)}: {'.'.join(keys)}: found {found!r}, "
        f"allowed are the names in {table}: {', '.join(config[table])}"
    )


@dataclass(frozen=True)
class Experiment:
    """What is trained: the blocks of the config that its names stand for.

    Attributes
    ----------
    settings : dict
        The experiment as the config has it, with the settings of its model.
    model, augmentation : dict
        Blocks of `models` and `augmentations`; an empty block for no augmentation.
    """

    settings: dict[str, Any]
    model: dict[str, Any]
    augmentation: dict[str, Any]

    @property
    def training_set(self) -> str:
        """Name in `training_sets`."""
        return self.settings["training_set"]

    @property
    def patch_size(self) -> int:
        """Side of the patches, pixels."""
        return self.settings["patch_size"]


def all_comparisons(config: Mapping[str, Any]) -> dict[str, Any]:
    """The comparisons and studies of a configuration, by name; what an overlay sets to null is none."""
    return {name: block for part in PARTS for name, block in config[part].items() if block}


def named_experiments(config: Mapping[str, Any]) -> dict[str, Experiment]:
    """The experiments that the config lists."""
    return {name: _resolve(experiment, {}, config) for name, experiment in config["experiments"].items()}


def vary_experiment(comparison: str, config: Mapping[str, Any]) -> dict[str, Experiment]:
    """The experiments that a comparison makes of its base: one for each combination of what it varies, or each case.

    What is changed is a key of the experiment or of its model. The base itself, if it is among them, is left out.

    Returns
    -------
    dict
        By name, ``{comparison}-{value}-{value}`` or ``{comparison}-{case}``.
    """
    block = all_comparisons(config)[comparison]
    base = config["experiments"][block["base"]]
    varied = {f"{comparison}-{case}": _change(base, changes, config) for case, changes in _changes(block).items()}
    return {name: experiment for name, experiment in varied.items() if experiment != _change(base, {}, config)}


def changed_keys(block: Mapping[str, Any]) -> list[str]:
    """Keys in which the experiments of a comparison differ, in the order of the config."""
    return list(dict.fromkeys(key for changes in _changes(block).values() for key in changes))


def _changes(block: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What each experiment of a comparison has in the place of its base's, by the end of its name."""
    if "cases" in block:
        return block["cases"]
    return {
        "-".join(map(str, values)): dict(zip(block["vary"], values, strict=True))
        for values in itertools.product(*block["vary"].values())
    }


def _change(base: Mapping[str, Any], changes: Mapping[str, Any], config: Mapping[str, Any]) -> Experiment:
    """An experiment with some keys replaced, its own or its model's."""
    own = {key: value for key, value in changes.items() if key in OWN}
    return _resolve({**base, **own}, {key: changes[key] for key in changes if key not in own}, config)


def _resolve(experiment: Mapping[str, Any], model: Mapping[str, Any], config: Mapping[str, Any]) -> Experiment:
    """An experiment with its names looked up, and some settings of its model replaced."""
    defaults = {"patch_size": config["patches"]["size"], "augmentation": NO_AUGMENTATION, "auxiliary": []}
    named = {**defaults, **experiment}
    block = {**config["models"][named["model"]], **model}
    return Experiment(
        settings={**named, **block},
        model=block,
        augmentation={NO_AUGMENTATION: {}, **config["augmentations"]}[named["augmentation"]],
    )


def archive_options(config: Mapping[str, Any], kind: str) -> str:
    """What a download script needs to know of the archive, quoted for a shell.

    Parameters
    ----------
    config : mapping
        A checked configuration.
    kind : str
        frame or catalog.
    """
    archive = config["archive"]
    options = {
        "base": archive["url"],
        "template": archive["releases"][archive["release"]][kind],
        "timeout": archive["timeout"],
        "attempts": archive["attempts"],
    }
    return shlex.join(f"--{name}={value}" for name, value in options.items())


def read_fields(path: Path, schema: Path) -> dict[Field, str]:
    """Read the table of fields: tab-separated, a header ``rerun run camcol field bucket``, a row a field.

    Returns
    -------
    dict
        The bucket of each field, in the order of the table.

    Raises
    ------
    StargalError
        Naming file and row, if a value is not allowed, a field is listed twice (in one bucket or two), two buckets
        share sky within a run, or a bucket is empty.
    """
    if not path.exists():
        raise StargalError(f"{path}: no such file; config key `fields` names the table of fields")
    with path.open(newline="") as stream:
        reader = csv.DictReader((line for line in stream if not line.startswith("#")), delimiter="\t")
        rows = list(reader)
        header = reader.fieldnames
    expected = ["rerun", "run", "camcol", "field", "bucket"]
    if header != expected:
        raise StargalError(f"{path}: header: found {header}, expected {expected}, tab-separated")
    validator = _validator(schema)
    buckets: dict[Field, str] = {}
    row_of: dict[Field, int] = {}
    for number, row in enumerate(rows, start=2):
        where = f"{path}: row {number}"
        typed = {key: int(value) if (value or "").isdigit() else value for key, value in row.items()}
        fault = _first_fault(typed, validator)
        if fault:
            keys, said = fault
            raise StargalError(f"{where}: {'.'.join(map(str, keys)) or 'row'}: {said}")
        field = Field(*(int(typed[key]) for key in expected[:4]))
        if field in buckets:
            same = buckets[field] == row["bucket"]
            raise StargalError(
                f"{where}: field {field.name} is listed twice, first in row {row_of[field]}"
                + ("" if same else f" in bucket {buckets[field]}, here in {row['bucket']}; a field is in one bucket")
            )
        buckets[field], row_of[field] = row["bucket"], number
    _refuse_shared_rows(path, buckets, row_of)
    for bucket in BUCKETS:
        if bucket not in buckets.values():
            raise StargalError(f"{path}: bucket {bucket} is empty; each of {', '.join(BUCKETS)} needs a field")
    return buckets


def resolve_training_set(name: str, members: str | int | list[str], buckets: Mapping[Field, str]) -> list[Field]:
    """Fields of a training set: ``all`` of bucket train, so many from the top of the table, or the listed names.

    Raises
    ------
    StargalError
        If a listed field is not in bucket train.
    """
    train = [field for field, bucket in buckets.items() if bucket == "train"]
    if members == "all":
        return sorted(train)
    if isinstance(members, int):
        return sorted(train[:members])
    fields = [Field.parse(member) for member in members]
    for field in fields:
        if field not in train:
            raise StargalError(
                f"config: training_sets.{name}: field {field.name} is not in bucket train "
                f"(bucket: {buckets.get(field, 'none, the table of fields lacks it')})"
            )
    return sorted(set(fields))


def _refuse_shared_rows(path: Path, buckets: Mapping[Field, str], row_of: Mapping[Field, int]) -> None:
    """Refuse neighbours along a camcol, which share 128 rows, in different buckets."""
    by_place = sorted(buckets, key=lambda f: (f.run, f.camcol, f.field, f.rerun))
    for first, second in itertools.pairwise(by_place):
        step = second.field - first.field
        same_camcol = (first.run, first.camcol) == (second.run, second.camcol)
        if same_camcol and step <= 1 and buckets[first] != buckets[second]:
            shared = ROWS - step * STEP_ROWS
            raise StargalError(
                f"{path}: rows {row_of[first]} and {row_of[second]}: fields {first.name} ({buckets[first]}) and "
                f"{second.name} ({buckets[second]}) share {shared} rows of sky ({shared * PIXEL_ARCSEC:.1f} arcsec); "
                "put them in one bucket or leave one out"
            )


def _first_fault(instance: Any, validator: Draft202012Validator) -> tuple[list[Any], str] | None:
    """Where the most telling violation of a schema is, and one phrase of what was found and what is allowed."""
    error = best_match(validator.iter_errors(instance))
    if error is None:
        return None
    while error.parent is not None:  # of several alternatives, say them all
        error = error.parent
    keys = list(error.absolute_path)
    found, rule, limit = error.instance, error.validator, error.validator_value
    if rule == "additionalProperties":
        allowed = list(error.schema.get("properties", {}))
        unknown = sorted(set(found) - set(allowed), key=str)
        return [*keys, unknown[0]], f"unknown key, allowed are {', '.join(allowed)}"
    if rule == "required":
        missing = next(key for key in limit if key not in found)
        return [*keys, missing], "missing"
    allowed_text = {
        "enum": lambda: "one of " + ", ".join(map(str, limit)),
        "type": lambda: " or ".join([limit] if isinstance(limit, str) else limit),
        "minimum": lambda: f"{limit} or more",
        "maximum": lambda: f"{limit} or less",
        "exclusiveMinimum": lambda: f"more than {limit}",
        "exclusiveMaximum": lambda: f"less than {limit}",
        "multipleOf": lambda: f"a multiple of {limit}",
    }.get(str(rule), lambda: error.schema.get("description", error.message))()
    return keys, f"found {found!r}, allowed: {error.schema.get('allowed', allowed_text)}"


@functools.cache
def _validator(schema: Path) -> Draft202012Validator:
    """A schema that is read once: every job of a cluster begins with these checks."""
    return Draft202012Validator(yaml.safe_load(schema.read_text()))


def _file_of(keys: list[Any], files: Iterable[Path]) -> str:
    """The last file that sets the key or, where none does, one of its parents."""
    best, depth = "config", -1
    for file in files:
        node, reached = yaml.safe_load(file.read_text()) or {}, 0
        for key in keys:
            if not isinstance(node, Mapping) or key not in node:
                break
            node, reached = node[key], reached + 1
        if reached >= depth:
            best, depth = str(file), reached
    return best
