"""Experiments, and those that comparisons make of them."""

import pytest

from configurations import CONFIG_SCHEMA, DEFAULT, default_config
from stargal.plan.config import check_config
from stargal.plan.experiments import all_comparisons, changed_keys, named_experiments, vary_experiment


@pytest.fixture
def config():
    return default_config()


def test_an_experiment_is_resolved_with_its_defaults(config):
    named = named_experiments(config)
    assert list(named) == ["base_small", "regularized_small", "regularized_large", "psf_aware_large", "four_classes"]
    experiment = named["regularized_large"]
    assert experiment.model == config["models"]["regularized"] and experiment.augmentation == {}
    assert (experiment.training_set, experiment.patch_size, experiment.auxiliary) == ("large", 25, [])
    assert (experiment.task, experiment.positions) == ("star_galaxy", "catalog")
    assert [experiment.sky(role) for role in ("train", "validate", "test")] == ["simulated"] * 3
    config["experiments"]["four_classes"] = None
    assert "four_classes" not in named_experiments(config)


def test_four_classes_lie_on_places_for_the_size_of_their_patches(config):
    config["experiments"]["four_classes"]["patch_size"] = 31
    experiment = named_experiments(config)["four_classes"]
    assert (experiment.task, experiment.positions, experiment.patch_size) == ("four_classes", "places31", 31)


def test_roles_may_lie_on_several_skies(config):
    """What is not said is where it trains; where it trains is the main sky, unless said otherwise."""
    config["experiments"] = {
        "here": {"model": "base", "training_set": "small"},
        "tested": {"model": "base", "training_set": "small", "test_on": "sdss"},
        "there": {"model": "base", "training_set": "small", "train_on": "sdss"},
        "back": {"model": "base", "training_set": "small", "train_on": "sdss", "test_on": "simulated"},
    }
    sets = {
        name: [sky for sky, _ in experiment.sets.values()] for name, experiment in named_experiments(config).items()
    }
    assert sets == {
        "here": ["simulated"] * 3,
        "tested": ["simulated", "simulated", "sdss"],
        "there": ["sdss"] * 3,
        "back": ["sdss", "sdss", "simulated"],
    }
    assert named_experiments(config)["tested"].sets == {
        "training": ("simulated", "small"),
        "validation": ("simulated", "validation"),
        "test": ("sdss", "test"),
    }


def test_a_comparison_makes_an_experiment_of_each_combination(config):
    config["studies"] = {
        "tuning": {"base": "regularized_small", "vary": {"dropout": [0.2, 0.5], "patch_size": [15, 25]}}
    }
    check_config(config, CONFIG_SCHEMA, [DEFAULT])
    varied = vary_experiment("tuning", config)
    assert list(varied) == ["tuning-0.2-15", "tuning-0.5-15", "tuning-0.5-25"]  # 0.2 and 25 are the base's own
    assert varied["tuning-0.5-15"].patch_size == 15
    assert varied["tuning-0.5-15"].model == {**config["models"]["regularized"], "dropout": 0.5}
    assert varied["tuning-0.5-15"].training_set == "small" and varied["tuning-0.5-15"].augmentation == {}
    rotated = vary_experiment("augmentation_small", config)["augmentation_small-rotation"]
    assert rotated.augmentation == {"rotations": True}
    config["comparisons"]["augmentation_small"] = None
    assert "augmentation_small" not in all_comparisons(config)


def test_auxiliary_inputs_are_the_experiments_own(config):
    varied = vary_experiment("auxiliary", config)
    given = {name: experiment.auxiliary for name, experiment in varied.items()}
    both = ["psf_fwhm", "sky_sigma"]
    assert given == {"auxiliary-psf_fwhm": both[:1], "auxiliary-sky_sigma": both[1:], "auxiliary-both": both}
    assert all(experiment.model == config["models"]["regularized"] for experiment in varied.values())


def test_a_case_changes_some_keys_of_the_experiment_and_of_its_model(config):
    config["studies"] = {
        "mine": {
            "base": "regularized_small",
            "cases": {
                "deep": {"model": "cnn", "filters": [8, 8, 8]},
                "wide": {"model": "unet", "patch_size": 49},
                "same": {"l2": config["models"]["regularized"]["l2"]},
                "real": {"test_on": "sdss"},
            },
        }
    }
    check_config(config, CONFIG_SCHEMA, [DEFAULT])
    varied = vary_experiment("mine", config)
    assert list(varied) == ["mine-deep", "mine-wide", "mine-real"]  # the third case is the base itself
    assert varied["mine-deep"].model == {**config["models"]["cnn"], "filters": [8, 8, 8]}
    assert (varied["mine-deep"].patch_size, varied["mine-wide"].patch_size) == (25, 49)
    assert varied["mine-wide"].training_set == "small"
    assert varied["mine-real"].sets["test"] == ("sdss", "test")
    assert changed_keys(config["studies"]["mine"]) == ["model", "filters", "patch_size", "l2", "test_on"]
    assert changed_keys(config["comparisons"]["augmentation_small"]) == ["augmentation"]
