"""Figures that compare experiments: differences from a base, grids of settings, and the learning curve."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from stargal.report.figures.panels import FULL, GREY, by_experiment, lay_out


def differences(comparison: pd.DataFrame, *, varied: str) -> Figure:
    """Difference of each experiment from the base in validation loss and accuracy, with 95 % intervals, a row each.

    A filled mark is a difference with an interval that excludes 0. Values that the report published, from one training
    each, are drawn below.

    Parameters
    ----------
    comparison : DataFrame
        Table of the comparison, the base first; columns ``published_val_loss`` and ``published_val_accuracy`` are
        optional.
    varied : str
        What varies, as the experiments' names give it after the first hyphen.
    """
    base, others = comparison.iloc[0], comparison.iloc[1:]
    names = [name.partition("-")[2] for name in others["experiment"]]
    rows = np.arange(len(others))
    figure = Figure(figsize=(FULL, 2.6 + 0.5 * len(others)))
    axes = figure.subplots(2, 1, sharey=True)
    panels = (
        ("val_loss", 1, "validation loss, nats"),
        ("val_accuracy", 100, "validation accuracy, percentage points"),
    )
    for ax, (quantity, unit, label) in zip(axes, panels, strict=True):
        middle, low, high = (unit * others[f"{quantity}_difference{end}"].to_numpy() for end in ("", "_low", "_high"))
        ax.axvline(0, color="black", linewidth=1)
        clear = (low > 0) | (high < 0)
        for chosen, fill, text in ((clear, "C0", "interval without 0"), (~clear, "white", "interval holds 0")):
            if chosen.any():
                ax.errorbar(
                    middle[chosen], rows[chosen], xerr=[(middle - low)[chosen], (high - middle)[chosen]], fmt="o",
                    markersize=5, color="C0", markerfacecolor=fill, label=text,
                )  # fmt: skip
        if f"published_{quantity}" in comparison:
            theirs = unit * (others[f"published_{quantity}"] - base[f"published_{quantity}"])
            ax.plot(theirs, rows + 0.25, "D", markersize=3.5, color="C1", label="report of 2023, one training each")
        ax.set_xlabel(f"difference in {label}")
        ax.locator_params(axis="x", nbins=6)
        ax.set(yticks=rows, ylabel=varied, ylim=(len(others) - 0.5, -0.5))
        ax.set_yticklabels(names)
    axes[0].set_title("left of 0: better than the base")
    axes[1].set_title("right of 0: better than the base")
    entries: dict[str, Any] = {}
    for ax in axes:
        handles, texts = ax.get_legend_handles_labels()
        entries |= dict(zip(texts, handles, strict=True))
    figure.legend(list(entries.values()), list(entries), loc="outside lower center", ncols=2)
    seeds = int(base["seeds"])
    figure.suptitle(f"base: {base['experiment']}, {seeds} seed{'s' if seeds > 1 else ''}", fontsize="medium")
    return figure


def grid(comparison: pd.DataFrame, *, vary: Mapping[str, Sequence[Any]]) -> Figure:
    """Validation loss of all combinations of two or three settings as heat maps; a frame marks the lowest.

    Parameters
    ----------
    comparison : DataFrame
        Table of the comparison: ``val_loss`` and a column per setting.
    vary : mapping
        Values of each setting: the first along the rows, the second along the columns, the third (optional) a panel
        per value.
    """
    rows, columns, *rest = vary.items()
    panels: Sequence[Any] = rest[0][1] if rest else [None]
    named = comparison.set_index(list(vary))["val_loss"].to_dict()
    losses = np.array(
        [
            [
                [named[(row, column) if panel is None else (row, column, panel)] for column in columns[1]]
                for row in rows[1]
            ]
            for panel in panels
        ]
    )
    figure, axes = lay_out(len(panels), 3.2, sharey=True)
    best = np.unravel_index(losses.argmin(), losses.shape)
    for number, (ax, panel) in enumerate(zip(axes, panels, strict=True)):
        image = ax.imshow(losses[number], cmap="cividis_r", vmin=losses.min(), vmax=losses.max(), aspect="auto")
        for (y, x), loss in np.ndenumerate(losses[number]):
            is_dark = loss > (losses.min() + losses.max()) / 2
            ax.text(x, y, f"{loss:.3f}", ha="center", va="center", color="white" if is_dark else "black")
        if number == best[0]:
            ax.add_patch(Rectangle((best[2] - 0.47, best[1] - 0.47), 0.94, 0.94, fill=False, color="C1", linewidth=3))
        ax.set(xticks=range(len(columns[1])), yticks=range(len(rows[1])), xlabel=columns[0])
        ax.set_xticklabels(list(map(str, columns[1])))
        ax.set_yticklabels(list(map(str, rows[1])))
        if panel is not None:
            ax.set_title(f"{rest[0][0]} {panel}")
        ax.grid(False)
        ax.spines[:].set_visible(False)
    axes[0].set_ylabel(rows[0])
    figure.colorbar(image, ax=axes, label="validation loss, nats")
    figure.suptitle("framed: the lowest validation loss", fontsize="medium")
    return figure


def learning_curve(
    metrics: Sequence[Sequence[Mapping[str, Any]]],
    sources: pd.DataFrame,
    *,
    training: Mapping[str, Sequence[str]],
    seeds: Sequence[int],
    labels: str,
) -> Figure:
    """Scores against the number of training sources, with 95 % intervals.

    Parameters
    ----------
    metrics : sequence of lists of records
        Scores by experiment, then seed, as `stargal.evaluation.metrics.evaluate_buckets` returns them.
    sources : DataFrame
        Table of the sources by field: ``field``, ``stars``, ``galaxies``.
    training : mapping
        Training fields of each experiment.
    seeds : sequence of int
    labels : str
        Labels to score against, ``photo`` or ``truth``.
    """
    known = sources.set_index("field")[["stars", "galaxies"]].sum(axis=1)
    size_of = {
        name: {"fields": len(fields), "training_sources": int(known[list(fields)].sum())}
        for name, fields in training.items()
    }
    scores = pd.DataFrame(
        [
            {**size_of[name], "seed": seed, **record}
            for name, runs in by_experiment(metrics, list(training), seeds).items()
            for seed, records in zip(seeds, runs, strict=True)
            for record in records
        ]
    )
    scores = scores[scores["magnitude_low"].isna() & (scores["against"] == labels)]
    panels = (
        ("test", "mcc", "Matthews coefficient, test"),
        ("test", "accuracy", "accuracy, test"),
        ("validation", "log_loss", "cross-entropy, nats, validation"),
    )
    figure = Figure(figsize=(0.9 * FULL, 2.9 * len(panels)))
    axes = figure.subplots(len(panels), 1)
    seeds = sorted(scores["seed"].unique())
    for ax, (bucket, name, label) in zip(axes, panels, strict=True):
        rows = scores[scores["bucket"] == bucket].sort_values("training_sources", kind="stable")
        mean = rows.groupby(["training_sources", "fields"])[name].mean().reset_index()
        ax.plot(mean["training_sources"], mean[name], color=GREY, linewidth=1)
        for number, seed in enumerate(seeds):
            run = rows[rows["seed"] == seed]
            # Side by side: each seed half a per cent to the right of the previous one.
            place = run["training_sources"] * 1.005 ** (number - (len(seeds) - 1) / 2)
            spread = np.maximum([run[name] - run[f"{name}_low"], run[f"{name}_high"] - run[name]], 0)
            ax.errorbar(place, run[name], spread, fmt="o", markersize=4, color=f"C{number % 7}", label=f"seed {seed:g}")
        ax.set(xscale="log", xlabel="training sources (fields)", ylabel=label)
        ax.set_xticks(mean["training_sources"])
        ax.set_xticklabels([f"{row.training_sources}\n({row.fields})" for row in mean.itertuples()], fontsize="small")
        ax.minorticks_off()
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure
