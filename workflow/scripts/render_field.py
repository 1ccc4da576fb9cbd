"""Make the pictures that the field viewer shows of a field.

Reads its cube and patches; writes the aligned field in colour, and all patches in all bands on one sheet.
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
    sky: Annotated[str, Option(help="Name of the sky, said on the output.")],
    cube: Annotated[Path, Option(help="Cube of the field.")],
    patches: Annotated[Path, Option(help="Patches of the field.")],
    picture: Annotated[Path, Option(help="Where to write the colour picture, JPEG.")],
    sheet: Annotated[Path, Option(help="Where to write the sheet of patches, PNG.")],
) -> None:
    """Make the pictures of a field."""
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
