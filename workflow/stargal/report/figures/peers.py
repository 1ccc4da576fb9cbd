"""Figures of our classifier beside others."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from stargal.evaluation.catalogs import FAINTEST
from stargal.evaluation.peers import EVERY
from stargal.report.figures.panels import DASHES, FULL, GREY, PLURALS

OUTSIDE = ("photo", "concentration", "class_star", "spread_model")
"""Classifiers that do not learn here; they are dashed."""

MARKERS = dict(zip(OUTSIDE, "Dvs^", strict=True))
"""Their markers; all others have a circle."""


def styles(classifiers: "pd.Series[str]") -> dict[str, dict[str, Any]]:
    """Colour and dashes of each classifier, in the order of the table."""
    names = list(dict.fromkeys(classifiers))
    ours = [name for name in names if name not in OUTSIDE]
    return {
        name: {"color": f"C{ours.index(name)}", "linestyle": "-"}
        if name in ours
        else {"color": GREY, "linestyle": DASHES[OUTSIDE.index(name)]}
        for name in names
    }


def panels(scores: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the title and rows of each kind of label and sample, of the test fields or, without any, of the others."""
    buckets = [name for name in ("test", "none", "validation") if (scores["bucket"] == name).any()]
    rows = scores[scores["bucket"].isin(buckets[:1])]
    for (against, sample), part in rows.groupby(["against", "sample"], sort=False):
        title = f"against {against}" + ("" if sample == EVERY else f", sources of {sample}")
        yield title, part


def trade(scores: pd.DataFrame, curves: pd.DataFrame) -> Figure:
    """Purity against completeness of stars and galaxies brighter than r = 22, a line per classifier.

    Parameters
    ----------
    scores, curves : DataFrame
        Tables of `stargal.evaluation.peers.peer_tables`. The markers are where each classifier has its threshold.
    """
    bright = f"r < {FAINTEST:g}"
    scores = scores[(scores["magnitudes"] == bright) & scores["accuracy"].notna()]
    curves = curves[curves["magnitudes"] == bright]
    parts, lines = list(panels(scores)), styles(scores["classifier"])
    figure = Figure(figsize=(FULL, 3.0 * max(len(parts), 1) + 1.2))
    axes = figure.subplots(max(len(parts), 1), 2, squeeze=False)
    for row, (title, part) in zip(axes, parts, strict=False):
        keys = part.iloc[0]
        same = (curves[["against", "sample", "bucket"]] == keys[["against", "sample", "bucket"]]).all(axis=1)
        for ax, (word, plural) in zip(row, PLURALS.items(), strict=True):
            lowest = 1.0
            for _, one in part.iterrows():
                name, style = one["classifier"], lines[one["classifier"]]
                line = curves[same & (curves["classifier"] == name) & (curves["class"] == word)]
                marker = {"marker": MARKERS.get(name, "o"), "markersize": 5, "color": style["color"]}
                ax.plot(line["completeness"], line["purity"], linewidth=1.1, **style)
                ax.plot(one[f"recall_{word}"], one[f"purity_{word}"], **marker)
                ax.plot([], [], label=name, linewidth=1.1, **marker, linestyle=style["linestyle"])
                lowest = np.nanmin([lowest, one[f"recall_{word}"], one[f"purity_{word}"]])
            floor = float(np.clip(np.floor(20 * lowest - 0.5) / 20, 0, 0.9))
            ax.set(xlim=(floor, 1.005), ylim=(floor, 1.005), xlabel="completeness", ylabel="purity")
            ax.set_title(f"{plural}, {title}".replace(", sources", ",\nsources"))
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def accuracy(scores: pd.DataFrame) -> Figure:
    """Accuracy against r magnitude with 95 % intervals, a line per classifier, above the number of sources.

    Parameters
    ----------
    scores : DataFrame
        Table by magnitude of `stargal.evaluation.peers.peer_tables`.
    """
    scores = scores[scores["sources"] > 0]
    parts, lines = list(panels(scores)), styles(scores["classifier"])
    count = max(len(parts), 1)
    figure = Figure(figsize=(FULL, 4.6 * count + 0.6))
    axes = figure.subplots(2 * count, 1, squeeze=False, sharex=True, gridspec_kw={"height_ratios": [4, 1] * count})
    axes = axes.reshape(count, 2)
    for (upper, lower), (title, part) in zip(axes, parts, strict=False):
        groups = list(part.groupby("classifier", sort=False))
        for number, (name, bins) in enumerate(groups):
            low, high = bins["magnitude_low"].to_numpy(), bins["magnitude_high"].to_numpy()
            shift = (number - (len(groups) - 1) / 2) * 0.5 / len(groups)
            spread = np.maximum([bins["accuracy"] - bins["accuracy_low"], bins["accuracy_high"] - bins["accuracy"]], 0)
            upper.errorbar(
                (low + high) / 2 + shift, bins["accuracy"], spread, linewidth=1, markersize=3,
                marker=MARKERS.get(str(name), "o"), label=name, **lines[str(name)],
            )  # fmt: skip
        bins = groups[0][1]
        middle, wide = (
            (bins["magnitude_low"] + bins["magnitude_high"]) / 2,
            bins["magnitude_high"] - bins["magnitude_low"],
        )
        for word, fill in (("stars", False), ("galaxies", True)):
            below = 0 if word == "stars" else bins["stars"]
            lower.bar(middle, bins[word], wide, bottom=below, fill=fill, color="0.8", edgecolor="0.4", label=word)
        upper.set(title=title, ylabel="accuracy")
        lower.set(xlabel="r magnitude (AB)", ylabel="sources")
        lower.tick_params(labelbottom=True)
    axes[0, 1].legend()
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure
