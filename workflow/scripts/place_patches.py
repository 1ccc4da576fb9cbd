"""Place the patches of a field for the four classes sky, star, galaxy and both.

Reads the field's cube, its sources and its camcol's star and galaxy catalogues; writes
results/{sky}/classes/{size}/{field}.parquet, one row per patch: id (of the source in its centre, missing for sky), x, y
and label (3 sky, 1 star, 0 galaxy, 2 both).
"""

import logging
from pathlib import Path
from typing import Annotated

import numpy as np
from typer import Option

from stargal.dataset.places import NAMES, place_patches
from stargal.dataset.sources import in_frame, read_catalog
from stargal.imaging.cube import read_cube
from stargal.io import cli
from stargal.io.files import whole
from stargal.io.tables import read_table
from stargal.survey.fields import Field
from stargal.survey.labels import LABELS, known_labels


def main(
    cube: Annotated[Path, Option(help="Cube of the field.")],
    star: Annotated[Path, Option(help="Star catalogue of its camcol.")],
    gal: Annotated[Path, Option(help="Galaxy catalogue of its camcol.")],
    sources: Annotated[Path, Option(help="Sources of the field.")],
    field: Annotated[str, Option(help="rerun-run-camcol-field")],
    labels: Annotated[str, Option(help="Labels of the sources: photo or truth.")],
    size: Annotated[int, Option(help="Side of a patch, odd, pixels.")],
    placed: Annotated[Path, Option(help="Where to write the table.")],
) -> None:
    """Place the patches of a field."""
    place = Field.parse(field)
    aligned = read_cube(cube)
    catalogued = in_frame(
        {kind: read_catalog(path, place) for kind, path in (("star", star), ("gal", gal))}, aligned, place
    )
    table = place_patches(
        read_table(sources, ["id", "x", "y"]),
        catalogued.assign(label=known_labels(catalogued[LABELS[labels]])),
        aligned.mask,
        size=size,
        random=np.random.default_rng([place.rerun, place.run, place.camcol, place.field]),
    )
    with whole(placed) as partial:
        table.to_parquet(partial, index=False)
    counts = table["label"].map(NAMES).value_counts()
    logging.info("%s: %s", field, ", ".join(f"{counts.get(name, 0)} {name}" for name in NAMES.values()))


if __name__ == "__main__":
    cli.run(main)
