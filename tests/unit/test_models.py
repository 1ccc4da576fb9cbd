"""The networks: the report's layers, the saved file, and that it stands alone."""

import subprocess
import sys
import zipfile

import numpy as np
import pytest

from stargal import models
from stargal.errors import StargalError

models.use_one_thread()  # before anything is computed

SIGMA = [0.045, 0.017, 0.029, 0.05, 0.18]
HYPER = {"base": {}, "regularized": {"dropout": 0.2, "l2": 1e-4}}


def build(architecture="base", size=25, seed=1):
    return models.build(architecture, size=size, sky_sigma=SIGMA, seed=seed, **HYPER[architecture])


@pytest.mark.parametrize("architecture", HYPER)
def test_layers_are_those_of_the_report(architecture):
    network = build(architecture)
    layers = [(layer.name.rsplit("_", 1)[0], layer.output.shape[1:], layer.count_params()) for layer in network.layers]
    dropouts = ("spatial_dropout", "dropout")
    expected = [
        ("conv", (23, 23, 32), 1472),
        ("pool", (11, 11, 32), 0),
        *[(kind, (11, 11, 32), 0) for kind in dropouts],
        ("conv", (9, 9, 64), 18496),
        ("pool", (4, 4, 64), 0),
        *[(kind, (4, 4, 64), 0) for kind in dropouts],
        ("flatten", (1024,), 0),
        ("dense", (128,), 131200),
        ("dropout", (128,), 0),
        ("star", (1,), 129),
    ]
    if architecture == "base":
        expected = [layer for layer in expected if layer[0] not in dropouts]
    assert layers[-len(expected) :] == expected
    assert network.count_params() == 151_297
    assert sum(layer[2] for layer in layers[: -len(expected)]) == 0


def test_regularized_penalises_every_kernel_but_the_last():
    penalised = [layer.name for layer in build("regularized").layers if getattr(layer, "kernel_regularizer", None)]
    assert penalised == ["conv_1", "conv_2", "dense"]


@pytest.mark.parametrize("size", [15, 35, 49])
def test_other_sizes_give_probabilities(size):
    patches = np.random.default_rng(0).normal(0, 1, (3, size, size, 5)).astype(np.float32)
    probability = models.predictor(build(size=size))(patches)
    assert probability.shape == (3,)
    assert np.all((probability > 0) & (probability < 1))


def test_scale_is_asinh_in_units_of_the_noise():
    flux = np.array([-1000, -1, 0, 1, 1000], np.float32)[:, None] * np.array(SIGMA, np.float32)
    scaled = models.scaled(flux.reshape(1, 1, 5, 5), SIGMA)
    expected = np.arcsinh(np.array([-1000, -1, 0, 1, 1000]) / models.SOFTENING)
    np.testing.assert_allclose(np.array(scaled).reshape(5, 5), expected[:, None] * np.ones(5), rtol=1e-5, atol=1e-6)


def test_missing_pixels_count_as_sky():
    patches = np.random.default_rng(0).normal(0, 1, (2, 25, 25, 5)).astype(np.float32)
    patches[:, :5] = np.nan
    classify = models.predictor(build())
    np.testing.assert_array_equal(classify(patches), classify(np.nan_to_num(patches)))


def test_saved_bytes_depend_on_the_seed_only(tmp_path):
    for name, seed in (("first", 1), ("again", 1), ("other", 2)):
        models.save(build("regularized", seed=seed), tmp_path / f"{name}.keras")
    first, again, other = ((tmp_path / f"{name}.keras").read_bytes() for name in ("first", "again", "other"))
    assert first == again
    assert first != other
    with zipfile.ZipFile(tmp_path / "first.keras") as archive:
        assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_saved_model_works_without_this_library(tmp_path):
    patches = np.random.default_rng(0).normal(0, 1, (4, 25, 25, 5)).astype(np.float32)
    patches[0, :3] = np.nan
    network = build("regularized")
    models.save(network, tmp_path / "model.keras")
    np.save(tmp_path / "patches.npy", patches)
    program = (
        "import keras, numpy; model = keras.models.load_model('model.keras');"
        "numpy.save('probability.npy', model.predict(numpy.load('patches.npy'), verbose=0)[:, 0])"
    )
    subprocess.run([sys.executable, "-I", "-c", program], cwd=tmp_path, check=True, capture_output=True)
    expected = models.predictor(network)(patches)
    np.testing.assert_allclose(np.load(tmp_path / "probability.npy"), expected, rtol=1e-5)


def test_a_file_that_is_no_model_is_named(tmp_path):
    (tmp_path / "model.keras").write_bytes(b"no model")
    with pytest.raises(StargalError, match=r"model\.keras: .*remove the file and run again"):
        models.load(tmp_path / "model.keras")
