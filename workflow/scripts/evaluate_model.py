"""Score the predictions of a model.

Reads predictions.parquet; writes metrics.json: counts and scores with 95 % intervals for each bucket, and for each bin
of r magnitude in it.
"""

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from stargal.evaluation.metrics import evaluate_buckets
from stargal.io import cli
from stargal.io.tables import read_table, write_records
from stargal.survey.labels import require_both_classes


def main(
    predictions: Annotated[Path, Argument(help="The predictions.")],
    edges: Annotated[str, Option(help="Edges of the bins of r model magnitude, with spaces between.")],
    resamples: Annotated[int, Option(help="Bootstrap resamples.")],
    metrics: Annotated[Path, Option(help="Where to write the scores.")],
) -> None:
    """Score a model."""
    table = read_table(predictions, ["bucket", "label", "truth", "model_mag_r", "probability"])
    for bucket, sources in table.groupby("bucket"):
        require_both_classes(f"bucket {bucket}", sources["label"].to_numpy())
    bins = [float(edge) for edge in edges.split()]
    write_records(evaluate_buckets(table, "probability", edges=bins, resamples=resamples), metrics)


if __name__ == "__main__":
    cli.run(main)
