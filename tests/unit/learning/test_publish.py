"""The classifier to reuse: the one model gives what was calibrated, and its description what it learned from."""

import numpy as np
import pandas as pd
from scipy.special import logit

from stargal.learning import architectures, publish
from stargal.learning.calibration import Calibration
from stargal.learning.network_files import load, save
from stargal.learning.predict import predict
from stargal.learning.threads import use_one_thread

use_one_thread()  # before anything is computed


def test_one_model_gives_what_was_calibrated(tmp_path):
    """The saved file is on the line through the mean logit of both networks, and has the same bytes twice."""
    sigma = [0.045, 0.017, 0.029, 0.05, 0.18]
    seeds = [
        architectures.build("regularized", size=15, sky_sigma=sigma, seed=seed, dropout=0.3, l2=1e-4) for seed in (1, 2)
    ]
    for seed, network in enumerate(seeds):
        save(network, tmp_path / f"{seed}.keras")
    patches = np.random.default_rng(0).normal(0, 0.5, (7, 15, 15, 5)).astype(np.float32)
    patches[0, :3] = np.nan
    calibration = Calibration(1.7, -0.4)
    for name in ("one.keras", "two.keras"):
        networks = [load(tmp_path / f"{seed}.keras") for seed in range(2)]
        save(publish.combine(networks, calibration, "made"), tmp_path / name)
    assert (tmp_path / "one.keras").read_bytes() == (tmp_path / "two.keras").read_bytes()
    apart = [predict(load(tmp_path / f"{seed}.keras"), patches) for seed in range(2)]
    combined = predict(load(tmp_path / "one.keras"), patches)
    np.testing.assert_allclose(combined, calibration(np.mean(logit(np.array(apart, float)), axis=0)), atol=1e-6)
    assert np.ptp(apart) > 0.01


def test_the_description_says_what_was_learned_from():
    predictions = pd.DataFrame({"field": "301-001000-1-0100", "bucket": ["validation", "test"], "logit": [0.5, -0.5]})
    training = {"301-001000-1-0110": pd.DataFrame({"model_mag_r": np.linspace(15, 23, 801)})}
    said = publish.describe_classifier(
        experiment="made", sky="simulated sky, seed 1", labels="photo", bands="ugriz", size=15, seeds=[1, 2],
        training=training, predictions=predictions, calibration=Calibration(1.0, 0.0), model_sha256="0" * 64,
    )  # fmt: skip
    assert said["magnitudes"] == [15.04, 22.96] and said["training_sources"] == 801
    assert said["training_fields"] == ["301-001000-1-0110"] and said["test_fields"] == ["301-001000-1-0100"]
    assert said["classes"] == {"1": "star", "0": "galaxy"} and said["sky"] == "simulated sky, seed 1"
