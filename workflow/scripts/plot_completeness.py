"""Draw completeness and purity of stars and galaxies on the test fields, from the table of scores by magnitude."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from stargal.io import cli
from stargal.io.tables import read_csv
from stargal.report import look, plots


def main(
    sky: Annotated[str, Option(help="Name of the sky, said on the output.")],
    scores: Annotated[Path, Argument(help="The table of scores by magnitude.")],
    labels: Annotated[str, Option(help="Labels to score against: photo or truth.")],
    figure: Annotated[Path, Option(help="Where to write the figure.")],
) -> None:
    """Draw completeness and purity."""
    table = read_csv(scores)
    table = table[(table["against"] == labels) & (table["bucket"] == "test") & table["seed"].notna()]
    with look.style():
        look.save(plots.completeness_and_purity(table), figure, sky)


if __name__ == "__main__":
    cli.run(main)
