"""Auxiliary inputs: read, normalized, used by a network where they tell something, and kept with the model."""

import json

import keras
import numpy as np
import pandas as pd
import pytest

from stargal.dataset.sets import FieldFiles
from stargal.errors import StargalError
from stargal.learning import architectures, explain, train
from stargal.learning.auxiliary import read_auxiliary, summary
from stargal.learning.network_files import load, save
from stargal.learning.predict import predict, predict_set
from stargal.learning.threads import use_one_thread
from stargal.learning.training_data import open_set
from stargal.survey.fields import Field

use_one_thread()  # before anything is computed

SIGMA = [0.1] * 5
SETTINGS = {
    "base": {},
    "regularized": {"dropout": 0.2, "l2": 1e-4},
    "cnn": {
        "filters": [4],
        "kernel": 3,
        "pool": 2,
        "dense": 8,
        "batch_normalization": True,
        "dropout": 0.2,
        "l2": 1e-4,
    },
    "unet": {"filters": [4, 8, 8], "dropout": 0.2},
    "residual": {"filters": [4, 8], "dropout": 0.2},
}
SEEN = [(1.3, 0.2, 1.0, 1.6), (0.0, 4.0, -10.0, 10.0)]


def write_field(folder, number, n=40):
    """Patches of noise alone; ``hint`` is 10 for galaxies and 14 for stars, missing for every fifth source."""
    field = Field(301, 1000, 1, number)
    random = np.random.default_rng(number)
    label = (np.arange(n) % 2).astype(np.int8)
    hint = pd.array(10 + 4 * label, dtype="Int64")
    hint[::5] = pd.NA
    table = pd.DataFrame(
        {"id": [str(k) for k in range(n)], "label": label, "hint": hint, "ra": random.uniform(0, 1, n)}
    )
    bands = [{"band": band, "fwhm": 1 + 0.01 * number, "noise": 0.1 * k} for k, band in enumerate("ugriz")]
    if number == 2:
        bands[0]["fwhm"] = None
    one = FieldFiles(field, *(folder / f"{number}.{kind}" for kind in ("parquet", "npy", "json", "psf.npy")))
    table.to_parquet(one.sources)
    np.save(one.patches, random.normal(0, 0.1, (n, 15, 15, 5)).astype(np.float32))
    one.summary.write_text(json.dumps({"bands": bands}))
    return one


@pytest.fixture
def fields(tmp_path):
    return [write_field(tmp_path, number) for number in (1, 2)]


def build(architecture="base", auxiliary=SEEN, size=15):
    return architectures.build(
        architecture, size=size, sky_sigma=SIGMA, seed=1, auxiliary=auxiliary, **SETTINGS[architecture]
    )


def test_what_is_of_a_field_and_what_is_of_a_source(fields):
    table = read_auxiliary(fields, ["psf_fwhm", "hint", "sky_sigma"])
    names = [[f"{name}_{band}" for band in "ugriz"] for name in ("psf_fwhm", "sky_sigma")]
    assert list(table) == [*names[0], "hint", *names[1]]
    assert len(table) == 80 and set(table.dtypes) == {np.dtype(np.float32)}
    np.testing.assert_allclose(table["psf_fwhm_g"], np.repeat([1.01, 1.02], 40), rtol=1e-6)
    np.testing.assert_allclose(table["psf_fwhm_u"], np.repeat([1.01, np.nan], 40), rtol=1e-6)  # no star was measured
    np.testing.assert_allclose(table["sky_sigma_z"], 0.4, rtol=1e-6)
    assert table["hint"][:4].tolist()[1:] == [14, 10, 14] and np.isnan(table["hint"][0])


@pytest.mark.parametrize("name", ["redshift", "id"])
def test_a_column_that_is_not_there_is_one_clear_line(fields, name):
    with pytest.raises(StargalError) as caught:
        read_auxiliary(fields, [name])
    said = str(caught.value)
    assert "\n" not in said and said.startswith(f"{fields[0].sources}: no column of numbers '{name}'")
    assert "there are label, hint, ra, and of each field psf_fwhm, sky_sigma" in said


