"""Which fields of the survey cover a place, from its list of fields.

Data model of the list: https://data.sdss.org/datamodel/files/PHOTO_RESOLVE/window_flist.html
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stargal.errors import StargalError
from stargal.survey.geometry import great_circle

FILE = "resolve/2013-07-29/window_flist.fits"
"""Path of the list in the archive, below the folder with photoObj."""

COLUMNS = ("rerun", "run", "camcol", "field", "node", "incl", "mu_start", "mu_end", "nu_start", "nu_end")
"""Columns of the list that are kept: the field, its great circle and the range it covers along and across it, deg."""


def trim_list(rows: Mapping[str, NDArray[np.generic]]) -> pd.DataFrame:
    """Keep of the survey's list what `covering` needs, in the machine's own byte order.

    Parameters
    ----------
    rows : mapping of ndarray
        Columns of the list in capital letters.

    Raises
    ------
    StargalError
        If a column is missing.
    """
    try:
        table = {name: np.asarray(rows[name.upper()]) for name in COLUMNS}
    except KeyError as error:
        raise StargalError(f"not the survey's list of fields: {error.args[0]}") from None
    whole = {name: table[name].astype(int) for name in COLUMNS[:4]}
    return pd.DataFrame(whole | {name: table[name].astype(float) for name in COLUMNS[4:]})


def covering(fields: pd.DataFrame, ra: float, dec: float, radius: float) -> pd.DataFrame:
    """Return the fields that cover a place, or a part of a circle around it, the nearest first.

    Parameters
    ----------
    fields : DataFrame
        Columns `COLUMNS`.
    ra, dec : float
        Place, deg.
    radius : float
        Radius of the circle, deg.

    Returns
    -------
    DataFrame
        Rows of `fields`, and ``distance``, from the place to the middle of the field, deg.
    """
    mu, nu = great_circle(ra, dec, fields["node"].to_numpy(float), fields["incl"].to_numpy(float))
    middle = (fields["mu_start"].to_numpy(float) + fields["mu_end"].to_numpy(float)) / 2
    along = ((mu - middle + 180) % 360 - 180) * np.cos(np.radians(nu))
    across = nu - (fields["nu_start"].to_numpy(float) + fields["nu_end"].to_numpy(float)) / 2
    half_along, half_across = (
        np.abs(fields[f"{name}_end"].to_numpy(float) - fields[f"{name}_start"].to_numpy(float)) / 2
        for name in ("mu", "nu")
    )
    outside = np.hypot(np.maximum(np.abs(along) - half_along, 0), np.maximum(np.abs(across) - half_across, 0))
    found = fields.assign(distance=np.hypot(along, across))[outside <= radius]
    return found.sort_values(["distance", *COLUMNS[:4]], ignore_index=True)
