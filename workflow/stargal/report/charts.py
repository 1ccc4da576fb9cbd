"""Charts of the page of the catalogues, drawn by the reader's browser: they take its width and its colours.

The colours of axes and text are those of the page's style sheet, so that they follow a dark theme.
"""

from collections.abc import Mapping
from typing import Literal

import numpy as np
import pandas as pd
from bokeh.models import ColumnDataSource, CustomJSTickFormatter, HoverTool, InlineStyleSheet, Range1d, WheelZoomTool
from bokeh.plotting import figure
from numpy.typing import NDArray

from stargal.report.catalogs import DIAGRAMS, KINDS
from stargal.report.viewer import BUTTONS
from stargal.survey.labels import CLASSES, GALAXY, STAR, UNCLASSIFIED

COLOURS = {CLASSES[STAR]: "#2b8cc4", CLASSES[GALAXY]: "#d9700a", UNCLASSIFIED: "#84898f"}
"""Colour of each class, with a contrast of 3:1 to white and to the page's dark ground (Okabe & Ito 2008)."""

DASHES: dict[str, Literal["solid", "dashed", "dotted"]] = {
    CLASSES[STAR]: "solid",
    CLASSES[GALAXY]: "dashed",
    UNCLASSIFIED: "dotted",
}

MINUS = "\u2212"

WIDTH, HEIGHT = 520, 420
"""Size of a chart, pixels; both shrink with the page."""

INNER = (0.5, 99.5)
"""Percentiles of the values that a diagram shows at first; the reader zooms out for the rest."""


_LEGEND_STYLE = """
:host { background-color: transparent !important; }
.bk-label { color: var(--ink) !important; }
"""
"""Bokeh computes these before it knows the page's colours."""


def footprints(corners: Mapping[str, NDArray[np.float64]]) -> figure:
    """Outline of each field on the sky, east to the left.

    Parameters
    ----------
    corners : mapping of ndarray, shape (corners, 2)
        As `stargal.report.catalogs.unwrap` gives them.
    """
    ra, dec = np.concatenate(list(corners.values())).T
    middle = [(ra.min() + ra.max()) / 2, (dec.min() + dec.max()) / 2]
    stretch = 1 / max(np.cos(np.radians(middle[1])), 0.05)
    half = 0.55 * max(dec.max() - dec.min(), (ra.max() - ra.min()) / stretch, 0.05)
    chart = _chart(
        "footprints",
        (middle[0] + half * stretch, middle[0] - half * stretch),
        (middle[1] - half, middle[1] + half),
        height=WIDTH - 60,
    )
    chart.xaxis.axis_label, chart.yaxis.axis_label = "right ascension, deg", "declination, deg"
    chart.xaxis.formatter = CustomJSTickFormatter(code="return String(Math.round(((tick + 360) % 360) * 1e4) / 1e4)")
    fields = ColumnDataSource(
        {
            "field": list(corners),
            "ra": [one[:, 0].tolist() for one in corners.values()],
            "dec": [one[:, 1].tolist() for one in corners.values()],
            "middle_ra": [one[:, 0].mean() for one in corners.values()],
            "middle_dec": [one[:, 1].mean() for one in corners.values()],
        }
    )
    outline = chart.patches("ra", "dec", source=fields, color=COLOURS[CLASSES[STAR]], fill_alpha=0.35)
    # Fields far apart are smaller than a pixel.
    middles = chart.scatter("middle_ra", "middle_dec", source=fields, size=4, color=COLOURS[CLASSES[STAR]])
    chart.add_tools(HoverTool(renderers=[outline, middles], tooltips="@field", limit=1))
    return chart


def diagram(name: str, points: Mapping[str, tuple[NDArray[np.float32], NDArray[np.float32]]]) -> figure:
    """Diagram of two colours, or of a colour and a magnitude, with bright sources at the top.

    Parameters
    ----------
    name : str
        One of `stargal.report.catalogs.DIAGRAMS`.
    points : mapping
        Horizontal and vertical positions by class.
    """
    across, up = DIAGRAMS[name]
    ends = [_ends(np.concatenate([one[axis] for one in points.values()])) for axis in (0, 1)]
    chart = _chart(name, ends[0], ends[1][::-1] if len(up) == 1 else ends[1])
    chart.xaxis.axis_label, chart.yaxis.axis_label = (
        f" {MINUS} ".join(bands) + (", mag" if len(bands) > 1 else " model magnitude, AB") for bands in (across, up)
    )
    for kind, (x, y) in points.items():
        chart.scatter(
            x, y, size=4, line_color=None, fill_color=COLOURS[kind], fill_alpha=0.7, legend_label=BUTTONS[kind],
            marker="circle" if kind == CLASSES[STAR] else "square",
        )  # fmt: skip
    _place_legend(chart)
    return chart


def number_counts(table: pd.DataFrame) -> figure:
    """Number of sources per magnitude and square degree against r magnitude, by class.

    Parameters
    ----------
    table : DataFrame
        As `stargal.report.catalogs.Sources.number_counts` returns it.
    """
    density = table[[f"density_{kind}" for kind in KINDS]].to_numpy()
    found = density[density > 0]
    limits = (0.5 * found.min(), 2 * found.max()) if len(found) else (1, 10)
    ends = (table["low"].min(), table["high"].max()) if len(table) else (12, 25)
    chart = _chart("counts", ends, limits, y_axis_type="log")
    chart.xaxis.axis_label = "r model magnitude, AB"
    chart.yaxis.axis_label = "sources per mag and square degree"
    middle = ((table["low"] + table["high"]) / 2).to_numpy(float)
    for kind in KINDS:
        values = table[f"density_{kind}"].where(table[kind] > 0).to_numpy()
        chart.step(
            middle, values, mode="center", line_width=2, line_color=COLOURS[kind], line_dash=DASHES[kind],
            legend_label=BUTTONS[kind],
        )  # fmt: skip
    _place_legend(chart, "top_left")
    return chart


def _chart(
    name: str,
    x_range: tuple[float, float],
    y_range: tuple[float, float],
    height: int = HEIGHT,
    y_axis_type: Literal["linear", "log"] = "linear",
) -> figure:
    chart = figure(
        name=name, width=WIDTH, height=height, sizing_mode="scale_width", tools="pan,box_zoom,reset",
        x_range=Range1d(start=float(x_range[0]), end=float(x_range[1])),
        y_range=Range1d(start=float(y_range[0]), end=float(y_range[1])), y_axis_type=y_axis_type,
        outline_line_color=None,
    )  # fmt: skip
    chart.add_tools(WheelZoomTool())
    chart.toolbar.logo = None
    chart.toolbar.active_drag = None  # a finger on the chart scrolls the page
    chart.axis.axis_label_text_font_style = "normal"
    return chart


def _place_legend(chart: figure, place: Literal["top_left", "top_right"] = "top_right") -> None:
    """Put the legend into a corner; a click on a class hides it."""
    chart.legend.location = place
    chart.legend.click_policy = "hide"
    chart.legend.border_line_color = None
    chart.legend.stylesheets = [InlineStyleSheet(css=_LEGEND_STYLE)]


def _ends(values: NDArray[np.float32]) -> tuple[float, float]:
    """Range of an axis: the percentiles `INNER` with a margin; 0 to 1 without values."""
    values = values[np.isfinite(values)]
    if not len(values):
        return 0.0, 1.0
    low, high = np.percentile(values, INNER)
    margin = 0.05 * (high - low) + 0.05
    return float(low - margin), float(high + margin)
