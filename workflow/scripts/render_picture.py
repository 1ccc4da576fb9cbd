"""Render the colour picture of a field for the viewer, from its cube."""

from pathlib import Path
from typing import Annotated

import numpy as np
from typer import Option

from stargal.imaging.cube import read_cube
from stargal.io import cli
from stargal.io.files import whole
from stargal.report.pictures import COLOUR_BANDS, colour_picture
from stargal.report.viewer import encode_field


def main(
    sky: Annotated[str, Option(help="Name of the sky, written on the picture.")],
    cube: Annotated[Path, Option(help="Cube of the field.")],
    picture: Annotated[Path, Option(help="Colour picture to write, JPEG.")],
) -> None:
    """Render the picture of a field."""
    aligned = read_cube(cube)
    bands = {band: np.asarray(aligned.image[aligned.bands.index(band)], np.float32) for band in COLOUR_BANDS}
    content = encode_field(colour_picture(bands), sky)
    with whole(picture) as partial:
        partial.write_bytes(content)


if __name__ == "__main__":
    cli.run(main)
