"""Realism of a simulated sky: the same quantities of simulated and real frames, measured by the same code.

Every quantity is positive, so that the ratio of simulated to real describes the agreement: magnitudes enter as ratios
of fluxes, correlations as the noise of binned pixels over that of white noise.
"""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import sep
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.stats import trim_mean

from stargal.imaging.frames import Frame
from stargal.imaging.psf import PSF_HALF
from stargal.imaging.stars import sky_noise
from stargal.photometry.classify import photo_types
from stargal.photometry.detect import detect_peaks
from stargal.photometry.measure import measure_sources
from stargal.photometry.planes import Plane, prepare_planes
from stargal.survey.catalog import within_limits
from stargal.survey.fields import BANDS, COLUMNS, PIXEL_ARCSEC, REFERENCE, ROWS

Image = NDArray[np.float32]

BAR = 1.15
"""Largest ratio of the medians, or of its inverse, that counts as agreement."""

COUNT_BAR = 1.5
"""The same for counts of sources, which differ from field to field."""

CORE_WIDTHS = 1.5
"""Radius beyond which light of a star is in the PSF's wings, full widths at half maximum."""

COUNT_EDGES = (15, 19, 20, 21, 22)
"""Bins of r magnitude for counts: PSF magnitude of stars, model magnitude of galaxies."""

SHAPE_EDGES = (17, 19, 20, 21, 22)
"""Bins of r model magnitude for the ratio of PSF to model flux."""

COLOUR_LIMIT = 20.5
"""Faintest r model magnitude of sources for colours; fainter ones are noisy in u and z."""

PAIR_EDGES, PAIR_LIMIT = (2, 4, 8, 20), 22.0
"""Bins of separation for pairs, arcsec, and faintest r model magnitude of their sources. Nearer sources are not always
separated."""

DETECTION_SIGMA, DETECTION_PIXELS = 1.5, 5
"""SExtractor's customary threshold and area (Bertin & Arnouts 1996, A&AS 117, 393)."""

PHOTO_TYPES = {"star": 6, "galaxy": 3}
"""Photo's type of each class."""


def describe_field(frames: Mapping[str, Frame], camcol: int) -> pd.DataFrame:
    """All quantities of one field.

    Parameters
    ----------
    frames : mapping of Frame
        By band.
    camcol : int
        Camera column.

    Returns
    -------
    DataFrame
        quantity, band, bin (of r magnitude, or empty), value.
    """
    planes = prepare_planes(frames, camcol)
    parts = [describe_plane(plane, frames[band].image) for band, plane in planes.items()]
    measured = measure_sources(planes, detect_peaks(planes))
    calibration = [planes[band].calibration if band in planes else np.nan for band in BANDS]
    parts.append(describe_sources(measured, photo_types(measured, calibration)))
    bright = measured["model"][:, BANDS.index(REFERENCE)] > 10 ** (0.4 * (22.5 - PAIR_LIMIT))
    parts.append(describe_pairs(measured["x"][bright], measured["y"][bright], frames[REFERENCE].image.shape))
    return pd.concat(parts, ignore_index=True)


