"""Show a cut-out of a field as downloaded, aligned, and with its sources marked.

Reads the field's frames, cube and sources; writes results/{sky}/figures/cutouts/{field}.png.
"""

from pathlib import Path
from typing import Annotated

import numpy as np
from typer import Argument, Option

from stargal.imaging.cube import read_cube
from stargal.imaging.frames import read_frame
from stargal.io import cli
from stargal.io.tables import read_table
from stargal.report.look import save, style
from stargal.report.pictures import COLOUR_BANDS, choose_window, colour_picture, draw_cutouts


def main(
    sky: Annotated[str, Option(help="Name of the sky, said on the output.")],
    frames: Annotated[list[Path], Argument(help="The frames, in the order of the bands.")],
    cube: Annotated[Path, Option(help="Cube of the field.")],
    sources: Annotated[Path, Option(help="Sources of the field.")],
    figure: Annotated[Path, Option(help="Where to write the picture.")],
    side: Annotated[int, Option(help="Side of the cut-out, pixels.")] = 200,
) -> None:
    """Show a cut-out."""
    aligned, table = read_cube(cube), read_table(sources, ["x", "y", "label"])
    path_of = dict(zip(aligned.bands, frames, strict=True))
    window = choose_window(table, aligned.image.shape[1:], side)
    raw = {band: read_frame(path_of[band]).image[window] for band in COLOUR_BANDS}
    bands = {band: np.asarray(aligned.image[aligned.bands.index(band)][window]) for band in COLOUR_BANDS}
    with style():
        save(draw_cutouts(colour_picture(raw), colour_picture(bands), table, window, f"Field {cube.stem}"), figure, sky)


if __name__ == "__main__":
    cli.run(main)
