"""Scores of a published classifier with and without its calibration."""

import pandas as pd

from stargal.evaluation.metrics import calibration_error, score_predictions
from stargal.survey.labels import LABELS, labelled

CALIBRATION_SCORES = [
    f"{name}{end}" for name in ("log_loss", "brier", "accuracy", "mcc") for end in ("", "_low", "_high")
]
"""Scores in the table."""


def calibration_table(predictions: pd.DataFrame, *, resamples: int) -> pd.DataFrame:
    """Scores of a classifier with and without its calibration, on the validation and test sources.

    Parameters
    ----------
    predictions : DataFrame
        ``bucket``, ``label``, ``truth``, ``probability`` and, without the calibration, ``uncalibrated``.
    resamples : int
        Bootstrap resamples of the intervals.

    Returns
    -------
    DataFrame
        One row per kind of label that is known (``against``: photo or truth), bucket and ``calibrated`` (yes or no):
        ``sources``, `CALIBRATION_SCORES` and ``calibration_error``.
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
                scores = score_predictions(label, given, resamples=resamples)
                scores["calibration_error"] = calibration_error(label, given)
                where = {"against": against, "bucket": bucket, "calibrated": calibrated}
                columns = ("sources", *CALIBRATION_SCORES, "calibration_error")
                rows.append(where | {column: scores[column] for column in columns})
    return pd.DataFrame(rows)
