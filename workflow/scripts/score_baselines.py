"""Classify and score the validation and test fields by simple means, some of them learned on a training set.

Reads the sources of the fields; writes predictions.parquet, a row a source with a score of each baseline, and
metrics.json, as of a model but with the baseline's name in each record.
"""

from pathlib import Path
from typing import Annotated

import pandas as pd
from typer import Option

from stargal.evaluation.baselines import BASELINES, COLUMNS, score_sources
from stargal.evaluation.metrics import evaluate_buckets
from stargal.io import cli
from stargal.io.files import whole
from stargal.io.tables import read_table, write_records
from stargal.survey.fields import parse_fields
from stargal.survey.labels import LABELS, UNKNOWN, known_labels, require_both_classes


def main(
    training_set: Annotated[str, Option(help="Its name, for messages.")],
    training_fields: Annotated[str, Option(help="As stargal.survey.format_fields writes them.")],
    validation_fields: Annotated[str, Option(help="Likewise.")],
    test_fields: Annotated[str, Option(help="Likewise.")],
    sources: Annotated[str, Option(help="Path of the sources of {field}.")],
    labels: Annotated[str, Option(help="What to learn: photo or truth.")],
    seed: Annotated[int, Option(help="Seed of the coin.")],
    edges: Annotated[str, Option(help="Edges of the bins of r model magnitude, with spaces between.")],
    resamples: Annotated[int, Option(help="Bootstrap resamples.")],
    predictions: Annotated[Path, Option(help="Where to write the scores of the sources.")],
    metrics: Annotated[Path, Option(help="Where to write the scores of the baselines.")],
) -> None:
    """Score the baselines."""

    def read_fields(name: str, text: str) -> pd.DataFrame:
        fields = [field.name for field in parse_fields(text)]
        columns = ["id", "label", "truth", *COLUMNS]
        parts = [read_table(Path(sources.format(field=field)), columns).assign(field=field) for field in fields]
        found = pd.concat(parts, ignore_index=True)
        require_both_classes(name, found["label"].to_numpy())
        return found

    learned = read_fields(f"training set {training_set}", training_fields)
    known = known_labels(learned[LABELS[labels]])
    learned = learned.assign(label=known)[known != UNKNOWN]
    buckets = {"validation": validation_fields, "test": test_fields}
    table = pd.concat(
        [read_fields(f"bucket {name}", text).assign(bucket=name) for name, text in buckets.items()], ignore_index=True
    )
    table = table[["id", "field", "bucket", "label", "truth", *COLUMNS]].join(score_sources(learned, table, seed))
    bins = [float(edge) for edge in edges.split()]
    records = [
        {"classifier": name} | record
        for name, kind in BASELINES.items()
        for record in evaluate_buckets(
            table, name, edges=bins, threshold=kind.threshold, calibrated=kind.calibrated, resamples=resamples
        )
    ]
    with whole(predictions) as partial:
        table.to_parquet(partial, index=False)
    write_records(records, metrics)


if __name__ == "__main__":
    cli.run(main)
