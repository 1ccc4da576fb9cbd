"""Classify sources by the rule of photo: a galaxy has psf - composite > 0.145 mag.

The fluxes are summed over the bands in which the source is detected.

Reference: https://www.sdss4.org/dr17/algorithms/classify/
"""

from collections.abc import Mapping as AnyMapping
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stargal.survey.catalog import BINNED1

STAR_LIMIT = 0.145
"""Largest psf - composite magnitude difference of a star."""


def photo_types(measured: AnyMapping[str, NDArray[Any]], calibration: Sequence[float]) -> NDArray[np.int32]:
    """Return the photo type of each source: 3 galaxy, 6 star.

    Parameters
    ----------
    measured : mapping of ndarray
        Output of `measure_sources`.
    calibration : sequence of float
        Nanomaggies per count in each band: fluxes are summed in counts.
    """
    seen = (measured["flags_band"] & BINNED1) > 0
    weight = np.where(seen.any(axis=1, keepdims=True), seen, np.isfinite(measured["psf"])) / np.asarray(calibration)
    psf = np.nansum(measured["psf"] * weight, axis=1)
    composite = np.nansum(measured["composite"] * weight, axis=1)
    galaxy = psf < composite * 10 ** (-0.4 * STAR_LIMIT)
    return np.where(galaxy, 3, 6).astype(np.int32)
