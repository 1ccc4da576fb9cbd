"""Pictures of the sky and figures of what is on it. Draw and save them within `stargal.report.look.style`."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from astropy.visualization import make_lupton_rgb
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from stargal.survey.fields import PIXEL_ARCSEC, REFERENCE

COLOUR_BANDS = "irg"
"""Bands shown as red, green and blue, as in the pictures of the SDSS SkyServer."""

COLOUR_SCALE = {"i": 0.75, "r": 1.0, "g": 1.6}
"""Factors that make a star of mean colour (g - r 0.6, r - i 0.3 mag) white."""

STRETCH, SOFTENING = 0.2, 10.0
"""Linear range in nanomaggies per pixel, and asinh softening (Lupton et al. 2004, PASP 116, 133)."""

MARKERS = {1: ("star", "C0", "o"), 0: ("galaxy", "C1", "s")}
"""Name, colour and marker of the labels 1 and 0."""


def colour_picture(images: dict[str, NDArray[np.float32]]) -> NDArray[np.uint8]:
    """An RGB picture, shape (rows, columns, 3), of the bands i, r, g, each (rows, columns) in nanomaggies.

    Missing pixels are black.
    """
    scaled = [np.nan_to_num(images[band], nan=-1.0) * COLOUR_SCALE[band] for band in COLOUR_BANDS]
    return make_lupton_rgb(*scaled, minimum=-0.02, stretch=STRETCH, Q=SOFTENING)


def choose_window(sources: pd.DataFrame, shape: tuple[int, int], side: int) -> tuple[slice, slice]:
    """Rows and columns of a square cut-out with many sources: the fullest cell of a grid over the field.

    Parameters
    ----------
    sources : DataFrame
        With x, y in pixels.
    shape : tuple
        Rows and columns of the field.
    side : int
        Of the cut-out, pixels.
    """
    rows, columns = shape[0] // side, shape[1] // side
    counts, _, _ = np.histogram2d(
        sources["y"], sources["x"], bins=[rows, columns], range=[[0, rows * side], [0, columns * side]]
    )
    row, column = np.unravel_index(int(np.argmax(counts)), counts.shape)
    return slice(row * side, (row + 1) * side), slice(column * side, (column + 1) * side)


def draw_cutouts(
    raw: NDArray[np.uint8], aligned: NDArray[np.uint8], sources: pd.DataFrame, window: tuple[slice, slice], title: str
) -> Figure:
    """A cut-out before and after alignment, and with the catalogued sources marked; same pixels, same stretch.

    Parameters
    ----------
    raw, aligned : ndarray, uint8, shape (side, side, 3)
    sources : DataFrame
        With x, y in pixels of the field, and label.
    window : tuple of slice
        Rows and columns of the cut-out in the field.
    title : str
    """
    rows, columns = window
    figure = Figure(figsize=(12, 4.6))
    panels = figure.subplots(1, 3, sharex=True, sharey=True)
    extent = (columns.start - 0.5, columns.stop - 0.5, rows.start - 0.5, rows.stop - 0.5)
    for ax, picture, name in zip(
        panels, (raw, aligned, aligned), ("unaligned", "aligned", "catalogued sources"), strict=True
    ):
        ax.imshow(picture, origin="lower", extent=extent, interpolation="nearest")
        ax.set(title=name, xlabel="column, pixels")
        ax.grid(False)
    panels[0].set_ylabel("row, pixels")
    inside = sources["x"].between(*extent[:2]) & sources["y"].between(*extent[2:])
    for label, (name, colour, marker) in MARKERS.items():
        chosen = sources[inside & (sources["label"] == label)]
        panels[2].scatter(
            chosen["x"], chosen["y"], s=60, marker=marker, facecolors="none", edgecolors=colour, linewidths=1.3,
            label=f"{name} ({label})",
        )  # fmt: skip
    panels[2].legend(loc="upper right", frameon=True, facecolor="white", framealpha=0.9)
    figure.suptitle(f"{title}: i, r, g as red, green, blue; one pixel is {PIXEL_ARCSEC} arcsec")
    return figure


def draw_patches(patches: NDArray[np.float32], bands: str, sources: pd.DataFrame, title: str, each: int = 10) -> Figure:
    """Example patches of both classes, `each` a class, spread evenly over the r magnitudes.

    Parameters
    ----------
    patches : ndarray, float32, shape (n, size, size, bands)
        Nanomaggies.
    bands : str
        Order of the last axis.
    sources : DataFrame
        Row for row with the patches: label, model_mag_r.
    """
    magnitude = f"model_mag_{REFERENCE}"
    figure = Figure(figsize=(1.15 * each, 3.4))
    panels = figure.subplots(2, each)
    for row, (label, (name, _, _)) in enumerate(MARKERS.items()):
        members = sources[(sources["label"] == label) & sources[magnitude].notna()]
        members = members.sort_values(magnitude, kind="stable")
        # With fewer members than panels some are shown twice, with none nothing is.
        steps = np.linspace(0, len(members) - 1, each if len(members) else 0).round().astype(int)
        for ax in panels[row]:
            ax.set_axis_off()
        for ax, index in zip(panels[row], members.index[steps], strict=False):
            picture = colour_picture({band: patches[index, :, :, bands.index(band)] for band in COLOUR_BANDS})
            ax.imshow(picture, origin="lower", interpolation="nearest")
            ax.set_title(f"{name}\nr = {sources.loc[index, magnitude]:.1f}", fontsize=8)
    size = patches.shape[1]
    figure.suptitle(f"{title}: patches of {size} x {size} pixels, {size * PIXEL_ARCSEC:.1f} arcsec; i, r, g")
    return figure


def draw_variants(variants: Mapping[str, NDArray[np.float32]], band: str, sky_sigma: float) -> Figure:
    """A patch in one band under each augmentation, a row each, all in the same greys.

    Parameters
    ----------
    variants : mapping
        Name of an augmentation to variants of the patch, float32 ``(n, size, size)``, nanomaggies; the first is the
        patch itself.
    band : str
        For the title.
    sky_sigma : float
        Nanomaggies per pixel.
    """
    columns = max(map(len, variants.values()))
    figure = Figure(figsize=(1.3 * columns + 1.7, 1.3 * len(variants) + 0.5))
    panels = figure.subplots(len(variants), columns, squeeze=False)
    brightest = np.nanmax(next(iter(variants.values())))
    greys: dict[str, Any] = {"cmap": "gray", "vmin": -1, "vmax": np.arcsinh(brightest / sky_sigma)}
    for row, (name, patches) in zip(panels, variants.items(), strict=True):
        for ax, patch in zip(row, patches, strict=False):
            ax.imshow(np.arcsinh(patch / sky_sigma), origin="lower", interpolation="nearest", **greys)
        for ax in row[len(patches) :]:
            ax.set_visible(False)
        for ax in row:
            ax.set(xticks=[], yticks=[])
            ax.grid(False)
        row[0].set_ylabel(name.replace("_", "\n"), rotation="horizontal", ha="right", va="center")
    figure.suptitle(f"Variants of a patch, band {band}; grey: asinh of flux in sky sigma")
    figure.supxlabel("\u2003")  # a line for the name of the sky, which would lie on the last patch
    return figure


def draw_alignment(table: pd.DataFrame) -> Figure:
    """Median offset of each band from r before and after the refinement, a dot a field.

    Parameters
    ----------
    table : DataFrame
        A row a field and band: band, x_offset_before, y_offset_before, x_offset, y_offset, in pixels.
    """
    bands = [band for band in table["band"].unique() if band != REFERENCE]
    figure = Figure(figsize=(7, 3.6))
    panels = figure.subplots(1, 2, sharex=True, sharey=True)
    for ax, suffix, name in zip(panels, ("_before", ""), ("by the astrometry", "refined, stars left out"), strict=True):
        for index, band in enumerate(bands):
            rows = table[table["band"] == band]
            ax.scatter(rows[f"x_offset{suffix}"], rows[f"y_offset{suffix}"], s=22, color=f"C{index}", label=band)
        ax.axhline(0, color="0.6", linewidth=0.6)
        ax.axvline(0, color="0.6", linewidth=0.6)
        ax.set(title=name, xlabel="offset from r in column, pixels", aspect="equal")
    panels[0].set_ylabel("offset from r in row, pixels")
    panels[1].legend(title="band")
    return figure


def draw_statistics(counts: pd.DataFrame, magnitudes: pd.DataFrame, sizes: pd.DataFrame) -> Figure:
    """Sources by bucket, magnitude and size, stars and galaxies apart.

    Parameters
    ----------
    counts, magnitudes, sizes : DataFrame
        As `stargal.dataset.statistics` makes them.
    """
    figure = Figure(figsize=(11, 3.4))
    by_bucket, by_magnitude, by_size = figure.subplots(1, 3)
    totals = counts[counts["field"] == "all"].set_index("bucket")
    totals = totals.reindex([bucket for bucket in ("train", "validation", "test") if bucket in totals.index])
    positions = np.arange(len(totals))
    for label, (name, colour, _) in MARKERS.items():
        shift = -0.2 if label else 0.2
        column = {"star": "stars", "galaxy": "galaxies"}[name]
        bars = by_bucket.bar(positions + shift, totals[column], 0.4, color=colour, label=f"{name} ({label})")
        by_bucket.bar_label(bars, fontsize=8)
        _histogram(by_magnitude, magnitudes, name, colour)
        _histogram(by_size, sizes, name, colour)
    by_bucket.set_xticks(positions, totals.index)
    by_bucket.set(ylabel="sources", xlabel="bucket", ylim=(0, 1.25 * totals[["stars", "galaxies"]].to_numpy().max()))
    by_bucket.legend(ncols=2)
    by_magnitude.set(xlabel="r model magnitude, AB mag", ylabel="sources, all buckets")
    by_size.set(xlabel="FWHM in r, arcsec", ylabel="sources, all buckets")
    return figure


def _histogram(ax: Axes, bins: pd.DataFrame, name: str, colour: str) -> None:
    """The outline of a class's histogram over all buckets."""
    bins = bins[(bins["class"] == name) & bins["low"].notna()]
    total = bins.groupby(["low", "high"], sort=True)["count"].sum().reset_index()
    ax.stairs(total["count"], [*total["low"], total["high"].iloc[-1]], color=colour, linewidth=1.6)
