"""Experiments that differ in one thing, side by side: means over the seeds, and how far from their base."""

import io
import math
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from stargal.evaluation.metrics import LEVEL, SMALLEST, Scorer
from stargal.io.tables import unusable
from stargal.survey.labels import labelled

DIFFERENCES = ("val_loss", "val_accuracy")
"""What is compared source by source, of the epoch whose weights were kept."""

TRAINING = ("loss", "accuracy")
"""What else is told of that epoch."""

TEST = ("mcc", "accuracy", "roc_auc")
"""Scores of the test bucket."""


def compare(
    histories: dict[str, Sequence[pd.DataFrame]], predictions: dict[str, Sequence[pd.DataFrame]], against: str
) -> pd.DataFrame:
    """Scores of some experiments, each a mean over its seeds, and their differences from the first.

    Parameters
    ----------
    histories : dict
        Name of an experiment to the histories of its seeds, as `stargal.learning.train.fit` gives them.
    predictions : dict
        The same names to the predictions of its seeds: columns ``bucket``, ``probability``, ``label`` and ``truth``;
        all of the same sources in the same order.
    against : str
        Which labels are right: photo or truth.

    Returns
    -------
    DataFrame
        A row an experiment: ``experiment``; each of `DIFFERENCES` with its standard deviation over the seeds (``_sd``,
        NaN of one seed) and as ``_difference`` from the first experiment with both ends of its 95 % interval (see
        `interval`), NaN for the first; each of ``test_`` `TEST` and of `TRAINING` with its standard deviation;
        ``epochs, seeds``.
    """
    base = next(iter(histories))
    judged = {
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
                ends = interval(*(np.array([run[quantity] for run in judged[key]]) for key in (name, base)))
            row |= _over_seeds(quantity, kept[quantity])
            row |= dict(zip((f"{quantity}_difference{end}" for end in ("", "_low", "_high")), ends, strict=True))
        for score in TEST:
            row |= _over_seeds(f"test_{score}", tested[score])
        for quantity in TRAINING:
            row |= _over_seeds(quantity, kept[quantity])
        rows.append(row | {"epochs": kept["epoch"].mean(), "seeds": len(runs)})
    return pd.DataFrame(rows)


def timings(
    benchmarks: dict[str, Sequence[pd.DataFrame]], histories: dict[str, Sequence[pd.DataFrame]]
) -> pd.DataFrame:
    """What training took, each a mean over the seeds.

    Parameters
    ----------
    benchmarks : dict
        Name of an experiment to what Snakemake measured of the training of each seed.
    histories : dict
        The same names to the histories of the same seeds.

    Returns
    -------
    DataFrame
        A row an experiment: ``experiment``; ``epochs_trained``, those after the kept one included; ``seconds`` of the
        whole job, ``seconds_per_epoch`` its start shared out; ``max_rss_mb``, MiB of memory. No CPU time: what
        Snakemake measures of it ends up to half a minute before the job does.
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

    Two things make the difference uncertain, and their variances add: which sources were judged (paired, since both are
    judged on the same), and how the trainings fell out (Welch's, of the means over the sources). With one seed the
    second is not known, and the interval is for other sources alone: too narrow.

    Parameters
    ----------
    varied, base : arrays, (seeds, sources)
        What each trained network gets for each source.

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
    """Cross-entropy and whether it was right, of each source."""
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
    """Numbers that a saved network has learned, as Keras counts them; without loading tensorflow.

    Raises
    ------
    StargalError
        If the file is not a saved model.
    """
    sizes: list[int] = []
    try:
        with zipfile.ZipFile(model) as archive, h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as weights:
            weights["layers"].visititems(lambda _, node: sizes.append(getattr(node, "size", 0)))
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise unusable(model, str(error)) from None
    return sum(sizes)
