"""Classify and score the validation and test fields with simple baselines, some of them trained on a training set.

Reads the sources of the fields; writes predictions.parquet, one row per source with a score of each baseline, and
metrics.json, as for a network but with the name of the baseline in each record.
"""

import json
from pathlib import Path
from typing import Annotated

from typer import Option

from stargal.evaluation import baselines
from stargal.io import cli
from stargal.io.files import whole
from stargal.io.tables import write_records
from stargal.survey.fields import parse_fields


def main(
    training_set: Annotated[str, Option(help="Name of the training set, for messages.")],
    fields: Annotated[str, Option(help="JSON: fields of training, validation and test.")],
    sources: Annotated[str, Option(help="Path of the sources of {field}.")],
    labels: Annotated[str, Option(help="Labels to train on: photo or truth.")],
    seed: Annotated[int, Option(help="Seed of the coin.")],
    edges: Annotated[str, Option(help="JSON: edges of the bins of r model magnitude.")],
    resamples: Annotated[int, Option(help="Bootstrap resamples.")],
    predictions: Annotated[Path, Option(help="Output: the scores of the sources, .parquet.")],
    metrics: Annotated[Path, Option(help="Output: the scores of the baselines, .json.")],
) -> None:
    """Score the baselines."""
    names = {role: [one.name for one in parse_fields(text)] for role, text in json.loads(fields).items()}
    paths = [Path(sources.replace("{field}", name)) for members in names.values() for name in members]
    table = baselines.predict_baselines(training_set, names, paths, labels=labels, seed=seed)
    records = baselines.score_baselines(table, edges=[float(edge) for edge in json.loads(edges)], resamples=resamples)
    with whole(predictions) as partial:
        table.to_parquet(partial, index=False)
    write_records(records, metrics)


if __name__ == "__main__":
    cli.run(main)
