"""Library functions called with the content of files."""

import json

import numpy as np
import pandas as pd
import pytest

from stargal.errors import StargalError
from stargal.io.calls import call_with_files, named_paths, read_file
from stargal.io.files import whole


def look(table, tables, nothing, size, fields, buckets, extra="as it is"):
    """Stand-in for a library function."""
    return locals()


def plain(table):
    return table


CALL = f"{__name__}:look"


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with a table per field, and one for all fields."""
    monkeypatch.chdir(tmp_path)
    for name, value in (("301-008162-6-0080", 80), ("301-008162-6-0174", 174), ("all", 0)):
        pd.DataFrame({"value": [value]}).to_csv(f"{name}.csv", index=False)
    return tmp_path


def test_files_settings_and_fields_become_arguments(here):
    """One named file, the files of all fields in the order of the field names, and an empty list without files."""
    got = call_with_files(
        CALL,
        ["table=all.csv", "tables[]={field}.csv"],
        {"size": 25},
        {"train": "301-8162-6:174", "validation": "", "test": "301-8162-6:80"},
    )
    assert got["table"]["value"].tolist() == [0]
    assert [table["value"].tolist() for table in got["tables"]] == [[80], [174]]
    assert got["fields"] == ["301-008162-6-0080", "301-008162-6-0174"]
    assert got["buckets"] == {"301-008162-6-0080": "test", "301-008162-6-0174": "train"}
    assert (got["size"], got["nothing"], got["extra"]) == (25, [], "as it is")


def test_a_list_keeps_its_order(here):
    inputs = ["tables[]=all.csv", "tables[]=301-008162-6-0080.csv"]
    got = call_with_files(CALL, inputs, {"size": 1, "table": None}, {})
    assert [table["value"].tolist() for table in got["tables"]] == [[0], [80]]
    assert got["fields"] == [] and got["buckets"] == {}


def test_a_setting_overrides_fields(here):
    """Settings take precedence over the fields of the buckets."""
    got = call_with_files(CALL, [], {"size": 1, "fields": ["mine"]}, {"train": "301-8162-6:174"})
    assert got["fields"] == ["mine"]


def test_a_function_without_fields_is_not_given_any(here):
    table = call_with_files(f"{__name__}:plain", ["table=all.csv"], {}, {"train": "301-8162-6:174"})
    assert table["value"].tolist() == [0]


def test_names_of_paths_may_hold_equal_signs():
    assert named_paths(["a=x=1.csv", "b[]=1", "b[]=2"]) == {"a": ["x=1.csv"], "b[]": ["1", "2"]}


def test_files_are_read_by_their_suffix(tmp_path):
    frame = pd.DataFrame({"id": ["a", "b"], "x": [1.5, 2.0]})
    frame.to_parquet(tmp_path / "t.parquet")
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_csv(tmp_path / "t.tsv", index=False, sep="\t")
    (tmp_path / "t.json").write_text(json.dumps({"a": [1]}))
    np.save(tmp_path / "t.npy", np.arange(6.0).reshape(2, 3))
    np.savez(tmp_path / "t.npz", a=np.arange(2), b=np.ones(3))
    for suffix in ("parquet", "csv", "tsv"):
        pd.testing.assert_frame_equal(read_file(tmp_path / f"t.{suffix}"), frame)
    assert read_file(tmp_path / "t.json") == {"a": [1]}
    array = read_file(tmp_path / "t.npy")
    assert isinstance(array, np.memmap) and array.shape == (2, 3)
    assert {name: list(values) for name, values in read_file(tmp_path / "t.npz").items()} == {
        "a": [0, 1],
        "b": [1.0, 1.0, 1.0],
    }
    assert read_file(tmp_path / "model.keras") == tmp_path / "model.keras"


@pytest.mark.parametrize("suffix", ["parquet", "csv", "json", "npy", "npz"])
def test_a_file_that_is_not_as_recorded_is_refused(tmp_path, suffix):
    path = tmp_path / f"t.{suffix}"
    with whole(path) as partial:
        partial.write_bytes(b"content")
    path.write_bytes(b"other content")
    with pytest.raises(StargalError, match="its bytes are not those recorded"):
        read_file(path)


@pytest.mark.parametrize("suffix", ["parquet", "json"])
def test_a_file_without_the_format_of_its_suffix_is_named(tmp_path, suffix):
    path = tmp_path / f"t.{suffix}"
    path.write_bytes(b"\xff\x00\xfe")
    with pytest.raises(StargalError, match=f"t.{suffix}: "):
        read_file(path)
