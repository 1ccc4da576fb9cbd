"""Simulate the five frames of a field and write its table of true sources.

Writes ``frame-….fits.bz2`` in the archive format, each with a ``.sha256`` file beside it, and a table of the true
sources (see `stargal.simulation.exposures.truth_of`). The field name and the seed of the sky determine all outputs.
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
    frames: Annotated[list[Path], Option(help="Output: frames, in the order of the bands.")],
    field: Annotated[str, Option(help="rerun-run-camcol-field")],
    bands: Annotated[str, Option(help="Order of the bands, for example ugriz.")],
    origin: Annotated[str, Option(help="JSON record of the simulated sky, with its seed.")],
    truth: Annotated[Path, Option(help="Output: table of true sources.")],
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
