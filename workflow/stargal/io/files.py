"""Write files atomically, each with a record of its SHA-256, and check files against their records.

The record of ``name`` is ``name.sha256`` in ``sha256sum -c`` format. It is written before the file, so every
file under its final name has a record. Readers compare the two (`intact`) and refuse a file that was edited, damaged or
partially copied.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from stargal.errors import StargalError

ORIGIN = "origin.json"
"""Name of the file in ``resources/{sky}`` that records the origin of the files of the sky."""


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; write its record and rename it to `path` if the block succeeds.

    The rename is atomic, so a job killed at any moment leaves either the complete file or none.

    Raises
    ------
    StargalError
        If the file cannot be written, for example to a full disk or a read-only folder.
    """
    with replaced(path) as partial:
        yield partial
        write_record(path, sha256(partial))


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """Write a file as `whole` does, but without a record.

    Raises
    ------
    StargalError
        As in `whole`.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        partial.replace(path)
    except BaseException as error:
        with suppress(OSError):  # it may not exist
            partial.unlink()
        if isinstance(error, OSError):
            raise unwritable(path, error) from error
        raise


def sha256(path: Path) -> str:
    """Return the hexadecimal SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def record_of(path: Path) -> Path:
    """Return the path of the SHA-256 record of a file."""
    return path.with_name(f"{path.name}.sha256")


def write_record(path: Path, digest: str) -> None:
    """Record the SHA-256 of a file."""
    with replaced(record_of(path)) as partial:
        partial.write_text(f"{digest}  {path.name}\n")


def recorded(path: Path) -> str | None:
    """Return the recorded SHA-256 of a file: None without a record, empty if the record is empty."""
    try:
        words = record_of(path).read_text(errors="replace").split()
    except FileNotFoundError:
        return None
    return words[0] if words else ""


def intact(path: Path) -> Path:
    """Return the path if the file matches its record or has none.

    Raises
    ------
    StargalError
        If the file differs from its record.
    """
    expected = recorded(path)
    if expected is not None and path.exists() and sha256(path) != expected:
        raise StargalError(
            f"{path}: its bytes are not those recorded in {record_of(path).name}; remove it and run again to "
            "rebuild or fetch it"
        )
    return path


def unwritable(path: Path | str, error: OSError) -> StargalError:
    """Return the error for a file that cannot be written."""
    return StargalError(
        f"{path}: cannot be written: {error.strerror or error}; see that the disk has room and that the folder is "
        "writable, then run again"
    )