def describe_plane(plane: Plane, image: Image) -> pd.DataFrame:
    """Noise, PSF and detections of one band.

    Parameters
    ----------
    plane : Plane
        The band, prepared.
    image : ndarray, float32, shape (rows, columns)
        The frame before preparation.

    Returns
    -------
    DataFrame
        As `describe_field`:

        - sky sigma: nanomaggies
        - binned noise 2, binned noise 4: standard deviation of the means of 2 x 2 and 4 x 4 pixels over that of white
          noise
        - sky level: nanomaggies per pixel, from the noise and the gain
        - PSF FWHM: arcsec, in the middle of the frame
        - PSF change: that of the last column over that of the first
        - PSF wings: share of the flux beyond `CORE_WIDTHS`
        - detections: sources of 5 pixels above 1.5 sigma; detections 5 sigma: the same above 5 sigma
        - detection radius: median half-light radius of those above 5 sigma, arcsec
    """
    finite = np.where(np.isfinite(image), image, 0).astype(np.float32)
    fwhm = plane.psf.fwhm([0.0, COLUMNS / 2, COLUMNS - 1.0], [ROWS / 2] * 3)
    pixels = np.arange(-PSF_HALF, PSF_HALF + 1)
    beyond = np.hypot(pixels, pixels[:, None]) > CORE_WIDTHS * fwhm[1] / PIXEL_ARCSEC
    faint, _ = detections(plane.image, plane.sigma, DETECTION_SIGMA)
    bright, radius = detections(plane.image, plane.sigma, 5.0)
    values = {
        "sky sigma": plane.sigma,
        "binned noise 2": binned_noise(finite, 2),
        "binned noise 4": binned_noise(finite, 4),
        "sky level": plane.sky,
        "PSF FWHM": fwhm[1],
        "PSF change": fwhm[2] / fwhm[0],
        "PSF wings": float(plane.psf.images[0][beyond].sum()),
        "detections": faint,
        "detections 5 sigma": bright,
        "detection radius": radius,
    }
    return _rows(values, plane.band)


