"""The field viewer: an aligned field in colour with its sources marked, and the patch of the source that is clicked.

All controls are Bokeh's own tools and widgets. The JavaScript here only filters the sources and describes the selected
one.
"""

import base64
import io
import json
from typing import Any

import numpy as np
import pandas as pd
from bokeh.core.types import ID
from bokeh.embed import json_item
from bokeh.events import Tap
from bokeh.layouts import column, row
from bokeh.models import (
    CDSView,
    ColumnDataSource,
    CustomJS,
    HoverTool,
    IndexFilter,
    InlineStyleSheet,
    LayoutDOM,
    Range1d,
    TabPanel,
    Tabs,
    TapTool,
    WheelZoomTool,
)
from bokeh.models.widgets import Div, RadioButtonGroup, RangeSlider
from bokeh.plotting import figure
from bokeh.resources import Resources
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from stargal.survey.fields import COLUMNS, REFERENCE, ROWS
from stargal.survey.labels import CLASSES, GALAXY, STAR, UNCERTAIN, known_labels

PREDICTION_COLOURS = {STAR: "#56B4E9", GALAXY: "#E69F00"}
"""Colour of each predicted class; bright on black, and safe for colour-blind readers (Okabe & Ito 2008)."""

LABEL_MARKERS = {STAR: "circle", GALAXY: "square"}
"""Marker of each label."""

ACROSS = 16
"""Patches in a row of a sheet."""

GREY_LEVELS = 16
"""Grey levels of a patch: enough for the eye, and half a byte per pixel."""

BLACK, GREY_SOFTENING = -2.0, 2.0
"""Flux shown as black, and flux at which the grey scale turns from linear to logarithmic; sky sigma."""

FILTERS = ("all", "wrong", "uncertain", "none")
"""Sources to show, in the order of the buttons."""


def encode_field(picture: NDArray[np.uint8], sky: str) -> bytes:
    """Encode the colour picture of a field as JPEG, row 0 at the bottom, the name of the sky in a corner.

    Parameters
    ----------
    picture : ndarray, uint8, shape (rows, columns, 3)
    sky : str
    """
    image = Image.fromarray(np.ascontiguousarray(picture[::-1]))
    place = (image.width - 8, image.height - 6)
    ImageDraw.Draw(image).text(place, sky, fill="white", anchor="rs", font=ImageFont.load_default(18))
    return _encoded(image, "JPEG", quality=80, comment=sky.encode())


