"""Classify the sources of a field with a published classifier.

Reads the field's cube and detections and the classifier; writes results/{sky}/catalogs/{field}.fits and .parquet, the
same catalogue twice.
"""

import logging
from pathlib import Path
from typing import Annotated

from typer import Option

from stargal.imaging.cube import read_cube
from stargal.io import cli
from stargal.io.files import whole
from stargal.io.tables import read_table
from stargal.learning import models
from stargal.learning.classify import classify, count_catalog, read_classifier, write_catalog


def main(
    sky: Annotated[str, Option(help="Name of the sky of the field, said on the output.")],
    field: Annotated[str, Option(help="rerun-run-camcol-field")],
    cube: Annotated[Path, Option(help="Cube of the field.")],
    detections: Annotated[Path, Option(help="Its sources, from detect_sources.")],
    model: Annotated[Path, Option(help="model.keras of the classifier.")],
    description: Annotated[Path, Option(help="classifier.json beside it.")],
    fits: Annotated[Path, Option(help="Where to write the catalogue as FITS.")],
    parquet: Annotated[Path, Option(help="Where to write the same as parquet.")],
) -> None:
    """Classify a field."""
    models.use_one_thread()
    classifier = read_classifier(model, description)
    catalog = classify(read_table(detections), read_cube(cube), classifier, models.predictor(models.load(model)))
    provenance = {
        "FIELD": (field, "rerun-run-camcol-field"),
        "SKY": (sky, "where the frames come from"),
        "CLASSFR": (classifier["experiment"], "experiment of the classifier"),
        "TRAINSKY": (classifier["sky"], "sky that it learned from"),
        "CLASSSHA": (classifier["model_sha256"], ""),  # leaves no room for a comment
    }
    write_catalog(catalog, fits, provenance)
    catalog.attrs = {key: value for key, (value, _) in provenance.items()}
    with whole(parquet) as partial:
        catalog.to_parquet(partial, index=False)
    counts = count_catalog(catalog)
    logging.info("%s: %s", field, ", ".join(f"{count} {name}" for name, count in counts.items()))


if __name__ == "__main__":
    cli.run(main)
