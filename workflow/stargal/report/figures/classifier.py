"""Figures of the published classifier, of the four-class network, and of what networks respond to."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from stargal.evaluation.calibration import STEPS
from stargal.report.figures.panels import FULL, GREY, LABEL_AXES, PLURALS, draw_confusion, draw_reliability
from stargal.survey.labels import labelled

PANELS = 6
"""Fields in a figure of single fields."""

LABEL_SHARE = {"photo": "share labelled star (1) by photo", "truth": "share of true stars (1)"}
"""Label of the axis by kind of label."""

RULES = {"most_probable": "the most probable", "classes_alike": "classes taken as equally frequent"}
"""Panel title of each rule by which patches are assigned to a class."""


def calibration(predictions: pd.DataFrame, *, labels: str) -> Figure:
    """Reliability diagrams of the published classifier on the test fields, a panel for each of `STEPS`.

    Parameters
    ----------
    predictions : DataFrame
        Predictions of the classifier, with the columns of `STEPS`.
    labels : str
        Labels to score against, ``photo`` or ``truth``.
    """
    test = labelled(predictions, labels, "test")
    return draw_reliability({step: [test.assign(probability=test[name])] for step, name in STEPS.items()})


def field_calibration(predictions: pd.DataFrame, *, labels: str) -> Figure:
    """Reliability diagrams of the test fields with most sources, at most `PANELS`, with a line for each of `STEPS`.

    Parameters
    ----------
    predictions : DataFrame
        Predictions of the classifier, with ``field`` and the columns of `STEPS`.
    labels : str
        Labels to score against, ``photo`` or ``truth``.
    """
    test = labelled(predictions, labels, "test")
    largest = sorted(test["field"].value_counts().index[:PANELS])
    fields = {field: test[test["field"] == field] for field in largest}
    figure = draw_reliability(
        {
            field: [sources.assign(probability=sources[name]) for name in STEPS.values()]
            for field, sources in fields.items()
        }
    )
    first = figure.axes[0]
    for line, step in zip(first.containers, STEPS, strict=True):
        line.set_label(step)
    first.legend()
    first.set_ylabel(LABEL_SHARE[labels])
    return figure


def classes(scores: pd.DataFrame, *, labels: str) -> Figure:
    """Confusion matrices of the four classes on the test fields, a panel per decision rule.

    Parameters
    ----------
    scores : DataFrame
        Table of the scores by class. The majority baseline, which has no seed, is left out.
    labels : str
        Labels that the network trained on, ``photo`` or ``truth``.
    """
    scores = scores[(scores["bucket"] == "test") & scores["seed"].notna()]
    groups = list(scores.groupby("classifier", sort=False))
    figure = Figure(figsize=(0.85 * FULL, 4.6 * len(groups)))
    axes = figure.subplots(len(groups), 1, squeeze=False)[:, 0]
    for ax, (rule, rows) in zip(axes, groups, strict=True):
        names = list(dict.fromkeys(rows["class"]))
        means = rows.groupby("class")[[f"called_{name}" for name in names]].mean()
        draw_confusion(ax, means.loc[names].to_numpy(), names)
        seeds, title = rows["seed"].nunique(), RULES.get(str(rule), str(rule))
        ax.set(title=f"{title}, mean of {seeds} seeds" if seeds > 1 else title, ylabel=LABEL_AXES[labels])
    return figure


def explanation(tables: Sequence[pd.DataFrame], maps: Sequence[Mapping[str, NDArray[np.float32]]]) -> Figure:
    """Attribution maps by class, and how much of them, and of the decision, lies within a radius of the centre.

    Parameters
    ----------
    tables : sequence of DataFrame
        Shares by class and radius, one table per seed, as `stargal.learning.explain.explain` returns them.
    maps : sequence of mappings
        Maps by class and kind, one mapping per seed; their mean is drawn.
    """
    shares = pd.concat(tables)
    images = {name: np.mean([run[name] for run in maps], axis=0) for name in maps[0]}
    names = list(images)
    figure = Figure(figsize=(FULL, 14.5))
    pairs: list[Any] = [names[start : start + 2] for start in range(0, len(names), 2)]
    panels = figure.subplot_mosaic(
        [*pairs, ["share", "share"], ["same", "same"]], height_ratios=(*[1.2] * len(pairs), 1, 1)
    )
    plurals = {"star": f"{PLURALS['star']} (1)", "galaxy": f"{PLURALS['galaxy']} (0)"}
    half = next(iter(images.values())).shape[0] / 2
    for name, image in images.items():
        ax = panels[name]
        shown = ax.imshow(100 * image, cmap="viridis", vmin=0, origin="lower", extent=(-half, half, -half, half))
        label, kind = name.split("_")
        ax.set(title=f"{plurals[label]}, {kind}", xlabel="pixels from the centre")
        ax.grid(False)
        figure.colorbar(shown, ax=ax, location="bottom", label="% of the map a pixel")
    means = shares.groupby(["class", "radius"], sort=False).mean(numeric_only=True).reset_index()
    lines = {"share": (("gradient", "-"), ("occlusion", "--")), "same": (("kept", "-"), ("removed", "--"))}
    words = {"kept": "rest covered", "removed": "disc covered"}
    for panel, kinds in lines.items():
        for number, (word, plural) in enumerate(plurals.items()):
            rows = means[means["class"] == word]
            for kind, dashes in kinds:
                spread = np.maximum([rows[kind] - rows[f"{kind}_low"], rows[f"{kind}_high"] - rows[kind]], 0)
                panels[panel].errorbar(
                    rows["radius"] + 0.08 * number, rows[kind], spread, color=f"C{number}", linestyle=dashes,
                    fmt="o", markersize=3, label=f"{plural}, {words.get(kind, kind)}",
                )  # fmt: skip
        panels[panel].set(xlabel="radius of the disc around the centre, pixels", ylim=(0, 1.02))
    area = means.drop_duplicates("radius")
    panels["share"].plot(area["radius"], area["area"], color=GREY, linestyle=":", label="share of the area")
    panels["share"].set_ylabel("share of the map in the disc")
    panels["same"].set_ylabel("share of sources called the same")
    for panel in lines:
        panels[panel].legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2)
    return figure
