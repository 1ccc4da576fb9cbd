"""The field viewer: an aligned field in colour with its sources marked, and words on the source that is clicked.

`label_viewer` shows the sources of the survey's catalogue with their labels and patches, `catalog_viewer` those of a
catalogue of ours. All controls are Bokeh's own tools and widgets. The JavaScript here only filters the sources, scales
their marks with the picture and describes the selected one.
"""

import base64
import gzip
import io
import json
from collections.abc import Mapping, Sequence
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
from bokeh.models.widgets import CheckboxButtonGroup, Div, RadioButtonGroup, RangeSlider
from bokeh.plotting import figure
from bokeh.resources import Resources
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from stargal.survey.fields import BANDS, COLUMNS, REFERENCE, ROWS
from stargal.survey.labels import CLASSES, GALAXY, STAR, UNCERTAIN, UNCLASSIFIED, known_labels

CLASS_COLOURS = {CLASSES[STAR]: "#56B4E9", CLASSES[GALAXY]: "#E69F00", UNCLASSIFIED: "#B8B8B8"}
"""Colour of each class; bright on black, and safe for colour-blind readers (Okabe & Ito 2008)."""

BUTTONS = {CLASSES[STAR]: "stars", CLASSES[GALAXY]: "galaxies", UNCLASSIFIED: "unclassified"}
"""Button of each class."""

LABEL_MARKERS = {STAR: "circle", GALAXY: "square"}
"""Marker of each label."""

ACROSS = 16
"""Patches in a row of a sheet."""

SHEET_QUALITY = 30
"""JPEG quality of the patches: it smooths the noise of faint sources and leaves their shapes."""

BLACK, GREY_SOFTENING = -2.0, 2.0
"""Flux shown as black, and flux at which the grey scale turns from linear to logarithmic; sky sigma."""

MARK, SMALLEST_MARK, LARGEST_MARK = 20.0, 3.0, 20.0
"""Diameter of a mark in pixels of the field, which grows with the picture, and its limits in pixels of the screen."""

TOUCH = 20
"""Diameter around a source in which a click or a finger finds it, pixels of the screen."""

PICTURE_BYTES = 400_000
"""Bytes that a picture may have. The noise of the sky fills them: the difference from the best quality is not seen."""

QUALITIES = range(80, 0, -10)
"""JPEG qualities to try."""


def encode_field(picture: NDArray[np.uint8], sky: str) -> bytes:
    """Encode the colour picture of a field as JPEG, row 0 at the bottom, the name of the sky in a corner.

    The quality is the best of `QUALITIES` that needs `PICTURE_BYTES` at most.

    Parameters
    ----------
    picture : ndarray, uint8, shape (rows, columns, 3)
    sky : str
    """
    image = Image.fromarray(np.ascontiguousarray(picture[::-1]))
    place = (image.width - 8, image.height - 6)
    ImageDraw.Draw(image).text(place, sky, fill="white", anchor="rs", font=ImageFont.load_default(18))
    for quality in QUALITIES:
        content = _encoded(image, "JPEG", quality=quality, comment=sky.encode())
        if len(content) <= PICTURE_BYTES:
            break
    return content


def encode_patches(patches: NDArray[np.float32], noise: NDArray[np.float32]) -> bytes:
    """Encode all patches of a field as one grey JPEG: `ACROSS` sources per row, the bands of each side by side.

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
    level = np.clip(np.rint((scaled - low) / (high - low) * 255), 0, 255)
    rows = -(-count // ACROSS)
    sheet = np.zeros((rows * ACROSS, size, size, bands), np.uint8)
    sheet[:count] = level[:, ::-1]
    sheet = sheet.reshape(rows, ACROSS, size, size, bands).transpose(0, 2, 1, 4, 3)
    image = Image.fromarray(sheet.reshape(rows * size, ACROSS * bands * size))
    return _encoded(image, "JPEG", quality=SHEET_QUALITY)


def _encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def data_uri(content: bytes, kind: str) -> str:
    """Encode content as a data URI, such as ``data:image/png;base64,...``."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def label_table(sources: pd.DataFrame, probability: pd.Series) -> pd.DataFrame:
    """Table of the sources of the survey's catalogue in a field, for the viewer.

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
        0), wrong (called differs from label) and uncertain; numbers are rounded for display. `truth` is -1 if unknown.
    """
    magnitudes = [name for name in sources.columns if name.startswith("model_mag_")]
    table = sources[["id", "ra", "dec", "x", "y", "label", *magnitudes]].reset_index(drop=True)
    table["truth"] = known_labels(sources["truth"])
    table["probability"] = probability.loc[sources["id"]].to_numpy(np.float64)
    table["called"] = (table["probability"] > 0.5).astype(np.int8)
    table["wrong"] = table["called"] != table["label"]
    digits = {"ra": 6, "dec": 6, "x": 2, "y": 2, "probability": 4} | dict.fromkeys(magnitudes, 2)
    table = table.astype(dict.fromkeys(magnitudes, np.float64)).round(digits)
    return table.assign(uncertain=table["probability"].between(*UNCERTAIN, inclusive="neither"))


