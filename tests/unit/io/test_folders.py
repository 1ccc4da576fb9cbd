"""Folders that are written whole, with one record for all of their files."""

import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from stargal.errors import StargalError
from stargal.io.files import record_of, replaced, sha256
from stargal.io.folders import folder_digests, whole_folder
from stargal.io.manifest import list_digests, verify


def write(folder: Path, *names: str) -> None:
    with whole_folder(folder) as partial:
        for name in names:
            (partial / name).parent.mkdir(parents=True, exist_ok=True)
            (partial / name).write_text(f"content of {name}")


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A folder of three files, and a manifest beside it."""
    folder = tmp_path / "made/table"
    write(folder, "about", "parts/2", "parts/1")
    with replaced(folder.parent / "manifest.sha256") as partial:
        partial.write_text(list_digests(folder.parent, [], [folder / "about", record_of(folder)]))
    return folder


def test_the_record_lists_the_files_for_sha256sum(table: Path):
    assert record_of(table).read_text().split()[1::2] == ["table/about", "table/parts/1", "table/parts/2"]
    assert folder_digests(record_of(table)) == {path: sha256(path) for path in table.rglob("*") if path.is_file()}
    for record in ("table.sha256", "manifest.sha256"):
        subprocess.run(["sha256sum", "-c", "--strict", record], cwd=table.parent, check=True, capture_output=True)
    manifest = (table.parent / "manifest.sha256").read_text()
    assert manifest == record_of(table).read_text()
    assert list(verify([table.parent], count := Counter())) == [] and count["files"] == 3


def test_a_folder_is_replaced_with_its_record(table: Path):
    write(table, "about", "parts/3")
    assert sorted(path.name for path in table.rglob("*")) == ["3", "about", "parts"]
    assert list(folder_digests(record_of(table))) == [table / "about", table / "parts/3"]


def test_a_folder_stays_if_the_next_one_fails(table: Path):
    before = record_of(table).read_text()
    with pytest.raises(ZeroDivisionError), whole_folder(table) as partial:
        (partial / "half").write_text("half")
        raise ZeroDivisionError
    assert record_of(table).read_text() == before and list(verify([table.parent], Counter())) == []
    assert sorted(path.name for path in table.parent.iterdir()) == ["manifest.sha256", "table", "table.sha256"]


def test_what_a_killed_job_left_is_removed(table: Path):
    (left := table.parent / ".table.partial/parts").mkdir(parents=True)
    (left / "9").write_text("half")
    (fault,) = verify([table.parent], Counter())
    assert fault.kind == "unknown" and "killed" in fault.remedy
    write(table, "about")
    assert not left.parent.exists() and [path.name for path in table.iterdir()] == ["about"]


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StargalError, match="cannot be written"), whole_folder(tmp_path / "file/table"):
        pass


@pytest.mark.parametrize(
    ("harm", "expected"),
    [
        (lambda folder: (folder / "parts/1").write_text("changed"), ["changed: table/parts/1"]),
        (lambda folder: (folder / "parts/1").unlink(), ["missing: table/parts/1"]),
        (lambda folder: (folder / "parts/mine").write_text("mine"), ["unknown: table/parts/mine"]),
        (lambda folder: write(folder, "about", "parts/1"), ["missing: table/parts/2"]),
    ],
    ids=["changed", "removed", "mine", "newer"],
)
def test_every_fault_in_a_folder_is_named(table: Path, harm: Callable[[Path], None], expected: list[str]):
    harm(table)
    faults = list(verify([table.parent], Counter()))
    assert [f"{fault.kind}: {fault.path.relative_to(table.parent)}" for fault in faults] == expected
    if expected[0].startswith("changed"):
        assert faults[0].remedy.endswith("remove the folder table and run again")
