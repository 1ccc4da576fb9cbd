"""The page: one HTML file with what was run, and its results beside those of the 2023 report."""

import html
import io
import math
import platform
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import pandas as pd
from docutils.core import publish_parts
from PIL import Image

from stargal.io.files import intact
from stargal.report.viewer import data_uri, packed
from stargal.survey.labels import LABELS

HEADLINE_SCORES = {"accuracy": "accuracy", "mcc": "Matthews coefficient"}
"""The two scores of the report, and their names on the page."""

REPORTED: dict[str, dict[str, float]] = {
    "accuracy": {"value": 0.899, "low": 0.882, "high": 0.916},
    "mcc": {"value": 0.723, "low": 0.678, "high": 0.766},
}
"""Best network of the report (its figure 6b). Its intervals are bootstrapped from its confusion matrix."""

REPORTED_OTHERS = {
    "base_small": {"accuracy": {"value": 0.761}, "mcc": {"value": 0.257}},
    "majority": {"accuracy": {"value": 0.746}},
    "random": {"accuracy": {"value": 0.5}},
}
"""Other scores of the report: its base model (figure 6a), the majority class of its test field, and a coin (4.3)."""

SOFTWARE = (
    "astropy", "bokeh", "keras", "matplotlib", "numpy", "pandas", "reproject", "scikit-learn", "scipy", "sep",
    "snakemake", "tensorflow", "tensorflow-cpu",
)  # fmt: skip
"""Distributions listed with their versions, if installed."""

FOLDED = 15
"""Tables with more rows are collapsed."""

PICTURE_QUALITY = 60
"""Quality of pictures as WebP: the page of the default experiment has half of its bytes in the noise of the sky."""


@dataclass
class Cell:
    """Cell of a table: text as shown, number as in the file, standard deviation, and ends of the 95 % interval."""

    text: str
    value: str | None = None
    scatter: "Cell | None" = None
    interval: "tuple[Cell, Cell] | None" = None


@dataclass
class PageItem:
    """Table or figure of the page: its path below the results, chapter, title, caption and file."""

    name: str
    chapter: str
    title: str
    caption: Path
    file: Path


def read_cells(path: Path) -> tuple[list[str], list[list[Cell]]]:
    """Read a CSV file as the page shows it: without the column ``sky``, and each score with its scatter and interval.

    Returns
    -------
    columns : list of str
    rows : list of list of `Cell`
        Numbers of a column have the same number of decimals: four significant digits for the largest.
    """
    table = pd.read_csv(intact(path), dtype=str, keep_default_na=False).drop(columns="sky", errors="ignore")
    columns = [name for name in map(str, table) if _owner(name) == name or _owner(name) not in table]
    decimals = {name: _decimals(table[name]) for name in columns}
    rows = []
    for record in table.to_dict("records"):
        row = []
        for name in columns:
            cell = _cell(record[name], decimals[name])
            if record.get(f"{name}_sd"):
                cell.scatter = _cell(record[f"{name}_sd"], decimals[name])
            if record.get(f"{name}_low") and record.get(f"{name}_high"):
                low, high = (_cell(record[f"{name}_{end}"], decimals[name]) for end in ("low", "high"))
                cell.interval = low, high
            row.append(cell)
        rows.append(row)
    return columns, rows


def _owner(column: str) -> str:
    """The score column that a column of scatter or interval ends belongs to; any other column itself."""
    return re.sub("_(sd|low|high)$", "", column)


def _decimals(column: "pd.Series[str]") -> int | None:
    """Decimals that give the largest number of a column four significant digits; None for whole numbers and text."""
    if not column.str.contains(".", regex=False).any():
        return None
    numbers = pd.to_numeric(column, errors="coerce").abs()
    largest = numbers[np.isfinite(numbers)].max()
    if not largest > 0:
        return None
    return int(np.clip(3 - math.floor(math.log10(largest)), 0, 4))


def _cell(text: str, decimals: int | None) -> Cell:
    try:
        number = float(text)
    except ValueError:
        return Cell(text)
    return Cell(text if decimals is None else f"{number:.{decimals}f}", text)