def label_viewer(name: str, table: pd.DataFrame, picture: bytes, sheet: bytes, bands: str, size: int) -> LayoutDOM:
    """Build the viewer of a field with its labelled sources: the shape of a mark is the label, its colour the class.

    Parameters
    ----------
    name : str
        Name of the field.
    table : DataFrame
        Result of `label_table`.
    picture, sheet : bytes
        Results of `encode_field` and `encode_patches`.
    bands : str
        Bands of a patch, in order.
    size : int
        Side of a patch, pixels.
    """
    return build_viewer(
        name,
        table.assign(
            kind=table["called"].map(CLASSES),
            marker=table["label"].map(LABEL_MARKERS),
            width=np.where(table["wrong"], 2.5, 1.0),
        ),
        picture,
        filters=["wrong", "uncertain"],
        tip=f"@id<br>label @label, probability of a star @probability<br>{REFERENCE} = @model_mag_{REFERENCE}{{0.00}}",
        describe=_DESCRIBE_LABEL,
        invitation="Click a source to see its patch in the five bands.",
        style=_patch_style(sheet, len(bands), size),
        bands=list(bands),
        classes=[CLASSES[GALAXY], CLASSES[STAR]],
        across=ACROSS,
    )


def catalog_viewer(name: str, table: pd.DataFrame, picture: bytes) -> LayoutDOM:
    """Build the viewer of a classified field: the colour of a mark is the class; flagged sources are diamonds.

    Parameters
    ----------
    name : str
        Name of the field.
    table : DataFrame
        Result of `stargal.report.catalogs.viewer_table`.
    picture : bytes
        Result of `encode_field`.
    """
    return build_viewer(
        name,
        table.rename(columns={"class": "kind"}).assign(
            marker=np.where(table["flagged"], "diamond", "circle"), width=1.0
        ),
        picture,
        filters=["uncertain", "flagged"],
        hidden=[UNCLASSIFIED],
        tip=f"@id<br>@kind, probability of a star @probability{{0.000}}<br>"
        f"{REFERENCE} = @model_mag_{REFERENCE}{{0.00}}<br>@notes",
        describe=_DESCRIBE_CATALOG,
        invitation="Click or tap a source to read its probability, magnitudes and flags.",
        style=_WORDS_STYLE,
        bands=list(BANDS),
    )


