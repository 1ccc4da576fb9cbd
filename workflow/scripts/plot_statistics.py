"""Show how many sources there are by bucket, magnitude and size.

Reads sources.csv, magnitudes.csv and sizes.csv below results/{sky}/tables; writes results/{sky}/figures/statistics.svg.
"""

from pathlib import Path
from typing import Annotated

from typer import Option

from stargal.io import cli
from stargal.io.tables import read_csv
from stargal.report.look import save, style
from stargal.report.pictures import draw_statistics


def main(
    sky: Annotated[str, Option(help="Name of the sky, said on the output.")],
    counts: Annotated[Path, Option(help="Sources by field and bucket.")],
    magnitudes: Annotated[Path, Option(help="Sources by magnitude.")],
    sizes: Annotated[Path, Option(help="Sources by size.")],
    figure: Annotated[Path, Option(help="Where to write the figure.")],
) -> None:
    """Show the statistics of the sources."""
    with style():
        save(draw_statistics(*(read_csv(path) for path in (counts, magnitudes, sizes))), figure, sky)


if __name__ == "__main__":
    cli.run(main)
