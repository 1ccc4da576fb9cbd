"""Align the five bands of a field into one cube on the grid of r.

Reads the frames of a field. Writes results/{sky}/aligned/{field}.fits (see `stargal.imaging.cube`), {field}.json, the
residuals of the alignment and the corners of the field on the sky, and {field}.psf.npy, the extension PSF of the cube.
"""

from pathlib import Path
from typing import Annotated

from typer import Option

from stargal.errors import StargalError
from stargal.imaging.align import align_field, write_alignment
from stargal.imaging.frames import read_frame
from stargal.io import cli
from stargal.survey.fields import REFERENCE, Field


def main(
    frames: Annotated[list[Path], Option(help="Frames, in the order of the bands.")],
    field: Annotated[str, Option(help="rerun-run-camcol-field")],
    bands: Annotated[str, Option(help="Order of the bands, for example ugriz.")],
    method: Annotated[str, Option(help="lanczos3, exact, interp or adaptive.")],
    refine: Annotated[bool, Option(help="Fit residual offsets to stars.")],
    cube: Annotated[Path, Option(help="Output: cube.")],
    summary: Annotated[Path, Option(help="Output: summary of the alignment.")],
    psf: Annotated[Path, Option(help="Output: the PSF of each band, .npy.")],
    release: Annotated[str, Option(help="Release of the frames.")] = "",
    address: Annotated[str, Option(help="Folder of the frames in the survey's archive.")] = "",
) -> None:
    """Align the bands of a field."""
    paths = dict(zip(bands, frames, strict=True))
    reference = read_frame(paths[REFERENCE])
    if reference.band != REFERENCE:
        raise StargalError(
            f"{paths[REFERENCE]}: holds band {reference.band}, expected {REFERENCE}: remove it to fetch it again"
        )
    others = (read_frame(path) for band, path in paths.items() if band != REFERENCE)
    aligned = align_field(Field.parse(field), reference, others, bands, method, refine)
    write_alignment(aligned, frames, cube, summary, psf, release, address)


if __name__ == "__main__":
    cli.run(main)
