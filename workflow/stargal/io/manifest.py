"""The SHA-256 of everything a run made, and whether all that is cached is still as recorded.

A manifest has a line a file, ``digest  path``, as ``sha256sum -c`` reads it: two runs made the same bytes if their
manifests are the same.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from stargal.errors import StargalError
from stargal.io.files import ORIGIN, intact, record_of, recorded, sha256

MANIFEST = "manifest.sha256"
"""Name of a manifest, below the folder that its paths start from."""

PARTIAL_DOWNLOADS = (".part", ".part.validator")
"""Ends of the names of what an interrupted download left for the next run."""


def list_digests(folder: Path, recorded_files: Iterable[Path], files: Iterable[Path]) -> str:
    """The text of a manifest: digests of files by their path below a folder, sorted.

    Parameters
    ----------
    folder : path
        Where the paths of the manifest start.
    recorded_files : iterable of paths
        Files whose record is believed: large ones, which their readers compare with it, and `verify`.
    files : iterable of paths
        Files that are read, and must be as recorded.

    Raises
    ------
    StargalError
        If a file is not as recorded, or lacks its record.
    """
    digests = {path: recorded(path) for path in recorded_files}
    digests |= {path: recorded(intact(path)) for path in files}
    for path, digest in digests.items():
        if not digest:
            raise StargalError(
                f"{path}: its SHA-256 is not recorded in {record_of(path).name}; remove it and run again"
            )
    lines = (f"{digest}  {path.relative_to(folder).as_posix()}\n" for path, digest in digests.items())
    return "".join(sorted(lines, key=lambda line: line.split(maxsplit=1)[1]))


@dataclass(frozen=True)
class Fault:
    """A file that is not as recorded: `kind` is missing, changed or unknown, `mend` what to do about it."""

    kind: str
    path: Path
    mend: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.path}: {self.mend}"


def verify(folders: Iterable[Path], count: Counter[str]) -> Iterator[Fault]:
    """Compare every file below some folders with its record, and every manifest with the files.

    Parameters
    ----------
    folders : iterable of paths
        Those that do not exist are left out.
    count : Counter
        Is told the number of ``files`` and ``bytes`` that are as recorded.

    Yields
    ------
    Fault
        In the order of the paths of each folder.
    """
    for folder in folders:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            if path.name == MANIFEST:
                yield from _verify_manifest(path)
            elif path.suffix == ".sha256":
                if not path.with_suffix("").exists():
                    yield Fault(
                        "missing", path.with_suffix(""), "it was here once: ask for it by name to have it again"
                    )
            elif path.name != ORIGIN and not path.name.endswith(PARTIAL_DOWNLOADS):
                fault = _verify_file(path)
                if fault:
                    yield fault
                else:
                    count["files"] += 1
                    count["bytes"] += path.stat().st_size


def _verify_file(path: Path) -> Fault | None:
    if path.name.startswith(".") and path.suffix == ".partial":
        return Fault("unknown", path, "a job was killed while it wrote this: remove it")
    digest = recorded(path)
    if digest is None:
        return Fault("unknown", path, "it has no record, so the workflow did not make or fetch it: move it elsewhere")
    if sha256(path) != digest:
        return Fault("changed", path, "its bytes are not those recorded: remove it and run again")
    return None


def _verify_manifest(path: Path) -> Iterator[Fault]:
    """Compare a manifest with the records; the files are compared with theirs anyway."""
    for line in path.read_text(errors="replace").splitlines():
        digest, _, name = line.partition("  ")
        file = path.parent / name
        if len(digest) != hashlib.sha256().digest_size * 2 or not name:
            yield Fault("changed", path, f"{line!r} is no line of a manifest: remove it and run again")
        elif recorded(file) is None and not file.exists():
            yield Fault("missing", file, f"{path.name} lists it: ask for it by name to have it again")
        elif recorded(file) not in (digest, None):
            yield Fault("changed", file, f"made anew after {path.name} was written: run again to have that right")
