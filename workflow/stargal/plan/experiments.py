"""The experiments of a configuration, and those that comparisons make of them."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

TABLE_OF = {"model": "models", "training_set": "training_sets", "augmentation": "augmentations"}
"""Where the configuration defines what an experiment names."""

ROLES = ("train_on", "validate_on", "test_on")
"""Keys of an experiment that name its skies."""

OWN = (*TABLE_OF, *ROLES, "patch_size", "auxiliary", "task", "positions", "study")
"""Keys of an experiment that a comparison may vary; others are its model's."""

PARTS = ("comparisons", "studies")
"""Where comparisons of experiments are listed: those of every run, and those that are asked for."""

NO_AUGMENTATION = "none"
"""Name that stands for no block of `augmentations`."""

PSF_AWARE = "psf_aware"
"""The architecture that takes the PSF: its patches may be turned and mirrored, but not changed in another way."""


@dataclass(frozen=True)
class Experiment:
    """What is trained: the blocks of the configuration that its names stand for.

    Attributes
    ----------
    settings : dict
        The experiment as the configuration has it, with defaults and the settings of its model.
    model, augmentation : dict
        Blocks of `models` and `augmentations`; an empty block for no augmentation.
    """

    settings: dict[str, Any]
    model: dict[str, Any]
    augmentation: dict[str, Any]

    @property
    def training_set(self) -> str:
        """Name in `training_sets`."""
        return self.settings["training_set"]

    @property
    def patch_size(self) -> int:
        """Side of the patches, pixels."""
        return self.settings["patch_size"]

    @property
    def task(self) -> str:
        """star_galaxy or four_classes."""
        return self.settings["task"]

    @property
    def positions(self) -> str:
        """Positions of its patches, a value of the wildcard."""
        return f"places{self.patch_size}" if self.task == "four_classes" else self.settings["positions"]

    @property
    def auxiliary(self) -> list[str]:
        """Names of its auxiliary inputs."""
        return self.settings["auxiliary"]

    def sky(self, role: str) -> str:
        """Name of the sky of a role: train, validate or test."""
        return self.settings[f"{role}_on"]

    @property
    def sets(self) -> dict[str, tuple[str, str]]:
        """Sky and name of the set of each role: training, validation and test."""
        return {
            "training": (self.sky("train"), self.training_set),
            "validation": (self.sky("validate"), "validation"),
            "test": (self.sky("test"), "test"),
        }


def all_comparisons(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the comparisons and studies of a configuration by name, without those that an overlay sets to null."""
    return {name: block for part in PARTS for name, block in config[part].items() if block}


def named_experiments(config: Mapping[str, Any]) -> dict[str, Experiment]:
    """Return the experiments that the configuration lists, without those that an overlay sets to null."""
    return {name: _resolve(experiment, {}, config) for name, experiment in config["experiments"].items() if experiment}


def vary_experiment(comparison: str, config: Mapping[str, Any]) -> dict[str, Experiment]:
    """Make the experiments of a comparison: one for each combination of what it varies, or each case.

    What is changed is a key of the experiment or of its model. The base itself, if it is among them, is left out.

    Returns
    -------
    dict
        By name, ``{comparison}-{value}-{value}`` or ``{comparison}-{case}``.
    """
    block = all_comparisons(config)[comparison]
    base = config["experiments"][block["base"]]
    varied = {f"{comparison}-{case}": change(base, new, config) for case, new in changes(block).items()}
    return {name: experiment for name, experiment in varied.items() if experiment != change(base, {}, config)}


def changed_keys(block: Mapping[str, Any]) -> list[str]:
    """Return the keys in which the experiments of a comparison differ, in the order of the configuration."""
    return list(dict.fromkeys(key for new in changes(block).values() for key in new))


def changes(block: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return what each experiment of a comparison changes of its base, by the end of its name."""
    if "cases" in block:
        return block["cases"]
    return {
        "-".join(map(str, values)): dict(zip(block["vary"], values, strict=True))
        for values in itertools.product(*block["vary"].values())
    }


def change(base: Mapping[str, Any], new: Mapping[str, Any], config: Mapping[str, Any]) -> Experiment:
    """Return an experiment with some keys replaced, its own or its model's."""
    own = {key: value for key, value in new.items() if key in OWN}
    return _resolve({**base, **own}, {key: new[key] for key in new if key not in own}, config)


def _resolve(experiment: Mapping[str, Any], model: Mapping[str, Any], config: Mapping[str, Any]) -> Experiment:
    """Return an experiment with its names looked up, and some settings of its model replaced."""
    home = experiment.get("train_on", config["sky"])
    defaults = {
        "patch_size": config["patches"]["size"],
        "augmentation": NO_AUGMENTATION,
        "auxiliary": [],
        "task": "star_galaxy",
        "positions": "catalog",
        "study": False,
        **dict.fromkeys(ROLES, home),
    }
    named = {**defaults, **experiment}
    block = {**config["models"][named["model"]], **model}
    return Experiment(
        settings={**named, **block},
        model=block,
        augmentation={NO_AUGMENTATION: {}, **config["augmentations"]}[named["augmentation"]],
    )
