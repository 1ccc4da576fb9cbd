"""Files that appear under their name only when they are whole, each with its SHA-256 beside it.

The record of ``name`` is ``name.sha256``, in the form that ``sha256sum -c`` reads. It is written before the file, so
that whatever has a name has a record, and every reader compares the two (`intact`): a file that was edited, damaged or
half copied is refused, not used.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from stargal.errors import StargalError

ORIGIN = "origin.json"
"""Name of the record of where the files of a sky came from, in the folder of its resources."""


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; rename it to `path`, with its record, if the block ends well.

    The rename is atomic, so that a job killed at any moment leaves either the whole file or none.

    Raises
    ------
    StargalError
        If the file cannot be written: a full disk, a folder that is read-only.
    """
    with replaced(path) as partial:
        yield partial
        write_record(path, sha256(partial))


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """`whole` for records themselves: no record is written.

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
        with suppress(OSError):  # where it could not be written, it need not be removed
            partial.unlink()
        if isinstance(error, OSError):
            raise unwritable(path, error) from error
        raise


def sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def record_of(path: Path) -> Path:
    """Where the SHA-256 of a file is recorded: beside it."""
    return path.with_name(f"{path.name}.sha256")


def write_record(path: Path, digest: str) -> None:
    """Record the SHA-256 of a file."""
    with replaced(record_of(path)) as partial:
        partial.write_text(f"{digest}  {path.name}\n")


def recorded(path: Path) -> str | None:
    """The SHA-256 that a file's record holds; None without a record, empty if the record holds none."""
    try:
        words = record_of(path).read_text(errors="replace").split()
    except FileNotFoundError:
        return None
    return words[0] if words else ""


def intact(path: Path) -> Path:
    """The path itself, if the file's bytes are those of its record, or if it has none.

    Raises
    ------
    StargalError
        If they differ.
    """
    expected = recorded(path)
    if expected is not None and path.exists() and sha256(path) != expected:
        raise StargalError(
            f"{path}: its bytes are not those recorded in {record_of(path).name}; remove it and run again to have it "
            "made or fetched afresh"
        )
    return path


def unwritable(path: Path | str, error: OSError) -> StargalError:
    """The error for a file that the system does not let be written."""
    return StargalError(
        f"{path}: cannot be written: {error.strerror or error}; see that the disk has room and that the folder may be "
        "written to, then run again"
    )
