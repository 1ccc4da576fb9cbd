"""Inputs of rules as functions of wildcards."""

import dataclasses
from types import SimpleNamespace

import pytest
import yaml

from stargal.errors import StargalError
from stargal.plan import documentation
from stargal.plan.inputs import Inputs, paths_made, paths_of
from stargal.plan.paths import ALIGNMENT, MODEL, PATCHES
from stargal.plan.run import Run
from stargal.survey.fields import Field

ROOT = documentation.ROOT


class Job(SimpleNamespace):
    """Wildcards of a job, by attribute and as a mapping."""

    def keys(self):
        return vars(self).keys()

    def __getitem__(self, key):
        return vars(self)[key]


@pytest.fixture(scope="module")
def inputs():
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    config["skies"]["bare"] = {"origin": "archive"}
    return Inputs(Run(config, ROOT, ROOT / "workflow/schemas/fields.schema.yaml"))


def test_a_path_for_each_field():
    fields = [Field(301, 8162, 6, 80), Field(301, 8162, 6, 120)]
    assert paths_of(ALIGNMENT, fields, sky="mine") == [
        "results/mine/aligned/301-008162-6-0080.json",
        "results/mine/aligned/301-008162-6-0120.json",
    ]


def test_files_of_a_sky_and_of_a_set(inputs):
    assert len(inputs.of_sky(ALIGNMENT)(Job(sky="simulated"))) == 10
    listed = inputs.of_set(PATCHES)(Job(sky="simulated", set="test", positions="catalog", size="25"))
    assert listed == ["results/simulated/patches/catalog/25/301-008162-6-0080.npy"]
    with pytest.raises(StargalError, match=r"skies\.bare: no field for set test"):
        inputs.of_set(PATCHES)(Job(sky="bare", set="test", positions="catalog", size="25"))


def test_models_come_by_experiment_then_seed(inputs):
    inputs.run.config["seeds"], before = [1, 2], inputs.run.config["seeds"]
    try:
        paths = inputs.of_scored(f"{MODEL}/model.keras")(Job(sky="simulated"))
    finally:
        inputs.run.config["seeds"] = before
    assert [path.split("/")[3:5] for path in paths[:3]] == [
        ["base_small", "seed1"],
        ["base_small", "seed2"],
        ["regularized_small", "seed1"],
    ]
    assert inputs.of_scored(MODEL)(Job(sky="bare")) == []


def test_baselines_of_the_training_sets_in_use(inputs):
    paths = inputs.of_baselines("metrics.json")(Job(sky="simulated"))
    assert paths == [f"results/simulated/baselines/{name}/metrics.json" for name in ("large", "small")]
    roles = inputs.scored_fields(Job(sky="simulated", training_set="small"))
    assert [len(fields) for fields in roles.values()] == [1, 2, 1]


def test_labels_name_the_skies(inputs):
    assert inputs.label(Job(sky="sdss")) == "SDSS imaging (sdss)"
    assert inputs.label_of_scored()(Job(sky="simulated")) == "simulated sky, seed 1"
    assert inputs.label_of_compared(Job(comparison="augmentation_small")) == "simulated sky, seed 1"


def test_rows_give_the_outputs_of_their_targets():
    rows = [
        {"make": {"all": {}}, "output": {"table": "results/{sky}/a.csv"}},
        {"make": {"study": {"name": ["b", "c"]}}, "output": {"table": "results/{sky}/{name}.csv"}},
    ]
    assert paths_made(rows, "all", "x") == ["results/x/a.csv"]
    assert paths_made(rows, "study", "x") == ["results/x/b.csv", "results/x/c.csv"]


def test_classifiers_are_compared_on_validation_and_test_fields(inputs):
    """And on classified fields in no bucket, if there are independent classes."""
    sky, beside = inputs.run.skies["simulated"], Field(301, 1, 1, 11)
    fields = inputs.of_peers(sky, [beside])
    assert fields == {bucket: sky.fields(bucket) for bucket in ("validation", "test")}
    table = {"part": "truth", "name": "spectra", "table": "spectra.csv"}
    named = dataclasses.replace(sky, tables=[table])
    assert inputs.of_peers(named, [beside, *sky.fields("train")]) == fields | {"none": [beside]}
    bare = inputs.run.skies["bare"]
    assert inputs.of_peers(bare, [beside]) == {} and inputs.require_peers(sky, fields)
    with pytest.raises(StargalError, match=r"^skies\.bare: no field to compare classifiers on; name a table of fields"):
        inputs.require_peers(bare, {})


def test_training_fields_are_matched_to_no_table(inputs, monkeypatch):
    sky = inputs.run.skies["simulated"]
    table = {"part": "truth", "name": "spectra", "table": "spectra.csv"}
    monkeypatch.setitem(inputs.run.skies, "simulated", dataclasses.replace(sky, tables=[table]))
    asked = {
        bucket: inputs.tables(Job(sky="simulated", field=sky.fields(bucket)[0].name)) for bucket in ("train", "test")
    }
    assert asked == {"train": [], "test": [table]}


def test_where_the_survey_has_the_frames(inputs):
    """Wherever they are downloaded from: the same frames give the same bytes."""
    job = Job(sky="bare", field="301-008162-6-0080")
    assert inputs.release(job) == "dr17"
    assert inputs.address(job) == "https://data.sdss.org/sas/dr17/eboss/photoObj/frames/301/8162/6"
    assert inputs.release(Job(sky="simulated")) == inputs.address(Job(sky="simulated", field=job.field)) == ""
