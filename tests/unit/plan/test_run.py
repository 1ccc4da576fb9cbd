"""A run: skies, sets and experiments resolved from the configuration."""

from pathlib import Path

import pytest

from configurations import FIELDS_SCHEMA, ROOT, ROWS, default_config, write_table
from stargal.errors import StargalError
from stargal.plan.paths import MODEL
from stargal.plan.run import Run
from stargal.plan.skies import read_fields
from stargal.survey.fields import Field

TRAIN, VALIDATION, TEST = (Field(301, 8162, 6, number) for number in (174, 120, 80))


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """A folder of its own; tables are read once per path."""
    monkeypatch.chdir(tmp_path)
    read_fields.cache_clear()
    return tmp_path


def run_of(config, **tables):
    """A run on skies of an archive with the rows given, or on a simulated sky of a name that begins so."""
    config["skies"] = {
        name: {"origin": "simulator", "seed": 1} if name.startswith("simulated") else {"origin": "archive"}
        for name in tables
    }
    for name, rows in tables.items():
        if rows is not None:
            config["skies"][name]["fields"] = str(write_table(Path(f"{name}.tsv"), rows))
    return Run(config, ROOT, FIELDS_SCHEMA)


@pytest.fixture
def config():
    """One experiment on the first of the skies."""
    config = default_config() | {"sky": "one", "comparisons": {}, "studies": {}}
    config["training_sets"] = {"small": 1, "large": "all"}
    config["experiments"] = {"first": {"model": "base", "training_set": "small"}}
    return config


OTHER = ["301\t1035\t6\t17\ttrain", "301\t3918\t3\t213\tvalidation", "301\t4510\t4\t30\ttest"]


def test_roles_on_several_skies(config):
    """Sets, paths and labels follow the sky of each role; a network lies below the sky that it trains on."""
    config["experiments"] |= {
        "tested": {"model": "base", "training_set": "large", "test_on": "two"},
        "there": {"model": "base", "training_set": "small", "train_on": "two", "validate_on": "one", "test_on": "one"},
    }
    run = run_of(config, one=ROWS, two=OTHER)
    assert run.fields_of_set("one", "small") == [TRAIN] and run.fields_of_set("two", "test") == [
        Field(301, 4510, 4, 30)
    ]
    tested = run.experiments["tested"]
    assert [run.set_path(tested, role) for role in ("training", "validation", "test")] == [
        "results/one/sets/catalog/25/large.csv",
        "results/one/sets/catalog/25/validation.csv",
        "results/two/sets/catalog/25/test.csv",
    ]
    assert run.models(f"{MODEL}/model.keras", ["tested", "there"], [1, 2]) == [
        f"results/{sky}/models/{name}/seed{seed}/model.keras"
        for sky, name in (("one", "tested"), ("two", "there"))
        for seed in (1, 2)
    ]
    assert list(run.scored("one")) == ["first", "tested"] and list(run.scored("two")) == ["there"]
    assert run.transferred("one") == ["tested"] and run.transferred("two") == ["there"]
    assert run.compared_with_peers("one") == ["first", "there"] and run.compared_with_peers("two") == []
    assert run.label("first") == "SDSS imaging (one)"
    assert run.label("tested") == "SDSS imaging (one), tested on SDSS imaging (two)"
    assert run.label("first", "there") == "SDSS imaging (one), SDSS imaging (two)"
    assert run.uses_of_patches(["first", "tested"]) == {
        ("one", "catalog", 25): {TRAIN, VALIDATION, TEST},
        ("two", "catalog", 25): {Field(301, 4510, 4, 30)},
    }
    assert run.training_fields(["there"]) == {"there": ["301-001035-6-0017"]}


@pytest.mark.parametrize("bucket, role", [("test", "test_on"), ("validation", "validate_on")])
def test_a_field_in_training_and_test_of_two_archive_skies_is_refused(config, bucket, role):
    """The same sky under two names, and under another rerun, too; what is simulated is another sky."""
    config["experiments"]["first"][role] = "two"
    for rerun in (301, 40):
        two = [*OTHER, f"{rerun}\t8162\t6\t174\t{bucket}"]
        said = rf"field {rerun}-008162-6-0174 of sky two is in bucket {bucket} and, in sky one, in training set small"
        with pytest.raises(StargalError, match=said):
            run_of(config, one=ROWS, two=two)
        read_fields.cache_clear()
    config["experiments"]["first"][role] = "simulated"
    assert run_of(config, one=ROWS, simulated=two).transferred("one") == (["first"] if role == "test_on" else [])


