"""Classify the detections of a field with SExtractor and PSFEx, on the r frame.

Writes results/{sky}/peers/extractor/{field}.parquet, one row per detection. Where the programs are
not installed, it has no values, but the reason.
"""

import tempfile
from pathlib import Path
from typing import Annotated

from threadpoolctl import threadpool_limits
from typer import Option

from stargal.imaging.frames import read_frame
from stargal.io import cli
from stargal.io.files import whole
from stargal.io.tables import read_table
from stargal.photometry.extractor import classify_with_extractor
from stargal.photometry.planes import prepare_planes
from stargal.survey.fields import REFERENCE, Field


def main(
    frame: Annotated[Path, Option(help="The r frame.")],
    detections: Annotated[Path, Option(help="Detections of the field.")],
    field: Annotated[str, Option(help="rerun-run-camcol-field")],
    extracted: Annotated[Path, Option(help="Output: table of classes.")],
    extractor: Annotated[str | None, Option(help="The program SExtractor, if installed.")] = None,
    psfex: Annotated[str | None, Option(help="The program PSFEx, if installed.")] = None,
) -> None:
    """Run SExtractor on a field."""
    opened = read_frame(frame)
    with threadpool_limits(1):
        plane = prepare_planes({REFERENCE: opened}, Field.parse(field).camcol)[REFERENCE]
    with tempfile.TemporaryDirectory() as folder:
        sources = read_table(detections, ["id", "x", "y"])
        table = classify_with_extractor(sources, opened, plane, extractor, psfex, Path(folder))
    with whole(extracted) as partial:
        table.to_parquet(partial, index=False)


if __name__ == "__main__":
    cli.run(main)
