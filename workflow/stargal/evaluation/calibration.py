"""Scores of a published classifier before and after calibration, and for the mix of each field."""

from typing import Any

import pandas as pd

from stargal.evaluation.metrics import calibration_error, score_predictions
from stargal.survey.labels import LABELS, labelled

STEPS = {"uncalibrated": "uncalibrated", "calibrated": "probability", "adapted": "adapted"}
"""Column of the predictions after each step: the mean logit of the networks, its calibration, and the adaptation to the
share of stars in the field."""

CALIBRATION_SCORES = [
    f"{name}{end}" for name in ("log_loss", "brier", "accuracy", "mcc") for end in ("", "_low", "_high")
]
"""Scores in the table."""


def calibration_table(predictions: pd.DataFrame, *, resamples: int) -> pd.DataFrame:
    """Scores of a classifier at each of `STEPS`, on the validation and test sources.

    Parameters
    ----------
    predictions : DataFrame
        ``bucket``, ``label``, ``truth``, and the columns of `STEPS`.
    resamples : int
        Bootstrap resamples of the intervals.

    Returns
    -------
    DataFrame
        One row per kind of label that is known (``against``: photo or truth), bucket and ``step``: ``sources``,
        `CALIBRATION_SCORES` and ``calibration_error``.
    """
    rows = []
    for against in LABELS:
        for bucket in ("validation", "test"):
            sources = labelled(predictions, against, bucket)
            if sources.empty:
                continue
            label = sources["label"].to_numpy()
            for step, name in STEPS.items():
                given = sources[name].to_numpy(float)
                scores = score_predictions(label, given, resamples=resamples)
                scores["calibration_error"] = calibration_error(label, given)
                where = {"against": against, "bucket": bucket, "step": step}
                columns = ("sources", *CALIBRATION_SCORES, "calibration_error")
                rows.append(where | {column: scores[column] for column in columns})
    return pd.DataFrame(rows)


def field_calibration_table(predictions: pd.DataFrame) -> pd.DataFrame:
    """Reliability of a classifier in each validation and test field, at each of `STEPS`.

    Parameters
    ----------
    predictions : DataFrame
        ``field``, ``bucket``, ``label``, ``truth``, and the columns of `STEPS`.

    Returns
    -------
    DataFrame
        One row per kind of label that is known, bucket, field and ``step``: ``sources``, ``stars`` (the share labelled
        star), ``probability`` (the mean), ``log_loss``, ``accuracy`` and ``calibration_error``.
    """
    rows: list[dict[str, Any]] = []
    for against in LABELS:
        for bucket in ("validation", "test"):
            for field, sources in labelled(predictions, against, bucket).groupby("field"):
                label = sources["label"].to_numpy()
                for step, name in STEPS.items():
                    given = sources[name].to_numpy(float)
                    scores = score_predictions(label, given, resamples=1)
                    rows.append(
                        {
                            "against": against,
                            "bucket": bucket,
                            "field": field,
                            "step": step,
                            "sources": len(label),
                            "stars": label.mean(),
                            "probability": given.mean(),
                            "log_loss": scores["log_loss"],
                            "accuracy": scores["accuracy"],
                            "calibration_error": calibration_error(label, given),
                        }
                    )
    return pd.DataFrame(rows)
