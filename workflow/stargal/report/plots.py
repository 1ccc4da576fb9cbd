"""Figures of training and evaluation. Draw and save them within `stargal.report.look.style`."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from stargal.evaluation.metrics import CELLS, reliability, roc_curve, wilson

WIDTH = 3.0
"""Width of a panel, inches."""

GREY = "0.45"
"""Colour of what is there for comparison."""


def training_curves(histories: Mapping[str, Sequence[pd.DataFrame]]) -> Figure:
    """Loss and accuracy against the epoch, a column of panels an experiment, a line a seed.

    Parameters
    ----------
    histories : mapping
        Name of an experiment to the histories of its seeds, as `stargal.learning.train.fit` gives them.
    """
    figure = Figure(figsize=(max(WIDTH * len(histories), 5), 5))
    axes = figure.subplots(2, len(histories), squeeze=False, sharex="col", sharey="row")
    rows = (("loss", "cross-entropy, nats"), ("accuracy", "accuracy"))
    for column, (name, runs) in enumerate(histories.items()):
        for row, (quantity, _) in enumerate(rows):
            ax = axes[row, column]
            for seed, history in enumerate(runs):
                for prefix, word, colour in (("", "training", "C0"), ("val_", "validation", "C1")):
                    label = None if seed else word
                    ax.plot(history["epoch"], history[prefix + quantity], color=colour, label=label)
                best = history["epoch"].iloc[int(history["val_loss"].argmin())]
                ax.axvline(best, color=GREY, linestyle=":", label=None if seed else "weights kept")
        axes[0, column].set_title(name)
        axes[1, column].set_xlabel("epoch")
    for row, (_, label) in enumerate(rows):
        axes[row, 0].set_ylabel(label)
    axes[0, 0].set_ylim(0, _top(histories))
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def _top(histories: Mapping[str, Sequence[pd.DataFrame]]) -> float:
    """Upper end of the losses: all of training, and validation up to twice what guessing costs."""
    runs = [history for seeds in histories.values() for history in seeds]
    highest = max(history[["loss", "val_loss"]].max().max() for history in runs)
    return float(min(1.05 * highest, 2 * np.log(2)))


def confusion_matrices(scores: pd.DataFrame) -> Figure:
    """Labels against predictions, a panel an experiment: sources (mean over the seeds) and share of the label.

    Parameters
    ----------
    scores : DataFrame
        Rows of the table of scores that belong to experiments, one bucket; columns ``classifier`` and the four cells.
    """
    groups = list(scores.groupby("classifier", sort=False))
    figure = Figure(figsize=(max(WIDTH * len(groups), 4), 3.2))
    axes = figure.subplots(1, len(groups), squeeze=False)[0]
    for ax, (name, rows) in zip(axes, groups, strict=True):
        classes = ("galaxy", "star")
        counts = np.array([[rows[f"{label}_as_{called}"].mean() for called in classes] for label in classes])
        _confusion(ax, counts, ["0 galaxy", "1 star"])
        seeds = f", mean of {len(rows)} seeds" if len(rows) > 1 else ""
        ax.set(title=f"{name}{seeds}")
    axes[0].set_ylabel("label (SDSS photo)")
    return figure


def _confusion(ax: Axes, counts: NDArray[np.float64], classes: Sequence[str]) -> None:
    """A confusion matrix: number of sources, and share of their label; no share of a label that none has."""
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


def class_confusion(scores: pd.DataFrame, label: str) -> Figure:
    """Labels against calls of the four classes: patches (mean over the seeds) and share of the label, a panel a rule.

    Parameters
    ----------
    scores : DataFrame
        Rows of `stargal.evaluation.classes.score_calls` by class that belong to networks, one bucket.
    label : str
        What the labels are.
    """
    groups = list(scores.groupby("classifier", sort=False))
    figure = Figure(figsize=(4.2 * len(groups), 4.2))
    axes = figure.subplots(1, len(groups), squeeze=False)[0]
    for ax, (rule, rows) in zip(axes, groups, strict=True):
        classes = list(dict.fromkeys(rows["class"]))
        means = rows.groupby("class")[[f"called_{name}" for name in classes]].mean()
        _confusion(ax, means.loc[classes].to_numpy(), classes)
        seeds = rows["seed"].nunique()
        ax.set(title=f"{rule}, mean of {seeds} seeds" if seeds > 1 else rule)
    axes[0].set_ylabel(label)
    return figure


def differences(compared: pd.DataFrame, varied: str) -> Figure:
    """How far each experiment is from the base in validation loss and accuracy, with 95 % intervals, a row each.

    A filled mark is a difference whose interval does not hold zero. What the report published, of one training each, is
    drawn beside it.

    Parameters
    ----------
    compared : DataFrame
        What `stargal.evaluation.comparisons.compare` gives, the base first; if it is there, ``published_`` of both quantities.
    varied : str
        What the ends of the experiments' names say.
    """
    base, others = compared.iloc[0], compared.iloc[1:]
    names = [name.partition("-")[2] for name in others["experiment"]]
    rows = np.arange(len(others))
    figure = Figure(figsize=(8.4, 1.6 + 0.28 * len(others)))
    axes = figure.subplots(1, 2, sharey=True)
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
        if f"published_{quantity}" in compared:
            theirs = unit * (others[f"published_{quantity}"] - base[f"published_{quantity}"])
            ax.plot(theirs, rows + 0.25, "D", markersize=3.5, color="C1", label="report of 2023, one training each")
        ax.set_xlabel(f"difference in {label}")
        ax.locator_params(axis="x", nbins=6)
    axes[0].set(yticks=rows, ylabel=varied, ylim=(len(others) - 0.5, -0.5))
    axes[0].set_yticklabels(names)
    axes[0].set_title("left of 0: better than the base")
    axes[1].set_title("right of 0: better than the base")
    entries: dict[str, Any] = {}
    for ax in axes:
        handles, texts = ax.get_legend_handles_labels()
        entries |= dict(zip(texts, handles, strict=True))
    figure.legend(list(entries.values()), list(entries), loc="outside lower center", ncols=3)
    seeds = int(base["seeds"])
    figure.suptitle(f"base: {base['experiment']}, {seeds} seed{'s' if seeds > 1 else ''}", fontsize="medium")
    return figure


def loss_grid(compared: pd.DataFrame, vary: Mapping[str, Sequence[Any]]) -> Figure:
    """Validation loss of all combinations of two or three settings as heat maps; the lowest is marked.

    Parameters
    ----------
    compared : DataFrame
        A row an experiment, with a column for each setting and ``val_loss``.
    vary : mapping
        Setting to its values: along the rows, along the columns and, of three, a panel each.
    """
    rows, columns, *rest = vary.items()
    panels: Sequence[Any] = rest[0][1] if rest else [None]
    named = compared.set_index(list(vary))["val_loss"].to_dict()
    losses = np.array(
        [
            [
                [named[(row, column) if panel is None else (row, column, panel)] for column in columns[1]]
                for row in rows[1]
            ]
            for panel in panels
        ]
    )
    figure = Figure(figsize=(max(0.5 + 2.6 * len(panels), 4), 3.4))
    axes = figure.subplots(1, len(panels), squeeze=False, sharey=True)[0]
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


def roc_curves(
    experiments: Mapping[str, Sequence[pd.DataFrame]], baselines: Mapping[str, tuple[NDArray[Any], NDArray[Any]]]
) -> Figure:
    """Stars found against galaxies mistaken for stars, a line an experiment and seed, and the baselines.

    Parameters
    ----------
    experiments : mapping
        Name of an experiment to the predictions of its seeds: columns ``label`` and ``probability``.
    baselines : mapping
        Name of a baseline to labels and scores.
    """
    figure = Figure(figsize=(6.4, 4))
    ax = figure.subplots()
    for number, (name, runs) in enumerate(experiments.items()):
        curves = [roc_curve(run["label"].to_numpy(), run["probability"].to_numpy()) for run in runs]
        area = np.mean([_area(curve) for curve in curves])
        for seed, curve in enumerate(curves):
            ax.plot(*curve, color=f"C{number}", label=None if seed else f"{name}, area {area:.3f}")
    for (name, (labels, score)), dashes in zip(baselines.items(), _DASHES * len(baselines), strict=False):
        curve = roc_curve(labels, score)
        ax.plot(*curve, color=GREY, linestyle=dashes, linewidth=1.2, label=f"{name}, area {_area(curve):.3f}")
    ax.plot([0, 1], [0, 1], color=GREY, linestyle=":", linewidth=1, label="random or majority, area 0.5")
    ax.set(xlabel="share of galaxies (0) called stars", ylabel="share of stars (1) called stars", aspect="equal")
    figure.legend(loc="outside right center")
    return figure


_DASHES = ["--", "-.", (0, (1, 1)), (0, (6, 2, 1, 2, 1, 2))]


def _area(curve: tuple[NDArray[np.float64], NDArray[np.float64]]) -> float:
    return float(np.trapezoid(curve[1], curve[0]))


def reliability_diagrams(experiments: Mapping[str, Sequence[pd.DataFrame]]) -> Figure:
    """Share of stars against the probability given, with Wilson's 95 % intervals, over the number of sources.

    Parameters
    ----------
    experiments : mapping
        Name of an experiment to the predictions of its seeds: columns ``label`` and ``probability``.
    """
    figure = Figure(figsize=(max(WIDTH * len(experiments), 4.5), 4.6))
    axes = figure.subplots(
        2, len(experiments), squeeze=False, sharex=True, sharey="row", gridspec_kw={"height_ratios": (3, 1)}
    )
    edges = np.linspace(0, 1, 11)
    for (upper, lower), (name, runs) in zip(axes.T, experiments.items(), strict=True):
        upper.plot([0, 1], [0, 1], color=GREY, linestyle=":", label="perfect")
        for seed, run in enumerate(runs):
            bins = reliability(run["label"].to_numpy(), run["probability"].to_numpy())
            spread = [bins["stars"] - bins["low"], bins["high"] - bins["stars"]]
            upper.errorbar(bins["probability"], bins["stars"], spread, fmt="o-", markersize=4, color=f"C{seed % 7}")
            counts = np.histogram(run["probability"], edges)[0]
            lower.stairs(counts, edges, color=f"C{seed % 7}", fill=len(runs) == 1)
        upper.set_title(name)
    figure.supxlabel("probability of a star (1)", fontsize="medium")  # one for all leaves the corner to the sky's name
    axes[0, 0].set_ylabel("share labelled star (1)")
    axes[0, 0].legend()
    axes[1, 0].set_ylabel("sources")
    return figure


def score_by_magnitude(scores: pd.DataFrame, name: str, label: str) -> Figure:
    """A score against r magnitude, with 95 % intervals, over the number of stars and galaxies.

    Parameters
    ----------
    scores : DataFrame
        Rows of the table of scores by magnitude, one bucket; with several seeds the mean of each number is drawn.
    name : str
        Column of the score.
    label : str
        What the axis says.
    """
    figure = Figure(figsize=(8.4, 5))
    upper, lower = figure.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": (3, 1)})
    columns = [name, f"{name}_low", f"{name}_high", "magnitude_low", "magnitude_high", "stars", "galaxies"]
    keys = ["classifier", "training_set", "magnitude_low"]
    means = scores.groupby(keys, sort=False, dropna=False)[columns].mean()
    groups = list(means.groupby(level=[0, 1], sort=False, dropna=False))
    network = 0
    for number, ((classifier, training_set), bins) in enumerate(groups):
        low, high = bins["magnitude_low"].to_numpy(), bins["magnitude_high"].to_numpy()
        shift = (number - (len(groups) - 1) / 2) * 0.5 / len(groups) * np.min(high - low)
        # A percentile interval of few sources need not hold the score itself.
        spread = np.maximum([bins[name] - bins[f"{name}_low"], bins[f"{name}_high"] - bins[name]], 0)
        look: dict[str, Any] = {"color": GREY, "linestyle": _DASHES[number % len(_DASHES)], "linewidth": 1.2}
        text = f"{classifier} ({training_set})" if isinstance(training_set, str) else classifier
        if "seed" in scores and scores.loc[scores["classifier"] == classifier, "seed"].notna().any():
            look, text, network = {"color": f"C{network}"}, classifier, network + 1
        upper.errorbar((low + high) / 2 + shift, bins[name], spread, fmt="o", markersize=4, label=text, **look)
    _counts(lower, groups[0][1])
    upper.axhline(0, color=GREY, linestyle=":", linewidth=1)
    upper.set_ylabel(label)
    figure.legend(*upper.get_legend_handles_labels(), loc="outside right upper")
    lower.set(xlabel="r model magnitude (AB)", ylabel="sources")
    return figure


def completeness_and_purity(scores: pd.DataFrame) -> Figure:
    """Completeness and purity of each class against r magnitude, with 95 % intervals (Wilson), a line a classifier.

    Completeness is the share of a class that is called so, purity the share of what is called so that is of the class.

    Parameters
    ----------
    scores : DataFrame
        Rows of the table of scores by magnitude, one bucket; of several seeds the mean number of sources is taken.
    """
    figure = Figure(figsize=(8.4, 5.4))
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
    figure.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure


def learning_curve(scores: pd.DataFrame) -> Figure:
    """Scores against the number of training sources, with 95 % intervals.

    Parameters
    ----------
    scores : DataFrame
        A row an experiment, seed and bucket: ``fields`` and ``training_sources`` learned from, ``seed``, ``bucket``,
        and the scores as `stargal.evaluation.metrics.evaluate` gives them.
    """
    panels = (
        ("test", "mcc", "Matthews coefficient, test"),
        ("test", "accuracy", "accuracy, test"),
        ("validation", "log_loss", "cross-entropy, nats, validation"),
    )
    figure = Figure(figsize=(3.3 * len(panels), 3.4))
    axes = figure.subplots(1, len(panels))
    seeds = sorted(scores["seed"].unique())
    for ax, (bucket, name, label) in zip(axes, panels, strict=True):
        rows = scores[scores["bucket"] == bucket].sort_values("training_sources")
        mean = rows.groupby(["training_sources", "fields"])[name].mean().reset_index()
        ax.plot(mean["training_sources"], mean[name], color=GREY, linewidth=1)
        for number, seed in enumerate(seeds):
            run = rows[rows["seed"] == seed]
            # Side by side, each seed half a per cent to the right of the one before.
            place = run["training_sources"] * 1.005 ** (number - (len(seeds) - 1) / 2)
            spread = np.maximum([run[name] - run[f"{name}_low"], run[f"{name}_high"] - run[name]], 0)
            ax.errorbar(place, run[name], spread, fmt="o", markersize=4, color=f"C{number % 7}", label=f"seed {seed:g}")
        ax.set(xscale="log", xlabel="training sources (fields)", ylabel=label)
        ax.set_xticks(mean["training_sources"])
        ax.set_xticklabels([f"{row.training_sources}\n({row.fields})" for row in mean.itertuples()], fontsize="small")
        ax.minorticks_off()
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=7)
    return figure


def explanation(shares: pd.DataFrame, maps: Mapping[str, NDArray[np.float32]]) -> Figure:
    """Maps of what a network attends to, by class, and how much of it lies within a radius.

    Parameters
    ----------
    shares, maps
        As `stargal.learning.explain.explain` gives them; of several seeds the mean of the shares is drawn.
    """
    figure = Figure(figsize=(9.6, 6.4))
    panels = figure.subplot_mosaic([[*maps], ["share", "share", "same", "same"]], height_ratios=(1, 1.1))
    plurals = {"star": "stars (1)", "galaxy": "galaxies (0)"}
    half = next(iter(maps.values())).shape[0] / 2
    for name, image in maps.items():
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


def _counts(ax: Axes, bins: pd.DataFrame) -> None:
    """Stars and galaxies of each bin as steps."""
    edges = [*bins["magnitude_low"], bins["magnitude_high"].iloc[-1]]
    for word, line in (("stars", "-"), ("galaxies", "--")):
        ax.stairs(bins[word], edges, color="black", linestyle=line, label=f"{word} ({int(word == 'stars')})")
    ax.legend()
