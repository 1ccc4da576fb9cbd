"""Align the five bands of a field on the pixel grid of r.

The astrometry of the frames maps pixels of r to pixels of each band. The bands are exposed minutes apart, through
different air, which leaves offsets of up to a quarter of a pixel. A fit to stars seen in both bands removes them. Each
band is resampled with the refined mapping, and the result is evaluated on stars left out of the fit.
"""

import json
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import astropy
import numpy as np
from astropy.table import Table
from astropy.wcs import WCS
from numpy.polynomial import polynomial
from numpy.typing import NDArray

from stargal import __version__
from stargal.constants import FWHM_PER_SIGMA, MAD_TO_SIGMA
from stargal.errors import StargalError
from stargal.imaging.astrometry import DEGREES, Mapping, footprint, map_pixels, scaled_pixels
from stargal.imaging.cube import SATURATED, Cube, exposure_start, make_cube_header, write_cube
from stargal.imaging.frames import Frame
from stargal.imaging.psf import PSF_HALF, TERMS, measure_psf
from stargal.imaging.resample import REACH, reproject_image, resample
from stargal.imaging.stars import Stars, find_stars, measure_stars, sky_noise
from stargal.io.files import sha256, whole
from stargal.survey.camera import SATURATION_DN, WAVELENGTH
from stargal.survey.fields import PIXEL_ARCSEC, Field

Array = NDArray[np.floating[Any]]

log = logging.getLogger(__name__)

STARS_FOR_ORDER = (6, 18, 50, 80)
"""Minimum number of stars for a fit of order 0, 1, 2, 3 (1, 3, 5, 7 terms), from cross-validation on six fields."""

FOLDS = 5
"""Number of cross-validation folds of the stars."""

MATCH_SNR = 15.0
"""Minimum signal-to-noise ratio of a star in the other band; its centroid is then accurate to 0.1 pixel."""

PAIR_RADIUS = 1.5
"""Largest accepted offset from the astrometric prediction, pixels; six times the observed offsets."""


@dataclass(frozen=True)
class Refinement:
    """Polynomials fitted to the offsets of stars between two bands.

    Attributes
    ----------
    order : int
        Order of the polynomial in row and in column; -1 if there were too few stars for a fit.
    dx, dy : ndarray, shape of a mapping's coefficients
        Coefficients fitted to all stars, pixels.
    left_out_dx, left_out_dy : ndarray, shape (n,)
        At each star, the fit to all stars minus the fit without the star's fold, pixels.
    """

    order: int
    dx: Array
    dy: Array
    left_out_dx: Array
    left_out_dy: Array


def align_field(
    field: Field, reference: Frame, others: Iterable[Frame], bands: str, method: str = "lanczos3", refine: bool = True
) -> Cube:
    """Align the bands of a field.

    Parameters
    ----------
    field : Field
    reference : Frame
        The r frame; its pixels stay unchanged.
    others : iterable of Frame
        The other four frames, in any order; read one at a time to limit memory.
    bands : str
        Order of the bands in the cube, for example ``ugriz``.
    method : str
        ``lanczos3``, or ``exact``, ``interp``, ``adaptive`` of `reproject`, which use only the TAN headers.
    refine : bool
        Fit the offsets that the astrometry leaves; ``lanczos3`` only.

    Raises
    ------
    StargalError
        If a band is missing, comes twice, or covers another part of the sky.
    """
    image = np.empty((len(bands), *reference.image.shape), dtype=np.float32)
    mask = np.empty(image.shape, dtype=np.uint8)
    noise, fwhm = np.full((2, len(bands)), np.nan, dtype=np.float32)
    psf = np.zeros((len(bands), TERMS, 2 * PSF_HALF + 1, 2 * PSF_HALF + 1), dtype=np.float32)
    sigma = sky_noise(reference.image)
    stars = find_stars(reference.image, sigma, SATURATION_DN * reference.nmgy_per_dn)
    reports = {}
    for frame in _with_first(reference, others):
        if frame.band not in bands or frame.band in reports:
            raise StargalError(f"field {field.name}: band {frame.band} comes twice or is not one of {bands}")
        index = bands.index(frame.band)
        aligned, saturated, report = align_band(reference, stars, frame, method, refine)
        image[index] = aligned
        mask[index] = np.isnan(aligned)  # as NO_DATA is 1
        mask[index][saturated] |= SATURATED
        noise[index], fwhm[index] = report["noise"], report["fwhm"]
        psf[index] = _psf_images(aligned, report["noise"], SATURATION_DN * frame.nmgy_per_dn)
        reports[frame.band] = report
    missing = set(bands) - set(reports)
    if missing:
        raise StargalError(f"field {field.name}: no frame of band {', '.join(sorted(missing))}")
    alignment = Table([reports[band] for band in bands])
    header = make_cube_header(reference.header, field, bands, {"METHOD": method, "REFINE": refine})
    return Cube(bands, image, mask, noise, fwhm, psf, alignment, header, reference.astrometry)


