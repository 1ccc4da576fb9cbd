"""Show how well the bands lie on each other, before and after the refinement.

Reads results/{sky}/tables/alignment.csv; writes results/{sky}/figures/alignment.svg.
"""

from pathlib import Path
from typing import Annotated

from typer import Option

from stargal.io import cli
from stargal.io.tables import read_csv
from stargal.report.look import save, style
from stargal.report.pictures import draw_alignment


def main(
    sky: Annotated[str, Option(help="Name of the sky, said on the output.")],
    table: Annotated[Path, Option(help="Residuals of the alignment.")],
    figure: Annotated[Path, Option(help="Where to write the figure.")],
) -> None:
    """Show the residuals of the alignment."""
    with style():
        save(draw_alignment(read_csv(table)), figure, sky)


if __name__ == "__main__":
    cli.run(main)
