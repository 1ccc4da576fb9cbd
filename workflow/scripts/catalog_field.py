"""Make the catalogue of a field, and all that leads to it, from one reading of its frames.

Does what align_field.py, detect_sources.py and classify_field.py do, and writes the same files.
"""

import logging
from pathlib import Path
from typing import Annotated

from threadpoolctl import threadpool_limits
from typer import Option

from stargal.catalogs.field import classify_field
from stargal.imaging.align import align_field, write_alignment
from stargal.imaging.frames import read_frames
from stargal.io import cli
from stargal.io.files import whole
from stargal.learning.apply import parse_prior
from stargal.photometry.sources import detect_sources
from stargal.survey.fields import REFERENCE, Field


def main(
    sky: Annotated[str, Option(help="Name of the sky of the field, written into the catalogue.")],
    frames: Annotated[list[Path], Option(help="Frames, in the order of the bands.")],
    field: Annotated[str, Option(help="rerun-run-camcol-field")],
    bands: Annotated[str, Option(help="Order of the bands, for example ugriz.")],
    method: Annotated[str, Option(help="lanczos3, exact, interp or adaptive.")],
    refine: Annotated[bool, Option(help="Fit residual offsets to stars.")],
    model: Annotated[Path, Option(help="model.onnx of the classifier.")],
    description: Annotated[Path, Option(help="classifier.json of the classifier.")],
    prior: Annotated[str, Option(help="Share of stars: field, training, a number, or JSON: {magnitude, star}.")],
    cube: Annotated[Path, Option(help="Output: cube.")],
    summary: Annotated[Path, Option(help="Output: summary of the alignment.")],
    psf: Annotated[Path, Option(help="Output: the PSF of each band, .npy.")],
    detections: Annotated[Path, Option(help="Output: table of sources.")],
    fits: Annotated[Path, Option(help="Output: the catalogue, .fits.")],
    parquet: Annotated[Path, Option(help="Output: the same catalogue, .parquet.")],
    release: Annotated[str, Option(help="Release of the frames.")] = "",
    address: Annotated[str, Option(help="Folder of the frames in the survey's archive.")] = "",
) -> None:
    """Catalogue a field."""
    opened = read_frames(frames, bands)
    others = (frame for band, frame in opened.items() if band != REFERENCE)
    with threadpool_limits(1):  # the order of sums, and so their last bits, depends on the threads
        aligned = align_field(Field.parse(field), opened[REFERENCE], others, bands, method, refine)
        write_alignment(aligned, frames, cube, summary, psf, release, address)
        del aligned  # its images, before those of the detection
        table = detect_sources(opened, Field.parse(field))
        with whole(detections) as partial:
            table.to_parquet(partial, index=False)
        logging.info("%s: %d sources", field, len(table))
        del opened, others
        classify_field(
            sky=sky,
            field=field,
            cube=cube,
            detections=detections,
            model=model,
            description=description,
            prior=parse_prior(prior),
            fits=fits,
            parquet=parquet,
        )


if __name__ == "__main__":
    cli.run(main)
