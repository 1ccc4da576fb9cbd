"""Probabilities that mean what they say: the line through the logits, and what is said of it."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from stargal.errors import StargalError
from stargal.evaluation.metrics import calibration_error, score_predictions
from stargal.learning.calibration import Calibration, choose_calibration, mean_predictions


def made_predictions(slope=2.0, offset=-0.7, count=4000, seed=0) -> pd.DataFrame:
    """Sources whose odds are a line of a network's logit, half of them in each bucket."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, count)
    label = (rng.uniform(size=count) < expit(slope * logits + offset)).astype(np.int8)
    return pd.DataFrame(
        {
            "id": [str(number) for number in range(count)],
            "field": [f"301-001000-1-010{number % 8 // 2}" for number in range(count)],
            "bucket": np.where(np.arange(count) % 2, "validation", "test"),
            "label": label,
            "truth": pd.array([pd.NA] * count, dtype="Int8"),
            "probability": expit(logits),
        }
    )


def test_the_line_is_found_and_calibrates_other_sources():
    table = mean_predictions([made_predictions()])
    method, calibration, losses = choose_calibration(table, "photo")
    assert method == "platt" and losses["platt"] < losses["temperature"] < losses["none"]
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


def test_a_calibration_is_used_where_it_helps_fields_left_out():
    calibrated = mean_predictions([made_predictions(slope=1.0, offset=0.0, count=40000)])
    method, calibration, losses = choose_calibration(calibrated, "photo")
    assert losses["none"] - min(losses.values()) < 1e-3 and calibration.slope == pytest.approx(1, abs=0.05)
    overconfident = mean_predictions([made_predictions(slope=0.5, offset=0.0)])
    method, calibration, _ = choose_calibration(overconfident, "photo")
    assert method in ("temperature", "platt") and calibration.slope == pytest.approx(0.5, abs=0.07)


def test_a_calibration_that_no_other_field_confirms_is_not_applied():
    """Every field has an offset of its own, as another mix of stars and galaxies gives it."""
    table = mean_predictions([made_predictions(slope=1.0, offset=0.0)])
    fields = table["field"].astype("category").cat.codes
    table["logit"] += np.where(fields % 2, 1.5, -1.5)
    assert choose_calibration(table, "photo")[0] != "platt"


def test_a_gain_that_differs_between_fields_is_not_applied():
    """A steeper line helps three fields, and harms the fourth almost as much."""
    table = mean_predictions([made_predictions(slope=1.0, offset=0.0, count=40000)])
    fields = table["field"].astype("category").cat.codes
    table["logit"] *= np.where(fields < 3, 0.6, 1.0)
    method, calibration, losses = choose_calibration(table, "photo")
    assert losses["temperature"] < losses["none"]
    assert (method, calibration) == ("none", Calibration(1.0, 0.0))


def test_one_validation_field_cannot_confirm_a_calibration():
    table = mean_predictions([made_predictions()]).assign(field="301-001000-1-0100")
    assert choose_calibration(table, "photo") == ("none", Calibration(1.0, 0.0), {})


def test_one_class_cannot_be_calibrated():
    table = mean_predictions([made_predictions(offset=-30.0)])
    with pytest.raises(StargalError, match="bucket validation: no star"):
        choose_calibration(table, "photo")


def test_a_network_that_is_worse_than_nothing_is_not_turned_round():
    table = mean_predictions([made_predictions(slope=-1.0)])
    _, calibration, _ = choose_calibration(table, "photo")
    share = table["label"][table["bucket"] == "validation"].mean()
    np.testing.assert_allclose(calibration(table["logit"].to_numpy()), share)
