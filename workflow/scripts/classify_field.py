"""Classify the sources of a field with a published classifier.

Reads the field's cube and detections and the classifier; writes the catalogue as FITS and as parquet.
"""

from pathlib import Path
from typing import Annotated

from threadpoolctl import threadpool_limits
from typer import Option

from stargal.catalogs import field as catalogs
from stargal.io import cli
from stargal.learning.apply import parse_prior


def main(
    sky: Annotated[str, Option(help="Name of the sky of the field, written into the catalogue.")],
    field: Annotated[str, Option(help="rerun-run-camcol-field")],
    cube: Annotated[Path, Option(help="Cube of the field.")],
    detections: Annotated[Path, Option(help="Detected sources of the field.")],
    model: Annotated[Path, Option(help="model.onnx of the classifier.")],
    description: Annotated[Path, Option(help="classifier.json of the classifier.")],
    prior: Annotated[str, Option(help="Share of stars: field, training, a number, or JSON: {magnitude, star}.")],
    fits: Annotated[Path, Option(help="Output: the catalogue, .fits.")],
    parquet: Annotated[Path, Option(help="Output: the same catalogue, .parquet.")],
    survey: Annotated[list[Path] | None, Option(help="Survey sources of the field, where they are known.")] = None,
) -> None:
    """Classify a field."""
    with threadpool_limits(1):  # the order of sums, and so their last bits, depends on the threads
        catalogs.classify_field(
            sky=sky,
            field=field,
            cube=cube,
            detections=detections,
            model=model,
            description=description,
            prior=parse_prior(prior),
            fits=fits,
            parquet=parquet,
            survey=survey or (),
        )


if __name__ == "__main__":
    cli.run(main)
