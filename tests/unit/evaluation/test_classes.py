"""Four classes: what a patch shows, where sky patches lie, what a network learns of them, and scores."""

import json
import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn.metrics

from stargal.dataset import places
from stargal.dataset.places import BOTH, SKY
from stargal.errors import StargalError
from stargal.evaluation import classes
from stargal.learning import architectures, train
from stargal.learning.network_files import load, save
from stargal.learning.predict import predict
from stargal.learning.threads import use_one_thread
from stargal.learning.training_data import open_patches
from stargal.survey.fields import COLUMNS, ROWS
from stargal.survey.labels import GALAXY, STAR, UNKNOWN

use_one_thread()  # before anything is computed


def table(*rows):
    """Catalogued sources: x, y, label."""
    return pd.DataFrame(rows, columns=["x", "y", "label"]).astype({"x": float, "y": float, "label": np.int8})


CATALOGUED = table((100, 100, STAR), (106, 100, GALAXY), (200, 100, GALAXY), (300, 100, STAR), (303, 104, UNKNOWN))


@pytest.mark.parametrize(
    ("x", "y", "shown"),
    [
        (100, 100, BOTH),  # the galaxy lies just on the radius
        (99.99, 100, STAR),
        (94, 100, STAR),
        (106.01, 100, GALAXY),
        (103, 103, BOTH),
        (200, 106, GALAXY),
        (200, 106.01, SKY),
        (204.25, 104.25, SKY),  # a circle, no square
        (296, 100, STAR),
        (300, 100, UNKNOWN),
    ],
)
def test_what_a_patch_shows_is_what_lies_within_the_radius(x, y, shown):
    assert places.what_is_shown([x], [y], CATALOGUED, radius=6) == [shown]


def test_without_sources_everything_is_sky():
    found = places.what_is_shown([1, 2], [3, 4], CATALOGUED.iloc[:0], radius=6)
    assert found.tolist() == [SKY, SKY] and found.dtype == np.int8


SIZE = 25


@pytest.fixture(scope="module")
def crowded():
    """A field of a thousand sources, a third of them stars; a block without data in one band, a saturated pixel."""
    random = np.random.default_rng(3)
    x, y = random.uniform(0, COLUMNS - 1, 1000), random.uniform(0, ROWS - 1, 1000)
    sources = table(*zip(x, y, np.arange(1000) % 3 == 0, strict=True))
    sources["id"] = [f"source-{number}" for number in range(1000)]
    mask = np.zeros((5, ROWS, COLUMNS), np.uint8)
    mask[4, 300:700, 500:1500] = 1
    mask[2, 1000, 1000] = 2
    return sources, mask


def placed(crowded, seed=1):
    sources, mask = crowded
    return places.place_patches(sources, sources, mask, size=SIZE, random=np.random.default_rng(seed))


def test_sky_lies_away_from_sources_and_flagged_pixels_and_other_sky(crowded):
    sources, mask = crowded
    found = placed(crowded)
    sky = found[found["label"] == SKY]
    assert len(sky) == found["label"].value_counts()[GALAXY] > 500
    positions = sky[["x", "y"]].to_numpy()
    assert np.array_equal(positions, np.rint(positions)) and sky["id"].isna().all()
    apart = np.hypot(*(sources[["x", "y"]].to_numpy()[:, None] - positions).T)
    assert apart.min() > SIZE / 2
    assert apart.min() < SIZE / 2 + 1  # and no farther than need be
    steps = np.abs(positions[:, None] - positions).max(axis=2)
    assert steps[~np.eye(len(sky), dtype=bool)].min() >= SIZE
    half = SIZE // 2
    for x, y in positions.astype(int):
        assert 64 <= y < ROWS - 64
        cut = mask[:, y - half : y + half + 1, x - half : x + half + 1]
        assert cut.shape == (5, SIZE, SIZE) and not cut.any()


def test_sky_is_that_of_the_seed(crowded):
    pd.testing.assert_frame_equal(placed(crowded), placed(crowded))
    assert not placed(crowded).equals(placed(crowded, seed=2))


def test_sky_that_finds_no_room_is_left_out(crowded):
    sources, mask = crowded
    full = np.ones_like(mask)
    full[:, 700:725, 800:825] = 0
    random = np.random.default_rng(0)
    x, y = places.place_sky(full, sources.iloc[:0], 10, size=SIZE, random=random)
    assert (x.tolist(), y.tolist()) == ([812], [712])
    x, y = places.place_sky(full, table((812, 712, STAR)), 10, size=SIZE, random=random)
    assert len(x) == len(y) == 0


def test_every_source_has_a_patch_on_its_pixel():
    """Of three in a row the second is near both others; the fourth is alone."""
    rows = (500, 500, STAR), (510, 500, GALAXY), (522.5, 500, STAR), (900.4, 700.6, GALAXY)
    found = placed((table(*rows).assign(id=list("abcd")), np.zeros((5, ROWS, COLUMNS), np.uint8)))
    own = found[found["id"].notna()]
    assert own["id"].tolist() == ["a", "b", "c", "d"]
    assert own["label"].tolist() == [BOTH, BOTH, BOTH, GALAXY]
    assert own[["x", "y"]].iloc[-2:].to_numpy().tolist() == [[522, 500], [900, 701]]
    assert found["label"].tolist()[4:] == [SKY] * 3


def test_what_the_field_leaves_out_is_no_sky_and_counts():
    """A source that `sources` leaves out: it has no patch, but is there."""
    catalogued = table((500, 500, STAR), (503, 500, GALAXY), (600, 600, STAR), (700, 700, UNKNOWN), (900, 900, STAR))
    sources = catalogued.iloc[[0, 3, 4]].assign(id=list("abc"))
    mask = np.ones((5, ROWS, COLUMNS), np.uint8)
    mask[:, 580:621, 580:621] = 0
    random = np.random.default_rng(0)
    found = places.place_patches(sources, catalogued, mask, size=SIZE, random=random)
    assert found[["id", "label"]].to_numpy().tolist() == [["a", BOTH], ["c", STAR]]


def test_a_missing_class_is_named():
    with pytest.raises(StargalError, match=r"the training set: no patch that shows both among 3; add fields"):
        places.require_all_classes("the training set", np.array([SKY, STAR, GALAXY]))


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
