"""Measure the sources of a field as SDSS photo does.

Reads the frames of a field and the table of true sources, which is used only to add the truth to the measurements.
Writes resources/{sky}/measured/{field}.parquet, one row per source (see `stargal.simulation.catalog.tabulate`).
"""

import logging
from pathlib import Path
from typing import Annotated

import pandas as pd
from threadpoolctl import threadpool_limits
from typer import Option

from stargal.imaging.frames import read_frame
from stargal.io import cli
from stargal.io.files import whole
from stargal.io.tables import read_table
from stargal.photometry.classify import photo_types
from stargal.photometry.detect import detect_peaks
from stargal.photometry.measure import measure_sources
from stargal.photometry.planes import prepare_planes
from stargal.simulation.catalog import match_truth, tabulate
from stargal.simulation.sky import extinction
from stargal.survey.fields import BANDS, COLUMNS, REFERENCE, ROWS, Field


def main(
    frames: Annotated[list[Path], Option(help="Frames, in the order of the bands.")],
    field: Annotated[str, Option(help="rerun-run-camcol-field")],
    bands: Annotated[str, Option(help="Order of the frames, for example ugriz.")],
    measured: Annotated[Path, Option(help="Output: table of sources.")],
    truth: Annotated[Path | None, Option(help="True sources of the field.")] = None,
) -> None:
    """Measure a field."""
    opened = {band: read_frame(path) for band, path in zip(bands, frames, strict=True)}
    astrometry, place = opened[REFERENCE].astrometry, Field.parse(field)
    calibration = [opened[band].nmgy_per_dn if band in opened else float("nan") for band in BANDS]
    dust = extinction(*(float(angle) for angle in astrometry.to_sky(COLUMNS / 2, ROWS / 2)))
    with threadpool_limits(1):  # the order of sums, and so their last bits, depends on the threads
        planes = prepare_planes(opened, place.camcol)
        sources = measure_sources(planes, detect_peaks(planes))
    table = tabulate(sources, photo_types(sources, calibration), calibration, dust, astrometry, place)
    if truth is not None:
        table = pd.concat([table, match_truth(table, read_table(truth), astrometry)], axis=1)
    with whole(measured) as partial:
        table.to_parquet(partial, index=False)
    logging.info("%s: %d sources, %d of them galaxies", field, len(table), (table["type"] == 3).sum())


if __name__ == "__main__":
    cli.run(main)
