"""Draw loss and accuracy against the epoch, from the history.csv of each experiment and seed."""

from pathlib import Path
from typing import Annotated

import pandas as pd
from stargal import cli, plots
from typer import Option


def main(
    experiments: Annotated[str, Option(help="With spaces between.")],
    seeds: Annotated[str, Option(help="With spaces between.")],
    histories: Annotated[str, Option(help="Path of the history of {experiment} and {seed}.")],
    figure: Annotated[Path, Option(help="Where to write the figure.")],
) -> None:
    """Draw the training curves."""
    runs = {
        name: [pd.read_csv(histories.format(experiment=name, seed=seed)) for seed in seeds.split()]
        for name in experiments.split()
    }
    with plots.style():
        plots.save(plots.training_curves(runs), figure)


cli.run(main)
