"""The networks: the report's layers, the saved file, and that it stands alone."""

import subprocess
import sys
import zipfile

import keras
import numpy as np
import pytest

from stargal.errors import StargalError
from stargal.learning import architectures
from stargal.learning.network_files import load, save
from stargal.learning.predict import predict
from stargal.learning.threads import use_one_thread

use_one_thread()  # before anything is computed

SIGMA = [0.045, 0.017, 0.029, 0.05, 0.18]
HYPER = {"base": {}, "regularized": {"dropout": 0.2, "l2": 1e-4}}
CNN = {
    "filters": [32, 64],
    "kernel": 3,
    "pool": 2,
    "dense": 128,
    "batch_normalization": False,
    "dropout": 0.2,
    "l2": 1e-4,
}
OTHERS = {"cnn": CNN, "unet": {"filters": [4, 8, 8], "dropout": 0.2}, "residual": {"filters": [4, 8], "dropout": 0.2}}


def build(architecture="base", size=25, seed=1):
    return architectures.build(architecture, size=size, sky_sigma=SIGMA, seed=seed, **HYPER[architecture])


def build_other(architecture, size=25, **changes):
    return architectures.build(architecture, size=size, sky_sigma=SIGMA, seed=1, **{**OTHERS[architecture], **changes})


def noise(size=25):
    return np.random.default_rng(0).normal(0, 0.1, (3, size, size, 5)).astype(np.float32)


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


def test_four_classes_have_the_layers_of_the_report_but_the_last():
    """The same first weights, too; and softmax instead of a sigmoid."""
    four = architectures.build("regularized", size=25, sky_sigma=SIGMA, seed=1, classes=4, **HYPER["regularized"])
    two = build("regularized")
    assert [layer.name for layer in four.layers[:-1]] == [layer.name for layer in two.layers[:-1]]
    assert four.count_params() == 151_297 - 129 + 4 * 129
    for ours, theirs in zip(four.layers[:-1], two.layers[:-1], strict=True):
        for weight, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
            np.testing.assert_array_equal(weight, other)
    probability = predict(four, noise())
    assert probability.shape == (3, 4)
    np.testing.assert_allclose(probability.sum(axis=1), 1, rtol=1e-5)


def test_regularized_penalises_every_kernel_but_the_last():
    penalised = [layer.name for layer in build("regularized").layers if getattr(layer, "kernel_regularizer", None)]
    assert penalised == ["conv_1", "conv_2", "dense"]


def test_a_cnn_of_the_reports_numbers_is_the_regularized_network():
    """Layer by layer, weight by weight."""
    ours, theirs = build_other("cnn"), build("regularized")
    assert [(type(one), one.output.shape) for one in ours.layers] == [
        (type(one), one.output.shape) for one in theirs.layers
    ]
    np.testing.assert_array_equal(predict(ours, noise()), predict(theirs, noise()))


@pytest.mark.parametrize(
    "changes, parameters",
    [
        ({"filters": [8]}, 8 * 5 * 9 + 8 + (11 * 11 * 8 + 1) * 128 + 129),
        ({"filters": [4, 4, 4]}, 4 * 5 * 9 + 4 + 2 * (4 * 4 * 9 + 4) + 5 * 128 + 129),
        ({"kernel": 5, "pool": 3}, 32 * 5 * 25 + 32 + 64 * 32 * 25 + 64 + 65 * 128 + 129),
        ({"dense": 16}, 1472 + 18496 + 1025 * 16 + 17),
        ({"batch_normalization": True}, 151_297 - 32 - 64 + 4 * (32 + 64)),
    ],
)
def test_a_cnn_has_the_layers_that_its_numbers_ask_for(changes, parameters):
    assert build_other("cnn", **changes).count_params() == parameters


def test_a_patch_too_small_for_the_layers_is_one_clear_line():
    with pytest.raises(StargalError, match=r"a patch of 15 pixels is too small for 3 .* 2 pixels are left before conv"):
        build_other("cnn", size=15, filters=[4, 4, 4])


@pytest.mark.parametrize("size", [15, 25])
def test_a_unet_ends_with_a_map_of_the_patch_and_is_read_in_the_centre(size):
    network = build_other("unet", size=size)
    assert network.get_layer("up_1b").output.shape[1:] == (size, size, 4)
    assert network.get_layer("centre").output.shape[1:3] == (architectures.CENTRE, architectures.CENTRE)


def test_a_unet_keeps_every_pixel_in_its_place():
    """One bright pixel at each place of a cell of the lowest level: the maps lie about them, not beside them."""
    network = build_other("unet", size=49)
    for weight in network.weights:
        weight.assign(np.full(weight.shape, float(weight.ndim == 4)))  # kernels of ones, no bias
    places = np.arange(24, 28)
    patches = np.zeros((4, 49, 49, 5), np.float32)
    patches[np.arange(4), places, places] = 1
    maps = np.array(keras.Model(network.input, network.get_layer("up_1b").output)(patches)).sum(axis=3)
    for axis in (1, 2):
        along = maps.sum(axis=axis)
        centroids = (along * np.arange(49)).sum(axis=1) / along.sum(axis=1)
        assert np.mean(centroids - places) == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("size, last", [(25, 13), (49, 25)])
