"""Simulate the five frames of a field and write the truth about it.

Makes ``frame-….fits.bz2`` in the archive's format, a ``.sha256`` record beside each, and a table of the sources that
in the field (see `stargal.simulation.exposures.truth_of`). The field name and the sky seed determine everything.
"""

import json
import logging
from pathlib import Path
from typing import Annotated

import pyarrow as pa
from pyarrow import parquet
from typer import Option

from stargal.archive.origin import record_origin
from stargal.io import cli
from stargal.io.files import whole
from stargal.simulation.exposures import frame_bytes, simulate_frame, sources_of, truth_of
from stargal.survey.fields import Field


def main(
    frames: Annotated[list[Path], Option(help="Where to write the frames, in the order of the bands.")],
    field: Annotated[str, Option(help="rerun-run-camcol-field")],
    bands: Annotated[str, Option(help="Order of the bands, for example ugriz.")],
    origin: Annotated[str, Option(help="JSON: the record of the simulated sky, with its seed.")],
    truth: Annotated[Path, Option(help="Where to write the table of true sources.")],
) -> None:
    """Simulate a field."""
    record = json.loads(origin)
    record_origin(frames[0].parents[2], record)
    wanted, seed = Field.parse(field), record["seed"]
    sources = sources_of(wanted, seed)
    for band, path in zip(bands, frames, strict=True):
        data = frame_bytes(simulate_frame(wanted, band, seed, sources))
        with whole(path) as partial:
            partial.write_bytes(data)
    with whole(truth) as partial:
        parquet.write_table(pa.table(truth_of(wanted, seed, sources)), partial)
    logging.info("%s: %d sources", field, len(sources))


if __name__ == "__main__":
    cli.run(main)
