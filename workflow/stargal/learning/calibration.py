"""Calibration of probabilities on the validation sources.

The logits of the networks of an experiment, one per seed, are averaged. A line through the mean logit maximizes the
likelihood of the labels of the validation sources (Platt 1999, in Advances in Large Margin Classifiers; with an offset
of 0 it is the temperature of Guo et al. 2017, arXiv:1706.04599).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from stargal.errors import StargalError
from stargal.evaluation.metrics import SMALLEST
from stargal.survey.labels import labelled, require_both_classes


@dataclass(frozen=True)
class Calibration:
    """Line through the logits: probability = expit(slope * logit + offset)."""

    slope: float
    offset: float

    def __call__(self, logits: NDArray[np.float64]) -> NDArray[np.float64]:
        """Calibrated probabilities of a star."""
        return np.asarray(expit(self.slope * logits + self.offset))


def mean_predictions(runs: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Merge the predictions of the networks of several seeds into one table with the mean of their logits.

    Parameters
    ----------
    runs : sequence of DataFrame
        The same sources in the same order, as `stargal.learning.predict.write_predictions` writes them.

    Returns
    -------
    DataFrame
        The first table without its probability, and with ``logit`` (float64).

    Raises
    ------
    StargalError
        If the sources differ.
    """
    first = runs[0]
    for run in runs[1:]:
        if not run["id"].equals(first["id"]):
            raise StargalError(
                "the networks of the seeds classified different sources; remove their predictions and run again"
            )
    bounded = [np.clip(run["probability"].to_numpy(float), SMALLEST, 1 - SMALLEST) for run in runs]
    return first.drop(columns="probability").assign(logit=np.mean([logit(values) for values in bounded], axis=0))


def fit_calibration(predictions: pd.DataFrame, labels: str) -> Calibration:
    """Fit the line that maximizes the likelihood of the labels of the validation sources, with a slope of at least 0.

    The slope is 0 where a higher logit does not make a star more likely: every source then gets the share of stars.

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
