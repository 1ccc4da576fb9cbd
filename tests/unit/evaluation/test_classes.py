"""Four classes: scores, and what a network learns."""

import json
import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn.metrics

from stargal.dataset import places
from stargal.dataset.places import BOTH, SKY
from stargal.evaluation import classes
from stargal.learning import architectures, train
from stargal.learning.network_files import load, save
from stargal.learning.predict import predict
from stargal.learning.threads import use_one_thread
from stargal.learning.training_data import open_patches
from stargal.survey.labels import GALAXY, STAR

use_one_thread()  # before anything is computed


def test_scores_are_those_of_scikit_learn():
    random = np.random.default_rng(0)
    labels = random.choice(4, 500, p=[0.3, 0.2, 0.1, 0.4])
    called = np.where(random.uniform(size=500) < 0.7, labels, random.integers(0, 4, 500))
    overall, by_class = classes.score_classes(labels.astype(np.int8), called, resamples=300)
    assert overall["patches"] == 500
    assert overall["accuracy"] == pytest.approx(sklearn.metrics.accuracy_score(labels, called))
    assert overall["balanced_accuracy"] == pytest.approx(sklearn.metrics.balanced_accuracy_score(labels, called))
    assert overall["mcc"] == pytest.approx(sklearn.metrics.matthews_corrcoef(labels, called))
    order = list(places.NAMES)
    expected = sklearn.metrics.precision_recall_fscore_support(labels, called, labels=order)
    for name, values in zip(("precision", "recall", "f1", "patches"), expected, strict=True):
        assert [record[name] for record in by_class] == pytest.approx(values)
    confusion = sklearn.metrics.confusion_matrix(labels, called, labels=order)
    assert [record["class"] for record in by_class] == ["sky", "star", "galaxy", "both"]
    assert [[record[f"called_{name}"] for name in places.NAMES.values()] for record in by_class] == confusion.tolist()


def test_intervals_are_those_of_patches_drawn_with_replacement():
    random = np.random.default_rng(0)
    labels = random.choice(4, 400)
    called = np.where(random.uniform(size=400) < 0.8, labels, random.integers(0, 4, 400))
    overall, _ = classes.score_classes(labels.astype(np.int8), called, resamples=4000)
    rows = random.integers(0, 400, (400, 400))
    spread = [sklearn.metrics.matthews_corrcoef(labels[some], called[some]) for some in rows]
    expected = np.quantile(spread, [0.025, 0.975])
    assert [overall["mcc_low"], overall["mcc_high"]] == pytest.approx(expected, abs=0.01)


def test_what_is_not_defined_is_nan_and_a_constant_call_has_no_correlation():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        overall, by_class = classes.score_classes(np.array([STAR, STAR, SKY], np.int8), np.full(3, STAR), resamples=100)
    assert (overall["accuracy"], overall["balanced_accuracy"], overall["mcc"]) == (pytest.approx(2 / 3), 0.5, 0)
    sky, star, galaxy, _ = by_class
    assert np.isnan([sky["precision"], galaxy["recall"], galaxy["f1"], galaxy["f1_low"]]).all()
    assert (sky["recall"], sky["f1"], star["recall"]) == (0, 0, 1)


def test_a_rare_class_is_called_where_its_probability_exceeds_its_share():
    probability = np.array([[0.6, 0.1, 0.25, 0.05], [0.6, 0.3, 0.04, 0.06]])
    found = dict(classes.calls(probability, np.array([0.4, 0.2, 0.02, 0.38])))
    assert {name: called.tolist() for name, called in found.items()} == {
        "most_probable": [GALAXY, GALAXY],
        "classes_alike": [BOTH, BOTH],
    }


def test_the_tables_hold_both_rules_and_the_majority():
    probability = pd.DataFrame(
        np.eye(4)[[SKY, SKY, GALAXY, STAR]][:, list(places.NAMES)], columns=list(places.NAMES.values())
    )
    predictions = probability.assign(bucket=["validation", "test", "test", "test"], label=[SKY, SKY, GALAXY, BOTH])
    records = classes.score_calls(predictions, np.array([5, 2, 1, 4]), resamples=100)
    tables = classes.class_tables([json.loads(json.dumps(records))] * 2, seeds=[1, 2], labels="truth")
    overall, by_class = tables["overall"], tables["by_class"]
    rules = [("most_probable", 1), ("classes_alike", 1), ("most_probable", 2), ("classes_alike", 2), ("majority", None)]
    expected = [(*rule, "truth", bucket) for rule in rules for bucket in ("validation", "test")]
    found = overall[["classifier", "seed", "against", "bucket"]].astype(object)
    assert list(found.where(found.notna(), None).itertuples(index=False, name=None)) == expected
    assert overall.query("bucket == 'test'")["accuracy"].tolist() == pytest.approx([2 / 3] * 4 + [1 / 3])
    assert by_class["learned"].tolist() == [4, 2, 5, 1] * 10
    assert len(by_class) == 4 * 10
    one, by_one = classes.score_classes(predictions["label"].to_numpy()[1:], np.array([SKY, GALAXY, STAR]), 100)
    assert list(overall) == ["classifier", "seed", "against", "bucket", *one]
    assert list(by_class) == [
        "classifier",
        "seed",
        "against",
        "bucket",
        "class",
        "patches",
        "learned",
        *list(by_one[0])[2:],
    ]


def write_field(folder, n=240, size=15):
    """Patches in noise of 0.1 nMgy: nothing, a narrow source in the centre, a wide one, and both, a little apart."""
    random = np.random.default_rng(0)
    labels = (np.arange(n) % 4).astype(np.int8)
    axis = np.arange(size) - size // 2
    light = np.zeros((n, size, size))
    for label, place, width2 in ((STAR, -2, 1.0), (GALAXY, 3, 4.0)):
        shown = np.isin(labels, [label, BOTH])
        shift = np.where(labels == BOTH, place, 0)[:, None]
        along = np.exp(-((axis - shift) ** 2) / (2 * width2))
        flux = np.where(shown, random.uniform(5, 20, n), 0)
        light += flux[:, None, None] * along[:, None, :] * np.exp(-(axis**2) / (2 * width2))[None, :, None]
    patches = light[..., None] + random.normal(0, 0.1, (n, size, size, 5))
    np.save(folder / "field.npy", patches.astype(np.float32))
    pd.DataFrame({"label": labels}).to_parquet(folder / "field.parquet")
    return open_patches([folder / "field.npy"], [folder / "field.parquet"])


def test_a_network_learns_the_four_classes(tmp_path):
    patches = write_field(tmp_path)
    network = architectures.build("regularized", size=15, sky_sigma=[0.1] * 5, seed=1, classes=4, dropout=0.1, l2=1e-4)
    assert network.output_shape == (None, 4)
    settings = {"learning_rate": 3e-3, "batch_size": 32, "max_epochs": 10, "max_patches": None, "patience": 10}
    history = train.fit(network, patches, patches, seed=1, **settings)
    save(network, tmp_path / "model.keras")
    probability = predict(load(tmp_path / "model.keras"), patches.read(np.arange(len(patches))))
    assert probability.shape == (len(patches), 4)
    np.testing.assert_allclose(probability.sum(axis=1), 1, rtol=1e-5)
    assert np.mean(probability.argmax(axis=1) == patches.labels) > 0.9
    right = np.clip(probability[np.arange(len(patches)), patches.labels], 1e-7, 1)
    assert -np.log(right).mean() == pytest.approx(history["val_loss"].min(), abs=1e-4)
    assert history["val_accuracy"].max() > 0.9
