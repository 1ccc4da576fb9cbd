"""Render all patches of a field on one sheet for the viewer, from the patches and the noise of the cube."""

from pathlib import Path
from typing import Annotated

import numpy as np
from typer import Option

from stargal.imaging.cube import read_cube
from stargal.io import cli
from stargal.io.files import intact, whole
from stargal.report.viewer import encode_patches


def main(
    cube: Annotated[Path, Option(help="Cube of the field.")],
    patches: Annotated[Path, Option(help="Patches of the field.")],
    sheet: Annotated[Path, Option(help="Sheet of patches to write, JPEG.")],
) -> None:
    """Render the patches of a field."""
    content = encode_patches(np.load(intact(patches)), read_cube(cube).noise)
    with whole(sheet) as partial:
        partial.write_bytes(content)


if __name__ == "__main__":
    cli.run(main)