def test_the_summary_is_of_what_is_known(fields):
    hint, (ra, *_) = summary(read_auxiliary(fields, ["hint", "ra"]))
    assert hint == pytest.approx((12, 2, 10, 14)) and 0.3 < ra < 0.7
    with pytest.raises(StargalError, match=r"auxiliary input sky_sigma_g: 0\.1 for all sources of the training set"):
        summary(read_auxiliary(fields, ["hint", "sky_sigma"])[["hint", "sky_sigma_g"]])
    with pytest.raises(StargalError, match=r"auxiliary input psf_fwhm_u: 1\.01 for all sources"):
        summary(read_auxiliary(fields, ["psf_fwhm"]))


@pytest.mark.parametrize(
    "architecture, nodes", {"base": 128, "regularized": 128, "cnn": 8, "unet": 1, "residual": 1}.items()
)
def test_a_network_that_is_told_more_has_a_weight_more_for_each_input_and_node(architecture, nodes):
    told, plain = build(architecture), build(architecture, auxiliary=())
    assert told.count_params() == plain.count_params() + len(SEEN) * nodes
    assert [given.shape[1:] for given in told.inputs] == [(15, 15, 5), (2,)]


@pytest.mark.parametrize("architecture", ["regularized", "unet"])
def test_a_network_keeps_what_normalizes_its_second_input(architecture, tmp_path):
    told = build(architecture)
    random = np.random.default_rng(0)
    patches = random.normal(0, 0.1, (6, 15, 15, 5)).astype(np.float32)
    given = random.normal(0, 1, (6, 2)).astype(np.float32)

    def classify(*inputs):
        return predict(told, *inputs)

    probability = classify(patches, given)
    assert probability.shape == (6,) and np.all((probability > 0) & (probability < 1))
    assert np.all(probability != classify(patches, given[::-1]))
    unknown = np.full((6, 2), np.nan, np.float32)
    means = np.tile(np.float32([mean for mean, *_ in SEEN]), (6, 1))
    np.testing.assert_allclose(classify(patches, unknown), classify(patches, means), rtol=1e-5)
    save(told, tmp_path / "model.keras")
    save(build(architecture), tmp_path / "again.keras")
    assert (tmp_path / "model.keras").read_bytes() == (tmp_path / "again.keras").read_bytes()
    np.testing.assert_array_equal(predict(load(tmp_path / "model.keras"), patches, given), probability)


def test_normalized_inputs_have_mean_0_and_deviation_1_and_end_where_training_did():
    network = build()
    joined = keras.Model(network.inputs, network.get_layer("joined").output)
    given = np.array([[1.3, 0], [1.5, 8], [np.nan, -4], [9, -90]], np.float32)
    found = np.array(joined([np.zeros((4, 15, 15, 5), np.float32), given]))[:, -2:]
    np.testing.assert_allclose(found, [[0, 0], [1, 2], [0, -1], [1.5, -2.5]], atol=1e-5)


def test_what_tells_the_class_is_learned_and_explained(fields):
    """Patches of noise tell nothing: a network that is told of the class beside them alone can learn it."""
    losses = {}
    for names in ([], ["hint", "ra"]):
        opened = open_set(fields, auxiliary=names)
        network = build("regularized", summary(opened.auxiliary) if names else ())
        settings = {"learning_rate": 0.01, "batch_size": 16, "max_epochs": 12, "max_patches": None, "patience": 12}
        history = train.fit(network, opened, opened, seed=1, **settings)
        losses[len(names)] = history["val_loss"].min()
    assert losses[2] < 0.4 < 0.6 < losses[0]
    probability = predict_set(network, opened)
    known = opened.auxiliary["hint"].notna().to_numpy()
    right = (probability > 0.5) == (opened.labels == 1)
    assert right[known].mean() > 0.95
    patches, *given = opened.inputs(np.arange(80))
    odds = explain.log_odds(network)(patches, *given).numpy()
    np.testing.assert_allclose(1 / (1 + np.exp(-odds)), probability, rtol=1e-4)
    table, maps = explain.explain(network, patches, opened.labels, *given)
    assert set(maps) == {"star_gradient", "star_occlusion", "galaxy_gradient", "galaxy_occlusion"}
    assert table.loc[table["radius"] == 1, "removed"].min() > 0.9  # the class is told, whatever is covered
