"""Scores of a classifier with and without its calibration."""

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from stargal.evaluation.calibration import CALIBRATION_SCORES, STEPS, calibration_table, field_calibration_table
from stargal.evaluation.metrics import score_predictions


def made_predictions(slope=2.0, offset=-0.7, count=4000, seed=0) -> pd.DataFrame:
    """Sources whose odds are a line of a network's logit, half of them in each bucket."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, count)
    label = (rng.uniform(size=count) < expit(slope * logits + offset)).astype(np.int8)
    return pd.DataFrame(
        {
            "id": [str(number) for number in range(count)],
            "field": "301-001000-1-0100",
            "bucket": np.where(np.arange(count) % 2, "validation", "test"),
            "label": label,
            "truth": pd.array([pd.NA] * count, dtype="Int8"),
            "probability": expit(logits),
        }
    )


def test_scores_are_those_of_the_sources_at_each_step():
    """A row for each, of the buckets and kinds of label that there are."""
    made = made_predictions().rename(columns={"probability": "uncalibrated"})
    made["probability"] = made["adapted"] = expit(2.0 * logit(made["uncalibrated"]) - 0.7)
    table = calibration_table(made, resamples=20)
    keys = ["against", "bucket", "step"]
    assert table[keys].to_numpy().tolist() == [
        ["photo", bucket, step] for bucket in ("validation", "test") for step in STEPS
    ]
    assert list(table) == [*keys, "sources", *CALIBRATION_SCORES, "calibration_error"]
    assert (table["sources"] == 2000).all()
    test = made[made["bucket"] == "test"]
    scores = score_predictions(test["label"].to_numpy(), test["probability"].to_numpy(), resamples=20)
    assert table.loc[4, CALIBRATION_SCORES].to_dict() == {name: scores[name] for name in CALIBRATION_SCORES}
    assert (table["calibration_error"][1::3] < 0.5 * table["calibration_error"][::3].to_numpy()).all()


def test_every_field_has_rows_of_its_own():
    made = made_predictions().rename(columns={"probability": "uncalibrated"})
    made["field"] = np.where(np.arange(len(made)) % 4 < 2, "a", "b")
    made["probability"] = made["adapted"] = expit(2.0 * logit(made["uncalibrated"]) - 0.7)
    table = field_calibration_table(made)
    assert table[["bucket", "field", "step"]].to_numpy().tolist() == [
        [bucket, field, step] for bucket in ("validation", "test") for field in "ab" for step in STEPS
    ]
    own = made[(made["field"] == "a") & (made["bucket"] == "test")]
    row = table[(table["field"] == "a") & (table["bucket"] == "test")].iloc[1]
    assert row["stars"] == own["label"].mean() and row["probability"] == own["probability"].mean()
    assert row["sources"] == 1000 and row["calibration_error"] < 0.05
