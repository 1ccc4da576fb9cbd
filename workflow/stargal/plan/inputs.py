"""Functions of wildcards: what the inputs and settings of a rule are for one of its jobs.

A job is anything with the wildcards as attributes, as Snakemake gives them: ``job.sky``, ``job.field``.
"""

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from stargal.errors import StargalError
from stargal.plan.paths import BASELINES, fill
from stargal.plan.run import Run
from stargal.plan.skies import Sky
from stargal.survey.fields import Field

SURVEY_FRAMES = {
    "dr17": "https://data.sdss.org/sas/dr17/eboss/photoObj/frames",
    "dr18": "https://data.sdss.org/sas/dr18/prior-surveys/sdss4-dr17-eboss/photoObj/frames",
}
"""Folder of the frames in the survey's own archive, by release."""

Paths = Callable[[Any], list[str]]


def paths_of(pattern: str, fields: Iterable[Field], **wildcards: Any) -> list[str]:
    """Return a path for each field."""
    return [fill(pattern, field=field.name, **wildcards) for field in fields]


def paths_made(rows: Iterable[Mapping[str, Any]], target: str, sky: str) -> list[str]:
    """Return the outputs of the rows of tables and figures that are part of a target."""
    paths: list[str] = []
    for row in rows:
        given = row["make"].get(target)
        if given is not None:
            values = [value if isinstance(value, list) else [value] for value in given.values()]
            wildcards = [dict(zip(given, combination, strict=True)) for combination in itertools.product(*values)]
            paths += [fill(output, sky=sky, **one) for output in map(str, row["output"].values()) for one in wildcards]
    return paths


class Inputs:
    """Functions of wildcards for a run.

    Parameters
    ----------
    run : Run
    """

    def __init__(self, run: Run) -> None:
        self.run = run

    def sky(self, job: Any) -> Sky:
        """Return the sky of a job."""
        return self.run.skies[job.sky]

    def of_sky(self, pattern: str, **wildcards: Any) -> Paths:
        """Files of a kind of all fields of a job's sky."""
        return lambda job: paths_of(pattern, self.sky(job).fields(), sky=job.sky, **wildcards)

    def of_set(self, pattern: str) -> Paths:
        """Files of a kind of the fields of a job's set; a set without fields is an error."""

        def paths(job: Any) -> list[str]:
            fields = self.run.fields_of_set(job.sky, job.set)
            if not fields:
                raise StargalError(f"skies.{job.sky}: no field for set {job.set}; name a table of fields in `fields`")
            return paths_of(fill(pattern, **job), fields)

        return paths

    def of_scored(self, pattern: str, task: str = "star_galaxy") -> Paths:
        """Files of a kind of the listed experiments that train on a job's sky, by experiment, then seed."""
        return lambda job: self.run.models(pattern, self.run.scored(job.sky, task))

    def of_compared(self, pattern: str, seeds: Sequence[int] | None = None) -> Paths:
        """Files of a kind of the experiments of a job's comparison, by experiment, then seed."""
        return lambda job: self.run.models(pattern, self.run.compared(job.comparison), seeds)

    def of_baselines(self, file: str) -> Paths:
        """Return a function for a file of the baselines of each training set of a job's sky."""
        return lambda job: [
            fill(f"{BASELINES}/{file}", sky=job.sky, training_set=name) for name in self.training_sets(job)
        ]

    def example_of(self, pattern: str, **wildcards: Any) -> Callable[[Any], str]:
        """Return a function for a file of the first training field of a job's sky."""
        return lambda job: fill(pattern, sky=job.sky, field=self.sky(job).fields("train")[0].name, **wildcards)

    def training_sets(self, job: Any) -> list[str]:
        """Return the training sets of the listed experiments of a job's sky."""
        return sorted({experiment.training_set for experiment in self.run.scored(job.sky).values()})

    def scored_fields(self, job: Any) -> dict[str, list[Field]]:
        """Return the fields that baselines learn from and are scored on, by role."""
        sets = {"training": job.training_set, "validation": "validation", "test": "test"}
        return {role: self.run.fields_of_set(job.sky, name) for role, name in sets.items()}

    def of_camcol(self, job: Any) -> list[Field]:
        """Return the fields of the table in a job's camcol."""
        return self.sky(job).camcol(*(int(getattr(job, key)) for key in ("rerun", "run", "camcol")))

    def tables(self, job: Any) -> list[dict[str, Any]]:
        """Return the tables of classes that a job's sky names; none for a training field, whose labels are chosen."""
        sky = self.sky(job)
        return [] if sky.buckets.get(Field.parse(job.field)) == "train" else sky.tables

    def of_peers(self, sky: Sky, classified: Iterable[Field]) -> dict[str, list[Field]]:
        """Return the fields on which classifiers are compared, by bucket.

        They are the validation and test fields; and those of the classified fields that are in no bucket, if the sky
        names tables of independent classes, by which they can be scored.
        """
        fields = {bucket: sky.fields(bucket) for bucket in ("validation", "test")}
        if any(one["part"] == "truth" for one in sky.tables):
            fields["none"] = [field for field in classified if field not in sky.buckets]
        return {bucket: members for bucket, members in fields.items() if members}

    def require_peers(self, sky: Sky, fields: Mapping[str, list[Field]]) -> bool:
        """Require a field on which classifiers can be compared.

        Raises
        ------
        StargalError
            Naming the keys that give one.
        """
        if not fields:
            raise StargalError(
                f"skies.{sky.name}: no field to compare classifiers on; name a table of fields with validation or test "
                "fields in `fields`, or independent classes in `truth` and fields in `classify.fields`"
            )
        return True

    def training_minutes(self, job: Any) -> int:
        """Return the time to ask for: about a millisecond a patch and epoch."""
        return 15 + 3 * len(self.run.fields_of_set(*self.run.experiments[job.experiment].sets["training"]))

    def label(self, job: Any) -> str:
        """Return the name of a job's sky, which every table and figure shows."""
        return self.sky(job).label

    def release(self, job: Any) -> str:
        """Return the release of the frames of a job's sky; empty for a simulated sky."""
        return str(self.sky(job).source.get("release", ""))

    def address(self, job: Any) -> str:
        """Return the folder of a job's frames in the survey's own archive, wherever they were downloaded from.

        It is empty for a simulated sky, and for releases that are not in `SURVEY_FRAMES`.
        """
        frames = SURVEY_FRAMES.get(self.release(job))
        field = Field.parse(job.field)
        return f"{frames}/{field.rerun}/{field.run}/{field.camcol}" if frames else ""

    def label_of_scored(self, task: str = "star_galaxy") -> Callable[[Any], str]:
        """Return a function for the name of the skies of the listed experiments of a job's sky."""
        return lambda job: self.run.label(*self.run.scored(job.sky, task))

    def label_of_compared(self, job: Any) -> str:
        """Return the name of the skies of the experiments of a job's comparison."""
        return self.run.label(*self.run.compared(job.comparison))
