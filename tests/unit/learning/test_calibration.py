"""Probabilities that mean what they say: the line through the logits, and what is said of it."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from stargal.errors import StargalError
from stargal.evaluation.metrics import calibration_error, score_predictions
from stargal.learning.calibration import fit_calibration, mean_predictions


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


def test_the_line_is_found_and_calibrates_other_sources():
    table = mean_predictions([made_predictions()])
    calibration = fit_calibration(table, "photo")
    assert (calibration.slope, calibration.offset) == pytest.approx((2.0, -0.7), abs=0.15)
    test = table[table["bucket"] == "test"]
    before, after = expit(test["logit"].to_numpy()), calibration(test["logit"].to_numpy())
    label = test["label"].to_numpy()
    assert calibration_error(label, after) < 0.03 < 0.08 < calibration_error(label, before)
    losses = [score_predictions(label, given, resamples=2)["log_loss"] for given in (before, after)]
    assert losses[1] < losses[0] - 0.02


def test_logits_of_the_seeds_are_averaged():
    one, other = made_predictions(), made_predictions()
    other["probability"] = 0.5
    found = mean_predictions([one, other])
    np.testing.assert_allclose(found["logit"], logit(one["probability"]) / 2)
    assert "probability" not in found
    with pytest.raises(StargalError, match="different sources"):
        mean_predictions([one, other.iloc[::-1].reset_index(drop=True)])


def test_a_saturated_probability_stays_finite():
    table = made_predictions()
    table.loc[:1, "probability"] = [0.0, 1.0]
    assert np.isfinite(mean_predictions([table])["logit"]).all()


def test_one_class_cannot_be_calibrated():
    table = mean_predictions([made_predictions(offset=-30.0)])
    with pytest.raises(StargalError, match="bucket validation: no star"):
        fit_calibration(table, "photo")


def test_a_network_that_is_worse_than_nothing_is_not_turned_round():
    table = mean_predictions([made_predictions(slope=-1.0)])
    calibration = fit_calibration(table, "photo")
    share = table["label"][table["bucket"] == "validation"].mean()
    np.testing.assert_allclose(calibration(table["logit"].to_numpy()), share)
