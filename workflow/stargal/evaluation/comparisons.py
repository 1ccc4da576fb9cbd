"""Comparisons of experiments that differ in one thing: means over the seeds, and differences from the first."""

import io
import math
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from stargal.evaluation.metrics import LEVEL, SMALLEST, Scorer
from stargal.evaluation.scores import over_seeds
from stargal.io.tables import unusable
from stargal.survey.labels import labelled

DIFFERENCES = ("val_loss", "val_accuracy")
"""Scores of the kept epoch that are compared source by source."""

TRAINING = ("loss", "accuracy")
"""Further columns of that epoch."""

TEST = ("mcc", "accuracy", "roc_auc")
"""Scores of the test bucket."""

TIMED_SCORES = ("val_loss", "val_loss_sd", "val_accuracy", "val_accuracy_sd", "test_mcc", "test_mcc_sd")
"""Scores in a table of timings."""

Runs = Mapping[str, Sequence[pd.DataFrame]]
"""Tables of the seeds of each experiment."""


def comparison_table(
    histories: Sequence[pd.DataFrame],
    predictions: Sequence[pd.DataFrame],
    networks: Sequence[Path],
    published: pd.DataFrame,
    *,
    comparison: str,
    experiments: Mapping[str, Mapping[str, Any]],
    seeds: Sequence[int],
    labels: str,
) -> pd.DataFrame:
    """Experiments of a comparison: what varies, scores, differences from the first, and the report's published scores.

    Parameters
    ----------
    histories, predictions : sequences of DataFrame
        As for `compare_experiments`, by experiment, then seed.
    networks : sequence of paths
        Network of the first seed of each experiment.
    published : DataFrame
        Published scores: ``comparison, experiment``, and further columns that the table takes over.
    comparison : str
        Name of the comparison.
    experiments : mapping
        Values of the varied settings of each experiment, the base first.
    seeds : sequence of int
    labels : str
        Labels to score against: photo or truth.

    Returns
    -------
    DataFrame
        One row per experiment: ``experiment``, a column per varied setting, the columns of `compare_experiments`,
        ``parameters``, and the columns of `published` if the comparison is in it.
    """
    compared = compare_experiments(
        by_experiment(list(experiments), seeds, histories), by_experiment(list(experiments), seeds, predictions), labels
    )
    compared["parameters"] = [count_parameters(path) for path in networks]
    varied = pd.DataFrame(list(experiments.values()))
    table = pd.concat([compared[["experiment"]], varied, compared.drop(columns="experiment")], axis=1)
    theirs = published[published["comparison"] == comparison].drop(columns="comparison").set_index("experiment")
    return table.join(theirs, on="experiment") if len(theirs) else table


def timing_table(
    comparison: pd.DataFrame,
    benchmarks: Sequence[pd.DataFrame],
    histories: Sequence[pd.DataFrame],
    *,
    seeds: Sequence[int],
) -> pd.DataFrame:
    """Scores of the experiments of a comparison beside the time and memory of their training.

    Parameters
    ----------
    comparison : DataFrame
        As `comparison_table` gives it.
    benchmarks, histories : sequences of DataFrame
        Snakemake's benchmark and the history of each training, by experiment of the comparison, then seed.
    seeds : sequence of int

    Returns
    -------
    DataFrame
        One row per experiment: ``experiment``, the varied settings, ``parameters``, `TIMED_SCORES`, and the columns of
        `timings`.
    """
    experiments = comparison["experiment"].tolist()
    first, last = (list(comparison).index(name) for name in ("experiment", "val_loss"))
    described = comparison[[*comparison.columns[first:last], "parameters", *TIMED_SCORES]]
    measured = timings(by_experiment(experiments, seeds, benchmarks), by_experiment(experiments, seeds, histories))
    return described.merge(measured, on="experiment")


def by_experiment(experiments: Sequence[str], seeds: Sequence[int], tables: Sequence[pd.DataFrame]) -> Runs:
    """Tables of the seeds of each experiment, from a flat list ordered by experiment, then seed."""
    runs: dict[str, list[pd.DataFrame]] = {name: [] for name in experiments}
    for name, _, table in over_seeds(experiments, seeds, tables):
        runs[name].append(table)
    return runs