def _psf_images(image: NDArray[np.float32], sigma: float, ceiling: float) -> NDArray[np.float32]:
    """The PSF of an aligned band as `TERMS` images, NaN if there are too few stars."""
    try:
        return measure_psf(np.nan_to_num(image), sigma, ceiling).images
    except StargalError:
        return np.full((TERMS, 2 * PSF_HALF + 1, 2 * PSF_HALF + 1), np.float32(np.nan))


def align_band(
    reference: Frame, stars: Stars, frame: Frame, method: str, refine: bool
) -> tuple[NDArray[np.float32], tuple[NDArray[np.intp], NDArray[np.intp]], dict[str, Any]]:
    """Resample one frame onto the reference grid and measure the quality of the alignment.

    Parameters
    ----------
    reference, frame : Frame
    stars : Stars
        Stars of the reference frame.
    method, refine
        As in `align_field`.

    Returns
    -------
    image : ndarray, float32, shape (1489, 2048)
    saturated : tuple of ndarray
        Rows and columns of the pixels that a saturated pixel may affect.
    report : dict
        A row of the cube's ALIGNMENT table. Lengths are in pixels, `wavelength` in nm; `mjd`: UTC at which row 0 was
        read out. `x_offset` and `y_offset` are medians over stars left out of the fit, `..._before` those of the
        astrometry alone. Ratios are medians of after over before.
    """
    mapping = map_pixels(reference.astrometry, frame.astrometry)
    sigma = sky_noise(frame.image)
    dx, dy = mapping.shift(stars.x, stars.y)
    before = measure_stars(frame.image, stars.x + dx, stars.y + dy, sigma)
    offset_x, offset_y = before.x - stars.x - dx, before.y - stars.y - dy
    matched = before.ok & (before.snr > MATCH_SNR) & (np.hypot(offset_x, offset_y) < PAIR_RADIUS)
    found, before, offset_x, offset_y = stars[matched], before[matched], offset_x[matched], offset_y[matched]

    is_reference = frame.band == reference.band
    use = refine and method == "lanczos3" and not is_reference
    refinement = fit_offsets(found.x, found.y, offset_x, offset_y, enough=use)
    mapping = mapping.refined(refinement.dx, refinement.dy)
    if is_reference:
        image = frame.image
    elif method == "lanczos3":
        image = resample(frame.image, mapping)
    else:
        band, grid = (WCS(header, fix=False) for header in (frame.header, reference.header))
        image = reproject_image(frame.image, band, grid, method)

    after = measure_stars(image, found.x, found.y, sigma)
    ok = after.ok
    left_x = (after.x - found.x + refinement.left_out_dx)[ok]
    left_y = (after.y - found.y + refinement.left_out_dy)[ok]
    report = {
        "band": frame.band,
        "wavelength": WAVELENGTH[frame.band],
        "mjd": start.mjd if (start := exposure_start(frame.header)) else np.nan,
        "astrometry": frame.astrometry.name,
        "stars": int(ok.sum()),
        "order": refinement.order,
        "x_offset_before": _median(offset_x),
        "y_offset_before": _median(offset_y),
        "x_offset": _median(left_x),
        "y_offset": _median(left_y),
        "x_scatter": MAD_TO_SIGMA * _median(np.abs(left_x - _median(left_x))),
        "y_scatter": MAD_TO_SIGMA * _median(np.abs(left_y - _median(left_y))),
        "flux_ratio": _median((after.flux / before.flux)[ok]),
        "fwhm_ratio": _median((after.sigma / before.sigma)[ok]),
        "fwhm": FWHM_PER_SIGMA * PIXEL_ARCSEC * _median(after.sigma[ok]),
        "noise": sky_noise(image),
        "noise_before": sigma,
        "dx": mapping.dx,
        "dy": mapping.dy,
    }
    return image, _saturated(frame, mapping), report


def describe_alignment(cube: Cube) -> dict[str, Any]:
    """Summarise the alignment of a cube, for use without the cube.

    Returns
    -------
    dict
        ``footprint``: the corners of the field, [ra, dec] in deg, in order around it; ``bands``: for each band, a
        mapping with the numbers of the ALIGNMENT table, `None` for missing ones. Rounded to 1e-6.
    """
    bands = []
    for row in cube.alignment:
        values = {name: row[name] for name in cube.alignment.colnames if np.ndim(row[name]) == 0}
        bands.append({name: _plain(value) for name, value in values.items()})
    return {"footprint": np.round(footprint(cube.astrometry), 6).tolist(), "bands": bands}


