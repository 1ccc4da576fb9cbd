"""Lists of sets: writing, reading, and files that changed since."""

from pathlib import Path

import pytest

from stargal.dataset.sets import FILES, FieldFiles, list_set, read_set
from stargal.errors import StargalError
from stargal.io.files import record_of, whole
from stargal.io.tables import write_csv
from stargal.survey.fields import Field

FIELDS = [Field(301, 1000, 1, 100), Field(301, 1000, 1, 110)]


@pytest.fixture
def files(tmp_path: Path) -> list[FieldFiles]:
    """Small files for each of two fields."""
    paths = [[tmp_path / f"{name}-{field.name}" for name in FILES] for field in FIELDS]
    for of_field in paths:
        for path in of_field:
            with whole(path) as partial:
                partial.write_text(path.name)
    return [FieldFiles(field, *of_field) for field, of_field in zip(FIELDS, paths, strict=True)]


@pytest.fixture
def listed(tmp_path: Path, files: list[FieldFiles]) -> Path:
    """The list of these files."""
    write_csv(list_set(files), tmp_path / "set.csv", "made sky")
    return tmp_path / "set.csv"


def test_a_set_is_read_as_it_was_listed(files: list[FieldFiles], listed: Path) -> None:
    assert read_set(listed) == files


def test_the_list_changes_with_a_file(files: list[FieldFiles]) -> None:
    before = list_set(files)
    with whole(files[1].patches) as partial:
        partial.write_text("other")
    changed = before.columns[(before != list_set(files)).any()]
    assert list(changed) == ["patches_sha256"]


def test_a_file_that_changed_is_refused(files: list[FieldFiles], listed: Path) -> None:
    with whole(files[1].sources) as partial:
        partial.write_text("other")
    with pytest.raises(StargalError, match=r"sources-301-001000-1-0110: not the one that .*set\.csv lists; remove"):
        read_set(listed)


def test_a_file_that_is_missing_is_named(files: list[FieldFiles], listed: Path) -> None:
    files[0].patches.unlink()
    with pytest.raises(StargalError, match=r"patches-301-001000-1-0100: missing, though .*set\.csv lists it; remove"):
        read_set(listed)


def test_a_file_without_a_record_is_not_listed(files: list[FieldFiles]) -> None:
    record_of(files[0].summary).unlink()
    with pytest.raises(StargalError, match=r"summary-301-001000-1-0100: its SHA-256 is not recorded in summary"):
        list_set(files)


def test_another_table_is_not_a_list(tmp_path: Path, files: list[FieldFiles]) -> None:
    write_csv(list_set(files).drop(columns="patches"), tmp_path / "other.csv", "made sky")
    with pytest.raises(StargalError, match=r"other\.csv: .*patches.*remove the file and run again"):
        read_set(tmp_path / "other.csv")
