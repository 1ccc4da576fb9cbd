"""Calibration of probabilities on the validation sources.

The logits of the networks of an experiment, one per seed, are averaged. A line through the mean logit maximizes the
likelihood of the labels of the validation sources (Platt 1999, in Advances in Large Margin Classifiers; with an offset
of 0 it is the temperature of Guo et al. 2017, arXiv:1706.04599). It is used only if it improves validation fields that
were left out of the fit, and by more than the standard error of this gain.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, logit

from stargal.errors import StargalError
from stargal.evaluation.metrics import SMALLEST
from stargal.survey.labels import labelled, require_both_classes

METHODS = ("none", "temperature", "platt")
"""Ways to calibrate, the simplest first: slope 1 and offset 0, a slope, a slope and an offset."""


@dataclass(frozen=True)
class Calibration:
    """Line through the logits: probability = expit(slope * logit + offset)."""

    slope: float = 1.0
    offset: float = 0.0

    def __call__(self, logits: NDArray[np.float64]) -> NDArray[np.float64]:
        """Calibrated probabilities of a star."""
        return np.asarray(expit(self.slope * logits + self.offset))


def network_logits(runs: Sequence[pd.DataFrame]) -> NDArray[np.float64]:
    """Logits of the networks, (networks, n), finite for probabilities of 0 and 1."""
    return logit(np.clip([run["probability"].to_numpy(float) for run in runs], SMALLEST, 1 - SMALLEST))


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
    return first.drop(columns="probability").assign(logit=network_logits(runs).mean(axis=0))


def choose_calibration(predictions: pd.DataFrame, labels: str) -> tuple[str, Calibration, dict[str, float]]:
    """Choose how to calibrate, and fit it to all validation sources.

    Each validation field is left out once; the method of the lowest logarithmic loss on the fields left out is chosen,
    the mean over the fields. There is no calibration with one field, or where the loss does not fall by more than the
    standard error of its change over the fields.

    Parameters
    ----------
    predictions : DataFrame
        As `mean_predictions` gives them.
    labels : str
        photo or truth.

    Returns
    -------
    method : str
        One of `METHODS`.
    calibration : Calibration
    losses : dict
        Loss of each method on the fields left out; empty with one field.

    Raises
    ------
    StargalError
        If a class is missing.
    """
    from sklearn.metrics import log_loss  # noqa: PLC0415  # slow to import, and classification does without it

    sources = labelled(predictions, labels, "validation")
    require_both_classes("bucket validation", sources["label"].to_numpy())
    fields = sources["field"].unique()
    if len(fields) < 2:
        return METHODS[0], Calibration(), {}
    lost = np.empty((len(METHODS), len(fields)))
    for row, method in enumerate(METHODS):
        for column, field in enumerate(fields):
            inside = sources["field"] == field
            fitted = fit_calibration(sources[~inside], method)
            given = np.clip(fitted(sources.loc[inside, "logit"].to_numpy(float)), SMALLEST, 1 - SMALLEST)
            lost[row, column] = log_loss(sources.loc[inside, "label"], given, labels=[0, 1])
    best = int(lost.mean(axis=1).argmin())
    gain = lost[0] - lost[best]
    if gain.mean() <= gain.std(ddof=1) / math.sqrt(len(fields)):
        best = 0
    losses = dict(zip(METHODS, lost.mean(axis=1).tolist(), strict=True))
    return METHODS[best], fit_calibration(sources, METHODS[best]), losses


def fit_calibration(sources: pd.DataFrame, method: str) -> Calibration:
    """Fit the line that maximizes the likelihood of the labels, with a slope of at least 0.

    The slope is 0 where a higher logit does not make a star more likely: every source then gets the share of stars.

    Parameters
    ----------
    sources : DataFrame
        ``logit`` and ``label``; without both classes there is no calibration.
    method : str
        One of `METHODS`.
    """
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

    label = sources["label"].to_numpy(np.int8)
    if method == "none" or len(np.unique(label)) < 2:
        return Calibration()
    with_offset = method == "platt"
    fitted = LogisticRegression(C=np.inf, fit_intercept=with_offset).fit(sources[["logit"]].to_numpy(float), label)
    slope = float(fitted.coef_[0, 0])
    if slope <= 0:
        return Calibration(0.0, float(logit(label.mean())) if with_offset else 0.0)
    return Calibration(slope, float(fitted.intercept_[0]) if with_offset else 0.0)
