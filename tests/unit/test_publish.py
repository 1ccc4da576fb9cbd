"""The classifier to reuse: its calibration, and that the one model gives what was calibrated."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from stargal import models, publish
from stargal.calibration import Calibration, fit_calibration, mean_predictions
from stargal.errors import StargalError
from stargal.metrics import calibration_error, evaluate

models.use_one_thread()  # before anything is computed


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
    losses = [evaluate(label, given, resamples=2)["log_loss"] for given in (before, after)]
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


def test_one_model_gives_what_was_calibrated(tmp_path):
    """The saved file is on the line through the mean logit of both networks, and has the same bytes twice."""
    sigma = [0.045, 0.017, 0.029, 0.05, 0.18]
    seeds = [models.build("regularized", size=15, sky_sigma=sigma, seed=seed, dropout=0.3, l2=1e-4) for seed in (1, 2)]
    for seed, network in enumerate(seeds):
        models.save(network, tmp_path / f"{seed}.keras")
    patches = np.random.default_rng(0).normal(0, 0.5, (7, 15, 15, 5)).astype(np.float32)
    patches[0, :3] = np.nan
    calibration = Calibration(1.7, -0.4)
    for name in ("one.keras", "two.keras"):
        networks = [models.load(tmp_path / f"{seed}.keras") for seed in range(2)]
        models.save(publish.combine(networks, calibration, "made"), tmp_path / name)
    assert (tmp_path / "one.keras").read_bytes() == (tmp_path / "two.keras").read_bytes()
    apart = [models.predictor(models.load(tmp_path / f"{seed}.keras"))(patches) for seed in range(2)]
    combined = models.predictor(models.load(tmp_path / "one.keras"))(patches)
    np.testing.assert_allclose(combined, calibration(np.mean(logit(np.array(apart, float)), axis=0)), atol=1e-6)
    assert np.ptp(apart) > 0.01


def test_the_description_says_what_was_learned_from():
    predictions = mean_predictions([made_predictions(count=20)])
    training = {"301-001000-1-0110": pd.DataFrame({"model_mag_r": np.linspace(15, 23, 801)})}
    said = publish.describe(
        experiment="made", sky="simulated sky, seed 1", labels="photo", bands="ugriz", size=15, seeds=[1, 2],
        training=training, predictions=predictions, calibration=Calibration(1.0, 0.0), model_sha256="0" * 64,
    )  # fmt: skip
    assert said["magnitudes"] == [15.04, 22.96] and said["training_sources"] == 801
    assert said["training_fields"] == ["301-001000-1-0110"] and said["test_fields"] == ["301-001000-1-0100"]
    assert said["classes"] == {"1": "star", "0": "galaxy"} and said["sky"] == "simulated sky, seed 1"
