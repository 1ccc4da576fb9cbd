"""Score the published classifier with and without its calibration."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from stargal.io import cli
from stargal.io.tables import read_table, write_csv
from stargal.learning.calibration import score_calibration


def main(
    predictions: Annotated[Path, Argument(help="Predictions of the classifier.")],
    sky: Annotated[str, Option(help="Name of the sky, said on the output.")],
    resamples: Annotated[int, Option(help="Of the intervals.")],
    table: Annotated[Path, Option(help="Where to write the table.")],
) -> None:
    """Score the calibration."""
    write_csv(score_calibration(read_table(predictions), resamples), table, sky)


if __name__ == "__main__":
    cli.run(main)
