"""Select the catalogued sources of a field.

Reads the field's cube and its camcol's star and galaxy catalogues; writes results/{sky}/sources/{field}.parquet.
"""

import json
import logging
from pathlib import Path
from typing import Annotated

from typer import Option

from stargal.dataset.sources import read_catalog, select_sources
from stargal.imaging.cube import read_cube
from stargal.io import cli
from stargal.io.files import whole
from stargal.survey.fields import Field


def main(
    cube: Annotated[Path, Option(help="Cube of the field.")],
    star: Annotated[Path, Option(help="Star catalogue of its camcol.")],
    gal: Annotated[Path, Option(help="Galaxy catalogue of its camcol.")],
    field: Annotated[str, Option(help="rerun-run-camcol-field")],
    sources: Annotated[Path, Option(help="Where to write the table.")],
    neighbours: Annotated[str, Option(help="JSON: numbers of the neighbouring fields that are also used.")] = "[]",
    magnitude_limit: Annotated[float | None, Option(help="Faintest r model magnitude.")] = None,
    reject_flags: Annotated[str, Option(help="JSON: photo flags; sources with any of them are excluded.")] = "[]",
) -> None:
    """Select the sources of a field."""
    place = Field.parse(field)
    catalogs = {kind: read_catalog(path, place) for kind, path in (("star", star), ("gal", gal))}
    table = select_sources(
        catalogs,
        read_cube(cube),
        place,
        json.loads(neighbours),
        magnitude_limit,
        json.loads(reject_flags),
    )
    with whole(sources) as partial:
        table.to_parquet(partial, index=False)
    logging.info("%s: %d stars, %d galaxies", field, table["label"].sum(), (1 - table["label"]).sum())


if __name__ == "__main__":
    cli.run(main)