def build_viewer(
    name: str,
    table: pd.DataFrame,
    picture: bytes,
    *,
    filters: Sequence[str],
    hidden: Sequence[str] = (),
    tip: str,
    describe: str,
    invitation: str,
    style: str,
    **described: Any,
) -> LayoutDOM:
    """Build the viewer of one field.

    Parameters
    ----------
    name : str
        Name of the field.
    table : DataFrame
        id, x, y, the magnitude in r, ``kind`` (class by name), ``marker`` and ``width`` of the mark, and a boolean
        column for each of `filters`.
    picture : bytes
        Result of `encode_field`.
    filters : sequence of str
        Boolean columns that the reader can select sources by.
    hidden : sequence of str
        Classes that are not shown until the reader asks for them.
    tip : str
        HTML shown beside a source under the pointer.
    describe : str
        JavaScript that describes source `i` of the data `d`; its value is HTML.
    invitation : str
        Shown until a source is selected.
    style : str
        Style sheet of the description.
    **described
        Constants for `describe`.
    """
    source = ColumnDataSource(table.assign(colour=table["kind"].map(CLASS_COLOURS)))
    at_first = np.flatnonzero(~table["kind"].isin(hidden)).tolist()
    shown = IndexFilter(indices=at_first)
    plot = figure(
        name=f"field {name}", width=1024, height=round(1024 * ROWS / COLUMNS), sizing_mode="scale_width", min_border=0,
        x_range=Range1d(start=-0.5, end=COLUMNS - 0.5), y_range=Range1d(start=-0.5, end=ROWS - 0.5),
        background_fill_color="black", outline_line_color=None,
        tools="pan,box_zoom,zoom_in,zoom_out,reset", toolbar_location="above",
    )  # fmt: skip
    plot.axis.visible = False
    plot.grid.visible = False
    plot.toolbar.logo = None
    plot.image_url(
        url=[data_uri(picture, "image/jpeg")], x=-0.5, y=ROWS - 0.5, w=COLUMNS, h=ROWS, anchor="top_left"
    )  # fmt: skip
    view = CDSView(filter=shown)
    marks = plot.scatter(
        "x", "y", source=source, view=view, marker="marker", size=MARK / 2, fill_color=None, line_color="colour",
        line_width="width", line_alpha=0.9, nonselection_line_alpha=0.5, nonselection_fill_color=None,
        selection_line_color="white", selection_fill_color="white", selection_fill_alpha=0.25,
    )  # fmt: skip
    near = plot.scatter(
        "x", "y", source=source, view=view, size=TOUCH, fill_color=None, line_color=None,
        selection_fill_color=None, selection_line_color=None,
    )  # fmt: skip
    wheel = WheelZoomTool()
    plot.add_tools(
        wheel,
        TapTool(renderers=[near]),
        HoverTool(renderers=[near], tooltips=tip, point_policy="snap_to_data", limit=1),
    )
    plot.toolbar.active_scroll = wheel
    limits_of_size = {"mark": MARK, "smallest": SMALLEST_MARK, "largest": LARGEST_MARK}
    scaled = CustomJS(args={"plot": plot, "glyph": marks.glyph} | limits_of_size, code=_SCALE)
    plot.js_on_change("inner_width", scaled)
    plot.x_range.js_on_change("start", scaled)
    plot.x_range.js_on_change("end", scaled)

    present = [kind for kind in CLASS_COLOURS if kind in set(table["kind"])]
    buttons = InlineStyleSheet(css=_BUTTON_STYLE)
    kinds = CheckboxButtonGroup(
        labels=[BUTTONS[kind] for kind in present],
        active=[place for place, kind in enumerate(present) if kind not in hidden],
        name="kinds",
        stylesheets=[buttons],
    )
    which = RadioButtonGroup(labels=["all", *filters, "none"], active=0, name="which", stylesheets=[buttons])
    magnitude = table[f"model_mag_{REFERENCE}"]
    ends = (float(np.floor(magnitude.min())), float(np.ceil(magnitude.max()))) if magnitude.notna().any() else (0, 30)
    limits = RangeSlider(
        start=ends[0], end=ends[1], value=ends, step=0.1, title=f"{REFERENCE} model magnitude", name="limits",
        sizing_mode="stretch_width", min_width=220, max_width=360,
    )  # fmt: skip
    count = Div(text=f"{len(at_first)} of {len(table)} sources", name="count", align="center")
    details = Div(
        text=invitation, name="details", sizing_mode="stretch_width", stylesheets=[InlineStyleSheet(css=style)]
    )
    filtered = CustomJS(
        args={
            "source": source,
            "shown": shown,
            "which": which,
            "kinds": kinds,
            "present": present,
            "limits": limits,
            "count": count,
            "magnitudes": magnitude.name,
        },
        code=_FILTER,
    )
    for widget, changed in ((which, "active"), (kinds, "active"), (limits, "value")):
        widget.js_on_change(changed, filtered)
    words = CustomJS(
        args={"source": source, "details": details, "invitation": invitation} | described,
        code=f"{_DESCRIBE}\ndetails.text = {describe.strip()}",
    )
    source.selected.js_on_change("indices", words)
    plot.js_on_event(Tap, CustomJS(args={"source": source}, code=_SELECT_NEAREST))
    controls = row(kinds, which, limits, count, sizing_mode="stretch_width", styles={"flex-wrap": "wrap"})
    return column(controls, plot, details, sizing_mode="stretch_width", name=name)


_SCALE = """
const scale = plot.inner_width / (plot.x_range.end - plot.x_range.start)
if (isFinite(scale)) {
  glyph.size = Math.min(largest, Math.max(smallest, mark * scale))
  glyph.line_alpha = Math.min(0.9, Math.max(0.45, 1.6 * scale))
}
"""
"""Scale the marks with the picture, and fade them where it is small, so that they do not hide it."""

_FILTER = """
const {kind, [magnitudes]: magnitude} = source.data
const chosen = new Set(kinds.active.map((button) => present[button]))
const wanted = which.labels[which.active]
const [brightest, faintest] = limits.value
const keep = []
for (let i = 0; i < kind.length; i++) {
  if (!chosen.has(kind[i]) || wanted == "none") continue
  if (wanted != "all" && !source.data[wanted][i]) continue
  if (magnitude[i] < brightest || magnitude[i] > faintest) continue
  keep.push(i)
}
shown.indices = keep
count.text = `${keep.length} of ${kind.length} sources`
"""
"""Select the sources to show. Sources without an r magnitude pass the magnitude limits."""

