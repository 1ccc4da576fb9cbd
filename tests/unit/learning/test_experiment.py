"""Train and predict in one job, for both tasks; scores of the predictions."""

import json

import numpy as np
import pandas as pd
import pytest

from stargal.dataset.places import NAMES
from stargal.dataset.sets import FieldFiles
from stargal.errors import StargalError
from stargal.learning.experiment import run_experiment
from stargal.learning.network_files import load
from stargal.learning.predict import predict
from stargal.learning.tasks import TASKS, task_of
from stargal.learning.threads import use_one_thread
from stargal.learning.training_data import check_split
from stargal.survey.fields import Field

use_one_thread()  # before anything is computed

SETTINGS = {"batch_size": 32, "max_epochs": 2, "max_patches": None, "patience": 2}
MODEL = {"architecture": "regularized", "dropout": 0.1, "l2": 1e-4, "learning_rate": 1e-3}


def write_field(folder, number, labels, size=15):
    """A field whose sources brighten with their label, far from the other fields."""
    random = np.random.default_rng(number)
    field = Field(301, 1000, 1, number)
    one = FieldFiles(field, *(folder / f"{number}.{kind}" for kind in ("parquet", "npy", "json", "psf.npy")))
    labels = np.array(labels, np.int8)
    pd.DataFrame(
        {
            "id": pd.array([f"{number}-{row}" for row in range(len(labels))], dtype="str"),
            "x": 1.0,
            "y": 2.0,
            "label": labels,
            "truth": pd.array([pd.NA] * len(labels), dtype="Int8"),
            "psf_mag_r": np.float32(19),
            "model_mag_r": random.uniform(15, 21, len(labels)).astype(np.float32),
        }
    ).to_parquet(one.sources)
    patches = random.normal(0, 0.1, (len(labels), size, size, 5)) + 0.3 * labels[:, None, None, None]
    np.save(one.patches, patches.astype(np.float32))
    corners = [[number, 0], [number + 0.1, 0], [number + 0.1, 0.1], [number, 0.1]]
    bands = [{"band": band, "fwhm": 1.3, "noise": 0.1} for band in "ugriz"]
    one.summary.write_text(json.dumps({"footprint": corners, "bands": bands}))
    return one


def run(folder, task, classes, name="a", test_sizes=(15,), labels="photo"):
    labels_of = np.tile(range(classes), 20)
    training = [write_field(folder, 10, labels_of), write_field(folder, 12, labels_of)]
    validation = [write_field(folder, 20, labels_of)]
    test = [write_field(folder, 30 + k, labels_of[: 8 * k], size) for k, size in enumerate(test_sizes)]
    return run_experiment(
        training,
        validation,
        test,
        training_set="small",
        task=task,
        model=MODEL,
        augmentation={"rotations": True},
        auxiliary=[],
        labels=labels,
        settings=SETTINGS,
        seed=1,
        network=folder / f"{name}.keras",
        predictions=folder / f"{name}.parquet",
    )


@pytest.mark.parametrize(
    "task, classes, columns",
    [
        ("star_galaxy", 2, ["label", "truth", "psf_mag_r", "model_mag_r", "probability"]),
        ("four_classes", 4, ["x", "y", "label", "sky", "star", "galaxy", "both"]),
    ],
)
def test_predictions_are_those_of_the_saved_network(tmp_path, task, classes, columns):
    history = run(tmp_path, task, classes, test_sizes=(15, 15))
    assert len(history) == 2
    table = pd.read_parquet(tmp_path / "a.parquet")
    assert list(table) == ["id", "field", "bucket", *columns]
    assert table["bucket"].value_counts().to_dict() == {"validation": 20 * classes, "test": 8}  # one field is empty
    validation = table[table["bucket"] == "validation"]
    assert set(validation["field"]) == {"301-001000-1-0020"}
    expected = predict(load(tmp_path / "a.keras"), np.load(tmp_path / "20.npy"))
    if classes == 2:
        np.testing.assert_array_equal(validation["probability"], expected)
    else:
        for label, name in NAMES.items():
            np.testing.assert_array_equal(validation[name], expected[:, label])
    run(tmp_path, task, classes, "b", test_sizes=(15, 15))
    for kind in ("keras", "parquet"):
        assert (tmp_path / f"a.{kind}").read_bytes() == (tmp_path / f"b.{kind}").read_bytes()


def test_patches_of_another_size_are_refused(tmp_path):
    with pytest.raises(StargalError, match=r"31\.npy: patches of \(13, 13, 5\), the network takes \(15, 15, 5\)"):
        run(tmp_path, "star_galaxy", 2, test_sizes=(15, 13))
    assert not (tmp_path / "a.parquet").exists()


def test_a_missing_class_is_named(tmp_path):
    with pytest.raises(StargalError, match="training set small, labels photo: no star among 40"):
        run(tmp_path, "star_galaxy", 1)
    with pytest.raises(StargalError, match="training set small, labels photo: no patch that shows sky among 120"):
        run(tmp_path, "four_classes", 3)
    with pytest.raises(StargalError, match="labels truth: no star among 80"):
        run(tmp_path, "star_galaxy", 2, labels="truth")


def test_shared_sky_is_refused(tmp_path):
    training, validation = write_field(tmp_path, 10, [0, 1]), write_field(tmp_path, 12, [0, 1])
    validation.summary.write_text(training.summary.read_text())
    with pytest.raises(StargalError, match="301-001000-1-0012"):
        check_split([training], [validation])


def test_an_unknown_task_is_named():
    with pytest.raises(StargalError, match="task 'three': unknown; allowed: star_galaxy, four_classes"):
        task_of("three")


def test_scores_depend_on_the_task():
    table = pd.DataFrame({"bucket": "test", "label": [0, 1, 1, 0], "probability": [0.1, 0.9, 0.8, 0.7]})
    table = table.assign(model_mag_r=18.0, truth=pd.array([pd.NA] * 4, dtype="Int8"))
    (whole, binned) = TASKS["star_galaxy"].score(table, [15, 20], 10, None)
    assert whole["accuracy"] == binned["accuracy"] == 0.75 and binned["magnitude_low"] == 15
    with pytest.raises(StargalError, match="bucket test: no galaxy"):
        TASKS["star_galaxy"].score(table[table["label"] == 1], [15, 20], 10, None)
    table = table.assign(**{name: np.where(table["label"] == label, 0.7, 0.1) for label, name in NAMES.items()})
    records = TASKS["four_classes"].score(table, [], 10, np.array([0, 1, 2, 3, 3]))
    assert [record["classifier"] for record in records[::5]] == ["most_probable", "classes_alike", "majority"]
    with pytest.raises(StargalError, match="--training"):
        TASKS["four_classes"].score(table, [], 10, None)
