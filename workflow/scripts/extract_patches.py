"""Cut a patch around each source of a field.

Reads the field's cube and sources; writes results/{sky}/patches/{size}/{field}.npy, in the order of the sources.
"""

import logging
from pathlib import Path
from typing import Annotated

from typer import Option

from stargal.dataset.patches import extract_patches, write_patches
from stargal.imaging.cube import read_cube
from stargal.io import cli
from stargal.io.tables import read_table


def main(
    cube: Annotated[Path, Option(help="Cube of the field.")],
    sources: Annotated[Path, Option(help="Sources of the field.")],
    size: Annotated[int, Option(help="Side of a patch, odd, pixels.")],
    patches: Annotated[Path, Option(help="Where to write the patches.")],
) -> None:
    """Cut the patches of a field."""
    table = read_table(sources, ["x", "y"])
    cut = extract_patches(read_cube(cube).image, table["x"], table["y"], size)
    write_patches(cut, patches)
    logging.info("%d patches of %d x %d x %d", *cut.shape)


if __name__ == "__main__":
    cli.run(main)
