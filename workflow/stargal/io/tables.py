"""Tables in and out of files: parquet for many rows, JSON for scores, CSV for people."""

import json
import math
from pathlib import Path
from typing import Any

import pandas as pd

from stargal.errors import StargalError
from stargal.io.files import intact, whole


def read_table(path: Path, columns: list[str] | None = None) -> pd.DataFrame:
    """Some columns of a parquet file, all of them if None.

    Raises
    ------
    StargalError
        If the file cannot be read or lacks a column.
    """
    try:
        return pd.read_parquet(intact(path), columns=columns)
    except (OSError, ValueError) as error:
        raise unusable(path, str(error).splitlines()[0]) from None


def read_csv(path: Path) -> pd.DataFrame:
    """A CSV table, as it was written.

    Raises
    ------
    StargalError
        If its bytes are not those recorded.
    """
    return pd.read_csv(intact(path))


def read_json(path: Path) -> Any:
    """What a JSON file holds, as it was written.

    Raises
    ------
    StargalError
        If its bytes are not those recorded, or it is not JSON.
    """
    try:
        return json.loads(intact(path).read_text())
    except (OSError, ValueError) as error:
        raise unusable(path, str(error)) from None


def write_csv(table: pd.DataFrame, path: Path, sky: str, digits: int = 6) -> None:
    """Write a table with so many significant digits; what is not defined is an empty cell.

    The first column names the sky: what is simulated says so.
    """
    table = table.copy(deep=False)
    table.insert(0, "sky", sky)
    with whole(path) as partial:
        table.to_csv(partial, index=False, float_format=f"%.{digits}g", lineterminator="\n")


def write_records(records: list[dict[str, Any]], path: Path) -> None:
    """Write numbers as JSON, sorted by key, six decimals; what is not defined is null."""
    rounded = [{key: _json_number(value) for key, value in record.items()} for record in records]
    with whole(path) as partial:
        partial.write_text(json.dumps(rounded, indent=1, sort_keys=True, allow_nan=False) + "\n")


def _json_number(value: Any) -> Any:
    if not isinstance(value, float):
        return value
    return None if math.isnan(value) else round(value, 6)


def unusable(path: Path, fault: str) -> StargalError:
    """The error for a made file that is not what it should be."""
    return StargalError(f"{path}: {fault}; remove the file and run again to make it anew")
