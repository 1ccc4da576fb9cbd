"""AB magnitudes of fluxes in nanomaggies."""

import numpy as np
from numpy.typing import NDArray


def magnitude(flux: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the AB magnitude of a flux in nanomaggies, zero point 22.5; NaN unless it is positive and finite."""
    magnitude = np.full(flux.shape, np.nan)
    positive = (flux > 0) & np.isfinite(flux)
    magnitude[positive] = 22.5 - 2.5 * np.log10(flux[positive].astype(np.float64))
    return magnitude.astype(np.float32)
