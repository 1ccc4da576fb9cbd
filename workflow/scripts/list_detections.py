"""List the detected sources of a simulated field, with the truth about each.

Reads resources/{sky}/measured/{field}.parquet. Writes results/{sky}/sources/detections/{field}.parquet, one row per
source, with the columns that the detection of an archive's field has, and `label` and `truth`.
"""

import logging
from pathlib import Path
from typing import Annotated

from typer import Option

from stargal.io import cli
from stargal.io.files import whole
from stargal.io.tables import read_table
from stargal.simulation.catalog import list_detections
from stargal.survey.fields import Field


def main(
    measured: Annotated[Path, Option(help="Measured sources of the field.")],
    field: Annotated[str, Option(help="rerun-run-camcol-field")],
    detections: Annotated[Path, Option(help="Output: table of sources.")],
) -> None:
    """List the detections of a simulated field."""
    table = list_detections(read_table(measured), Field.parse(field))
    with whole(detections) as partial:
        table.to_parquet(partial, index=False)
    logging.info("%s: %d sources, %d of them of known class", field, len(table), table["truth"].notna().sum())


if __name__ == "__main__":
    cli.run(main)
