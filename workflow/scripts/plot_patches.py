"""Show example patches of stars and galaxies of a field.

Reads the field's sources and patches; writes results/{sky}/figures/patches/{size}/{field}.png.
"""

from pathlib import Path
from typing import Annotated

from typer import Option

from stargal.dataset.patches import read_patches
from stargal.io import cli
from stargal.io.tables import read_table
from stargal.report.look import save, style
from stargal.report.pictures import draw_patches
from stargal.survey.fields import REFERENCE


def main(
    sky: Annotated[str, Option(help="Name of the sky, said on the output.")],
    sources: Annotated[Path, Option(help="Sources of the field.")],
    patches: Annotated[Path, Option(help="Patches of the field.")],
    bands: Annotated[str, Option(help="Order of the bands, for example ugriz.")],
    figure: Annotated[Path, Option(help="Where to write the picture.")],
) -> None:
    """Show example patches."""
    table = read_table(sources, ["label", f"model_mag_{REFERENCE}"])
    with style():
        save(draw_patches(read_patches(patches, len(table)), bands, table, f"Field {sources.stem}"), figure, sky)


if __name__ == "__main__":
    cli.run(main)