_SELECT_NEAREST = """
const {indices} = source.selected
const {x, y} = source.data
const distance = (i) => Math.hypot(x[i] - cb_obj.x, y[i] - cb_obj.y)
if (indices.length > 1) source.selected.indices = [[...indices].sort((a, b) => distance(a) - distance(b))[0]]
"""
"""Keep the nearest of several sources under a click."""

_DESCRIBE = """
const [i] = source.selected.indices
if (i === undefined) { details.text = invitation; return }
const d = source.data
const place = `RA ${d.ra[i].toFixed(6)}°, Dec ${d.dec[i].toFixed(6)}°;
column ${d.x[i].toFixed(1)}, row ${d.y[i].toFixed(1)}.`
const magnitude = (band) => { const m = d["model_mag_" + band][i]; return isFinite(m) ? m.toFixed(2) : "none" }
const magnitudes = bands.map((band) => `<span>${band}<br>${magnitude(band)}</span>`).join("")
"""
"""Words on the selected source that both viewers use."""

_DESCRIBE_LABEL = """((named) => `
<div class="patch" role="img" aria-label="patch in ${bands.join(", ")}"
  style="--column: ${i % across}; --line: ${Math.floor(i / across)}"></div>
<div class="bands">${magnitudes}</div>
<p><b>${d.id[i]}</b>: labelled ${named(d.label[i])}, predicted ${named(d.called[i])}${
  d.truth[i] < 0 ? "" : `, truth ${named(d.truth[i])}`}.
${d.wrong[i] ? "<b>Wrong.</b>" : "Right."} Probability of a star ${d.probability[i].toFixed(4)}.<br>
${place} Model magnitudes (AB) below each band.</p>`)((label) => `${classes[label]} (${label})`)
"""
"""Describe the selected source: its patch, cut from the sheet, and its numbers."""

_DESCRIBE_CATALOG = """`
<p><b>${d.id[i]}</b>: ${d.kind[i]}. Probability of a star ${d.probability[i].toFixed(3)}${
  isFinite(d.scatter[i]) ? ` ± ${d.scatter[i].toFixed(3)}` : ""}, signal-to-noise ratio ${d.snr[i].toFixed(1)}.
${d.primary[i] ? "" : "Not primary: a neighbouring field owns its rows."}
${d.notes[i] ? `Flags: ${d.notes[i]}.` : "No flags."}<br>
${place}</p>
<div class="bands">${magnitudes}</div>`
"""
"""Describe the selected source of a catalogue."""

_BUTTON_STYLE = """
.bk-btn { background: var(--paper); color: var(--ink); border-color: var(--line); }
.bk-btn.bk-active { background: var(--star); color: var(--paper); border-color: var(--star); }
"""

_WORDS_STYLE = """
:host { font: 15px/1.5 system-ui, "DejaVu Sans", sans-serif; color: var(--ink); }
.bands { display: flex; max-width: 700px; text-align: center; line-height: 1.3; }
.bands span { flex: 1; }
p { margin: 0.5em 0; max-width: 46em; }
"""
"""Style of the description, in the colours of the page."""


def _patch_style(sheet: bytes, bands: int, size: int) -> str:
    """Style that shows one strip of the sheet, enlarged: a patch in all bands."""
    width, height = Image.open(io.BytesIO(sheet)).size
    across, down = width / (bands * size), height / size
    return f"""{_WORDS_STYLE}
        .patch {{
          width: 100%; max-width: 700px; aspect-ratio: {bands}; image-rendering: pixelated;
          background-image: url("{data_uri(sheet, "image/jpeg")}");
          background-size: {100 * across:.0f}% {100 * down:.0f}%;
          background-position-x: calc(100% * var(--column) / {across - 1:.0f});
          background-position-y: calc(100% * var(--line) / {max(down - 1, 1):.0f});
        }}
        """


def in_tabs(viewers: Mapping[str, LayoutDOM]) -> LayoutDOM:
    """Put viewers on a tab per field, if there are several."""
    panels = [TabPanel(child=viewer, title=name) for name, viewer in viewers.items()]
    return Tabs(tabs=panels, sizing_mode="stretch_width") if len(panels) > 1 else next(iter(viewers.values()))


def embed(model: LayoutDOM, target: str) -> str:
    """Serialize a viewer or chart as JSON for Bokeh to show in element `target`."""
    return json.dumps(json_item(model, ID(target)), allow_nan=False).replace("</", "<\\/")


def bokeh_scripts() -> str:
    """Bokeh's JavaScript, with its licence."""
    return "\n".join(Resources(mode="inline", components=["bokeh", "bokeh-widgets"]).js_raw)


def packed(script: str) -> str:
    """Compress a script for `DecompressionStream` in the reader's browser: a third of the bytes remains."""
    return base64.b64encode(gzip.compress(script.encode(), mtime=0)).decode()
