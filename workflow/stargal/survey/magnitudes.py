"""AB magnitudes of fluxes in nanomaggies."""

import numpy as np
from numpy.typing import NDArray


def magnitude(flux: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the AB magnitude of a flux in nanomaggies, zero point 22.5; NaN unless it is positive and finite."""
    magnitude = np.full(flux.shape, np.nan)
    positive = (flux > 0) & np.isfinite(flux)
    magnitude[positive] = 22.5 - 2.5 * np.log10(flux[positive].astype(np.float64))
    return magnitude.astype(np.float32)


SOFTENING = {"u": 1.4e-10, "g": 0.9e-10, "r": 1.2e-10, "i": 1.8e-10, "z": 7.4e-10}
"""Softening b of asinh magnitudes, maggies (https://www.sdss4.org/dr17/algorithms/magnitudes/)."""


def asinh_magnitude(
    flux: NDArray[np.float32], error: NDArray[np.float32], band: str
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return asinh magnitudes and their errors (Lupton, Gunn & Szalay 1999, AJ 118, 1406).

    They equal AB magnitudes where the flux is large, and are defined for fluxes that are zero or negative.

    Parameters
    ----------
    flux, error : ndarray
        Nanomaggies.
    band : str
        One of ugriz.

    Returns
    -------
    magnitude, error : ndarray, float32
        NaN where the flux, or its error, is.

    Examples
    --------
    >>> one = np.array([1, 0], np.float32)
    >>> asinh_magnitude(one, 0.1 * one, "r")[0].round(2).tolist()
    [22.48, 24.8]
    """
    scale, softening = 2.5 / np.log(10), SOFTENING[band]
    ratio = np.asarray(flux, float) * 1e-9 / (2 * softening)
    magnitude = -scale * (np.arcsinh(ratio) + np.log(softening))
    spread = scale * np.asarray(error, float) * 1e-9 / (2 * softening) / np.hypot(1, ratio)
    return magnitude.astype(np.float32), spread.astype(np.float32)
