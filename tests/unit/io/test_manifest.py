"""Manifests, and the faults that `verify` reports: files that are missing, changed or unknown."""

import os
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from stargal.errors import StargalError
from stargal.io.files import record_of, replaced, whole
from stargal.io.manifest import list_digests, verify

NAMES = ["aligned/one.fits", "aligned/two.fits", "tables/scores.csv"]


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A folder with three recorded files and their manifest."""
    folder = tmp_path / "results/made"
    for name in NAMES:
        with whole(folder / name) as partial:
            partial.write_text(f"content of {name}")
    write_manifest(folder)
    return folder


def write_manifest(folder: Path) -> None:
    cubes, tables = [folder / name for name in NAMES[:2]], [folder / NAMES[2]]
    with replaced(folder / "manifest.sha256") as partial:
        partial.write_text(list_digests(folder, reversed(cubes), tables))


def faults_of(folder: Path) -> list[str]:
    return [f"{fault.kind}: {fault.path.relative_to(folder)}" for fault in verify([folder], Counter())]


def test_sha256sum_reads_a_manifest(results: Path) -> None:
    done = subprocess.run(
        ["sha256sum", "-c", "--strict", "manifest.sha256"], cwd=results, capture_output=True, text=True, check=True
    )
    assert done.stdout.split("\n")[:-1] == [f"{name}: OK" for name in NAMES]


def test_unchanged_files_match_their_records(results: Path, tmp_path: Path) -> None:
    count: Counter[str] = Counter()
    assert list(verify([results, tmp_path / "lacking"], count)) == []
    assert count["files"] == 3 and count["bytes"] == sum((results / name).stat().st_size for name in NAMES)


def flip(path: Path) -> None:
    """Flip a bit and restore the time stamps."""
    times = path.stat()
    data = bytearray(path.read_bytes())
    data[3] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def rebuild(path: Path) -> None:
    with whole(path) as partial:
        partial.write_text("rebuilt")


@pytest.mark.parametrize(
    ("harm", "expected"),
    [
        (lambda folder: flip(folder / NAMES[0]), ["changed: aligned/one.fits"]),
        (lambda folder: flip(record_of(folder / NAMES[0])), ["changed: aligned/one.fits"] * 2),
        (lambda folder: flip(folder / "manifest.sha256"), ["changed: aligned/one.fits"]),
        (lambda folder: (folder / NAMES[0]).unlink(), ["missing: aligned/one.fits"]),
        (lambda folder: record_of(folder / NAMES[0]).unlink(), ["unknown: aligned/one.fits"]),
        (lambda folder: (folder / "mine.txt").write_text("mine"), ["unknown: mine.txt"]),
        (lambda folder: (folder / "tables/.x.csv.partial").write_text("h"), ["unknown: tables/.x.csv.partial"]),
        (lambda folder: (folder / "x.part").write_text("a partial download"), []),
        (lambda folder: rebuild(folder / NAMES[2]), ["changed: tables/scores.csv"]),
        (lambda folder: (folder / "manifest.sha256").write_text("what?\n"), ["changed: manifest.sha256"]),
    ],
    ids=["bit", "record", "manifest", "removed", "no-record", "mine", "killed", "download", "newer", "no-manifest"],
)
def test_files_that_differ_from_their_records_are_named(
    results: Path, harm: Callable[[Path], object], expected: list[str]
) -> None:
    harm(results)
    assert faults_of(results) == expected


def test_a_file_that_vanished_with_its_record_is_missing(results: Path) -> None:
    (results / NAMES[1]).unlink()
    record_of(results / NAMES[1]).unlink()
    assert faults_of(results) == ["missing: aligned/two.fits"]


def test_a_manifest_is_not_written_for_changed_files(results: Path) -> None:
    flip(results / NAMES[2])
    with pytest.raises(StargalError, match=r"scores.csv: its bytes are not those recorded"):
        write_manifest(results)
    record_of(results / NAMES[2]).unlink()
    with pytest.raises(StargalError, match=r"its SHA-256 is not recorded in scores.csv.sha256"):
        write_manifest(results)
