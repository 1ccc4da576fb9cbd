"""Score the predictions of a network.

Reads predictions.parquet; writes metrics.json: counts and scores with 95 % intervals for each bucket, and for each bin
of r magnitude or, for the task four_classes, each class in it.
"""

import json
from pathlib import Path
from typing import Annotated

from typer import Option

from stargal.io import cli
from stargal.io.tables import read_table, write_records
from stargal.learning.tasks import task_of
from stargal.learning.training_data import read_labels, read_sets


def main(
    predictions: Annotated[Path, Option(help="Predictions of the network.")],
    task: Annotated[str, Option(help="star_galaxy or four_classes.")],
    edges: Annotated[str, Option(help="JSON: edges of the bins of r model magnitude.")],
    resamples: Annotated[int, Option(help="Bootstrap resamples.")],
    metrics: Annotated[Path, Option(help="Output: the scores, .json.")],
    training: Annotated[
        list[Path] | None, Option(help="List of training fields; four_classes only; repeatable.")
    ] = None,
) -> None:
    """Score a network."""
    learned = read_labels(read_sets(training)) if training else None
    records = task_of(task).score(
        read_table(predictions), [float(edge) for edge in json.loads(edges)], resamples, learned
    )
    write_records(records, metrics)


if __name__ == "__main__":
    cli.run(main)
