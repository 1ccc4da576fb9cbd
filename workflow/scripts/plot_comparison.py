"""Draw how far the experiments of a comparison are from their base, with 95 % intervals, from its table."""

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
    varied: Annotated[str, Option(help="What the names of the experiments say.")],
    figure: Annotated[Path, Option(help="Where to write the figure.")],
) -> None:
    """Draw a comparison."""
    with look.style():
        look.save(plots.differences(pd.read_csv(intact(comparison)), varied), figure, sky)


if __name__ == "__main__":
    cli.run(main)
