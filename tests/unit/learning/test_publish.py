"""The classifier to reuse: the one model gives what was calibrated, and its description what it learned from."""

import keras
import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit
from sklearn.metrics import log_loss

from stargal.evaluation.prior import read_prior
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
    logits = logit(np.array(apart, float))
    np.testing.assert_allclose(combined[:, 0], calibration(np.mean(logits, axis=0)), atol=1e-6)
    np.testing.assert_allclose(combined[:, 1:], logits.T, atol=1e-4)
    assert np.ptp(apart) > 0.01


def test_networks_that_take_the_psf_are_combined_by_the_names_of_their_inputs(tmp_path):
    settings = {
        "shows": ["residual"],
        "tells": ["signal"],
        "core": 4.0,
        "model_error": 0.05,
        "filters": [4],
        "dense": 4,
        "dropout": 0.0,
        "l2": 0.0,
    }
    networks = [
        architectures.build("psf_aware", size=15, sky_sigma=[0.1] * 5, seed=seed, **settings) for seed in (1, 2)
    ]
    patches, psf = np.random.default_rng(0).uniform(0, 1, (2, 4, 15, 15, 5)).astype(np.float32)
    apart = [logit(predict(network, patches, psf).astype(float)) for network in networks]
    for seed, network in enumerate(networks):
        save(network, tmp_path / f"{seed}.keras")
    networks = [load(tmp_path / f"{seed}.keras") for seed in range(2)]
    save(publish.combine(networks, Calibration(2.0, 1.0), "made"), tmp_path / "model.keras")
    model = load(tmp_path / "model.keras")
    assert [each.name for each in model.inputs] == ["nanomaggies", "psf"]
    found = predict(model, patches, psf)
    assert found.shape == (4, 3)
    np.testing.assert_allclose(found[:, 0], expit(2 * np.mean(apart, axis=0) + 1), atol=1e-5)
    by_name = model.predict({"psf": psf, "nanomaggies": patches}, verbose=0)
    np.testing.assert_allclose(by_name, found, atol=1e-5)


def test_each_field_is_adapted_to_its_own_share_of_stars():
    rng = np.random.default_rng(0)
    label = np.concatenate([rng.uniform(size=2000) < share for share in (0.9, 0.1)])
    table = pd.DataFrame(
        {
            "field": np.repeat(["a", "b"], 2000),
            "model_mag_r": rng.uniform(18, 22, 4000),
            "probability": expit(2 * rng.normal(np.where(label, 1, -1))),
        }
    )
    adapted = publish.adapt_fields(table, read_prior(0.5))
    for field, share in (("a", 0.9), ("b", 0.1)):
        own = (table["field"] == field).to_numpy()
        assert adapted[own].mean() == pytest.approx(share, abs=0.03)
        assert log_loss(label[own], adapted[own]) < log_loss(label[own], table["probability"][own]) - 0.05


def test_the_description_says_what_was_learned_from():
    predictions = pd.DataFrame({"field": "301-001000-1-0100", "bucket": ["validation", "test"], "logit": [0.5, -0.5]})
    training = {"301-001000-1-0110": pd.DataFrame({"model_mag_r": np.linspace(15, 23, 801)})}
    given = keras.Input((15, 15, 5), name="nanomaggies")
    said = publish.describe_classifier(
        experiment="made", sky="simulated sky, seed 1", labels="photo", bands="ugriz", size=15, seeds=[1, 2],
        training=training, predictions=predictions, calibration=Calibration(), method="none", losses={"none": 0.3},
        prior=read_prior(0.4), ranges={"magnitude": [15.0, 23.0]}, model=keras.Model(given, given),
        model_sha256="0" * 64, onnx_sha256="0" * 64,
    )  # fmt: skip
    assert said["ranges"]["magnitude"] == [15.0, 23.0] and said["training_sources"] == 801
    assert said["calibration"] == {
        "method": "none", "slope": 1.0, "offset": 0.0, "loss_on_fields_left_out": {"none": 0.3}
    }  # fmt: skip
    assert said["prior"] == {"magnitude": [0.0], "star": [0.4], "overall": 0.4} and said["inputs"] == ["nanomaggies"]
    assert said["training_fields"] == ["301-001000-1-0110"] and said["test_fields"] == ["301-001000-1-0100"]
    assert said["classes"] == {"1": "star", "0": "galaxy"} and said["sky"] == "simulated sky, seed 1"
