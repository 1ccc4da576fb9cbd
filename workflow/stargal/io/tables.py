"""Read and write tables: parquet for large tables, JSON for scores, CSV for the reader."""

import json
import math
from pathlib import Path
from typing import Any

import pandas as pd

from stargal.errors import StargalError
from stargal.io.files import intact, whole


def read_table(path: Path, columns: list[str] | None = None) -> pd.DataFrame:
    """Read some columns of a parquet file, all of them by default.

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
    """Read a CSV table and check it against its record.

    Raises
    ------
    StargalError
        If the file differs from its record.
    """
    return pd.read_csv(intact(path))


def read_json(path: Path) -> Any:
    """Read a JSON file and check it against its record.

    Raises
    ------
    StargalError
        If the file differs from its record or is not JSON.
    """
    try:
        return json.loads(intact(path).read_text())
    except (OSError, ValueError) as error:
        raise unusable(path, str(error)) from None


def write_csv(table: pd.DataFrame, path: Path, sky: str, digits: int = 6) -> None:
    """Write a table as CSV with a number of significant digits; NaN becomes an empty cell.

    The first column is the name of the sky, which marks tables of simulated data.
    """
    table = table.copy(deep=False)
    table.insert(0, "sky", sky)
    with whole(path) as partial:
        table.to_csv(partial, index=False, float_format=f"%.{digits}g", lineterminator="\n")


def write_records(records: list[dict[str, Any]], path: Path) -> None:
    """Write records as JSON, sorted by key, with six decimals; NaN becomes null."""
    rounded = [{key: _json_number(value) for key, value in record.items()} for record in records]
    with whole(path) as partial:
        partial.write_text(json.dumps(rounded, indent=1, sort_keys=True, allow_nan=False) + "\n")


def _json_number(value: Any) -> Any:
    if not isinstance(value, float):
        return value
    return None if math.isnan(value) else round(value, 6)


def unusable(path: Path, fault: str) -> StargalError:
    """Return the error for an intermediate file that is not valid."""
    return StargalError(f"{path}: {fault}; remove the file and run again to rebuild it")
