"""Draw loss and accuracy against the epoch, from the history.csv of each experiment and seed."""

from pathlib import Path
from typing import Annotated

from typer import Option

from stargal.io import cli
from stargal.io.tables import read_csv
from stargal.report import look, plots


def main(
    sky: Annotated[str, Option(help="Name of the sky, said on the output.")],
    experiments: Annotated[str, Option(help="With spaces between.")],
    seeds: Annotated[str, Option(help="With spaces between.")],
    histories: Annotated[str, Option(help="Path of the history of {experiment} and {seed}.")],
    figure: Annotated[Path, Option(help="Where to write the figure.")],
) -> None:
    """Draw the training curves."""
    runs = {
        name: [read_csv(Path(histories.format(experiment=name, seed=seed))) for seed in seeds.split()]
        for name in experiments.split()
    }
    with look.style():
        look.save(plots.training_curves(runs), figure, sky)


if __name__ == "__main__":
    cli.run(main)