def binned_noise(image: Image, step: int) -> float:
    """Noise of the means of `step` x `step` pixels over that of independent pixels."""
    rows, columns = (side // step * step for side in image.shape)
    means = image[:rows, :columns].reshape(rows // step, step, columns // step, step).mean(axis=(1, 3))
    return sky_noise(means) * step / sky_noise(image)


def detections(image: Image, sigma: float, threshold: float) -> tuple[int, float]:
    """Number of SExtractor-like detections, and their median half-light radius in arcsec.

    Parameters
    ----------
    image : ndarray, float32, shape (rows, columns)
        Sky-subtracted.
    sigma : float
        Standard deviation of the sky.
    threshold : float
        In sigma.
    """
    found = sep.extract(np.ascontiguousarray(image), threshold * sigma, minarea=DETECTION_PIXELS)
    if len(found) == 0:
        return 0, float("nan")
    radius, _ = sep.flux_radius(image, found["x"], found["y"], 6 * found["a"], 0.5, subpix=5)
    return len(found), float(np.median(radius)) * PIXEL_ARCSEC


def describe_sources(measured: Mapping[str, NDArray[Any]], types: NDArray[np.int32]) -> pd.DataFrame:
    """Counts, concentration and colours of the sources that a catalogue would contain.

    Parameters
    ----------
    measured : mapping of ndarray
        As `stargal.photometry.photo.measure` gives it.
    types : ndarray, shape (n,)
        3 galaxy, 6 star.

    Returns
    -------
    DataFrame
        As `describe_field`, of each class:

        - count: of catalogued sources in a bin of r magnitude, and of all (empty bin)
        - PSF / model: median ratio of the fluxes in r, in bins of r model magnitude, and its scatter (84th less 16th
          percentile)
        - flux u / g, g / r, r / i, i / z: mean without the lowest and highest tenth, band is the first. The second has
          the better signal; a median would fall between the two peaks in the colours of stars
    """
    fluxes = {f"{name}_{band}": measured[name][:, k] for name in ("psf", "model") for k, band in enumerate(BANDS)}
    table = pd.DataFrame(fluxes | {"type": types})
    with np.errstate(divide="ignore", invalid="ignore"):
        magnitude = {name: 22.5 - 2.5 * np.log10(table[f"{name}_{REFERENCE}"].to_numpy()) for name in ("psf", "model")}
        concentration = (table[f"psf_{REFERENCE}"] / table[f"model_{REFERENCE}"]).to_numpy()
    parts = []
    for name, kind in PHOTO_TYPES.items():
        own = within_limits(table, "star" if kind == 6 else "gal")
        r = magnitude["psf" if kind == 6 else "model"]
        parts.append(_rows({f"count {name}": own.sum()}, REFERENCE))
        for low, high in itertools.pairwise(COUNT_EDGES):
            parts.append(_rows({f"count {name}": (own & (r >= low) & (r < high)).sum()}, REFERENCE, f"{low}-{high}"))
        for low, high in itertools.pairwise(SHAPE_EDGES):
            inside = concentration[own & (magnitude["model"] >= low) & (magnitude["model"] < high)]
            if len(inside) > 2:
                lower, middle, upper = np.percentile(inside, [16, 50, 84])
                values = {f"PSF / model {name}": middle, f"PSF / model scatter {name}": upper - lower}
                parts.append(_rows(values, REFERENCE, f"{low}-{high}"))
        bright = own & (magnitude["model"] < COLOUR_LIMIT)
        for blue, red in itertools.pairwise(BANDS):
            ratio = (table[f"model_{blue}"] / table[f"model_{red}"]).to_numpy()[bright]
            ratio = ratio[np.isfinite(ratio)]
            if len(ratio):
                parts.append(_rows({f"flux {blue} / {red} {name}": trim_mean(ratio, 0.1)}, blue))
    return pd.concat(parts, ignore_index=True)


def describe_pairs(x: NDArray[np.floating[Any]], y: NDArray[np.floating[Any]], shape: tuple[int, ...]) -> pd.DataFrame:
    """Pairs of sources by separation, relative to sources at random places.

    Parameters
    ----------
    x, y : ndarray, shape (n,)
        Positions in pixels.
    shape : tuple
        Rows and columns of the image.

    Returns
    -------
    DataFrame
        As `describe_field`, ``pairs`` in bins of separation (arcsec): the number of pairs over that expected of as many
        sources at random places. Bins in which fewer than one pair is expected are left out.
    """
    edges = np.array(PAIR_EDGES) / PIXEL_ARCSEC
    tree = cKDTree(np.stack([x, y], axis=1))
    found = np.diff((tree.count_neighbors(tree, edges) - len(x)) / 2)
    expected = np.diff(share_within(edges, *shape)) * len(x) * (len(x) - 1) / 2
    bins = zip(itertools.pairwise(PAIR_EDGES), found, expected, strict=True)
    parts = [
        _rows({"pairs": number / chance}, REFERENCE, f"{low}-{high} arcsec")
        for (low, high), number, chance in bins
        if chance >= 1
    ]
    return pd.concat(parts) if parts else _rows({}, REFERENCE)


def share_within(separation: NDArray[np.floating[Any]], height: float, width: float) -> NDArray[np.float64]:
    """Probability that two random points of a rectangle are closer than a separation.

    The separation is at most the shorter side (Philip 2007, The probability distribution of the distance between two
    random points in a box, TRITA-MAT-07-MA-10).
    """
    area = height * width
    pairs = np.pi * area * separation**2 - 4 / 3 * (height + width) * separation**3 + separation**4 / 2
    return np.asarray(pairs / area**2)


def _rows(values: Mapping[str, float], band: str, where: str = "") -> pd.DataFrame:
    """Rows of a description."""
    return pd.DataFrame(
        [{"quantity": name, "band": band, "bin": where, "value": float(value)} for name, value in values.items()]
    )


def realism_table(simulated: Sequence[pd.DataFrame], real: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Medians over simulated fields against medians over real ones.

    Parameters
    ----------
    simulated, real : sequences of DataFrame
        Descriptions, one per field; the bin may be empty or missing where there is none.

    Returns
    -------
    DataFrame
        quantity, band, bin, simulated, real (medians), ratio, bar, within (whether ratio and its inverse are at most
        the bar).
    """
    keys = ["quantity", "band", "bin"]
    medians = []
    for name, fields in (("simulated", simulated), ("real", real)):
        every = pd.concat(list(fields), ignore_index=True)
        every["bin"] = every["bin"].astype(object).fillna("")
        medians.append(every.groupby(keys, sort=False)["value"].median().rename(name))
    table = pd.concat(medians, axis=1, join="inner").reset_index()
    table["ratio"] = table["simulated"] / table["real"]
    counted = table["quantity"].str.contains("count|detections|pairs")
    table["bar"] = np.where(counted, COUNT_BAR, BAR)
    table["within"] = (table["ratio"] <= table["bar"]) & (table["ratio"] >= 1 / table["bar"])
    return table