def headline(scores: pd.DataFrame) -> list[dict[str, Any]]:
    """Accuracy and Matthews coefficient of each classifier on the test fields, mean over the seeds.

    Parameters
    ----------
    scores : DataFrame
        Table of the scores.

    Returns
    -------
    list of dict
        A row per classifier and training set: both names, the number of seeds, and for each kind of label (photo,
        truth) and score ``value``, ``low`` and ``high``; None if the sky has no labels of that kind.
    """
    columns = [f"{score}{end}" for score in HEADLINE_SCORES for end in ("", "_low", "_high")]
    test = scores[scores["bucket"] == "test"]
    rows = []
    for (classifier, training_set), group in test.groupby(["classifier", "training_set"], sort=False, dropna=False):
        row: dict[str, Any] = {
            "classifier": classifier,
            "training_set": training_set if isinstance(training_set, str) else "",
            "seeds": int(group["seed"].nunique()),
        }
        for kind in LABELS:
            part = group.loc[group["against"] == kind, columns]
            means = part.mean()
            row[kind] = None if part.empty else {
                score: {"value": means[score], "low": means[f"{score}_low"], "high": means[f"{score}_high"]}
                for score in HEADLINE_SCORES
            }  # fmt: skip
        rows.append(row)
    return rows


def relation(ours: Mapping[str, float], theirs: Mapping[str, float]) -> str:
    """Relation of two values: ``above``, ``below``, or ``consistent with`` if the interval of their difference holds 0.

    The interval of a difference follows from those of both values (Zou & Donner 2008, Statistics in Medicine 27, 1693).
    """
    difference = ours["value"] - theirs["value"]
    if difference > math.hypot(ours["value"] - ours["low"], theirs["high"] - theirs["value"]):
        return "above"
    if -difference > math.hypot(ours["high"] - ours["value"], theirs["value"] - theirs["low"]):
        return "below"
    return "consistent with"


def software_versions() -> dict[str, str]:
    """Versions of Python and of the installed distributions of `SOFTWARE`, by name."""
    found = {(item.metadata["Name"] or "").lower(): item.version for item in distributions()}
    return {"python": platform.python_version()} | {name: found[name] for name in SOFTWARE if name in found}


def read_hashes(alignment: Path, records: Iterable[Path]) -> dict[str, str]:
    """SHA-256 of each input file, by its name.

    Parameters
    ----------
    alignment : path
        Table of the alignment, which lists the frames.
    records : iterable of paths
        SHA-256 records of the catalogues, in the format of `sha256sum`.
    """
    frames = pd.read_csv(intact(alignment), usecols=["frame", "sha256"])
    catalogs = (path.read_text().split() for path in records)
    return dict(zip(frames["frame"], frames["sha256"], strict=True)) | {name: digest for digest, name in catalogs}


def render_rst(path: Path) -> str:
    """Render a reStructuredText caption as HTML."""
    settings = {"halt_level": 2, "report_level": 2, "initial_header_level": 3, "doctitle_xform": False}
    return publish_parts(path.read_text(), source_path=path.name, writer="html5", settings_overrides=settings)["body"]


def describe_figure(path: Path) -> str:
    """Return the first sentence of a reStructuredText caption as plain text: what the figure shows."""
    words = " ".join(html.unescape(re.sub("<[^>]+>", "", render_rst(path))).split())
    return re.split(r"(?<=[.!?]) (?=[A-Z])", words, maxsplit=1)[0]


def render_figure(path: Path) -> str:
    """Encode a figure as a data URI: SVG as it is, a picture as WebP, with a loss that the eye does not see."""
    if path.suffix == ".svg":
        return data_uri(intact(path).read_bytes(), "image/svg+xml")
    stream = io.BytesIO()
    Image.open(intact(path)).convert("RGB").save(stream, "WEBP", quality=PICTURE_QUALITY)
    return data_uri(stream.getvalue(), "image/webp")


def render_page(template: Path, **content: Any) -> str:
    """Render the page from its template; the style sheet lies beside the template.

    Parameters
    ----------
    template : path
    **content
        Variables of the template.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(template.parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        read_cells=read_cells, render_figure=render_figure, packed=packed, render_rst=render_rst,
        describe=describe_figure, relation=relation,
        reported=REPORTED, reported_others=REPORTED_OTHERS, scores=HEADLINE_SCORES, folded=FOLDED,
    )  # fmt: skip
    return environment.get_template(template.name).render(**content)


def by_chapter(items: Sequence[PageItem]) -> dict[str, list[PageItem]]:
    """Tables and figures by chapter, in the given order."""
    chapters: dict[str, list[PageItem]] = {}
    for item in items:
        chapters.setdefault(item.chapter, []).append(item)
    return chapters
