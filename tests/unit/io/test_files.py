"""Atomic writing, SHA-256 records, and one-line errors for files that cannot be written."""

import errno
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from stargal.dataset.patches import read_patches, write_patches
from stargal.errors import StargalError
from stargal.io.files import intact, record_of, sha256, whole
from stargal.io.tables import read_json, read_table, write_records

ROOT = Path(__file__).parents[3]


def test_a_file_appears_whole_with_its_record(tmp_path: Path) -> None:
    path = tmp_path / "folder/table.csv"
    with whole(path) as partial:
        partial.write_text("a,b\n")
        assert not path.exists() and not record_of(path).exists()
    assert path.read_text() == "a,b\n"
    assert sorted(file.name for file in path.parent.iterdir()) == ["table.csv", "table.csv.sha256"]
    subprocess.run(["sha256sum", "-c", "--strict", "table.csv.sha256"], cwd=path.parent, check=True)


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), whole(tmp_path / "table.csv") as partial:
        partial.write_text("a,")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_file_that_cannot_be_written_is_reported(tmp_path: Path, number: int) -> None:
    message = r"table.csv: cannot be written: what the system says; see that the disk has room"
    with pytest.raises(StargalError, match=message), whole(tmp_path / "table.csv"):
        raise OSError(number, "what the system says")
    assert list(tmp_path.iterdir()) == []


def write_parquet(path: Path) -> None:
    with whole(path) as partial:
        pd.DataFrame({"x": np.arange(100.0)}).to_parquet(partial)


@pytest.mark.parametrize(
    ("write", "read"),
    [
        (write_parquet, read_table),
        (lambda path: write_records([{"mcc": 0.5}], path), read_json),
        (lambda path: write_patches(np.zeros((2, 3, 3, 5), np.float32), path), lambda path: read_patches(path, 2)),
    ],
    ids=["parquet", "json", "npy"],
)
@pytest.mark.parametrize("place", [0.0, 0.5, 0.99])
def test_one_flipped_bit_is_refused(
    tmp_path: Path, write: Callable[[Path], None], read: Callable[[Path], Any], place: float
) -> None:
    path = tmp_path / "made"
    write(path)
    read(path)
    data = bytearray(path.read_bytes())
    data[int(place * len(data))] ^= 4
    path.write_bytes(data)
    with pytest.raises(StargalError, match=r"made: its bytes are not those recorded in made.sha256; remove it"):
        read(path)


@pytest.mark.parametrize("record", ["", "\n", "0000  made\n", "\x00\xff"])
def test_a_damaged_record_is_refused(tmp_path: Path, record: str) -> None:
    path = tmp_path / "made"
    path.write_text("content")
    record_of(path).write_text(record)
    with pytest.raises(StargalError, match="not those recorded"):
        intact(path)


def test_a_file_without_a_record_is_accepted(tmp_path: Path) -> None:
    path = tmp_path / "mine"
    path.write_text("content")
    assert intact(path) == path
    record_of(path).write_text(f"{sha256(path)}  mine\n")
    assert intact(path) == path


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
def test_a_write_error_ends_a_script_with_one_line(number: int) -> None:
    """For any write in a script, not only for its output files."""
    code = (
        f"from stargal.io import cli\ndef main():\n    raise OSError({number}, 'refused', 'folder/file')\ncli.run(main)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT / "workflow", capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: folder/file: cannot be written: refused;") and done.stderr.count("\n") == 1
