"""Say how like the real sky a simulated one is: the same numbers, by the same code, of the frames of both.

Every quantity is positive, so that a simulated sky is judged by its ratio to the real one: magnitudes enter as ratios
of fluxes, correlations as the noise of binned pixels over that of white noise.
"""

import itertools
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import sep
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.stats import trim_mean

from stargal.imaging.frames import Frame
from stargal.imaging.psf import HALF as PSF_HALF
from stargal.imaging.stars import sky_sigma
from stargal.io.files import intact
from stargal.photometry.photo import Plane, classify, detect, measure, prepare
from stargal.simulation.catalog import within_limits
from stargal.survey.fields import BANDS, COLUMNS, PIXEL_ARCSEC, REFERENCE

Image = NDArray[np.float32]

BAR = 1.15
"""Largest ratio of the medians, or of their inverses, that counts as alike."""

COUNT_BAR = 1.5
"""The same for counts of sources, which differ from field to field."""

CORE_WIDTHS = 1.5
"""Radius beyond which light of a star is in the PSF's wings, full widths at half maximum."""

COUNT_EDGES = (15, 19, 20, 21, 22)
"""Bins of r magnitude for counts: PSF magnitude of stars, model magnitude of galaxies."""

SHAPE_EDGES = (17, 19, 20, 21, 22)
"""Bins of r model magnitude for the ratio of PSF to model flux."""

COLOUR_LIMIT = 20.5
"""Faintest r model magnitude of the sources that colours are of; fainter ones are noisy in u and z."""

DETECTION_SIGMA, DETECTION_PIXELS = 1.5, 5
"""SExtractor's customary threshold and area (Bertin & Arnouts 1996, A&AS 117, 393)."""

CLASSES = {"star": 6, "galaxy": 3}
"""Photo's type of each class."""


def describe_field(frames: Mapping[str, Frame], camcol: int) -> pd.DataFrame:
    """Everything that is compared, of one field.

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
    planes = prepare(frames, camcol)
    parts = [describe_plane(plane, frames[band].image) for band, plane in planes.items()]
    measured = measure(planes, detect(planes))
    calibration = [planes[band].calibration if band in planes else np.nan for band in BANDS]
    parts.append(describe_sources(measured, classify(measured, calibration)))
    return pd.concat(parts, ignore_index=True)


def describe_plane(plane: Plane, image: Image) -> pd.DataFrame:
    """Noise, PSF and detections of one band.

    Parameters
    ----------
    plane : Plane
        The band, prepared.
    image : ndarray, float32, shape (rows, columns)
        The frame as it came.

    Returns
    -------
    DataFrame
        As `describe_field`:

        - sky sigma: nanomaggies
        - binned noise 2, binned noise 4: standard deviation of the means of 2 x 2 and 4 x 4 pixels over that of white
          noise
        - sky level: nanomaggies per pixel, from the noise and the gain
        - PSF FWHM: arcsec, in the middle column
        - PSF change: that of the last column over that of the first
        - PSF wings: share of the flux beyond `CORE_WIDTHS`
        - detections: sources of 5 pixels above 1.5 sigma; detections 5 sigma: likewise above 5 sigma
        - detection radius: median half-light radius of those above 5 sigma, arcsec
    """
    finite = np.where(np.isfinite(image), image, 0).astype(np.float32)
    fwhm = plane.psf.fwhm([0.0, COLUMNS / 2, COLUMNS - 1.0])
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
    """Noise of the means of `step` x `step` pixels over what it were if pixels were independent."""
    rows, columns = (side // step * step for side in image.shape)
    means = image[:rows, :columns].reshape(rows // step, step, columns // step, step).mean(axis=(1, 3))
    return sky_sigma(means) * step / sky_sigma(image)


def detections(image: Image, sigma: float, threshold: float) -> tuple[int, float]:
    """SExtractor-like detections: how many, and their median half-light radius in arcsec.

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
    """Counts, concentration and colours of the sources that a catalogue would hold.

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
        - flux u / g, g / r, r / i, i / z: mean without the lowest and highest tenth, band is the first. The second is
          the better seen; a median would fall between the two peaks that the colours of stars have
    """
    fluxes = {f"{name}_{band}": measured[name][:, k] for name in ("psf", "model") for k, band in enumerate(BANDS)}
    table = pd.DataFrame(fluxes | {"type": types})
    with np.errstate(divide="ignore", invalid="ignore"):
        magnitude = {name: 22.5 - 2.5 * np.log10(table[f"{name}_{REFERENCE}"].to_numpy()) for name in ("psf", "model")}
        concentration = (table[f"psf_{REFERENCE}"] / table[f"model_{REFERENCE}"]).to_numpy()
    parts = []
    for name, kind in CLASSES.items():
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


