"""Find bright stars in a frame and measure their position, size and flux.

They measure the alignment of two bands and the effect of resampling on the image.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from astropy.stats import sigma_clipped_stats
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]

WINDOW = 8
"""Half size of the stamp for a star, pixels: 3 sigma of a PSF of 2.4 arcsec FWHM, the worst in the survey."""

APERTURE = 7.0
"""Radius of the flux aperture, pixels (2.8 arcsec)."""

MOST = 400
"""Largest number of stars measured, brightest first. More do not improve the fit; Galactic-plane fields have 10,000."""


@dataclass(frozen=True)
class Stars:
    """Measured stars; each attribute is an array (n,).

    Attributes
    ----------
    x, y : float64
        Centroid, 0-based pixels.
    sigma : float64
        Width of the best-fitting round Gaussian, pixels.
    flux : float64
        Flux in an aperture of radius `APERTURE`, in the unit of the image.
    snr : float64
        Signal-to-noise ratio of the Gaussian-weighted flux.
    ok : bool
        Whether the measurement converged within the stamp, on finite pixels.
    """

    x: Array
    y: Array
    sigma: Array
    flux: Array
    snr: Array
    ok: NDArray[np.bool_]

    def __getitem__(self, keep: NDArray[np.bool_] | NDArray[np.intp]) -> "Stars":
        return Stars(*(getattr(self, name)[keep] for name in self.__dataclass_fields__))


def sky_noise(image: NDArray[np.float32]) -> float:
    """Standard deviation of the sky background in an image (rows, columns), clipped at 3 sigma.

    One pixel in 55 is enough (55,000 pixels, 0.3 %). A median absolute deviation is unsuitable: pixels are quantised to
    a few counts per sigma, so their median changes in steps.
    """
    sample = image[::11, ::5]
    _, _, sigma = sigma_clipped_stats(sample[np.isfinite(sample)], sigma=3.0, maxiters=10)
    # A normal distribution cut at 3 sigma keeps 98.66 % of its standard deviation.
    return float(sigma / 0.98658)


def find_stars(image: NDArray[np.float32], sigma: float, ceiling: float = np.inf, peak_snr: float = 15.0) -> Stars:
    """Find isolated, unsaturated point sources in an image, brightest first.

    Parameters
    ----------
    image : ndarray, float32, shape (rows, columns)
    sigma : float
        Standard deviation of the sky, unit of the image.
    ceiling : float
        Peaks at or above this value count as saturated.
    peak_snr : float
        Height of the faintest peak in units of `sigma`; 15 is a total signal-to-noise ratio of about 40.

    Returns
    -------
    Stars
        At most `MOST`. Point sources are those whose width is within 12 % of the mode of the widths.
    """
    margin = 2 * WINDOW
    inner = image[margin:-margin, margin:-margin]
    y, x = np.nonzero(inner > peak_snr * sigma)
    y, x = y + margin, x + margin
    peak = image[y, x]
    # A peak is the highest pixel around it. Nearest neighbours come first: they reject nearly all candidates.
    for reach in (1, WINDOW):
        window = np.lib.stride_tricks.sliding_window_view(image, (2 * reach + 1, 2 * reach + 1))
        keep = peak >= np.nanmax(window[y - reach, x - reach], axis=(1, 2), initial=-np.inf)
        y, x, peak = y[keep], x[keep], peak[keep]
    order = np.argsort(-peak, kind="stable")
    order = order[peak[order] < ceiling][: 2 * MOST]
    stars = measure_stars(image, x[order].astype(float), y[order].astype(float), sigma)
    stars = stars[stars.ok]
    if len(stars.x) == 0:
        return stars
    # Stars are the narrowest sources: their widths cluster at the width of the PSF, and galaxies are wider.
    width = _mode(stars.sigma)
    stars = stars[np.abs(stars.sigma / width - 1) < 0.12]
    return stars[np.arange(len(stars.x)) < MOST]


def measure_stars(image: NDArray[np.float32], x: Array, y: Array, sigma: float) -> Stars:
    """Measure centroid, width and flux of stars near given positions.

    Adaptive Gaussian moments (Bernstein & Jarvis 2002, AJ 123, 583): the round weight function is iterated to the
    measured centre and width. The result does not depend on the first guess, and noise in the wings has little weight.

    Parameters
    ----------
    image : ndarray, float32, shape (rows, columns)
    x, y : ndarray, shape (n,)
        First guesses, accurate to about 2 pixels.
    sigma : float
        Standard deviation of the sky, unit of the image.
    """
    rows, columns = image.shape
    column, row = np.rint(x).astype(int), np.rint(y).astype(int)
    inside = (column >= WINDOW) & (row >= WINDOW) & (column < columns - WINDOW) & (row < rows - WINDOW)
    column, row = np.where(inside, column, WINDOW), np.where(inside, row, WINDOW)
    side = 2 * WINDOW + 1
    stamps = np.lib.stride_tricks.sliding_window_view(image, (side, side))[row - WINDOW, column - WINDOW].astype(float)
    finite = np.isfinite(stamps).all(axis=(1, 2))
    stamps[~finite] = 0.0
    pixels = np.arange(-WINDOW, WINDOW + 1.0)
    dx, dy = np.where(inside, x, column) - column, np.where(inside, y, row) - row
    width = np.full(len(dx), 1.5)
    with np.errstate(all="ignore"):
        for _ in range(25):
            across, along = pixels - dx[:, None], pixels - dy[:, None]
            weight_x = np.exp(-0.5 * (across / width[:, None]) ** 2)
            weight_y = np.exp(-0.5 * (along / width[:, None]) ** 2)
            # Moments 0, 1, 2 in x for each row, then in y: the weight is separable.
            in_x = stamps @ np.stack([weight_x, weight_x * across, weight_x * across**2], axis=2)
            total, first_x, second_x = np.moveaxis((weight_y[:, :, None] * in_x).sum(axis=1), 1, 0)
            first_y = (weight_y * along * in_x[:, :, 0]).sum(axis=1)
            second_y = (weight_y * along**2 * in_x[:, :, 0]).sum(axis=1)
            dx, dy = dx + 2 * first_x / total, dy + 2 * first_y / total
            variance = 0.5 * (second_x + second_y) / total
            width = np.sqrt(1 / (1 / variance - 1 / width**2))
        distance = np.hypot(pixels - dx[:, None, None], pixels[:, None] - dy[:, None, None])
        covered = np.clip(APERTURE + 0.5 - distance, 0, 1)
        ok = inside & finite & (np.abs(dx) < 3) & (np.abs(dy) < 3) & (width > 0.5) & (width < WINDOW / 2) & (total > 0)
        return Stars(
            x=column + dx,
            y=row + dy,
            sigma=width,
            flux=(stamps * covered).sum(axis=(1, 2)),
            # Variance of the weighted sum: sky variance times the sum of squared weights, pi width^2.
            snr=total / (sigma * np.sqrt(np.pi) * width),
            ok=ok,
        )


def _mode(values: Array) -> float:
    """Half-sample mode (Bickel & Fruehwirth 2006): the centre of the densest part."""
    values = np.sort(values)
    while len(values) > 3:
        half = (len(values) + 1) // 2
        spans = values[half - 1 :] - values[: len(values) - half + 1]
        start = int(np.argmin(spans))
        values = values[start : start + half]
    return float(np.median(values))