def encode_patches(patches: NDArray[np.float32], noise: NDArray[np.float32]) -> bytes:
    """Encode all patches of a field as one grey PNG: `ACROSS` sources per row, the bands of each side by side.

    The grey scale is asinh of flux over sky sigma, from -2 sigma to the brightest pixel of the patch in any band, or 10
    sigma if that is brighter. Pixels without data are black.

    Parameters
    ----------
    patches : ndarray, float32, shape (n, size, size, bands)
        Nanomaggies.
    noise : ndarray, float32, shape (bands,)
        Sky sigma, nanomaggies per pixel.
    """
    count, size, _, bands = patches.shape
    scaled = np.arcsinh(np.nan_to_num(patches / noise, nan=BLACK, posinf=BLACK) / GREY_SOFTENING)
    low = np.arcsinh(BLACK / GREY_SOFTENING)
    high = np.maximum(scaled.max(axis=(1, 2, 3), keepdims=True), np.arcsinh(10 / GREY_SOFTENING))
    level = np.clip(np.rint((scaled - low) / (high - low) * (GREY_LEVELS - 1)), 0, GREY_LEVELS - 1)
    rows = -(-count // ACROSS)
    sheet = np.zeros((rows * ACROSS, size, size, bands), np.uint8)
    sheet[:count] = level[:, ::-1]
    sheet = sheet.reshape(rows, ACROSS, size, size, bands).transpose(0, 2, 1, 4, 3)
    image = Image.fromarray(sheet.reshape(rows * size, ACROSS * bands * size)).convert("P")
    image.putpalette(np.repeat(np.linspace(0, 255, GREY_LEVELS, dtype=np.uint8), 3).tobytes())
    return _encoded(image, "PNG", bits=4)


def _encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def data_uri(content: bytes, kind: str) -> str:
    """Encode content as a data URI, such as ``data:image/png;base64,...``."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def viewer_table(sources: pd.DataFrame, probability: pd.Series) -> pd.DataFrame:
    """Table of the sources of a field for the viewer.

    Parameters
    ----------
    sources : DataFrame
        Sources of the field, row for row with its patches.
    probability : Series
        Probability of a star, indexed by the id of the source.

    Returns
    -------
    DataFrame
        id, ra, dec, x, y, label, truth, the model magnitudes, probability, called (1 above a probability of 0.5, else
        0) and wrong (called differs from label); numbers are rounded for display. `truth` is -1 if unknown.
    """
    magnitudes = [name for name in sources.columns if name.startswith("model_mag_")]
    table = sources[["id", "ra", "dec", "x", "y", "label", *magnitudes]].reset_index(drop=True)
    table["truth"] = known_labels(sources["truth"])
    table["probability"] = probability.loc[sources["id"]].to_numpy(np.float64)
    table["called"] = (table["probability"] > 0.5).astype(np.int8)
    table["wrong"] = table["called"] != table["label"]
    digits = {"ra": 6, "dec": 6, "x": 2, "y": 2, "probability": 4} | dict.fromkeys(magnitudes, 2)
    return table.astype(dict.fromkeys(magnitudes, np.float64)).round(digits)


def build_viewer(name: str, table: pd.DataFrame, picture: bytes, sheet: bytes, bands: str, size: int) -> LayoutDOM:
    """Build the viewer of one field.

    Parameters
    ----------
    name : str
        Name of the field.
    table : DataFrame
        Result of `viewer_table`.
    picture, sheet : bytes
        Results of `encode_field` and `encode_patches`.
    bands : str
        Bands of a patch, in order.
    size : int
        Side of a patch, pixels.
    """
    source = ColumnDataSource(
        table.assign(
            marker=table["label"].map(LABEL_MARKERS),
            colour=table["called"].map(PREDICTION_COLOURS),
            width=np.where(table["wrong"], 3.0, 1.3),
            diameter=np.where(table["wrong"], 15, 11),
        )
    )
    shown = IndexFilter(indices=list(range(len(table))))
    plot = figure(
        name=f"field {name}", width=1024, height=round(1024 * ROWS / COLUMNS), sizing_mode="scale_width", min_border=0,
        x_range=Range1d(start=-0.5, end=COLUMNS - 0.5), y_range=Range1d(start=-0.5, end=ROWS - 0.5),
        background_fill_color="black", outline_line_color=None,
        tools="pan,box_zoom,zoom_in,zoom_out,reset", toolbar_inner=True,
    )  # fmt: skip
    plot.axis.visible = False
    plot.grid.visible = False
    plot.toolbar.logo = None
    plot.image_url(
        url=[data_uri(picture, "image/jpeg")], x=-0.5, y=ROWS - 0.5, w=COLUMNS, h=ROWS, anchor="top_left"
    )  # fmt: skip
    marks = plot.scatter(
        "x", "y", source=source, view=CDSView(filter=shown), marker="marker", size="diameter", fill_color=None,
        line_color="colour", line_width="width", nonselection_line_alpha=0.7, nonselection_fill_color=None,
        selection_line_color="white", selection_fill_color="white", selection_fill_alpha=0.25,
    )  # fmt: skip
    tip = f"@id<br>label @label, probability of a star @probability<br>{REFERENCE} = @model_mag_{REFERENCE}{{0.00}}"
    wheel = WheelZoomTool()
    plot.add_tools(
        wheel, TapTool(renderers=[marks]), HoverTool(renderers=[marks], tooltips=tip, point_policy="follow_mouse")
    )
    plot.toolbar.active_scroll = wheel

    which = RadioButtonGroup(labels=list(FILTERS), active=0, name="which")
    magnitude = table[f"model_mag_{REFERENCE}"]
    ends = (float(np.floor(magnitude.min())), float(np.ceil(magnitude.max())))
    limits = RangeSlider(
        start=ends[0], end=ends[1], value=ends, step=0.1, title=f"{REFERENCE} model magnitude", name="limits",
        sizing_mode="stretch_width", min_width=240, max_width=360,
    )  # fmt: skip
    count = Div(text=f"{len(table)} of {len(table)} sources", name="count", align="center")
    details = Div(
        text=_INVITATION,
        name="details",
        sizing_mode="stretch_width",
        stylesheets=[_patch_style(sheet, len(bands), size)],
    )
    filter_by = {"source": source, "shown": shown, "which": which, "limits": limits, "count": count}
    filtered = CustomJS(args=filter_by | {"uncertain": UNCERTAIN, "magnitudes": magnitude.name}, code=_FILTER)
    which.js_on_change("active", filtered)
    limits.js_on_change("value", filtered)
    described = {
        "source": source,
        "details": details,
        "bands": list(bands),
        "classes": [CLASSES[GALAXY], CLASSES[STAR]],
    }
    describe = CustomJS(args=described | {"invitation": _INVITATION, "across": ACROSS}, code=_DESCRIBE)
    source.selected.js_on_change("indices", describe)
    plot.js_on_event(Tap, CustomJS(args={"source": source}, code=_SELECT_ONE))
    controls = row(which, limits, count, sizing_mode="stretch_width", styles={"flex-wrap": "wrap"})
    return column(controls, plot, details, sizing_mode="stretch_width", name=name)


_INVITATION = "Click a source to see its patch in the five bands."

_FILTER = """
const {probability, wrong, [magnitudes]: magnitude} = source.data
const [brightest, faintest] = limits.value
const keep = []
for (let i = 0; i < probability.length; i++) {
  if (which.active == 3 || (which.active == 1 && !wrong[i])) continue
  if (which.active == 2 && !(probability[i] > uncertain[0] && probability[i] < uncertain[1])) continue
  if (magnitude[i] < brightest || magnitude[i] > faintest) continue
  keep.push(i)
}
shown.indices = keep
count.text = `${keep.length} of ${probability.length} sources`
"""
"""Select the sources to show. Sources without an r magnitude pass the magnitude limits."""

_SELECT_ONE = """
const {indices} = source.selected
if (indices.length > 1) source.selected.indices = indices.slice(-1)
"""
"""Keep one of several sources under a click."""

_DESCRIBE = """
const [i] = source.selected.indices
if (i === undefined) { details.text = invitation; return }
const d = source.data
const place = `--column: ${i % across}; --line: ${Math.floor(i / across)}`
const named = (label) => `${classes[label]} (${label})`
const truth = d.truth[i] < 0 ? "" : `, in truth ${named(d.truth[i])}`
const magnitudes = bands.map((band) => `<span>${band}<br>${d["model_mag_" + band][i].toFixed(2)}</span>`)
details.text = `
<div class="patch" role="img" aria-label="patch in ${bands.join(", ")}" style="${place}"></div>
<div class="bands">${magnitudes.join("")}</div>
<p><b>${d.id[i]}</b>: labelled ${named(d.label[i])}, called ${named(d.called[i])}${truth}.
${d.wrong[i] ? "<b>Wrong.</b>" : "Right."} Probability of a star ${d.probability[i].toFixed(4)}.<br>
RA ${d.ra[i].toFixed(6)}°, Dec ${d.dec[i].toFixed(6)}°; column ${d.x[i].toFixed(1)}, row ${d.y[i].toFixed(1)}.
Model magnitudes (AB) below each band.</p>`
"""
"""Describe the selected source: its patch, cut from the sheet, and its numbers."""


def _patch_style(sheet: bytes, bands: int, size: int) -> InlineStyleSheet:
    """Style that shows one strip of the sheet, enlarged: a patch in all bands."""
    width, height = Image.open(io.BytesIO(sheet)).size
    across, down = width / (bands * size), height / size
    return InlineStyleSheet(
        css=f"""
        :host {{ font: 15px/1.5 system-ui, "DejaVu Sans", sans-serif; color: #1d2733; }}
        .patch {{
          width: 100%; max-width: 700px; aspect-ratio: {bands}; image-rendering: pixelated;
          background-image: url("{data_uri(sheet, "image/png")}");
          background-size: {100 * across:.0f}% {100 * down:.0f}%;
          background-position-x: calc(100% * var(--column) / {across - 1:.0f});
          background-position-y: calc(100% * var(--line) / {max(down - 1, 1):.0f});
        }}
        .bands {{ display: flex; max-width: 700px; text-align: center; line-height: 1.3; }}
        .bands span {{ flex: 1; }}
        p {{ margin: 0.5em 0; max-width: 46em; }}
        """
    )


def embed_viewers(viewers: dict[str, LayoutDOM], target: str) -> str:
    """Serialize viewers as JSON for Bokeh to show in element `target`, a tab per field if there are several."""
    panels = [TabPanel(child=viewer, title=name) for name, viewer in viewers.items()]
    root = Tabs(tabs=panels, sizing_mode="stretch_width") if len(panels) > 1 else next(iter(viewers.values()))
    return json.dumps(json_item(root, ID(target)), allow_nan=False).replace("</", "<\\/")


def bokeh_scripts() -> str:
    """Bokeh's JavaScript, with its licence, for embedding in a page."""
    return Resources(mode="inline", components=["bokeh", "bokeh-widgets"]).render_js()