def _rows(values: Mapping[str, float], band: str, where: str = "") -> pd.DataFrame:
    """Rows of a description."""
    return pd.DataFrame(
        [{"quantity": name, "band": band, "bin": where, "value": float(value)} for name, value in values.items()]
    )


def read_descriptions(pattern: str, fields: Iterable[str]) -> dict[str, pd.DataFrame]:
    """Descriptions that were written as CSV.

    Parameters
    ----------
    pattern : str
        Path of a description, with {field} for the field's name.
    fields : iterable of str
    """
    paths = {field: intact(Path(pattern.format(field=field))) for field in fields}
    return {field: pd.read_csv(path, keep_default_na=False, dtype={"bin": str}) for field, path in paths.items()}


def compare(simulated: Mapping[str, pd.DataFrame], real: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Medians over simulated fields against medians over real ones.

    Parameters
    ----------
    simulated, real : mapping of DataFrame
        Descriptions by field.

    Returns
    -------
    DataFrame
        quantity, band, bin, simulated, real (medians), ratio, bar, within (whether ratio and its inverse are at most
        the bar).
    """
    keys = ["quantity", "band", "bin"]
    medians = []
    for name, fields in (("simulated", simulated), ("real", real)):
        every = pd.concat(list(fields.values()), ignore_index=True)
        medians.append(every.groupby(keys, sort=False)["value"].median().rename(name))
    table = pd.concat(medians, axis=1, join="inner").reset_index()
    table["ratio"] = table["simulated"] / table["real"]
    counted = table["quantity"].str.contains("count|detections")
    table["bar"] = np.where(counted, COUNT_BAR, BAR)
    table["within"] = (table["ratio"] <= table["bar"]) & (table["ratio"] >= 1 / table["bar"])
    return table


def draw_ratios(table: pd.DataFrame) -> Figure:
    """Ratio of simulated to real of every quantity, bands by colour, the bars as lines.

    Parameters
    ----------
    table : DataFrame
        As `compare` gives it.
    """
    names = list(dict.fromkeys(table["quantity"]))
    figure = Figure(figsize=(7, 0.24 * len(names) + 1))
    ax = figure.subplots()
    for index, band in enumerate(BANDS):
        rows = table[table["band"] == band]
        places = [names.index(name) + 0.12 * (index - 2) for name in rows["quantity"]]
        ax.scatter(rows["ratio"], places, s=16, color=f"C{index}", label=band)
    for place, name in enumerate(names):
        bar = table.loc[table["quantity"] == name, "bar"].iloc[0]
        ax.barh(place, bar - 1 / bar, 0.8, 1 / bar, color="0.93", zorder=0)
    ax.axvline(1, color="0.6", linewidth=0.6, zorder=0)
    ax.set(xscale="log", xlim=(0.4, 2.5))
    ax.set_xlabel("simulated sky over real sky, medians over fields", loc="left")
    ax.set_xticks([0.5, 0.7, 1, 1.5, 2], ["0.5", "0.7", "1", "1.5", "2"])
    ax.set_xticks([], minor=True)
    ax.set_yticks(range(len(names)), names)
    ax.invert_yaxis()
    ax.legend(title="band", ncols=5, loc="lower center", bbox_to_anchor=(0.5, 1))
    return figure


def draw_sources(simulated: Mapping[str, pd.DataFrame], real: Mapping[str, pd.DataFrame]) -> Figure:
    """Counts and concentration against r magnitude, a line a field, stars and galaxies apart.

    Parameters
    ----------
    simulated, real : mapping of DataFrame
        Descriptions by field.
    """
    figure = Figure(figsize=(8, 6))
    axes = figure.subplots(2, 2, sharex=True, sharey="row")
    for column, name in enumerate(CLASSES):
        for row, quantity in enumerate((f"count {name}", f"PSF / model {name}")):
            ax = axes[row, column]
            for colour, kind, fields in (("C0", "simulated sky", simulated), ("C1", "real sky", real)):
                for number, described in enumerate(fields.values()):
                    rows = described[(described["quantity"] == quantity) & (described["bin"] != "")]
                    middle = [np.mean([float(edge) for edge in text.split("-")]) for text in rows["bin"]]
                    ax.plot(middle, rows["value"], color=colour, marker=".", label=None if number else kind)
        axes[0, column].set(title={"star": "stars", "galaxy": "galaxies"}[name], yscale="log")
        axes[1, column].set_xlabel("r magnitude, AB mag")
    axes[0, 0].set_ylabel("sources a field")
    axes[1, 0].set_ylabel("PSF flux over model flux, r")
    axes[0, 0].legend()
    return figure
