"""Detect and measure the sources of a field without a catalogue.

Reads the frames of a field. Writes results/{sky}/detections/{field}.parquet, one row per source.
"""

import logging
from pathlib import Path
from typing import Annotated

from threadpoolctl import threadpool_limits
from typer import Option

from stargal.imaging.frames import read_frames
from stargal.io import cli
from stargal.io.files import whole
from stargal.photometry.sources import detect_sources
from stargal.survey.fields import Field


def main(
    frames: Annotated[list[Path], Option(help="Frames, in the order of the bands.")],
    field: Annotated[str, Option(help="rerun-run-camcol-field")],
    bands: Annotated[str, Option(help="Order of the frames, for example ugriz.")],
    detections: Annotated[Path, Option(help="Output: table of sources.")],
) -> None:
    """Detect the sources of a field."""
    opened = read_frames(frames, bands)
    with threadpool_limits(1):  # the order of sums, and so their last bits, depends on the threads
        table = detect_sources(opened, Field.parse(field))
    with whole(detections) as partial:
        table.to_parquet(partial, index=False)
    logging.info("%s: %d sources", field, len(table))


if __name__ == "__main__":
    cli.run(main)
