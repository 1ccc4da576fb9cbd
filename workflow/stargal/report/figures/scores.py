"""Figures of the scores on the test fields."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from stargal.evaluation.metrics import CELLS, roc_curve, wilson
from stargal.report.figures.panels import (
    ACROSS,
    DASHES,
    FULL,
    GREY,
    LABEL_AXES,
    by_experiment,
    draw_confusion,
    draw_reliability,
    lay_out,
)
from stargal.survey.labels import labelled


def confusion(scores: pd.DataFrame, *, labels: str) -> Figure:
    """Confusion matrices, a panel per experiment: sources (mean over the seeds) and fraction of the label.

    Parameters
    ----------
    scores : DataFrame
        Table of the scores. Baselines, which have no seed, are left out.
    labels : str
        Labels to score against, ``photo`` or ``truth``.
    """
    scores = scores[(scores["against"] == labels) & (scores["bucket"] == "test") & scores["seed"].notna()]
    groups = list(scores.groupby("classifier", sort=False))
    figure, axes = lay_out(len(groups), 3)
    for ax, (name, rows) in zip(axes, groups, strict=True):
        classes = ("galaxy", "star")
        counts = np.array([[rows[f"{label}_as_{called}"].mean() for called in classes] for label in classes])
        draw_confusion(ax, counts, ["0 galaxy", "1 star"])
        seeds = f", mean of {len(rows)} seeds" if len(rows) > 1 else ""
        ax.set(title=f"{name}{seeds}")
    for ax in axes[::ACROSS]:
        ax.set_ylabel(LABEL_AXES[labels])
    return figure


def roc(
    predictions: Sequence[pd.DataFrame],
    baselines: Sequence[pd.DataFrame],
    *,
    experiments: Sequence[str],
    seeds: Sequence[int],
    training_sets: Sequence[str],
    labels: str,
) -> Figure:
    """ROC curves of experiments, a line per seed, and of the baselines.

    Parameters
    ----------
    predictions : sequence of DataFrame
        Predictions by experiment, then seed.
    baselines : sequence of DataFrame
        Predictions of the baselines, a table per training set: ``concentration`` and ``magnitude`` are their scores.
    experiments, seeds, training_sets : sequence
    labels : str
        Labels to score against, ``photo`` or ``truth``.
    """
    lines = {}
    for training_set, table in zip(training_sets, baselines, strict=True):
        test = labelled(table, labels, "test")
        known = test["label"].to_numpy()
        lines["concentration"] = (known, test["concentration"].to_numpy())
        lines[f"magnitude ({training_set})"] = (known, test["magnitude"].to_numpy())
    figure = Figure(figsize=(FULL, 6.4))
    ax = figure.subplots()
    for number, (name, runs) in enumerate(by_experiment(predictions, experiments, seeds).items()):
        tests = [labelled(run, labels, "test") for run in runs]
        curves = [roc_curve(test["label"].to_numpy(), test["probability"].to_numpy()) for test in tests]
        area = np.mean([_area(curve) for curve in curves])
        for index, curve in enumerate(curves):
            ax.plot(*curve, color=f"C{number}", label=None if index else f"{name}, area {area:.3f}")
    for (name, (known, score)), dashes in zip(lines.items(), DASHES * len(lines), strict=False):
        curve = roc_curve(known, score)
        ax.plot(*curve, color=GREY, linestyle=dashes, linewidth=1.2, label=f"{name}, area {_area(curve):.3f}")
    ax.plot([0, 1], [0, 1], color=GREY, linestyle=":", linewidth=1, label="random or majority, area 0.5")
    ax.set(xlabel="share of galaxies (0) called stars", ylabel="share of stars (1) called stars", aspect="equal")
    figure.legend(loc="outside lower center")
    return figure


def _area(curve: tuple[NDArray[np.float64], NDArray[np.float64]]) -> float:
    return float(np.trapezoid(curve[1], curve[0]))


def reliability(
    predictions: Sequence[pd.DataFrame], *, experiments: Sequence[str], seeds: Sequence[int], labels: str
) -> Figure:
    """Reliability diagrams, a panel per experiment, a line per seed.

    Parameters
    ----------
    predictions : sequence of DataFrame
        Predictions by experiment, then seed: ``probability`` of a star.
    experiments, seeds : sequence
    labels : str
        Labels to score against, ``photo`` or ``truth``.
    """
    return draw_reliability(by_experiment([labelled(run, labels, "test") for run in predictions], experiments, seeds))


def magnitude(scores: pd.DataFrame, *, labels: str) -> Figure:
    """Matthews coefficient against r magnitude, with 95 % intervals, above the number of stars and galaxies.

    Parameters
    ----------
    scores : DataFrame
        Table of the scores by magnitude; of several seeds the mean of each number is drawn. The baselines *random* and
        *majority* are left out: their coefficient is 0 in every bin.
    labels : str
        Labels to score against, ``photo`` or ``truth``.
    """
    scores = scores[(scores["against"] == labels) & (scores["bucket"] == "test")]
    scores = scores[~scores["classifier"].isin(["random", "majority"])]
    figure = Figure(figsize=(FULL, 5.6))
    upper, lower = figure.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": (3, 1)})
    columns = ["mcc", "mcc_low", "mcc_high", "magnitude_low", "magnitude_high", "stars", "galaxies"]
    keys = ["classifier", "training_set", "magnitude_low"]
    means = scores.groupby(keys, sort=False, dropna=False)[columns].mean()
    groups = list(means.groupby(level=[0, 1], sort=False, dropna=False))
    network = 0
    for number, ((classifier, training_set), bins) in enumerate(groups):
        low, high = bins["magnitude_low"].to_numpy(), bins["magnitude_high"].to_numpy()
        shift = (number - (len(groups) - 1) / 2) * 0.5 / len(groups) * np.min(high - low)
        # With few sources, a percentile interval may exclude the score itself.
        spread = np.maximum([bins["mcc"] - bins["mcc_low"], bins["mcc_high"] - bins["mcc"]], 0)
        line: dict[str, Any] = {"color": GREY, "linestyle": DASHES[number % len(DASHES)], "linewidth": 1.2}
        text = f"{classifier} ({training_set})" if isinstance(training_set, str) else classifier
        if "seed" in scores and scores.loc[scores["classifier"] == classifier, "seed"].notna().any():
            line, text, network = {"color": f"C{network}"}, classifier, network + 1
        upper.errorbar((low + high) / 2 + shift, bins["mcc"], spread, fmt="o", markersize=4, label=text, **line)
    _draw_counts(lower, groups[0][1])
    upper.axhline(0, color=GREY, linestyle=":", linewidth=1)
    upper.set_ylabel("Matthews coefficient, test fields")
    figure.legend(*upper.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    lower.set(xlabel="r model magnitude (AB)", ylabel="sources")
    return figure


def _draw_counts(ax: Axes, bins: pd.DataFrame) -> None:
    """Draw the number of stars and galaxies of each bin as steps."""
    edges = [*bins["magnitude_low"], bins["magnitude_high"].iloc[-1]]
    for word, line in (("stars", "-"), ("galaxies", "--")):
        ax.stairs(bins[word], edges, color="black", linestyle=line, label=f"{word} ({int(word == 'stars')})")
    ax.legend()


def completeness(scores: pd.DataFrame, *, labels: str) -> Figure:
    """Completeness and purity of stars and galaxies against r magnitude, with 95 % intervals (Wilson).

    Completeness is the fraction of a class's sources that are assigned to it; purity is the fraction of the sources
    assigned to a class that belong to it.

    Parameters
    ----------
    scores : DataFrame
        Table of the scores by magnitude; numbers of sources are means over the seeds. Baselines, which have no seed,
        are left out.
    labels : str
        Labels to score against, ``photo`` or ``truth``.
    """
    scores = scores[(scores["against"] == labels) & (scores["bucket"] == "test") & scores["seed"].notna()]
    figure = Figure(figsize=(FULL, 5.4))
    panels = figure.subplots(2, 2, sharex=True, sharey=True)
    means = scores.groupby(["classifier", "magnitude_low", "magnitude_high"], sort=False)[list(CELLS)].mean()
    groups = list(means.reset_index().groupby("classifier", sort=False))
    for number, (classifier, bins) in enumerate(groups):
        middle = (bins["magnitude_low"] + bins["magnitude_high"]) / 2
        shift = (number - (len(groups) - 1) / 2) * 0.4 / len(groups)
        for column, (own, other) in enumerate((("star", "galaxy"), ("galaxy", "star"))):
            right = bins[f"{own}_as_{own}"]
            for row, wrong in enumerate((bins[f"{own}_as_{other}"], bins[f"{other}_as_{own}"])):
                count = (right + wrong).to_numpy()
                held = count > 0
                share = (right.to_numpy() / np.where(held, count, 1))[held]
                low, high = wilson(share, count[held])
                panels[row, column].errorbar(
                    middle[held] + shift, share, [share - low, high - share], fmt="o-", markersize=3, linewidth=1,
                    color=f"C{number}", label=classifier,
                )  # fmt: skip
    for row, quantity in enumerate(("completeness", "purity")):
        panels[row, 0].set_ylabel(quantity)
    for column, name in enumerate(("stars (1)", "galaxies (0)")):
        panels[0, column].set_title(name)
        panels[1, column].set_xlabel("r model magnitude (AB)")
    figure.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure
