"""Classify the detections of some fields by a random forest on the photometry of the training fields.

Reads detections and matched detections; writes results/{sky}/peers/forest.parquet, one row per detection.
"""

import json
from pathlib import Path
from typing import Annotated

from threadpoolctl import threadpool_limits
from typer import Option

from stargal.evaluation.forest import classify_by_forest
from stargal.io import cli
from stargal.io.files import whole
from stargal.io.tables import read_table
from stargal.survey.fields import parse_fields


def main(
    fields: Annotated[str, Option(help="JSON: fields of training and scored.")],
    training: Annotated[str, Option(help="Path of the detections of training field {field}.")],
    matched: Annotated[str, Option(help="Path of its matched detections.")],
    detections: Annotated[str, Option(help="Path of the detections of field {field} to classify.")],
    labels: Annotated[str, Option(help="Labels to train on: photo or truth.")],
    seed: Annotated[int, Option(help="Seed of the forest.")],
    forest: Annotated[Path, Option(help="Output: probabilities, .parquet.")],
) -> None:
    """Grow the forest and classify."""
    names = {role: [one.name for one in parse_fields(text)] for role, text in json.loads(fields).items()}

    def read(pattern: str, role: str) -> list:  # type: ignore[type-arg]
        return [read_table(Path(pattern.replace("{field}", name))) for name in names[role]]

    with threadpool_limits(1):
        table = classify_by_forest(
            read(training, "training"),
            read(matched, "training"),
            read(detections, "scored"),
            labels=labels,
            seed=seed,
        )
    with whole(forest) as partial:
        table.to_parquet(partial, index=False)


if __name__ == "__main__":
    cli.run(main)
