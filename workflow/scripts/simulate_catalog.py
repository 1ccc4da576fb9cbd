"""Write the star or galaxy catalogue of a camcol of the simulated sky.

Reads resources/{sky}/measured/{field}.parquet for the configured fields of the camcol. Writes
resources/{sky}/catalogs/{rerun}/calibObj-{run}-{camcol}-{kind}.fits.gz and its .sha256.
"""

import logging
from pathlib import Path
from typing import Annotated

from typer import Option

from stargal.archive.verify import verify_catalog
from stargal.io import cli
from stargal.io.tables import read_table
from stargal.simulation.catalog import join_fields, make_rows, write_calibobj
from stargal.survey.catalog import within_limits
from stargal.survey.fields import parse_fields


def main(
    fields: Annotated[str, Option(help="Fields of the camcol, in the format of stargal.survey.fields.format_fields.")],
    measured: Annotated[str, Option(help="Path of the measured sources of a field, with {field} for its name.")],
    kind: Annotated[str, Option(help="star or gal")],
    catalog: Annotated[Path, Option(help="Output: catalogue.")],
) -> None:
    """Write a catalogue."""
    places = parse_fields(fields)
    tables = {place.field: read_table(Path(measured.format(field=place.name))) for place in places}
    joined = join_fields(tables)
    rows = make_rows(joined[within_limits(joined, kind)], places[0])
    write_calibobj(rows, catalog)
    verify_catalog(catalog, places[0].run, places[0].camcol, kind)
    logging.info("%s: %d of %d sources", catalog.name, len(rows), len(joined))


if __name__ == "__main__":
    cli.run(main)
