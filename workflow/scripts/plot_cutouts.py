"""Draw a cut-out of a field as downloaded, aligned, and with its sources marked.

Reads the frames, the cube and the sources of the field; writes a PNG.
"""

from pathlib import Path
from typing import Annotated

import numpy as np
from typer import Option

from stargal.imaging.cube import read_cube
from stargal.imaging.frames import read_frame
from stargal.io import cli
from stargal.io.tables import read_table
from stargal.report.figures.data import cutouts
from stargal.report.pictures import COLOUR_BANDS, choose_window, colour_picture
from stargal.report.style import save, style

SIDE = 200
"""Side of the cut-out, pixels."""


def main(
    sky: Annotated[str, Option(help="Name of the sky, written on the figure.")],
    frames: Annotated[list[Path], Option(help="Frames of the field, in the order of the cube's bands; repeat.")],
    cube: Annotated[Path, Option(help="Cube of the field.")],
    sources: Annotated[Path, Option(help="Sources of the field.")],
    figure: Annotated[Path, Option(help="PNG to write.")],
) -> None:
    """Draw a cut-out of a field before and after alignment."""
    aligned, table = read_cube(cube), read_table(sources, ["x", "y", "label"])
    path_of = dict(zip(aligned.bands, frames, strict=True))
    window = choose_window(table, aligned.image.shape[1:], SIDE)
    before = {band: read_frame(path_of[band]).image[window] for band in COLOUR_BANDS}
    after = {band: np.asarray(aligned.image[aligned.bands.index(band)][window]) for band in COLOUR_BANDS}
    with style():
        drawn = cutouts(colour_picture(before), colour_picture(after), table, window=window, field=cube.stem)
        save(drawn, figure, sky)


if __name__ == "__main__":
    cli.run(main)