def test_a_residual_network_adds_what_each_block_was_given(size, last):
    network = build_other("residual", size=size)
    assert network.get_layer("sum_2").output.shape[1:] == (last, last, 8)
    shortcuts = [layer.name for layer in network.layers if layer.name.startswith("shortcut")]
    assert shortcuts == ["shortcut_2"]  # the first block changes neither size nor number of maps
    for name in ("block_1b_normalized", "block_2b_normalized"):
        network.get_layer(name).gamma.assign(np.zeros(network.get_layer(name).gamma.shape))
    stem = keras.Model(network.input, network.get_layer("stem_relu").output)
    first = keras.Model(network.input, network.get_layer("sum_1_relu").output)
    np.testing.assert_array_equal(np.array(stem(noise(size))), np.array(first(noise(size))))


@pytest.mark.parametrize("architecture", ["unet", "residual"])
def test_other_networks_give_probabilities_and_the_same_file(architecture, tmp_path):
    for name in ("first", "again"):
        save(build_other(architecture), tmp_path / f"{name}.keras")
    assert (tmp_path / "first.keras").read_bytes() == (tmp_path / "again.keras").read_bytes()
    probability = predict(load(tmp_path / "first.keras"), noise())
    assert np.all((probability > 0) & (probability < 1))
    np.testing.assert_array_equal(probability, predict(build_other(architecture), noise()))


@pytest.mark.parametrize("size", [15, 35, 49])
def test_other_sizes_give_probabilities(size):
    patches = np.random.default_rng(0).normal(0, 1, (3, size, size, 5)).astype(np.float32)
    probability = predict(build(size=size), patches)
    assert probability.shape == (3,)
    assert np.all((probability > 0) & (probability < 1))


def test_scale_is_asinh_in_units_of_the_noise():
    flux = np.array([-1000, -1, 0, 1, 1000], np.float32)[:, None] * np.array(SIGMA, np.float32)
    scaled = architectures.softened(flux.reshape(1, 1, 5, 5), SIGMA)
    expected = np.arcsinh(np.array([-1000, -1, 0, 1, 1000]) / architectures.SOFTENING)
    np.testing.assert_allclose(np.array(scaled).reshape(5, 5), expected[:, None] * np.ones(5), rtol=1e-5, atol=1e-6)


def test_missing_pixels_count_as_sky():
    patches = np.random.default_rng(0).normal(0, 1, (2, 25, 25, 5)).astype(np.float32)
    patches[:, :5] = np.nan
    network = build()
    np.testing.assert_array_equal(predict(network, patches), predict(network, np.nan_to_num(patches)))


def test_saved_bytes_depend_on_the_seed_only(tmp_path):
    for name, seed in (("first", 1), ("again", 1), ("other", 2)):
        save(build("regularized", seed=seed), tmp_path / f"{name}.keras")
    first, again, other = ((tmp_path / f"{name}.keras").read_bytes() for name in ("first", "again", "other"))
    assert first == again
    assert first != other
    with zipfile.ZipFile(tmp_path / "first.keras") as archive:
        assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_saved_model_works_without_this_library(tmp_path):
    patches = np.random.default_rng(0).normal(0, 1, (4, 25, 25, 5)).astype(np.float32)
    patches[0, :3] = np.nan
    network = build("regularized")
    save(network, tmp_path / "model.keras")
    np.save(tmp_path / "patches.npy", patches)
    program = (
        "import keras, numpy; model = keras.models.load_model('model.keras');"
        "numpy.save('probability.npy', model.predict(numpy.load('patches.npy'), verbose=0)[:, 0])"
    )
    subprocess.run([sys.executable, "-I", "-c", program], cwd=tmp_path, check=True, capture_output=True)
    expected = predict(network, patches)
    np.testing.assert_allclose(np.load(tmp_path / "probability.npy"), expected, rtol=1e-5)


def test_a_file_that_is_no_model_is_named(tmp_path):
    (tmp_path / "model.keras").write_bytes(b"no model")
    with pytest.raises(StargalError, match=r"model\.keras: .*remove the file and run again"):
        load(tmp_path / "model.keras")


def test_the_table_lists_layers_and_ends_with_the_total():
    block = {"architecture": "regularized", **HYPER["regularized"], "learning_rate": 1e-3}
    table = architectures.architecture_table(model=block, size=25, bands=5)
    assert list(table) == ["layer", "type", "output_shape", "parameters"]
    assert table.iloc[0].tolist() == ["conv_1", "Conv2D", "23 x 23 x 32", 1472]
    assert table["layer"].iloc[-1] == "total" and table["parameters"].iloc[-1] == 151_297
