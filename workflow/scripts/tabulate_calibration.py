"""Score the published classifier with and without its calibration."""

from pathlib import Path
from typing import Annotated

import pandas as pd
from typer import Argument, Option

from stargal import cli
from stargal.labels import LABELS, labelled
from stargal.metrics import calibration_error, evaluate
from stargal.tables import read_table, write_csv

SCORES = [f"{name}{end}" for name in ("log_loss", "brier", "accuracy", "mcc") for end in ("", "_low", "_high")]


def main(
    predictions: Annotated[Path, Argument(help="Predictions of the classifier.")],
    sky: Annotated[str, Option(help="Name of the sky, said on the output.")],
    resamples: Annotated[int, Option(help="Of the intervals.")],
    table: Annotated[Path, Option(help="Where to write the table.")],
) -> None:
    """Score the calibration."""
    predicted = read_table(predictions)
    rows = []
    for against in LABELS:
        for bucket in ("validation", "test"):
            sources = labelled(predicted, against, bucket)
            if sources.empty:
                continue
            label = sources["label"].to_numpy()
            for name in ("uncalibrated", "probability"):
                given = sources[name].to_numpy(float)
                scores = evaluate(label, given, resamples=resamples)
                where = {"against": against, "bucket": bucket, "calibrated": "yes" if name == "probability" else "no"}
                scores["calibration_error"] = calibration_error(label, given)
                rows.append(where | {name: scores[name] for name in ("sources", *SCORES, "calibration_error")})
    write_csv(pd.DataFrame(rows), table, sky)


if __name__ == "__main__":
    cli.run(main)
