"""Helpers that figures of several chapters share."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from stargal.evaluation.metrics import reliability

Item = TypeVar("Item")

ACROSS = 2
"""Panels side by side at most: figures stay readable where the page is as narrow as a phone."""

WIDTH = 2.75
"""Width of a panel, inches."""

FULL = ACROSS * WIDTH
"""Width of a figure, inches."""

GREY = "0.45"
"""Colour of baselines and reference lines."""

DASHES: list[Any] = ["--", "-.", (0, (1, 1)), (0, (6, 2, 1, 2, 1, 2))]
"""Line styles of the baselines."""

CLASS_MARKS = {1: ("star", "C0", "o"), 0: ("galaxy", "C1", "s")}
"""Name, colour and marker of each label."""

PLURALS = {"star": "stars", "galaxy": "galaxies"}

LABEL_AXES = {"photo": "label (SDSS photo)", "truth": "label (truth)"}
"""Axis label of each kind of label."""


def by_experiment(items: Sequence[Item], experiments: Sequence[str], seeds: Sequence[int]) -> dict[str, list[Item]]:
    """Split a flat list, ordered by experiment and then seed, into a list of seeds per experiment.

    Raises
    ------
    ValueError
        If the number of items is not that of experiments times seeds.
    """
    if len(items) != len(experiments) * len(seeds):
        raise ValueError(f"{len(items)} items for {len(experiments)} experiments of {len(seeds)} seeds")
    return {name: list(items[i * len(seeds) : (i + 1) * len(seeds)]) for i, name in enumerate(experiments)}


def lay_out(count: int, height: float, *, parts: Sequence[int] = (1,), **shared: Any) -> tuple[Figure, list[Any]]:
    """Make a figure of panels, `ACROSS` side by side.

    Parameters
    ----------
    count : int
        Number of panels.
    height : float
        Height of a row of panels, inches.
    parts : sequence of int
        Relative heights of the axes of a panel, which are above each other.
    **shared
        ``sharex`` and ``sharey`` of the axes.

    Returns
    -------
    figure : Figure
    panels : list
        The axes of each panel; one of them if it has but one part. Those that are left over are not shown.
    """
    columns = min(max(count, 1), ACROSS)
    rows = -(-max(count, 1) // columns)
    figure = Figure(figsize=(FULL if columns > 1 else 0.8 * FULL, rows * height))
    axes = figure.subplots(
        rows * len(parts), columns, squeeze=False, gridspec_kw={"height_ratios": [*parts] * rows}, **shared
    )
    stacked = axes.reshape(rows, len(parts), columns).transpose(0, 2, 1).reshape(-1, len(parts))
    for ax in stacked[count:].flat:
        ax.set_visible(False)
    return figure, [panel[0] if len(parts) == 1 else panel for panel in stacked[: max(count, 1)]]


def draw_confusion(ax: Axes, counts: NDArray[np.float64], classes: Sequence[str]) -> None:
    """Draw a confusion matrix: number of sources, and fraction of the sources with that label.

    Parameters
    ----------
    ax : Axes
    counts : ndarray, shape (classes, classes)
        Rows are labels, columns predictions. A row without sources has fractions of 0.
    classes : sequence of str
        Tick labels.
    """
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    ax.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for (y, x), part in np.ndenumerate(share):
        text = f"{counts[y, x]:.0f}\n{part:.1%}"
        ax.text(x, y, text, ha="center", va="center", color="white" if part > 0.6 else "black")
    ax.set(xlabel="predicted", xticks=range(len(classes)), yticks=range(len(classes)))
    ax.set_xticklabels(classes)
    ax.set_yticklabels(classes, rotation=90, va="center")
    ax.grid(False)
    ax.spines[:].set_visible(False)


def draw_reliability(runs_of: Mapping[str, Sequence[pd.DataFrame]]) -> Figure:
    """Fraction of stars against the predicted probability, with 95 % intervals (Wilson), above the number of sources.

    Parameters
    ----------
    runs_of : mapping
        Title of each panel to tables, one line each: columns ``label`` and ``probability``.
    """
    figure, panels = lay_out(len(runs_of), 3.9, parts=(3, 1), sharex=True, sharey="row")
    edges = np.linspace(0, 1, 11)
    for (upper, lower), (name, runs) in zip(panels, runs_of.items(), strict=True):
        upper.plot([0, 1], [0, 1], color=GREY, linestyle=":", label="perfect")
        for number, run in enumerate(runs):
            bins = reliability(run["label"].to_numpy(), run["probability"].to_numpy())
            spread = [bins["stars"] - bins["low"], bins["high"] - bins["stars"]]
            upper.errorbar(bins["probability"], bins["stars"], spread, fmt="o-", markersize=4, color=f"C{number % 7}")
            counts = np.histogram(run["probability"], edges)[0]
            lower.stairs(counts, edges, color=f"C{number % 7}", fill=len(runs) == 1)
        upper.set_title(name)
        lower.tick_params(labelbottom=True)
    figure.supxlabel("probability of a star (1)", fontsize="medium")  # one label leaves the corner to the sky's name
    for upper, lower in panels[::ACROSS]:
        upper.set_ylabel("share labelled star (1)")
        lower.set_ylabel("sources")
    panels[0][0].legend()
    return figure
