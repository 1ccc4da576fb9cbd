"""Render the pictures of a field for the viewer.

Reads the cube and the patches of the field; writes the aligned field in colour, and all patches on one sheet.
"""

from pathlib import Path
from typing import Annotated

import numpy as np
from typer import Option

from stargal.imaging.cube import read_cube
from stargal.io import cli
from stargal.io.files import intact, whole
from stargal.report.pictures import COLOUR_BANDS, colour_picture
from stargal.report.viewer import encode_field, encode_patches


def main(
    sky: Annotated[str, Option(help="Name of the sky, written on the picture.")],
    cube: Annotated[Path, Option(help="Cube of the field.")],
    patches: Annotated[Path, Option(help="Patches of the field.")],
    picture: Annotated[Path, Option(help="Colour picture to write, JPEG.")],
    sheet: Annotated[Path, Option(help="Sheet of patches to write, PNG.")],
) -> None:
    """Render the pictures of a field."""
    aligned = read_cube(cube)
    bands = {band: np.asarray(aligned.image[aligned.bands.index(band)], np.float32) for band in COLOUR_BANDS}
    outputs = {
        picture: encode_field(colour_picture(bands), sky),
        sheet: encode_patches(np.load(intact(patches)), aligned.noise),
    }
    for path, content in outputs.items():
        with whole(path) as partial:
            partial.write_bytes(content)


if __name__ == "__main__":
    cli.run(main)
