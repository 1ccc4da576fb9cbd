"""List the files of a set of fields, for training or prediction, with their SHA-256.

Training depends on one list per set, not on thousands of files: the list changes if any of the files does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from stargal.errors import StargalError
from stargal.io.files import record_of, recorded
from stargal.io.tables import read_csv, unusable
from stargal.survey.fields import Field

FILES = ("sources", "patches", "summary", "psf")
"""Files of a field in a set: its sources, their patches, the summary of its alignment, and the PSF of its cube."""


@dataclass(frozen=True)
class FieldFiles:
    """The files of a field in a set: see `FILES`."""

    field: Field
    sources: Path
    patches: Path
    summary: Path
    psf: Path


def list_set(fields: Sequence[FieldFiles]) -> pd.DataFrame:
    """List a set: one row per field with its name and, for each of `FILES`, the path and the recorded SHA-256.

    Raises
    ------
    StargalError
        If a file has no record.
    """
    rows = []
    for one in fields:
        row = {"field": one.field.name}
        for name in FILES:
            path: Path = getattr(one, name)
            digest = recorded(path)
            if not digest:
                raise unusable(path, f"its SHA-256 is not recorded in {record_of(path).name}")
            row |= {name: path.as_posix(), f"{name}_sha256": digest}
        rows.append(row)
    return pd.DataFrame(rows)


def read_set(path: Path) -> list[FieldFiles]:
    """Read the list of a set and check that its files are unchanged.

    Raises
    ------
    StargalError
        If the list is not valid, or a file is missing or has changed since it was listed.
    """
    table = read_csv(path)
    try:
        rows = table[["field", *FILES, *(f"{name}_sha256" for name in FILES)]].to_dict("records")
    except KeyError as error:
        raise unusable(path, str(error.args[0])) from None
    for row in rows:
        for name in FILES:
            file = Path(row[name])
            if not file.exists():
                raise StargalError(f"{file}: missing, though {path} lists it; remove the list and run again")
            if recorded(file) != row[f"{name}_sha256"]:
                raise StargalError(f"{file}: not the one that {path} lists; remove the list and run again")
    return [FieldFiles(Field.parse(row["field"]), *(Path(row[name]) for name in FILES)) for row in rows]
