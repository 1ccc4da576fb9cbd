"""Figures of the data: alignment, statistics of the sources, cut-outs and patches."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from stargal.report.figures.panels import CLASS_MARKS, FULL, PLURALS
from stargal.report.pictures import COLOUR_BANDS, colour_picture
from stargal.survey.fields import PIXEL_ARCSEC, REFERENCE

EXAMPLES = 10
"""Patches shown of each class."""


def alignment(table: pd.DataFrame) -> Figure:
    """Median offset of each band from r before and after the refinement, one dot per field.

    Parameters
    ----------
    table : DataFrame
        A row per field and band: ``band``, ``x_offset_before``, ``y_offset_before``, ``x_offset``, ``y_offset``, in
        pixels.
    """
    bands = [band for band in table["band"].unique() if band != REFERENCE]
    figure = Figure(figsize=(FULL, 3.4))
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


def statistics(counts: pd.DataFrame, magnitudes: pd.DataFrame, sizes: pd.DataFrame) -> Figure:
    """Number of stars and galaxies by bucket, r magnitude and size.

    Parameters
    ----------
    counts, magnitudes, sizes : DataFrame
        Tables of `stargal.dataset.statistics`.
    """
    figure = Figure(figsize=(FULL, 5.4))
    panels = figure.subplot_mosaic([["bucket", "bucket"], ["magnitude", "size"]])
    by_bucket, by_magnitude, by_size = (panels[name] for name in ("bucket", "magnitude", "size"))
    totals = counts[counts["field"] == "all"].set_index("bucket")
    totals = totals.reindex([bucket for bucket in ("train", "validation", "test") if bucket in totals.index])
    positions = np.arange(len(totals))
    for label, (name, colour, _) in CLASS_MARKS.items():
        shift = -0.2 if label else 0.2
        bars = by_bucket.bar(positions + shift, totals[PLURALS[name]], 0.4, color=colour, label=f"{name} ({label})")
        by_bucket.bar_label(bars, fontsize=8)
        _draw_histogram(by_magnitude, magnitudes, name, colour)
        _draw_histogram(by_size, sizes, name, colour)
    by_bucket.set_xticks(positions, totals.index)
    by_bucket.set(ylabel="sources", xlabel="bucket", ylim=(0, 1.25 * totals[["stars", "galaxies"]].to_numpy().max()))
    by_bucket.legend(ncols=2)
    by_magnitude.set(xlabel="r model magnitude, AB mag", ylabel="sources, all buckets")
    by_size.set(xlabel="FWHM in r, arcsec", ylabel="sources, all buckets")
    return figure


def _draw_histogram(ax: Axes, bins: pd.DataFrame, name: str, colour: str) -> None:
    """Draw the outline of a class's histogram, summed over the buckets."""
    bins = bins[(bins["class"] == name) & bins["low"].notna()]
    total = bins.groupby(["low", "high"], sort=True)["count"].sum().reset_index()
    ax.stairs(total["count"], [*total["low"], total["high"].iloc[-1]], color=colour, linewidth=1.6)


def cutouts(
    raw: NDArray[np.uint8],
    aligned: NDArray[np.uint8],
    sources: pd.DataFrame,
    *,
    window: tuple[slice, slice],
    field: str,
) -> Figure:
    """Cut-out of a field before alignment, after alignment, and with the catalogued sources marked.

    Parameters
    ----------
    raw, aligned : ndarray, uint8, shape (side, side, 3)
        Colour pictures of the same pixels, with the same stretch.
    sources : DataFrame
        Columns ``x`` and ``y``, pixels of the field, and ``label``.
    window : tuple of slice
        Rows and columns of the cut-out in the field.
    field : str
        Name of the field.
    """
    rows, columns = window
    figure = Figure(figsize=(FULL, 8.6))
    mosaic = figure.subplot_mosaic(
        [["raw", "aligned"], ["marked", "marked"]], height_ratios=(1, 2), sharex=True, sharey=True
    )
    panels = [mosaic[name] for name in ("raw", "aligned", "marked")]
    extent = (columns.start - 0.5, columns.stop - 0.5, rows.start - 0.5, rows.stop - 0.5)
    for ax, picture, name in zip(
        panels, (raw, aligned, aligned), ("unaligned", "aligned", "catalogued sources"), strict=True
    ):
        ax.imshow(picture, origin="lower", extent=extent, interpolation="nearest")
        ax.set(title=name, xlabel="column, pixels")
        ax.grid(False)
    for ax in (panels[0], panels[2]):
        ax.set_ylabel("row, pixels")
    inside = sources["x"].between(*extent[:2]) & sources["y"].between(*extent[2:])
    for label, (name, colour, marker) in CLASS_MARKS.items():
        chosen = sources[inside & (sources["label"] == label)]
        panels[2].scatter(
            chosen["x"], chosen["y"], s=60, marker=marker, facecolors="none", edgecolors=colour, linewidths=1.3,
            label=f"{name} ({label})",
        )  # fmt: skip
    panels[2].legend(loc="upper right", frameon=True, facecolor="white", framealpha=0.9)
    figure.suptitle(
        f"Field {field}: i, r, g as red, green, blue;\none pixel is {PIXEL_ARCSEC} arcsec", fontsize="medium"
    )
    return figure


def patches(sources: pd.DataFrame, patches: NDArray[np.float32], *, bands: Sequence[str], field: str) -> Figure:
    """Example patches of stars and galaxies, evenly spread over the r magnitudes.

    Parameters
    ----------
    sources : DataFrame
        Row for row with the patches: ``label`` and ``model_mag_r``.
    patches : ndarray, float32, shape (n, size, size, bands)
        Nanomaggies per pixel.
    bands : sequence of str
        Order of the last axis.
    field : str
        Name of the field.
    """
    magnitude = f"model_mag_{REFERENCE}"
    across = EXAMPLES // 2
    figure = Figure(figsize=(FULL, 1.5 * FULL / across * 4 + 0.4))
    panels = figure.subplots(4, across).reshape(2, EXAMPLES)
    for row, (label, (name, _, _)) in enumerate(CLASS_MARKS.items()):
        members = sources[(sources["label"] == label) & sources[magnitude].notna()]
        members = members.sort_values(magnitude, kind="stable")
        # A class with fewer members than panels repeats some; an empty class leaves its panels blank.
        steps = np.linspace(0, len(members) - 1, EXAMPLES if len(members) else 0).round().astype(int)
        for ax in panels[row]:
            ax.set_axis_off()
        for ax, index in zip(panels[row], members.index[steps], strict=False):
            picture = colour_picture({band: patches[index, :, :, bands.index(band)] for band in COLOUR_BANDS})
            ax.imshow(picture, origin="lower", interpolation="nearest")
            ax.set_title(f"{name}\nr = {sources.loc[index, magnitude]:.1f}", fontsize=8)
    size = patches.shape[1]
    text = f"Field {field}: patches of {size} x {size} pixels, {size * PIXEL_ARCSEC:.1f} arcsec; i, r, g"
    figure.suptitle(text, fontsize="small")
    return figure
