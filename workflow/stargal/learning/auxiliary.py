"""Auxiliary inputs: numbers that a network gets with a patch, from its field (seeing, noise) or its source (a column).

A quantity of the field takes as many values as there are fields: with seven training fields, a network may recognize
the fields by it and not learn the effect of seeing. A quantity of the source may give the class away, as the difference
of ``psf_mag_r`` and ``model_mag_r`` does by photo's own rule.
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
"""Quantities with one value per band and field, and their names in the alignment report: the median full width at half
maximum of stars, arcsec, and the standard deviation of the sky, nanomaggies per pixel."""


def read_auxiliary(fields: Sequence[FieldFiles], names: Sequence[str]) -> pd.DataFrame:
    """Read the auxiliary inputs of the sources of some fields.

    Parameters
    ----------
    fields : sequence of FieldFiles
    names : sequence of str
        Names in `OF_FIELDS`, else columns of the sources.

    Returns
    -------
    DataFrame
        One row per source, float32: for a quantity of the field a column ``{name}_{band}`` per band, in the order of
        the report, otherwise a column ``{name}``; NaN where a value is not known.

    Raises
    ------
    StargalError
        If the sources have no such column, or it holds no numbers.
    """
    parts = []
    for field in fields:
        table = read_table(field.sources)
        bands = read_json(field.summary)["bands"]
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
    """Mean, standard deviation, minimum and maximum of each column over the sources with a known value.

    Raises
    ------
    StargalError
        If a column is constant: a network cannot learn from it, and its effect on other fields would be random.
    """
    found = []
    for name, column in values.astype(float).items():
        mean, deviation = column.mean(), column.std(ddof=0)
        if not deviation > 1e-6 * abs(mean):
            raise StargalError(
                f"auxiliary input {name}: {mean:.6g} for all sources of the training set; leave it out, or train on "
                "fields that differ in it"
            )
        found.append((float(mean), float(deviation), float(column.min()), float(column.max())))
    return found
