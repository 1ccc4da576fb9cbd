"""What a run consists of: its skies, sets and experiments, resolved from the configuration."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from stargal.errors import StargalError
from stargal.plan.experiments import (
    PSF_AWARE,
    Experiment,
    all_comparisons,
    changed_keys,
    named_experiments,
    vary_experiment,
)
from stargal.plan.paths import SET, fill
from stargal.plan.skies import BUCKETS, require_buckets, resolve_skies, resolve_training_set
from stargal.survey.fields import Field


class Run:
    """The resolved configuration.

    Parameters
    ----------
    config : mapping
        A checked configuration.
    root : path
        Folder of the Snakefile, where tables of fields are looked for that are not in the working directory.
    schema : path
        JSON schema of a row of a table of fields.

    Attributes
    ----------
    skies : dict of Sky
        By name.
    named, varied : dict
        Experiments that the configuration lists, by name; those of each comparison and study, by its name.
    experiments : dict of Experiment
        All of them, by name.

    Raises
    ------
    StargalError
        If a table of fields or a training set is not what it must be, or two skies of an archive share a field that
        one experiment trains on and is tested on.
    """

    def __init__(self, config: Mapping[str, Any], root: Path, schema: Path) -> None:
        self.config = config
        self.skies = resolve_skies(config, root, schema)
        self.named = named_experiments(config)
        self.varied = {name: vary_experiment(name, config) for name in all_comparisons(config)}
        self.experiments = {
            name: experiment for part in (self.named, *self.varied.values()) for name, experiment in part.items()
        }
        self._sets: dict[tuple[str, str], list[Field]] = {}
        for experiment in self.experiments.values():
            if self.has_fields(experiment):
                self._check_experiment(experiment)

    def has_fields(self, experiment: Experiment) -> bool:
        """Return whether all skies of an experiment have a table of fields; others can only be classified."""
        return all(self.skies[sky].buckets for sky, _ in experiment.sets.values())

    def _check_experiment(self, experiment: Experiment) -> None:
        """Require fields for each role of an experiment, and refuse to test on what it trains on."""
        roles = dict(zip(("train", "validate", "test"), BUCKETS, strict=True))
        for sky in {experiment.sky(role) for role in roles}:
            wanted = tuple(bucket for role, bucket in roles.items() if experiment.sky(role) == sky)
            require_buckets(self.skies[sky], self.config["skies"][sky].get("fields") or "config", wanted)
        if experiment.positions == "detections":
            unlabelled = {sky for sky, _ in experiment.sets.values() if not self.skies[sky].simulated}
            if unlabelled:
                raise StargalError(
                    f"config: an experiment with `positions: detections` uses sky {', '.join(sorted(unlabelled))}, but "
                    "detections have labels on a simulated sky alone; use `positions: catalog`, or a simulated sky"
                )
        other = sorted(set(experiment.augmentation) - {"rotations", "reflections"})
        if experiment.model["architecture"] == PSF_AWARE and other:
            raise StargalError(
                f"config: {PSF_AWARE} with augmentation {experiment.settings['augmentation']}: {', '.join(other)} "
                "would not change the PSF with the patch; use rotations and reflections alone"
            )
        learned = experiment.sets["training"]
        places = {(field.run, field.camcol, field.field) for field in self.fields_of_set(*learned)}
        for role in ("validation", "test"):
            sky, name = experiment.sets[role]
            for field in self.fields_of_set(sky, name) if sky != learned[0] else []:
                simulated = self.skies[sky].simulated or self.skies[learned[0]].simulated
                if not simulated and (field.run, field.camcol, field.field) in places:
                    raise StargalError(
                        f"config: field {field.name} of sky {sky} is in bucket {name} and, in sky {learned[0]}, in "
                        f"training set {learned[1]}: they are the same sky; take it out of one of the tables of fields"
                    )

    def fields_of_set(self, sky: str, name: str) -> list[Field]:
        """Return the fields of a training set or of a bucket of a sky."""
        if (sky, name) not in self._sets:
            buckets, sets = self.skies[sky].buckets, self.config["training_sets"]
            self._sets[sky, name] = (
                resolve_training_set(name, sets[name], buckets) if name in sets else self.skies[sky].fields(name)
            )
        return self._sets[sky, name]

    @property
    def of_every_run(self) -> list[str]:
        """Names of the experiments of rule all; those of studies are trained when asked for."""
        listed = [name for name, experiment in self.named.items() if not experiment.settings["study"]]
        listed += [name for part in self.config["comparisons"] for name in self.varied.get(part, ())]
        return [name for name in listed if self.has_fields(self.experiments[name])]

    def scored(self, sky: str, task: str = "star_galaxy") -> dict[str, Experiment]:
        """Return the listed experiments of a task that train on a sky: those of the tables of scores."""
        return {
            name: experiment
            for name, experiment in self.named.items()
            if (experiment.sky("train"), experiment.task) == (sky, task)
            and self.has_fields(experiment)
            and (task != "star_galaxy" or not experiment.settings["study"])
        }

    def compared_with_peers(self, sky: str) -> list[str]:
        """Return the listed experiments of stars and galaxies that are validated and tested on a sky."""
        return [
            name
            for name, experiment in self.named.items()
            if (experiment.task, experiment.sky("validate"), experiment.sky("test")) == ("star_galaxy", sky, sky)
            and self.has_fields(experiment)
            and not experiment.settings["study"]
        ]

    def transferred(self, sky: str) -> list[str]:
        """Return the listed experiments that train on a sky and are tested on another."""
        return [name for name, experiment in self.scored(sky).items() if experiment.sky("test") != sky]

    def set_path(self, experiment: Experiment, role: str) -> str:
        """Return the path of the list of an experiment's set: training, validation or test."""
        sky, name = experiment.sets[role]
        return fill(SET, sky=sky, positions=experiment.positions, size=experiment.patch_size, set=name)

    def models(self, pattern: str, names: Iterable[str], seeds: Sequence[int] | None = None) -> list[str]:
        """Return paths of experiments and seeds, by experiment, then seed, each below the sky that it trains on."""
        return [
            fill(pattern, sky=self.experiments[name].sky("train"), experiment=name, seed=seed)
            for name in names
            for seed in seeds or self.config["seeds"]
        ]

    def training_fields(self, names: Iterable[str]) -> dict[str, list[str]]:
        """Return the names of the training fields of some experiments."""
        sets = {name: self.experiments[name].sets["training"] for name in names}
        return {name: [field.name for field in self.fields_of_set(*members)] for name, members in sets.items()}

    def compared(self, comparison: str) -> dict[str, dict[str, Any]]:
        """Return the experiments of a comparison, the base first, each with its values of what is varied."""
        block = all_comparisons(self.config)[comparison]
        return {
            name: {key: self.experiments[name].settings.get(key) for key in changed_keys(block)}
            for name in (block["base"], *self.varied[comparison])
        }

    def home(self, comparison: str) -> str:
        """Return the sky that the experiments of a comparison train on."""
        return self.experiments[all_comparisons(self.config)[comparison]["base"]].sky("train")

    def vary(self, comparison: str) -> dict[str, Any]:
        """Return the block `vary` of a comparison, empty if it lists cases."""
        return all_comparisons(self.config)[comparison].get("vary", {})

    def label(self, *experiments: str) -> str:
        """Return what tables and figures of experiments say of their skies."""
        trained = dict.fromkeys(self.experiments[name].sky("train") for name in experiments)
        tested = dict.fromkeys(self.experiments[name].sky("test") for name in experiments)
        return ", ".join(self.skies[name].label for name in trained) + "".join(
            f", tested on {self.skies[name].label}" for name in tested if name not in trained
        )

    def uses_of_patches(self, names: list[str]) -> dict[tuple[str, str, int], set[Field]]:
        """Return the fields whose patches some experiments read, by sky, positions and size of the patches."""
        uses: dict[tuple[str, str, int], set[Field]] = {}
        for name in names:
            experiment = self.experiments[name]
            for sky, members in experiment.sets.values():
                key = sky, experiment.positions, experiment.patch_size
                uses.setdefault(key, set()).update(self.fields_of_set(sky, members))
        return uses
