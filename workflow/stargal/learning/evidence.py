"""How much light a source has to be classified by: its signal-to-noise ratio, and what a probability is worth at it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

CORE = 4.0
"""Radius within which the signal is measured, pixels."""

DARK, BRIGHT = 4.0, 7.0
"""Signal-to-noise ratios, of all bands together, from which the network's probability begins to count, and counts
fully. On a real field, 1 % of blank sky reaches `DARK`. A source of average colours has 5 in r alone at `BRIGHT`."""

SEEN = 3.0
"""Signal-to-noise ratio in r from which a probability counts fully; it does not count without light in r. Detections
without it are mostly not sources like those that networks are trained on."""


def signal_to_noise(patches: NDArray[np.float32], psf: NDArray[np.float32], noise: NDArray[Any]) -> NDArray[np.float64]:
    """Signal-to-noise ratio of sources as point sources, in each band: that of the flux of a fitted PSF.

    It is 0 in a band without data or without a PSF.

    Parameters
    ----------
    patches : float32 array, (n, size, size, bands)
        Nanomaggies, NaN where there is no data.
    psf : float32 array, (n, size, size, bands)
        As `stargal.imaging.psf.psf_stamps` gives it; NaN in a band without a PSF.
    noise : float array, (bands,)
        Standard deviation of the sky, nanomaggies per pixel.

    Returns
    -------
    float64 array, (n, bands)
    """
    pixels = np.arange(patches.shape[1]) - patches.shape[1] // 2
    core = np.hypot(pixels, pixels[:, None]) <= CORE
    light, shape = patches[:, core], np.where(np.isfinite(patches[:, core]), psf[:, core], 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        signal = (np.nan_to_num(light) * shape).sum(axis=1) / (np.sqrt((shape**2).sum(axis=1)) * noise)
    return np.nan_to_num(signal.astype(float))


def together(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    """Signal-to-noise ratio of all bands together: those with a positive flux, added in quadrature."""
    return np.asarray(np.sqrt((np.maximum(signal, 0) ** 2).sum(axis=1)))


def weight(total: NDArray[np.float64], in_r: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weight of the network's evidence, 0 to 1, by the signal-to-noise ratio of all bands together and in r.

    Smooth steps from `DARK` to `BRIGHT` and from 0 to `SEEN`. A source is unclassified where it is less than 1.
    """
    return _step((total - DARK) / (BRIGHT - DARK)) * _step(in_r / SEEN)


def _step(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rise smoothly from 0 at 0 to 1 at 1."""
    inside = np.clip(x, 0, 1)
    return inside**2 * (3 - 2 * inside)
