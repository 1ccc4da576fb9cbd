"""Draw how often a source is a star against the probability it was given, on the test fields."""

from pathlib import Path
from typing import Annotated

from typer import Option

from stargal.io import cli
from stargal.io.tables import read_table
from stargal.report import look, plots
from stargal.survey.labels import labelled


def main(
    sky: Annotated[str, Option(help="Name of the sky, said on the output.")],
    experiments: Annotated[str, Option(help="With spaces between.")],
    seeds: Annotated[str, Option(help="With spaces between.")],
    predictions: Annotated[str, Option(help="Path of the predictions of {experiment} and {seed}.")],
    labels: Annotated[str, Option(help="Labels to score against: photo or truth.")],
    figure: Annotated[Path, Option(help="Where to write the figure.")],
) -> None:
    """Draw the reliability diagrams."""
    runs = {
        name: [
            labelled(read_table(Path(predictions.format(experiment=name, seed=seed))), labels, "test")
            for seed in seeds.split()
        ]
        for name in experiments.split()
    }
    with look.style():
        look.save(plots.reliability_diagrams(runs), figure, sky)


if __name__ == "__main__":
    cli.run(main)
