"""Tables of scores: every experiment, seed and baseline, as a whole, by magnitude and by field."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from stargal.evaluation.baselines import BASELINES
from stargal.evaluation.metrics import SCORE_COLUMNS, score_predictions
from stargal.survey.labels import require_both_classes

Records = Sequence[Mapping[str, Any]]

BIN = ("magnitude_low", "magnitude_high")
"""Edges of a bin of magnitude."""


def over_seeds(
    experiments: Sequence[str], seeds: Sequence[int], inputs: Sequence[Any]
) -> Iterator[tuple[str, int, Any]]:
    """Yield experiment, seed and input of a flat list that is ordered by experiment, then seed."""
    pairs = [(experiment, seed) for experiment in experiments for seed in seeds]
    for (experiment, seed), one in zip(pairs, inputs, strict=True):
        yield experiment, seed, one


def score_tables(
    metrics: Sequence[Records],
    baselines: Sequence[Records],
    *,
    experiments: Mapping[str, str],
    seeds: Sequence[int],
    training_sets: Sequence[str],
) -> dict[str, pd.DataFrame]:
    """Scores of all experiments and baselines.

    Parameters
    ----------
    metrics : sequence of records
        Records of `stargal.evaluation.metrics.score_buckets`, by experiment, then seed.
    baselines : sequence of records
        Records of `stargal.evaluation.baselines.score_baselines`, in the order of `training_sets`.
    experiments : mapping
        Training set of each experiment.
    seeds : sequence of int
    training_sets : sequence of str

    Returns
    -------
    dict
        ``scores``: one row per classifier, training set, seed, kind of label (``against``) and bucket, with
        `SCORE_COLUMNS`; ``by_magnitude``: the same for each bin of magnitude. Baselines have no seed, and those that
        are not trained no training set.
    """
    rows = [
        {"classifier": experiment, "training_set": experiments[experiment], "seed": seed} | dict(record)
        for experiment, seed, records in over_seeds(list(experiments), seeds, metrics)
        for record in records
    ]
    scored = dict(zip(training_sets, baselines, strict=True))
    for place, training_set in enumerate(dict.fromkeys(experiments.values())):
        for record in scored[training_set]:
            learned = BASELINES[record["classifier"]].learned
            if learned or place == 0:  # the others are the same for every training set
                rows.append({"training_set": training_set if learned else None} | dict(record))
    table = pd.DataFrame(
        rows, columns=["classifier", "training_set", "seed", "against", "bucket", *BIN, *SCORE_COLUMNS]
    )
    table["seed"] = table["seed"].astype("Int64")
    binned = table[BIN[0]].notna()
    return {"scores": table[~binned].drop(columns=list(BIN)), "by_magnitude": table[binned]}


def field_scores(
    predictions: Sequence[pd.DataFrame], *, experiments: Sequence[str], seeds: Sequence[int], resamples: int
) -> pd.DataFrame:
    """Scores on each test field against photo's types, for networks tested on another sky for example.

    Parameters
    ----------
    predictions : sequence of DataFrame
        Predictions of the task star_galaxy, by experiment, then seed.
    experiments : sequence of str
    seeds : sequence of int
    resamples : int
        Bootstrap resamples of the intervals.

    Returns
    -------
    DataFrame
        One row per experiment, seed and field of bucket test: ``classifier, seed, field`` and `SCORE_COLUMNS`.

    Raises
    ------
    StargalError
        If a field lacks a class.
    """
    rows = []
    for experiment, seed, table in over_seeds(experiments, seeds, predictions):
        for field, sources in table[table["bucket"] == "test"].groupby("field"):
            labels, probability = sources["label"].to_numpy(), sources["probability"].to_numpy()
            require_both_classes(f"field {field}", labels)
            scores = score_predictions(labels, probability, resamples=resamples)
            rows.append({"classifier": experiment, "seed": seed, "field": field} | scores)
    return pd.DataFrame(rows, columns=["classifier", "seed", "field", *SCORE_COLUMNS])