def test_the_same_sky_twice_in_validation_and_test_of_two_archive_skies_is_refused(config):
    config["experiments"]["first"]["test_on"] = "two"
    two = [*OTHER, "40\t8162\t6\t120\ttest"]
    with pytest.raises(StargalError, match="of sky two is in bucket test and, in sky one, in bucket validation"):
        run_of(config, one=ROWS, two=two)


def test_a_field_that_another_experiment_trains_on_may_be_tested(config):
    config["experiments"]["first"]["test_on"] = "two"
    assert run_of(config, one=[*ROWS, "301\t8162\t5\t90\ttrain"], two=[*OTHER, "301\t8162\t5\t90\ttest"])
    config["experiments"]["first"]["training_set"] = "large"
    read_fields.cache_clear()
    with pytest.raises(StargalError, match="in training set large"):
        run_of(config, one=[*ROWS, "301\t8162\t5\t90\ttrain"], two=[*OTHER, "301\t8162\t5\t90\ttest"])


def test_buckets_that_an_experiment_needs_must_hold_fields(config):
    """Those of its roles on each sky, no others; a sky that none uses may be without any."""
    with pytest.raises(
        StargalError, match=r"one\.tsv: bucket test is empty; each of train, validation, test needs a fie"
    ):
        run_of(config, one=ROWS[:2])
    config["experiments"]["first"]["test_on"] = "two"
    read_fields.cache_clear()
    assert run_of(config, one=ROWS[:2], two=OTHER[2:], three=None)
    read_fields.cache_clear()
    with pytest.raises(StargalError, match=r"two\.tsv: bucket test is empty; each of test needs a field"):
        run_of(config, one=ROWS[:2], two=OTHER[:2])
    run = run_of(config, one=ROWS[:2], two=None)  # a sky without a table can only be classified
    assert "first" not in run.of_every_run
    assert run.scored("one") == {}


def test_what_every_run_trains(config):
    """What the configuration lists and its comparisons make; studies only when asked for."""
    config["experiments"] |= {
        "later": {"model": "base", "training_set": "small", "study": True},
        "four": {"model": "base", "training_set": "small", "task": "four_classes"},
        "gone": None,
    }
    config["comparisons"] = {"turned": {"base": "first", "vary": {"augmentation": ["rotation", "none"]}}, "gone": None}
    config["studies"] = {"size": {"base": "later", "vary": {"patch_size": [15, 25]}}}
    run = run_of(config, one=ROWS)
    assert run.of_every_run == ["first", "four", "turned-rotation"]
    assert list(run.experiments) == ["first", "later", "four", "turned-rotation", "size-15"]
    assert list(run.scored("one")) == ["first"] and list(run.scored("one", "four_classes")) == ["four"]
    assert run.compared("turned") == {
        "first": {"augmentation": "none"},
        "turned-rotation": {"augmentation": "rotation"},
    }
    assert run.compared("size") == {"later": {"patch_size": 25}, "size-15": {"patch_size": 15}}
    assert run.vary("size") == {"patch_size": [15, 25]} and run.home("size") == "one"
    assert run.uses_of_patches(["size-15"]) == {("one", "catalog", 15): {TRAIN, VALIDATION, TEST}}


def test_a_comparison_may_vary_the_sky(config):
    config["studies"] = {"skies": {"base": "first", "vary": {"test_on": ["one", "two"]}}}
    run = run_of(config, one=ROWS, two=OTHER)
    assert run.compared("skies") == {"first": {"test_on": "one"}, "skies-two": {"test_on": "two"}}
    assert run.home("skies") == "one"
    assert run.label(*run.compared("skies")) == "SDSS imaging (one), tested on SDSS imaging (two)"


def test_detections_have_labels_on_a_simulated_sky_alone(config):
    config["sky"] = "simulated"
    config["experiments"]["first"]["positions"] = "detections"
    run = run_of(config, simulated=ROWS)
    path = run.set_path(run.experiments["first"], "training")
    assert path == "results/simulated/sets/detections/25/small.csv"
    config["experiments"]["first"]["test_on"] = "two"
    with pytest.raises(StargalError, match=r"config: an experiment with `positions: detections` uses sky two, but"):
        run_of(config, simulated=ROWS, two=OTHER)


@pytest.mark.parametrize(("augmentation", "refused"), [("turned", False), ("blur", True), ("combination", True)])
def test_what_would_not_change_the_psf_is_refused(config, augmentation, refused):
    config["experiments"]["first"] |= {"model": "psf_aware", "augmentation": augmentation}
    if not refused:
        assert run_of(config, one=ROWS).experiments["first"].augmentation == {"rotations": True, "reflections": True}
        return
    message = rf"config: psf_aware with augmentation {augmentation}: (blur|blur, offset) would not change the PSF"
    with pytest.raises(StargalError, match=message):
        run_of(config, one=ROWS)