def compare_experiments(histories: Runs, predictions: Runs, against: str) -> pd.DataFrame:
    """Scores of some experiments, each a mean over its seeds, and their differences from the first.

    Parameters
    ----------
    histories : mapping
        Histories of the seeds of each experiment, as `stargal.learning.train.fit` gives them.
    predictions : mapping
        Predictions of the seeds of each experiment: columns ``bucket``, ``probability``, ``label`` and ``truth``; all
        of the same sources in the same order.
    against : str
        Labels to score against: photo or truth.

    Returns
    -------
    DataFrame
        One row per experiment: ``experiment``; each of `DIFFERENCES` with its standard deviation over the seeds
        (``_sd``, NaN of one seed) and as ``_difference`` from the first experiment with both ends of its 95 % interval (see
        `interval`), NaN for the first; each of ``test_`` `TEST` and of `TRAINING` with its standard deviation;
        ``epochs, seeds``.
    """
    base = next(iter(histories))
    scored = {
        name: [_by_source(labelled(run, against, "validation")) for run in runs] for name, runs in predictions.items()
    }
    rows = []
    for name, runs in histories.items():
        kept = pd.DataFrame([run.iloc[int(run["val_loss"].argmin())] for run in runs])
        tested = pd.DataFrame([_tested(labelled(run, against, "test")) for run in predictions[name]])
        row: dict[str, Any] = {"experiment": name}
        for quantity in DIFFERENCES:
            ends = (np.nan,) * 3
            if name != base:
                ends = interval(*(np.array([run[quantity] for run in scored[key]]) for key in (name, base)))
            row |= _over_seeds(quantity, kept[quantity])
            row |= dict(zip((f"{quantity}_difference{end}" for end in ("", "_low", "_high")), ends, strict=True))
        for score in TEST:
            row |= _over_seeds(f"test_{score}", tested[score])
        for quantity in TRAINING:
            row |= _over_seeds(quantity, kept[quantity])
        rows.append(row | {"epochs": kept["epoch"].mean(), "seeds": len(runs)})
    return pd.DataFrame(rows)


def timings(benchmarks: Runs, histories: Runs) -> pd.DataFrame:
    """Time and memory of training, each a mean over the seeds.

    Parameters
    ----------
    benchmarks, histories : mappings
        Snakemake's benchmarks of training and the histories of the seeds of each experiment.

    Returns
    -------
    DataFrame
        One row per experiment: ``experiment``; ``epochs_trained``, including those after the kept one; ``seconds`` of
        the whole job; ``seconds_per_epoch``, its start included; ``max_rss_mb``, MiB of memory. There is no CPU time:
        Snakemake stops sampling it up to half a minute before the job ends.
    """
    rows = []
    for name, runs in benchmarks.items():
        measured = pd.concat(runs)[["s", "max_rss"]].mean()
        epochs = float(np.mean([len(history) for history in histories[name]]))
        rows.append(
            {
                "experiment": name,
                "epochs_trained": epochs,
                "seconds": measured["s"],
                "seconds_per_epoch": measured["s"] / epochs,
                "max_rss_mb": measured["max_rss"],
            }
        )
    return pd.DataFrame(rows)


def interval(varied: NDArray[np.float64], base: NDArray[np.float64]) -> tuple[float, float, float]:
    """Difference of two means ``varied - base`` and its 95 % interval, for other sources and other seeds.

    Two things make the difference uncertain, and their variances add: the sources scored (paired, since both are scored
    on the same), and the seed of the training (Welch's, of the means over the sources). With one seed the second is not
    known, and the interval is for other sources only: too narrow.

    Parameters
    ----------
    varied, base : arrays, (seeds, sources)
        Score of each source by each network.

    Returns
    -------
    tuple of float
        The difference, the lower and the upper end.
    """
    per_source = varied.mean(axis=0) - base.mean(axis=0)
    variance, quantile = per_source.var(ddof=1) / len(per_source), stats.norm.ppf((1 + LEVEL) / 2)
    seeds = min(len(varied), len(base))
    if seeds > 1:
        parts = [runs.mean(axis=1).var(ddof=1) / len(runs) for runs in (varied, base)]
        variance += sum(parts)
        quantile = stats.t.ppf((1 + LEVEL) / 2, len(varied) + len(base) - 2)
    half = float(quantile * math.sqrt(variance))
    difference = float(per_source.mean())
    return difference, difference - half, difference + half


def _by_source(sources: pd.DataFrame) -> dict[str, NDArray[np.float64]]:
    """Cross-entropy of each source, and whether it was classified correctly."""
    star, probability = sources["label"].to_numpy() == 1, sources["probability"].to_numpy(float)
    clipped = np.clip(probability, SMALLEST, 1 - SMALLEST)
    return {
        "val_loss": -np.log(np.where(star, clipped, 1 - clipped)),
        "val_accuracy": ((probability > 0.5) == star).astype(float),
    }


def _over_seeds(name: str, values: "pd.Series[float]") -> dict[str, float]:
    """Mean and standard deviation, NaN of one."""
    return {name: values.mean(), f"{name}_sd": values.std()}


def _tested(sources: pd.DataFrame) -> dict[str, float]:
    """The scores `TEST`, without intervals."""
    scorer = Scorer(sources["label"].to_numpy(), sources["probability"].to_numpy(float))
    scores = scorer.scores(np.ones((1, len(sources))))
    return {name: float(scores[name][0]) for name in TEST}


def count_parameters(model: Path) -> int:
    """Number of parameters of a saved network, as Keras counts them, without loading tensorflow.

    Raises
    ------
    StargalError
        If the file is not a saved network.
    """
    sizes: list[int] = []
    try:
        with zipfile.ZipFile(model) as archive, h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as weights:
            weights["layers"].visititems(lambda _, node: sizes.append(getattr(node, "size", 0)))
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise unusable(model, str(error)) from None
    return sum(sizes)
