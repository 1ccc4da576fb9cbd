"""Explanation: maps of networks whose decision is known to lie somewhere."""

import keras
import numpy as np
import pytest

from stargal.learning import architectures, explain
from stargal.learning.predict import predict
from stargal.learning.threads import use_one_thread

use_one_thread()  # before anything is computed


@pytest.fixture(scope="module")
def patches():
    return np.random.default_rng(0).normal(1, 0.1, (12, 15, 15, 5)).astype(np.float32)


def network(weight):
    """A network whose log-odds are a weighted sum of the pixels."""
    pixels = keras.Input((15, 15, 5))
    clean = keras.ops.where(keras.ops.isnan(pixels), keras.ops.zeros_like(pixels), pixels)
    star = keras.layers.Dense(1, activation="sigmoid")
    model = keras.Model(pixels, star(keras.layers.Flatten()(clean)))
    star.set_weights([np.repeat(weight.reshape(-1, 1), 5, axis=0), np.zeros(1)])
    return model


def test_log_odds_are_those_of_the_probability(patches):
    model = architectures.build("base", size=15, sky_sigma=[0.1] * 5, seed=1)
    odds = explain.log_odds(model)(patches).numpy()
    np.testing.assert_allclose(1 / (1 + np.exp(-odds)), predict(model, patches), rtol=1e-5)


def test_gradient_times_input_of_a_linear_network_is_weight_times_pixel(patches):
    weight = np.random.default_rng(1).normal(size=(15, 15))
    holed = patches.copy()
    holed[0, 0, 0] = np.nan
    maps = explain.gradient_maps(explain.log_odds(network(weight)), holed)
    expected = np.nan_to_num(holed).sum(axis=3) * np.abs(weight)
    np.testing.assert_allclose(maps, expected, rtol=1e-4)
    assert maps[0, 0, 0] == 0


@pytest.mark.parametrize("place, inside", [((7, 7), 1.0), ((1, 13), 0.0)])
def test_a_decision_at_one_pixel_is_found_there(patches, place, inside):
    weight = np.zeros((15, 15))
    weight[place] = 1
    labels = np.arange(12, dtype=np.int8) % 2
    table, maps = explain.explain(network(weight), patches, labels)
    near = table[table["radius"] == 6]
    np.testing.assert_allclose(near["gradient"], inside)
    np.testing.assert_allclose(near["occlusion"], inside, atol=0.1)  # blurred by the square
    np.testing.assert_allclose(table.loc[table["radius"] == 1, "gradient"], inside)
    # Log-odds of about 5 with the pixel, 0 without: called a star no more.
    np.testing.assert_allclose(near["kept"], inside)
    np.testing.assert_allclose(near["removed"], 1 - inside)
    assert maps["star_gradient"].argmax() == np.ravel_multi_index(place, (15, 15))
    assert all(np.isclose(image.sum(), 1) for image in maps.values())
    assert table.groupby("class")["radius"].apply(list).to_list() == [[1, 2, 3, 4, 6]] * 2
    assert table["area"].iloc[0] == pytest.approx(5 / 225)
