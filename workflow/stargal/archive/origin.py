"""Record the origin of the files of a sky and refuse to mix origins.

``resources/{sky}/origin.json`` records the archive and release, or the simulator's seed, of the frames and catalogues
beside it. Without it, simulated frames could pass as real ones, or frames of one archive as those of another.

The Snakefile imports this module, so it imports only the standard library.
"""

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from stargal.errors import StargalError
from stargal.io.files import ORIGIN, unwritable


def check_origin(folder: Path, origin: Mapping[str, Any]) -> None:
    """Check that the files of a sky have the origin given in the configuration.

    Parameters
    ----------
    folder : path
        ``resources/{sky}``; may be missing.
    origin : mapping
        ``origin`` (archive or simulator), with ``url`` and ``release`` for an archive, ``seed`` for a simulator.

    Raises
    ------
    StargalError
        If the folder holds files of another origin, recorded or evident from its subfolders, or the record is not JSON.
    """
    record = folder / ORIGIN
    held = _read(record)
    if held is None:
        simulated = _has_files(folder / "truth")
        if not _has_files(folder / "frames") or simulated == (origin["origin"] == "simulator"):
            return
        held = {"origin": "simulator" if simulated else "archive"}
    if held != dict(origin):
        raise StargalError(
            f"{folder}: holds files of {_described(held)}, but the configuration asks for {_described(origin)}: give "
            f"the sky another name in `skies`, or, if only the address of the same archive has changed, remove {record}"
        )


def record_origin(folder: Path, origin: Mapping[str, Any]) -> None:
    """Record the origin of the files of a sky unless it is recorded already.

    Several jobs may call this at once: each writes its own temporary file and renames it.

    Raises
    ------
    StargalError
        As in `check_origin`.
    """
    check_origin(folder, origin)
    record = folder / ORIGIN
    if record.exists():
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{ORIGIN}.", suffix=".partial", dir=folder)
        with os.fdopen(handle, "w") as stream:
            stream.write(json.dumps(dict(origin), indent=1, sort_keys=True) + "\n")
        Path(name).chmod(0o644)  # mkstemp lets nobody else read the file
        Path(name).replace(record)
    except OSError as error:
        raise unwritable(record, error) from error


@contextmanager
def origin_of_downloads(folder: Path, origin: Mapping[str, Any]) -> Iterator[None]:
    """Record the origin of the files that are downloaded within, and take the record back if none came.

    So a wrong address can be corrected without removing a record by hand.

    Raises
    ------
    StargalError
        As in `check_origin`.
    """
    new = not (folder / ORIGIN).exists()
    record_origin(folder, origin)
    try:
        yield
    except StargalError:
        if new and not any(path.is_file() and ORIGIN not in path.name for path in folder.rglob("*")):
            (folder / ORIGIN).unlink(missing_ok=True)
        raise
    record_origin(folder, origin)  # a job beside this one may have taken it back


def _read(record: Path) -> dict[str, Any] | None:
    """Read the record of an origin; None without one."""
    try:
        held = json.loads(record.read_text())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise StargalError(f"{record}: not readable ({error}); restore it, or remove it and run again") from None
    if not isinstance(held, dict):
        raise StargalError(f"{record}: not the record of an origin; restore it, or remove it and run again")
    return held


def _has_files(folder: Path) -> bool:
    """Return whether there is a file below a folder; Snakemake makes folders before it starts a job."""
    return any(path.is_file() for path in folder.rglob("*"))


def _described(origin: Mapping[str, Any]) -> str:
    """Describe an origin in words."""
    details = ", ".join(f"{key} {value}" for key, value in origin.items() if key not in ("origin", "url"))
    kind = origin.get("origin", "unknown origin")
    address = f" {origin['url']}" if "url" in origin else ""
    return f"the {kind}{address}" + (f", {details}" if details else "")
