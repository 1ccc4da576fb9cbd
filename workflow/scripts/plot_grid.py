"""Draw the validation loss of all combinations of two or three settings, from the table of a comparison."""

import json
from pathlib import Path
from typing import Annotated

import pandas as pd
from typer import Argument, Option

from stargal.io import cli
from stargal.io.files import intact
from stargal.report import look, plots


def main(
    sky: Annotated[str, Option(help="Name of the sky, said on the output.")],
    comparison: Annotated[Path, Argument(help="The table of the comparison.")],
    vary: Annotated[str, Option(help="JSON: the settings and their values.")],
    figure: Annotated[Path, Option(help="Where to write the figure.")],
) -> None:
    """Draw a grid of settings."""
    with look.style():
        look.save(plots.loss_grid(pd.read_csv(intact(comparison)), json.loads(vary)), figure, sky)


if __name__ == "__main__":
    cli.run(main)
