"""What a network may be told of a source beside its patch: its field's seeing and noise, or a column of its table.

What is of a field has as many values as there are fields: a network that learns from seven has seen seven, and may know
the fields by them rather than learn what seeing does. What is of a source may tell the class by itself, as the
difference of ``psf_mag_r`` and ``model_mag_r`` does by photo's own rule.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from stargal.dataset.sets import FieldFiles
from stargal.errors import StargalError
from stargal.io.tables import read_json, read_table

OF_FIELDS = {"psf_fwhm": "fwhm", "sky_sigma": "noise"}
"""What is one number a band and field, and its name in the report of the alignment, which measures both: the median
full width at half maximum of stars, arcsec, and the standard deviation of the sky, nanomaggies per pixel."""


def read_auxiliary(fields: Sequence[FieldFiles], names: Sequence[str]) -> pd.DataFrame:
    """Auxiliary inputs of the sources of a set of fields.

    Parameters
    ----------
    fields : sequence of FieldFiles
    names : sequence of str
        Names in `OF_FIELDS`, else columns of the sources.

    Returns
    -------
    DataFrame
        A row a source, float32: a column ``{name}_{band}`` for each band of what is of a field, in the order of the
        report, else one of the name itself; NaN where it is not known.

    Raises
    ------
    StargalError
        If the sources have no such column, or not of numbers.
    """
    parts = []
    for field in fields:
        table = read_table(field.sources)
        bands = read_json(field.report)["bands"]
        columns: dict[str, Any] = {}
        for name in names:
            if name in OF_FIELDS:
                columns |= {f"{name}_{band['band']}": band[OF_FIELDS[name]] for band in bands}
            elif name in table and is_numeric_dtype(table[name]):
                columns[name] = table[name].astype("Float32").to_numpy(np.float32, na_value=np.nan)
            else:
                numbers = [str(column) for column in table if is_numeric_dtype(table[column])]
                raise StargalError(
                    f"{field.sources}: no column of numbers {name!r}, which `auxiliary` of an experiment names; there "
                    f"are {', '.join(numbers)}, and of each field {', '.join(OF_FIELDS)}"
                )
        parts.append(pd.DataFrame(columns, index=table.index).astype(np.float32))
    return pd.concat(parts, ignore_index=True)


def summary(values: pd.DataFrame) -> list[tuple[float, float, float, float]]:
    """Mean, standard deviation, least and greatest of each column over the sources of which it is known.

    Raises
    ------
    StargalError
        If all of them have the same: nothing can be learned from it, and what it does elsewhere would be chance.
    """
    found = []
    for name, column in values.astype(float).items():
        mean, deviation = column.mean(), column.std(ddof=0)
        if not deviation > 1e-6 * abs(mean):
            raise StargalError(
                f"auxiliary input {name}: {mean:.6g} for all sources of the training set; leave it out, or learn from "
                "fields that differ in it"
            )
        found.append((float(mean), float(deviation), float(column.min()), float(column.max())))
    return found
