"""Scores of a classifier of stars (label 1, the positive class) and galaxies (label 0), with intervals.

Where the labels are the types that SDSS photo gave the sources, a score is agreement with photo, not with the truth.
"""

import itertools
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stargal.survey.labels import LABELS

SCORES = ("accuracy", "mcc", "roc_auc", "average_precision", "log_loss", "brier", "recall_star", "recall_galaxy")
"""The scores, in the order of the tables."""

CELLS = ("star_as_star", "star_as_galaxy", "galaxy_as_star", "galaxy_as_galaxy")
"""Cells of the confusion matrix: label, and class that it was given."""

SCORE_COLUMNS = (
    "sources",
    "stars",
    "galaxies",
    *CELLS,
    *(name + end for name in SCORES for end in ("", "_low", "_high")),
)
"""Columns of a record of `score_predictions`."""

LEVEL = 0.95
"""Coverage of the intervals."""

SMALLEST = 1e-7
"""Probabilities are kept this far from 0 and 1 in the logarithmic loss, as in keras (float32 can reach both)."""

SEED = 0
"""Seed of the bootstrap: all classifiers are scored on the same resamples of the same sources."""

BLOCK = 4_000_000
"""Numbers in one block of resamples; bounds the memory to about 200 MB."""


class Scorer:
    """Scores of one set of sources, for any weights of the sources.

    Parameters
    ----------
    labels : int array, (n,)
        1 star, 0 galaxy.
    score : float array, (n,)
        The higher, the more like a star.
    threshold : float
        A source with a score above it is classified as a star.
    calibrated : bool
        Whether the score is a probability; if not, logarithmic loss and Brier score are not defined.
    """

    def __init__(
        self, labels: NDArray[Any], score: NDArray[Any], threshold: float = 0.5, calibrated: bool = True
    ) -> None:
        self.order = np.argsort(-score, kind="stable")
        self.star = labels[self.order].astype(float)
        sorted_score = score[self.order]
        self.ties = np.flatnonzero(np.diff(sorted_score, prepend=np.nan) != 0)  # where each distinct score begins
        self.called_star = sorted_score > threshold
        probability = np.clip(sorted_score, SMALLEST, 1 - SMALLEST) if calibrated else np.full(len(score), np.nan)
        self.surprise = -np.log(np.where(self.star == 1, probability, 1 - probability))
        self.squared = (sorted_score - self.star) ** 2 if calibrated else probability

    def confusion(self, weights: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Cells of the confusion matrix, one number per row of weights."""
        star, galaxy = self.star == 1, self.star == 0
        return {
            "star_as_star": weights @ (star & self.called_star),
            "star_as_galaxy": weights @ (star & ~self.called_star),
            "galaxy_as_star": weights @ (galaxy & self.called_star),
            "galaxy_as_galaxy": weights @ (galaxy & ~self.called_star),
        }

    def scores(self, weights: NDArray[Any]) -> dict[str, NDArray[np.float64]]:
        """All scores, one number per row of weights.

        Where a class is missing, whatever needs both is NaN. Where all sources are given the same class, the
        Matthews coefficient is 0: no correlation.

        Parameters
        ----------
        weights : array, (resamples, n)
            Weight of each source, in the order of falling scores (see `order`).
        """
        cells = {name: cell.astype(float) for name, cell in self.confusion(weights).items()}
        tp, fn, fp, tn = cells.values()
        stars, galaxies = tp + fn, fp + tn
        stars_here = np.add.reduceat(weights * self.star, self.ties, axis=1)
        galaxies_here = np.add.reduceat(weights * (1 - self.star), self.ties, axis=1)
        stars_above = np.cumsum(stars_here, axis=1)
        all_above = stars_above + np.cumsum(galaxies_here, axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            both = np.where((stars > 0) & (galaxies > 0), 1.0, np.nan)
            norm = np.sqrt((tp + fp) * (tn + fn) * stars * galaxies)
            precision = np.where(all_above > 0, stars_above / all_above, 0.0)
            return {
                "accuracy": (tp + tn) / (stars + galaxies),
                "mcc": both * np.where(norm > 0, (tp * tn - fp * fn) / norm, 0.0),
                "roc_auc": np.sum(galaxies_here * (stars_above - stars_here / 2), axis=1) / (stars * galaxies),
                "average_precision": both * np.sum(stars_here * precision, axis=1) / stars,
                "log_loss": weights @ self.surprise / (stars + galaxies),
                "brier": weights @ self.squared / (stars + galaxies),
                "recall_star": tp / stars,
                "recall_galaxy": tn / galaxies,
            }


def score_predictions(
    labels: NDArray[Any],
    score: NDArray[Any],
    *,
    threshold: float = 0.5,
    calibrated: bool = True,
    resamples: int = 1000,
) -> dict[str, float | int]:
    """Counts and scores with their 95 % bootstrap intervals.

    Sources are drawn with replacement and the interval holds the middle 95 % of what they score (percentile bootstrap,
    Efron & Tibshirani 1993). It is for other sources of the same fields; other fields, with other seeing,
    differ by more.

    Parameters
    ----------
    labels, score, threshold, calibrated
        As for `Scorer`.
    resamples : int
        Number of resamples.

    Returns
    -------
    dict
        A number for each of `SCORE_COLUMNS`: the number of sources, the confusion matrix (``star_as_galaxy``: label
        star, classified as galaxy), and each score with both ends of its interval; NaN where not defined.
    """
    n = len(labels)
    record: dict[str, float | int] = {"sources": n, "stars": int(labels.sum()), "galaxies": int(n - labels.sum())}
    if n == 0:
        return {name: float("nan") for name in SCORE_COLUMNS} | dict.fromkeys(CELLS, 0) | record
    scorer = Scorer(labels, score, threshold, calibrated)
    once = np.ones((1, n))
    record |= {name: int(cell[0]) for name, cell in scorer.confusion(once).items()}
    blocks = [scorer.scores(weights[:, scorer.order]) for weights in resampled(n, resamples)]
    for name, value in scorer.scores(once).items():
        spread = np.concatenate([block[name] for block in blocks])
        defined = spread[np.isfinite(spread)] if np.isfinite(value[0]) else spread[:0]
        tail = (1 - LEVEL) / 2
        low, high = np.quantile(defined, [tail, 1 - tail]) if len(defined) else (np.nan, np.nan)
        record |= {name: float(value[0]), f"{name}_low": float(low), f"{name}_high": float(high)}
    return record


def resampled(n: int, resamples: int) -> Iterable[NDArray[np.float64]]:
    """Number of times each of n sources is drawn in each resample: blocks of ``(some, n)``."""
    random = np.random.default_rng(SEED)
    step = max(1, BLOCK // n)
    for first in range(0, resamples, step):
        rows = min(step, resamples - first)
        drawn = random.integers(0, n, (rows, n)) + np.arange(rows)[:, np.newaxis] * n
        yield np.bincount(drawn.ravel(), minlength=rows * n).reshape(rows, n).astype(float)


def score_buckets(
    predictions: pd.DataFrame,
    column: str,
    *,
    edges: Sequence[float],
    threshold: float = 0.5,
    calibrated: bool = True,
    resamples: int = 1000,
) -> list[dict[str, Any]]:
    """`score_predictions` for each bucket, as a whole and by r magnitude.

    Parameters
    ----------
    predictions : DataFrame
        Columns ``bucket``, ``label``, ``truth``, ``model_mag_r`` (AB) and `column`, the score.
    column : str
        Name of the score.
    edges : sequence of float
        Edges of the magnitude bins; a bin holds its lower edge. Sources outside, or without a magnitude, are in no bin.
    threshold, calibrated, resamples
        As for `score_predictions`.

    Returns
    -------
    list of dict
        Per kind of label (``against``: photo, and truth where it is known) and bucket the record of all its sources
        (``magnitude_low`` and ``magnitude_high`` None), then one for each bin.
    """
    records = []
    against = {kind: predictions[predictions[name].notna()] for kind, name in LABELS.items()}
    for kind, bucket, sources in (
        (kind, bucket, sources) for kind, table in against.items() for bucket, sources in table.groupby("bucket")
    ):
        magnitude = sources["model_mag_r"].to_numpy(float)
        parts: list[tuple[Any, Any, NDArray[Any]]] = [(None, None, np.full(len(sources), True))]
        parts += [
            (low, high, (magnitude >= low) & (magnitude < high)) for low, high in itertools.pairwise(sorted(edges))
        ]
        labels, score = sources[LABELS[kind]].to_numpy(np.int8), sources[column].to_numpy(float)
        for low, high, inside in parts:
            where = {"against": kind, "bucket": bucket, "magnitude_low": low, "magnitude_high": high}
            settings: dict[str, Any] = {"threshold": threshold, "calibrated": calibrated, "resamples": resamples}
            records.append(where | score_predictions(labels[inside], score[inside], **settings))
    return records


def roc_curve(labels: NDArray[Any], score: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Share of galaxies called stars and share of stars called stars, as the threshold falls, from (0, 0) to (1, 1)."""
    order = np.argsort(-score, kind="stable")
    last_of_ties = np.flatnonzero(np.append(np.diff(score[order]) != 0, True))
    stars = np.cumsum(labels[order] == 1)[last_of_ties]
    galaxies = np.cumsum(labels[order] == 0)[last_of_ties]
    return np.append(0, galaxies / galaxies[-1]), np.append(0, stars / stars[-1])


def reliability(labels: NDArray[Any], probability: NDArray[Any], bins: int = 10) -> pd.DataFrame:
    """Share of stars among sources of about the same probability.

    Returns
    -------
    DataFrame
        One row per bin of equal width that holds any source: ``probability`` (their mean), ``stars`` (the share of
        stars), ``low`` and ``high`` (its 95 % interval, Wilson 1927), ``sources``.
    """
    index = np.minimum((probability * bins).astype(int), bins - 1)
    count = np.bincount(index, minlength=bins)
    held = count > 0
    count = count[held]
    share = np.bincount(index, labels, bins)[held] / count
    low, high = wilson(share, count)
    mean = np.bincount(index, probability, bins)[held] / count
    return pd.DataFrame({"probability": mean, "stars": share, "low": low, "high": high, "sources": count})


def wilson(share: NDArray[np.float64], count: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The 95 % interval of a share that was seen in `count` trials (Wilson 1927, J. Am. Stat. Assoc. 22, 209)."""
    z2 = 1.959964**2
    middle = (share + z2 / (2 * count)) / (1 + z2 / count)
    half = np.sqrt(z2) / (1 + z2 / count) * np.sqrt(share * (1 - share) / count + z2 / (4 * count**2))
    # The interval holds the share; rounding may put it outside by 1e-17 where the share is 0 or 1.
    return np.clip(middle - half, 0, share), np.clip(middle + half, share, 1)


def calibration_error(labels: NDArray[Any], probability: NDArray[Any]) -> float:
    """Mean distance between probability and share of stars over the bins of `reliability`, weighted by their sources.

    The expected calibration error of Naeini, Cooper & Hauskrecht (2015, AAAI).
    """
    bins = reliability(labels, probability)
    return float(np.average((bins["probability"] - bins["stars"]).abs(), weights=bins["sources"]))
