"""The point spread function of a frame, measured on its stars.

SDSS photo expands the stars of a frame in Karhunen-Loeve images whose weights vary with position (Lupton et al. 2001,
ASP 238, 269). Here the images are the coefficients of a polynomial in the column and the row. The camera drift-scans:
the optics make the PSF vary with the column, and the seeing with the row, which is time. From the middle
of a real field to its end, the width of a star's image changes by 2 % (rms), and by up to 5 %.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import RegularGridInterpolator

from stargal.constants import FWHM_PER_SIGMA
from stargal.errors import StargalError
from stargal.imaging.resample import REACH, lanczos3
from stargal.imaging.stars import find_stars, measure_stars
from stargal.io.files import intact
from stargal.io.tables import unusable
from stargal.survey.fields import COLUMNS, PIXEL_ARCSEC, ROWS

Array = NDArray[np.floating[Any]]
Image = NDArray[np.float32]

PSF_HALF = 18
"""Half size of the images, pixels. Fluxes are normalised within this radius, 7.1 arcsec; photo uses 7.4."""

CORE = 5.0
"""Radius of the aperture that normalises the stars to each other, pixels."""

WINGS = 7.0
"""Radius beyond which the PSF is assumed to be round and the same everywhere, pixels."""

WING_SLOPE = 3.0
"""Power-law exponent of the wings (Lupton et al. 2001, the outer part of photo's PSF model)."""

STARS_FOR_TERM = (8, 15, 60, 15, 60)
"""Minimum number of stars for the images of 1, u, u^2, v and v^2, u and v the column and the row from -1 to 1."""

TERMS = len(STARS_FOR_TERM)
"""Number of images of a PSF."""


@dataclass(frozen=True)
class Psf:
    """A PSF that varies with the column and the row.

    Attributes
    ----------
    images : ndarray, float32, shape (5, 37, 37)
        Coefficients of 1, u, u^2, v and v^2, where u and v are the column and the row scaled to -1 ... 1. The first
        sums to one, the others to zero; those for which there were too few stars are zero.
    stars : int
        Number of stars it was measured on.
    """

    images: Image
    stars: int

    def at(self, x: float, y: float) -> Image:
        """The PSF at a position, shape (37, 37)."""
        return np.tensordot(position_terms(x, y), self.images, 1).astype(np.float32)

    def sigma(self, x: ArrayLike, y: ArrayLike) -> Array:
        """Width of the best-fitting round Gaussian at positions, pixels."""
        columns, rows = np.linspace(0, COLUMNS - 1, 5), np.linspace(0, ROWS - 1, 5)
        middle = np.array([float(PSF_HALF)])
        widths = [
            [measure_stars(self.at(column, row), middle, middle, 1.0).sigma[0] for row in rows] for column in columns
        ]
        inside = np.clip(x, 0, COLUMNS - 1), np.clip(y, 0, ROWS - 1)
        return np.asarray(RegularGridInterpolator((columns, rows), widths)(np.stack(inside, axis=-1)))

    def fwhm(self, x: ArrayLike, y: ArrayLike) -> Array:
        """Full width at half maximum of that Gaussian, arcsec."""
        return FWHM_PER_SIGMA * PIXEL_ARCSEC * self.sigma(x, y)


def psf_stamps(images: Image, x: Array, y: Array, size: int) -> Image:
    """The PSF of each band at sources, centred as they are in patches (`stargal.dataset.patches.extract_patches`).

    Parameters
    ----------
    images : ndarray, float32, shape (bands, terms, 37, 37)
        Of a cube: the images of `Psf` of each band; with fewer than five terms, the first of them.
    x, y : ndarray, shape (n,)
        Positions, 0-based pixels of the cube. The middle pixel of a patch contains the source, which is up to half a
        pixel from its centre.
    size : int
        Side of a patch, odd, pixels.

    Returns
    -------
    ndarray, float32, shape (n, size, size, bands)
        Rows, columns and bands; the whole PSF has unit flux.
    """
    bands, terms, side, _ = images.shape
    surplus = (side - size) // 2 - REACH  # margin that the shift does not need; negative for larger patches
    if surplus >= 0:
        images = images[:, :, surplus : side - surplus, surplus : side - surplus]
    else:
        images = np.pad(images, ((0, 0), (0, 0), (-surplus, -surplus), (-surplus, -surplus)))
    wide = size + 2 * REACH
    flat = np.ascontiguousarray(images.transpose(1, 2, 0, 3)).reshape(terms, -1)
    weights = position_terms(x, y)[:, :terms].astype(np.float32)
    stamps = (weights @ flat).reshape(-1, wide, bands * wide)
    along, across = (_shift_matrices(np.rint(place) - place, size) for place in (y, x))
    rows = (along @ stamps).reshape(-1, size * bands, wide)
    shifted = (rows @ across.swapaxes(1, 2)).reshape(-1, size, bands, size)
    return np.ascontiguousarray(shifted.transpose(0, 1, 3, 2))


def read_psf(path: Path) -> Image:
    """Read the PSF of a field, as a cube holds it: float32 (bands, terms, 37, 37).

    Raises
    ------
    StargalError
        If the file is not valid, or the PSF of a band could not be measured.
    """
    try:
        images = np.load(intact(path), allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise unusable(path, str(error).splitlines()[0]) from None
    require_psf(images, str(path))
    return images


def require_psf(images: Image, name: str) -> None:
    """Refuse a field in which the PSF of a band could not be measured.

    Raises
    ------
    StargalError
        Naming the field by `name` and the bands by their number.
    """
    missing = [str(band) for band, values in enumerate(images, start=1) if not np.isfinite(values).all()]
    if missing:
        raise StargalError(
            f"{name}: too few stars to measure the PSF of band {', '.join(missing)} of {len(images)}; exclude this "
            "field, or use a network that does not take the PSF"
        )


def _shift_matrices(shift: Array, size: int) -> Image:
    """Lanczos-3 matrices (n, size, size + 6) that move the point at `shift` from the centre to the centre."""
    weights = _unit(lanczos3(np.asarray(shift, float), np.arange(-REACH, REACH + 1))).T
    matrices = np.zeros((len(weights), size, size + 2 * REACH), np.float32)
    line = np.arange(size)[:, None]
    matrices[:, line, line + np.arange(2 * REACH + 1)] = weights[:, None]
    return matrices


def position_terms(x: ArrayLike, y: ArrayLike) -> Array:
    """Weights (n, 5) of the images of a PSF at positions: 1, u, u^2, v, v^2; u and v span -1 ... 1 over a frame."""
    u = np.asarray(x, float) * (2 / (COLUMNS - 1)) - 1
    v = np.asarray(y, float) * (2 / (ROWS - 1)) - 1
    return np.stack([np.ones_like(u), u, u**2, v, v**2], axis=-1)


def cut_stamps(image: Image, x: Array, y: Array, half: int) -> Image:
    """Cut stamps centred on sources, shifted to the pixel centre with a Lanczos-3 kernel; zero beyond the image.

    Parameters
    ----------
    image : ndarray, float32, shape (rows, columns)
    x, y : ndarray, shape (n,)
        Centres, pixels.
    half : int
        Half size of the stamps, pixels.

    Returns
    -------
    ndarray, float32, shape (n, 2 half + 1, 2 half + 1)
    """
    reach = half + REACH
    side = 2 * reach + 1
    padded = np.pad(image, reach)
    column, row = np.rint(x).astype(int), np.rint(y).astype(int)
    inside = (column >= 0) & (row >= 0) & (column < image.shape[1]) & (row < image.shape[0])
    windows = np.lib.stride_tricks.sliding_window_view(padded, (side, side))
    stamps = windows[np.where(inside, row, 0), np.where(inside, column, 0)]
    stamps[~inside] = 0
    return shift_stamps(stamps, x - column, y - row)


def shift_stamps(stamps: Image, dx: Array, dy: Array) -> Image:
    """Resample stamps to move the point at (dx, dy) from the centre to the centre; each side loses three pixels.

    Parameters
    ----------
    stamps : ndarray, float32, shape (n, side, side)
    dx, dy : ndarray, shape (n,)
        Shift, less than a pixel.
    """
    taps = np.arange(-REACH, REACH + 1)
    side = stamps.shape[1] - 2 * REACH
    rows = np.zeros((len(stamps), side, stamps.shape[2]), dtype=np.float32)
    for tap, weight in zip(taps, _unit(lanczos3(np.asarray(dy), taps)), strict=True):
        rows += weight[:, None, None] * stamps[:, REACH + tap : REACH + tap + side]
    result = np.zeros((len(stamps), side, side), dtype=np.float32)
    for tap, weight in zip(taps, _unit(lanczos3(np.asarray(dx), taps)), strict=True):
        result += weight[:, None, None] * rows[:, :, REACH + tap : REACH + tap + side]
    return result


def _unit(weights: Array) -> Image:
    """Normalise kernel weights to sum to one, to conserve flux."""
    return (weights / weights.sum(axis=0)).astype(np.float32)


def measure_psf(image: Image, sigma: float, ceiling: float) -> Psf:
    """Measure the PSF of a frame on its bright, isolated, unsaturated stars.

    Pixels that deviate from the fit, mostly neighbouring sources, are excluded. Beyond `WINGS` the PSF is a power law.

    Parameters
    ----------
    image : ndarray, float32, shape (rows, columns)
        Sky-subtracted.
    sigma : float
        Standard deviation of the sky, unit of the image.
    ceiling : float
        Peaks at or above it count as saturated.

    Raises
    ------
    StargalError
        If there are fewer than three stars.
    """
    stars = find_stars(image, sigma, ceiling)
    if len(stars.x) < STARS_FOR_TERM[0]:
        stars = find_stars(image, sigma, ceiling, peak_snr=6.0)
    if len(stars.x) < 3:
        raise StargalError(f"{len(stars.x)} stars in the frame are too few to measure its PSF; exclude this field")
    stamps = cut_stamps(image, stars.x, stars.y, PSF_HALF)
    pixels = np.arange(-PSF_HALF, PSF_HALF + 1.0)
    distance = np.hypot(pixels, pixels[:, None])
    core = (stamps * np.clip(CORE + 0.5 - distance, 0, 1)).sum(axis=(1, 2))
    positive = core > 20 * sigma
    stars, stamps, core = stars[positive], stamps[positive], core[positive]
    values = (stamps / core[:, None, None]).reshape(len(core), -1).astype(float)
    spread = sigma / core
    fitted = np.array([True, *(len(core) >= need for need in STARS_FOR_TERM[1:])])
    terms = position_terms(stars.x, stars.y)[:, fitted]

    # Errors of centroids and fluxes contribute about 2 % of the local value.
    fit = np.zeros((terms.shape[1], values.shape[1]))
    fit[0] = np.median(values, axis=0)
    for _ in range(4):
        model = terms @ fit
        error = np.hypot(spread[:, None], 0.03 * np.abs(model) + 3e-5)
        good = np.abs(values - model) < 4 * error
        weight = good / error**2
        normal = np.einsum("np,nk,nl->pkl", weight, terms, terms) + 1e-9 * np.eye(terms.shape[1])
        right = np.einsum("np,nk->pk", weight * values, terms)
        fit = np.linalg.solve(normal, right[..., None])[..., 0].T

    images = np.zeros((TERMS, *distance.shape))
    images[fitted] = fit.reshape(-1, *distance.shape)
    images[0] = _with_round_wings(images[0], values, distance)
    taper = np.clip((WINGS - distance) / 2, 0, 1)
    within = distance <= PSF_HALF
    images[1:] *= taper
    images[0] *= within
    total = images[0].sum()
    images /= total
    # Every combination then has unit flux; otherwise flux gained in the core would be lost, unnoticed, in the wings.
    for image_k in images[1:]:
        image_k -= image_k.sum() * images[0]
    return Psf(images.astype(np.float32), len(core))


def _with_round_wings(image: Array, values: Array, distance: Array) -> Array:
    """Blend the image beyond `WINGS` into a power law fitted to the median of all stars on each circle.

    Undetected sources add a constant background to all stars; it is fitted and removed.
    """
    ring = np.rint(distance).astype(int).ravel()
    radius = np.arange(int(WINGS), PSF_HALF + 1)
    profile = np.array([np.median(np.median(values[:, ring == step], axis=1)) for step in radius])
    terms = np.stack([radius**-WING_SLOPE, np.ones(len(radius))], axis=1)
    weight = np.sqrt(radius)[:, None]
    wing, ground = np.linalg.lstsq(weight * terms, weight[:, 0] * profile, rcond=None)[0]
    smooth = max(wing, 0.0) * np.maximum(distance, 1.0) ** -WING_SLOPE
    share = np.clip((distance - WINGS + 2) / 2, 0, 1)
    return (1 - share) * (image - ground) + share * smooth
