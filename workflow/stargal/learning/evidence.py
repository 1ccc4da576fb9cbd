"""How much light a source has to be classified by: its signal-to-noise ratio, and what a probability is worth at it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

CORE = 4.0
"""Radius within which the signal is measured, pixels."""

DARK, BRIGHT = 3.0, 7.0
"""Signal-to-noise ratios from which the network's probability begins to count, and counts fully. A source below
`BRIGHT` is unclassified. Blank sky reaches `DARK` in 3 % of positions. A source of average colours has 5 in r alone at
`BRIGHT`."""


def signal_to_noise(patches: NDArray[np.float32], psf: NDArray[np.float32], noise: NDArray[Any]) -> NDArray[np.float64]:
    """Signal-to-noise ratio of sources as point sources, of all bands together.

    In each band it is that of the flux of a fitted PSF (a matched filter). The bands with a positive flux are added in
    quadrature. Bands and pixels without data add nothing.

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
    float64 array, (n,)
    """
    pixels = np.arange(patches.shape[1]) - patches.shape[1] // 2
    core = np.hypot(pixels, pixels[:, None]) <= CORE
    light, shape = patches[:, core], np.where(np.isfinite(patches[:, core]), psf[:, core], 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        signal = (np.nan_to_num(light) * shape).sum(axis=1) / (np.sqrt((shape**2).sum(axis=1)) * noise)
    return np.sqrt((np.maximum(np.nan_to_num(signal.astype(float)), 0) ** 2).sum(axis=1))


def weight(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weight of the network's evidence: 0 up to `DARK`, 1 from `BRIGHT`, a smooth step in between."""
    step = np.clip((signal - DARK) / (BRIGHT - DARK), 0, 1)
    return step**2 * (3 - 2 * step)
