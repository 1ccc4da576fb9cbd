"""Show how like the real sky the simulated one is.

Reads results/{sky}/realism/realism.csv and the descriptions of the fields; writes results/{sky}/realism/ratios.svg and
sources.svg.
"""

from pathlib import Path
from typing import Annotated

from typer import Option

from stargal.evaluation.realism import draw_ratios, draw_sources, read_descriptions
from stargal.io import cli
from stargal.io.tables import read_csv
from stargal.report.look import save, style
from stargal.survey.fields import parse_fields


def main(
    sky: Annotated[str, Option(help="Name of the sky, said on the output.")],
    table: Annotated[Path, Option(help="The comparison.")],
    simulated: Annotated[str, Option(help="Path of a simulated field's description, with {field} for its name.")],
    real: Annotated[str, Option(help="Path of a real field's description, likewise.")],
    fields: Annotated[str, Option(help="Fields, as stargal.survey.format_fields writes them.")],
    ratios: Annotated[Path, Option(help="Where to draw the ratios.")],
    sources: Annotated[Path, Option(help="Where to draw counts and concentration.")],
) -> None:
    """Show the comparison."""
    names = [field.name for field in parse_fields(fields)]
    with style():
        save(draw_ratios(read_csv(table)), ratios, sky)
        save(draw_sources(read_descriptions(simulated, names), read_descriptions(real, names)), sources, sky)


if __name__ == "__main__":
    cli.run(main)