def write_alignment(
    cube: Cube, frames: Sequence[Path], path: Path, summary: Path, psf: Path, release: str = "", address: str = ""
) -> None:
    """Write a cube with the names and SHA-256 of its frames, its summary as JSON, and its PSF as .npy.

    Parameters
    ----------
    cube : Cube
        As `align_field` gives it.
    frames : sequence of paths
        Its frames, in the order of the bands.
    release, address : str, optional
        Release of the frames, and the folder of the survey's archive that holds them; left out if empty.
    path, summary, psf : paths
        Files to write.
    """
    cube.alignment["frame"] = [frame.name for frame in frames]
    cube.alignment["sha256"] = [sha256(frame) for frame in frames]
    if release:
        cube.header["RELEASE"] = (release, "of the frames")
    if address:
        cube.header["FRAMEURL"] = address
    cube.header["SOFTWARE"] = f"stargal {__version__}, numpy {np.__version__}, astropy {astropy.__version__}"
    write_cube(cube, path)
    with whole(psf) as partial, partial.open("wb") as stream:
        np.save(stream, cube.psf)
    described = describe_alignment(cube)
    with whole(summary) as partial:
        partial.write_text(json.dumps(described, indent=1) + "\n")
    log.info("%s\n%s", path.stem, json.dumps(described["bands"], indent=1))


def _plain(value: Any) -> str | int | float | None:
    """Convert a table value to its JSON type."""
    if isinstance(value, np.floating):
        return round(float(value), 6) if np.isfinite(value) else None
    return int(value) if isinstance(value, np.integer) else str(value)


def fit_offsets(x: Array, y: Array, offset_x: Array, offset_y: Array, enough: bool = True) -> Refinement:
    """Fit the offsets of stars between two bands with a low-order function of row and column.

    The polynomial has the terms 1, u ... u**order, v ... v**order in the scaled pixel (u, v). Its order depends on the
    number of stars (`STARS_FOR_ORDER`). Stars more than 3 sigma off are clipped, in five iterations.

    Parameters
    ----------
    x, y : ndarray, shape (n,)
        Positions on the reference grid, pixels.
    offset_x, offset_y : ndarray, shape (n,)
        Measured minus predicted position in the other band, pixels.
    enough : bool
        Whether to fit at all.
    """
    order = sum(len(x) >= need for need in STARS_FOR_ORDER) - 1 if enough else -1
    shape = (DEGREES[0] + 1, DEGREES[1] + 1)
    if order < 0:
        nothing = np.zeros(len(x))
        return Refinement(-1, np.zeros(shape), np.zeros(shape), nothing, nothing)
    u, v = scaled_pixels(x, y)
    terms = np.hstack([polynomial.polyvander(u, order), polynomial.polyvander(v, order)[:, 1:]])
    fold = np.arange(len(x)) % FOLDS
    coefficients, left_out = [], []
    for offset in (offset_x, offset_y):
        fit = _fit_clipped(terms, offset, np.ones(len(x), dtype=bool))
        without = np.stack([_fit_clipped(terms, offset, fold != k) for k in range(FOLDS)])
        grid = np.zeros(shape)
        grid[: order + 1, 0], grid[0, 1 : order + 1] = fit[: order + 1], fit[order + 1 :]
        coefficients.append(grid)
        left_out.append(terms @ fit - (terms * without[fold]).sum(axis=1))
    return Refinement(order, *coefficients, *left_out)


def _fit_clipped(terms: Array, values: Array, use: NDArray[np.bool_]) -> Array:
    """Least-squares fit to the rows in `use`, with five iterations of 3-sigma clipping."""
    keep = use
    for _ in range(5):
        coefficients = np.linalg.lstsq(terms[keep], values[keep], rcond=None)[0]
        residual = np.abs(values - terms @ coefficients)
        spread = MAD_TO_SIGMA * np.median(residual[use])
        keep = use & (residual <= 3 * spread)
    return coefficients


def _saturated(frame: Frame, mapping: Mapping) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns of the reference pixels that a saturated pixel of the frame may affect through the kernel."""
    rows, columns = frame.image.shape
    y, x = np.nonzero(frame.image > SATURATION_DN * frame.nmgy_per_dn)
    dx, dy = mapping.shift(x, y)
    reach = REACH if np.any(mapping.dx) or np.any(mapping.dy) else 0
    step_y, step_x = np.mgrid[-reach : reach + 1, -reach : reach + 1].reshape(2, -1, 1)
    near_y, near_x = np.rint(y - dy).astype(np.intp) + step_y, np.rint(x - dx).astype(np.intp) + step_x
    inside = (near_y >= 0) & (near_y < rows) & (near_x >= 0) & (near_x < columns)
    return near_y[inside], near_x[inside]


def _median(values: Array) -> float:
    """Median; NaN for an empty array."""
    return float(np.median(values)) if len(values) else float("nan")


def _with_first(first: Frame, others: Iterable[Frame]) -> Iterable[Frame]:
    """Yield `first`, then the others."""
    yield first
    yield from others
