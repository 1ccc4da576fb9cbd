"""Scores of four classes: sky, stars, galaxies and both (`stargal.dataset.places`)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stargal.dataset.places import NAMES
from stargal.evaluation.metrics import LEVEL, SEED

SCORES = {"overall": ("accuracy", "balanced_accuracy", "mcc"), "by_class": ("precision", "recall", "f1")}
"""Scores of all patches, and of each class."""

Array = NDArray[Any]


def calls(probability: NDArray[np.floating[Any]], shares: Array) -> Iterator[tuple[str, NDArray[np.int64]]]:
    """What patches are called, by two rules.

    ``most_probable`` makes the fewest errors where classes are as frequent as among the training patches.
    ``classes_alike`` would, were they all equally frequent: it compares the probabilities over the classes' shares
    (Menon et al. 2021, arXiv:2007.07314), so that a rare class is not passed over because it is rare. Training with
    weights instead, each class as heavy as any other, comes to the same: balanced accuracies of 0.844 and 0.846 on the
    validation fields of the simulated sky.

    Parameters
    ----------
    probability : array, (n, 4)
        Of each class, in the order of the labels 0 to 3.
    shares : array, (4,)
        Of each class among the training patches.

    Yields
    ------
    str, int64 array (n,)
        Name of the rule, and the labels it gives.
    """
    yield "most_probable", probability.argmax(axis=1)
    yield "classes_alike", (probability / shares).argmax(axis=1)


def score_calls(predictions: pd.DataFrame, learned: Array, resamples: int) -> list[dict[str, Any]]:
    """Scores of both rules of `calls` in each bucket, and of always giving the most frequent class.

    Parameters
    ----------
    predictions : DataFrame
        One row per patch: ``bucket``, ``label``, and the probability of each class under its name.
    learned : int array, (4,)
        Training patches of each class, by label.
    resamples : int
        Bootstrap resamples of the intervals.

    Returns
    -------
    list of dict
        Per ``classifier`` (the rule, or ``majority``) and ``bucket``, the records of `score_classes`: first that of all
        patches, with ``class`` None, then one per class, with ``learned``, its number of training patches.
    """
    probability = predictions[[NAMES[label] for label in sorted(NAMES)]].to_numpy(float)
    called = [(rule, predictions.assign(called=found)) for rule, found in calls(probability, learned / learned.sum())]
    called.append(("majority", predictions.assign(called=learned.argmax())))
    count = {name: int(learned[label]) for label, name in NAMES.items()}
    records: list[dict[str, Any]] = []
    for classifier, table in called:
        for bucket, patches in table.groupby("bucket", sort=False):
            where = {"classifier": classifier, "bucket": bucket}
            overall, by_class = score_classes(patches["label"].to_numpy(), patches["called"].to_numpy(), resamples)
            records.append(where | {"class": None} | overall)
            records += [where | {"learned": count[record["class"]]} | record for record in by_class]
    return records


def class_tables(
    metrics: Sequence[Sequence[Mapping[str, Any]]], *, seeds: Sequence[int], labels: str
) -> dict[str, pd.DataFrame]:
    """Scores of four classes, of every seed and rule, and of always giving the most frequent class.

    Parameters
    ----------
    metrics : sequence of records
        Records of `score_calls`, by seed.
    seeds : sequence of int
    labels : str
        Kind of the labels: photo or truth.

    Returns
    -------
    dict
        ``overall``: one row per classifier, seed (missing for ``majority``, which is the same for all) and bucket;
        ``by_class``: one row for each class of them.
    """
    rows = [
        {**record, "seed": seed, "against": labels}
        for seed, records in zip(seeds, metrics, strict=True)
        for record in records
        if record["classifier"] != "majority"
    ]
    rows += [{**record, "against": labels} for record in metrics[0] if record["classifier"] == "majority"]
    where = ["classifier", "seed", "against", "bucket"]
    ends = ("", "_low", "_high")
    scores = {kind: [f"{name}{end}" for name in names for end in ends] for kind, names in SCORES.items()}
    columns = {
        "overall": [*where, "patches", *scores["overall"]],
        "by_class": [
            *where,
            *("class", "patches", "learned"),
            *(f"called_{name}" for name in NAMES.values()),
            *scores["by_class"],
        ],
    }
    return {
        kind: pd.DataFrame(
            [row for row in rows if (row["class"] is None) == (kind == "overall")], columns=names
        ).astype({"seed": "Int64"})
        for kind, names in columns.items()
    }


def score_classes(labels: Array, called: Array, resamples: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Scores of the classes given to patches, with 95 % bootstrap intervals.

    Patches are drawn with replacement, as `stargal.evaluation.metrics.score_predictions` draws sources. All scores
    follow from the confusion matrix, so the matrix is drawn from the multinomial distribution, which is equivalent.

    Parameters
    ----------
    labels, called : int arrays, (n,)
        What patches show, and what they are called: 0 to 3.
    resamples : int
        Number of resamples.

    Returns
    -------
    dict
        ``patches``, and the scores of all patches, each with both ends of its interval.
    list of dict
        For each class, in the order of `NAMES`: ``class``, ``patches``, ``called_sky`` and so on (how many of them are
        given each class), and the scores of a class, each with its interval.
    """
    count = len(NAMES)
    cells = np.bincount(labels.astype(np.int64) * count + called, minlength=count**2)
    drawn = np.random.default_rng(SEED).multinomial(len(labels), cells / len(labels), resamples)
    seen, spread = (matrix_scores(matrices.reshape(-1, count, count)) for matrices in (cells, drawn))
    matrix = cells.reshape(count, count)
    overall: dict[str, Any] = {"patches": len(labels)}
    for name in SCORES["overall"]:
        overall |= _with_interval(name, seen[name][0], spread[name])
    by_class = []
    for label, word in NAMES.items():
        record = {"class": word, "patches": int(matrix[label].sum())}
        record |= {f"called_{other}": int(matrix[label, number]) for number, other in NAMES.items()}
        for name in SCORES["by_class"]:
            record |= _with_interval(name, seen[name][0, label], spread[name][:, label])
        by_class.append(record)
    return overall, by_class


