"""Whether the archive has the fields that a run asks for, as far as that is known without a network.

An archive in a folder is looked at. Of the survey's archive, the list of fields tells that `make fields` has kept.
"""

from collections.abc import Container, Iterable, Mapping
from pathlib import Path
from typing import Any

from stargal.errors import StargalError
from stargal.plan.paths import FIELD_LIST, FRAME, archive_keys, fill
from stargal.plan.skies import Sky
from stargal.survey.fields import Field

HINT = "correct the name, or see which fields cover a place with `make fields`"


def check_fields(sky: Sky, config: Mapping[str, Any], archive: Path | None, prefix: str = "") -> None:
    """Check that the archive of a sky has the fields that the configuration names.

    Of an archive in a folder, only `classify.fields` are looked at: it may hold a part of a table of fields, and
    results of that part can be asked for. Fields whose frames have been downloaded pass.

    Parameters
    ----------
    sky : Sky
        A sky of an archive.
    config : mapping
        A checked configuration.
    archive : path or None
        The folder of the archive; None for one on a server.
    prefix : str
        What precedes the paths of all files of the workflow.

    Raises
    ------
    StargalError
        At the first field of a run that the survey does not list, or that the folder lacks.
    """
    wanted = {
        "config: classify.fields": map(Field.parse, config["classify"]["fields"]),
        config["skies"][sky.name].get("fields", ""): sky.buckets,
    }
    missing = {
        where: [field for field in fields if not _is_there(prefix, sky.name, field, config["bands"])]
        for where, fields in wanted.items()
    }
    if not any(missing.values()):
        return
    listed = listed_runs(Path(FIELD_LIST)) if Path(FIELD_LIST).exists() else None
    for where, fields in missing.items():
        if listed is not None:
            check_listed(listed, fields, where)
    if archive is not None:
        where, fields = next(iter(missing.items()))
        template = config["archive"]["releases"][sky.source["release"]]["frame"]
        check_frames(archive, template, fields, config["bands"], where)


def _is_there(prefix: str, sky: str, field: Field, bands: Iterable[str]) -> bool:
    """Return whether all frames of a field have been downloaded."""
    keys: dict[str, Any] = {"sky": sky, **archive_keys(field)}
    return all(Path(prefix + fill(FRAME, band=band, **keys)).exists() for band in bands)


def listed_runs(kept: Path) -> set[tuple[int, int]]:
    """Return the reruns and runs of the survey's list of fields.

    Raises
    ------
    StargalError
        If the file is not that list.
    """
    import pyarrow  # noqa: PLC0415  # slow to import, and most plans do without
    from pyarrow import parquet  # noqa: PLC0415

    try:
        table = parquet.read_table(kept, columns=["rerun", "run"]).group_by(["rerun", "run"]).aggregate([])
        return set(zip(table["rerun"].to_pylist(), table["run"].to_pylist(), strict=True))
    except (OSError, KeyError, pyarrow.ArrowException) as error:
        said = str(error).splitlines()[0]
        raise StargalError(f"{kept}: not the survey's list of fields ({said}): remove it") from None


def check_frames(folder: Path, template: str, fields: Iterable[Field], bands: Iterable[str], where: str) -> None:
    """Check that an archive on this machine has the frames of some fields.

    Parameters
    ----------
    folder : path
        Of the archive.
    template : str
        Path of a frame below it.
    fields : iterable of Field
    bands : iterable of str
    where : str
        What names the fields, for the error.

    Raises
    ------
    StargalError
        At the first field without frames: its run is not there, its field, or some bands.
    """
    bands = list(bands)
    for field in fields:
        keys = {"rerun": field.rerun, "run": field.run, "camcol": field.camcol, "field": field.field}
        frames = {band: folder / template.format(**keys, band=band) for band in bands}
        missing = [band for band, frame in frames.items() if not frame.is_file()]
        if not missing:
            continue
        frame = frames[missing[0]]
        if len(missing) < len(bands):
            raise StargalError(
                f"{where}: {field.name}: the archive has no frame of band {', '.join(missing)} ({frame}); "
                "leave this field out, all five bands are needed"
            )
        what = f"field {field.field} of run {field.run}, camcol {field.camcol}"
        if not frame.parents[1].is_dir():
            what = f"run {field.run} of rerun {field.rerun}"
        raise StargalError(f"{where}: {field.name}: the archive has no {what} ({frame.parent}); {HINT}")


def check_listed(listed: Container[tuple[int, int]], fields: Iterable[Field], where: str) -> None:
    """Check that the runs of some fields are in the survey's list of fields.

    Parameters
    ----------
    listed : container of (int, int)
        Reruns and runs of the list.
    fields : iterable of Field
    where : str
        What names the fields, for the error.

    Raises
    ------
    StargalError
        At the first run that is not.
    """
    for field in fields:
        if (field.rerun, field.run) not in listed:
            raise StargalError(
                f"{where}: {field.name}: the survey has no run {field.run} in rerun {field.rerun}; {HINT}"
            )
