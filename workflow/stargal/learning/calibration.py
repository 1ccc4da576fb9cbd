"""Probabilities that mean what they say.

The logits of the networks of an experiment, one of each seed, are averaged, and a straight line is put through them
that makes the labels of the validation sources the most likely (Platt 1999, in Advances in Large Margin Classifiers;
with an offset of 0 it is the temperature of Guo et al. 2017, arXiv:1706.04599).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from stargal.errors import StargalError
from stargal.evaluation.metrics import SMALLEST, calibration_error, evaluate
from stargal.survey.labels import LABELS, labelled, require_both_classes

SCORES = [f"{name}{end}" for name in ("log_loss", "brier", "accuracy", "mcc") for end in ("", "_low", "_high")]
"""What is said of a classifier with its calibration and without."""


@dataclass(frozen=True)
class Calibration:
    """The line through the logits: probability = expit(slope * logit + offset)."""

    slope: float
    offset: float

    def __call__(self, logits: NDArray[np.float64]) -> NDArray[np.float64]:
        """Calibrated probabilities of a star."""
        return np.asarray(expit(self.slope * logits + self.offset))


def mean_predictions(runs: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Predictions of networks of several seeds as one table, with the mean of their logits.

    Parameters
    ----------
    runs : sequence of DataFrame
        The same sources in the same order, as `predict` writes them.

    Returns
    -------
    DataFrame
        The first without its probability, and ``logit`` (float64).

    Raises
    ------
    StargalError
        If the sources differ.
    """
    first = runs[0]
    for run in runs[1:]:
        if not run["id"].equals(first["id"]):
            raise StargalError("the networks of the seeds classified different sources; remove their predictions")
    bounded = [np.clip(run["probability"].to_numpy(float), SMALLEST, 1 - SMALLEST) for run in runs]
    return first.drop(columns="probability").assign(logit=np.mean([logit(values) for values in bounded], axis=0))


def fit_calibration(predictions: pd.DataFrame, labels: str) -> Calibration:
    """The line that makes the labels of the validation sources the most likely, and does not fall.

    Of networks that have learned nothing, whose more likely stars are not the more often stars, the slope is 0: every
    source is given the share of stars.

    Parameters
    ----------
    predictions : DataFrame
        As `mean_predictions` gives them.
    labels : str
        photo or truth.

    Raises
    ------
    StargalError
        If a class is missing.
    """
    sources = labelled(predictions, labels, "validation")
    truth = sources["label"].to_numpy(np.int8)
    require_both_classes("bucket validation", truth)
    fitted = LogisticRegression(C=np.inf).fit(sources[["logit"]].to_numpy(float), truth)
    slope, offset = float(fitted.coef_[0, 0]), float(fitted.intercept_[0])
    return Calibration(slope, offset) if slope > 0 else Calibration(0.0, float(logit(truth.mean())))


def score_calibration(predictions: pd.DataFrame, resamples: int) -> pd.DataFrame:
    """A classifier with its calibration and without, on the validation and test sources.

    Parameters
    ----------
    predictions : DataFrame
        ``bucket``, ``label``, ``truth``, ``probability`` and, without the calibration, ``uncalibrated``.
    resamples : int
        Of the intervals.

    Returns
    -------
    DataFrame
        A row for each kind of label that is known (``against``: photo or truth), bucket and ``calibrated`` (yes or no):
        ``sources``, `SCORES` and ``calibration_error``.
    """
    rows = []
    for against in LABELS:
        for bucket in ("validation", "test"):
            sources = labelled(predictions, against, bucket)
            if sources.empty:
                continue
            label = sources["label"].to_numpy()
            for calibrated, name in (("no", "uncalibrated"), ("yes", "probability")):
                given = sources[name].to_numpy(float)
                scores = evaluate(label, given, resamples=resamples)
                scores["calibration_error"] = calibration_error(label, given)
                where = {"against": against, "bucket": bucket, "calibrated": calibrated}
                rows.append(where | {score: scores[score] for score in ("sources", *SCORES, "calibration_error")})
    return pd.DataFrame(rows)