def matrix_scores(matrices: Array) -> dict[str, NDArray[np.float64]]:
    """Scores from confusion matrices: arrays (m,), and (m, classes) where they are of a class.

    Parameters
    ----------
    matrices : int array, (m, classes, classes)
        Patches by label (axis 1) and by what they are called (axis 2).

    Returns
    -------
    dict
        - accuracy: share that is called what it is
        - balanced_accuracy: mean recall of the classes that are there
        - mcc: Matthews coefficient of many classes (Gorodkin 2004, Comput. Biol. Chem. 28, 367); 0 where all patches
          are called the same, NaN where there is one class
        - precision, recall, f1: of each class; NaN where nothing is called so, where there is none, and where both
    """
    cells = matrices.astype(float)
    right = np.diagonal(cells, axis1=1, axis2=2)
    of_label, of_call, total = cells.sum(axis=2), cells.sum(axis=1), cells.sum(axis=(1, 2))
    with np.errstate(invalid="ignore", divide="ignore"):
        recall = right / of_label
        labels_vary, calls_vary = (total**2 - np.sum(part**2, axis=1) for part in (of_label, of_call))
        norm = np.sqrt(labels_vary * calls_vary)
        covariance = right.sum(axis=1) * total - np.sum(of_label * of_call, axis=1)
        return {
            "accuracy": right.sum(axis=1) / total,
            "balanced_accuracy": np.nanmean(recall, axis=1),
            "mcc": np.where(labels_vary > 0, np.where(norm > 0, covariance / norm, 0.0), np.nan),
            "precision": right / of_call,
            "recall": recall,
            "f1": 2 * right / (of_label + of_call),
        }


def _with_interval(name: str, value: float, spread: NDArray[np.float64]) -> dict[str, float]:
    """A score and the middle 95 % of its resamples, as columns of a table; NaN where it is not defined."""
    defined = spread[np.isfinite(spread)] if np.isfinite(value) else spread[:0]
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(defined, [tail, 1 - tail]) if len(defined) else (np.nan, np.nan)
    return {name: float(value), f"{name}_low": float(low), f"{name}_high": float(high)}
