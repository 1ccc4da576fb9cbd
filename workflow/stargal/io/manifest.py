"""List the SHA-256 of all results of a run, and verify files against their records.

A manifest has one line per file, ``digest  path``, in the format of ``sha256sum -c``. Two runs with equal manifests
have the same results bit for bit.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from stargal.errors import StargalError
from stargal.io.files import ORIGIN, intact, record_of, recorded, sha256
from stargal.io.folders import folder_digests

MANIFEST = "manifest.sha256"
"""Name of a manifest; its paths are relative to its folder."""

PARTIAL_DOWNLOADS = (".part", ".part.validator")
"""Suffixes of the files that an interrupted download leaves for the next run."""


def list_digests(folder: Path, recorded_files: Iterable[Path], files: Iterable[Path]) -> str:
    """Return the text of a manifest: digests of files and their paths relative to a folder, sorted by path.

    Parameters
    ----------
    folder : path
        Folder that the paths of the manifest are relative to.
    recorded_files : iterable of paths
        Files listed by their record without reading them: large files, which their readers and `verify` check.
    files : iterable of paths
        Files that are read and checked against their records. The record of a folder stands for the files in it, which
        are not read.

    Raises
    ------
    StargalError
        If a file differs from its record or has none.
    """
    digests = {path: recorded(path) for path in recorded_files}
    files = list(files)
    for path in files:
        digests |= folder_digests(path) if path.suffix == ".sha256" else {}
    digests |= {path: recorded(intact(path)) for path in files if path.suffix != ".sha256" and path not in digests}
    for path, digest in digests.items():
        if not digest:
            raise StargalError(
                f"{path}: its SHA-256 is not recorded in {record_of(path).name}; remove it and run again"
            )
    lines = (f"{digest}  {path.relative_to(folder).as_posix()}\n" for path, digest in digests.items())
    return "".join(sorted(lines, key=lambda line: line.split(maxsplit=1)[1]))


@dataclass(frozen=True)
class Fault:
    """A file that does not match its record: `kind` is missing, changed or unknown; `remedy` says what to do."""

    kind: str
    path: Path
    remedy: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.path}: {self.remedy}"


def verify(folders: Iterable[Path], count: Counter[str]) -> Iterator[Fault]:
    """Compare every file below some folders with its record, and every manifest with the files.

    Parameters
    ----------
    folders : iterable of paths
        Folders to search; missing ones are skipped.
    count : Counter
        Its ``files`` and ``bytes`` are increased for each file that matches its record.

    Yields
    ------
    Fault
        In order of path within each folder.
    """
    for folder in folders:
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        in_folders: dict[Path, str] = {}
        for record in paths:
            if record.suffix == ".sha256" and record.with_suffix("").is_dir():
                in_folders |= (listed := folder_digests(record))
                for path in listed:
                    if not path.exists():
                        yield Fault("missing", path, f"{record.name} lists it: {_rebuild(path)}")
        for path in paths:
            if path.name == MANIFEST:
                yield from _verify_manifest(path, in_folders)
            elif path.suffix == ".sha256":
                if not path.with_suffix("").exists():
                    yield Fault(
                        "missing",
                        path.with_suffix(""),
                        "it has a record but does not exist: request it by name to rebuild it",
                    )
            elif path.name != ORIGIN and not path.name.endswith(PARTIAL_DOWNLOADS):
                fault = _verify_file(path, in_folders.get(path))
                if fault:
                    yield fault
                else:
                    count["files"] += 1
                    count["bytes"] += path.stat().st_size


def _verify_file(path: Path, in_folder: str | None) -> Fault | None:
    """Compare a file with its record, or with its digest in that of its folder."""
    if any(part.startswith(".") and part.endswith(".partial") for part in path.parts):
        return Fault("unknown", path, "a job was killed while it wrote this: remove it")
    digest = in_folder or recorded(path)
    if digest is None:
        return Fault("unknown", path, "it has no record, so the workflow did not make or fetch it: move it elsewhere")
    if sha256(path) != digest:
        remedy = _rebuild(path) if in_folder else "remove it and run again"
        return Fault("changed", path, f"its bytes are not those recorded: {remedy}")
    return None


def _rebuild(path: Path) -> str:
    """Say how to rebuild a file in a folder that has a record."""
    folder = next(folder for folder in path.parents if record_of(folder).exists())
    return f"remove the folder {folder.name} and run again"


def _verify_manifest(path: Path, in_folders: Mapping[Path, str]) -> Iterator[Fault]:
    """Compare a manifest with the records of its files; `verify` compares the files with their records."""
    for line in path.read_text(errors="replace").splitlines():
        digest, _, name = line.partition("  ")
        file = path.parent / name
        known = in_folders.get(file) or recorded(file)
        if len(digest) != hashlib.sha256().digest_size * 2 or not name:
            yield Fault("changed", path, f"{line!r} is not a line of a manifest: remove it and run again")
        elif known is None and not file.exists():
            yield Fault("missing", file, f"{path.name} lists it: request it by name to rebuild it")
        elif known not in (digest, None):
            yield Fault("changed", file, f"rebuilt after {path.name} was written: run again to update that")
