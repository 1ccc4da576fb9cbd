"""Draw how often a source is a star against the published classifier's probability, with and without calibration."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from stargal.io import cli
from stargal.io.tables import read_table
from stargal.report import look, plots
from stargal.survey.labels import labelled


def main(
    predictions: Annotated[Path, Argument(help="Predictions of the classifier.")],
    sky: Annotated[str, Option(help="Name of the sky, said on the output.")],
    labels: Annotated[str, Option(help="Labels to score against: photo or truth.")],
    figure: Annotated[Path, Option(help="Where to write the figure.")],
) -> None:
    """Draw the reliability diagrams."""
    sources = labelled(read_table(predictions), labels, "test")
    shown = {"uncalibrated": [sources.assign(probability=sources["uncalibrated"])], "calibrated": [sources]}
    with look.style():
        look.save(plots.reliability_diagrams(shown), figure, sky)


if __name__ == "__main__":
    cli.run(main)
