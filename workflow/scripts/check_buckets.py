"""Check that no two buckets share sky.

Reads the corners of the fields, results/{sky}/aligned/{field}.json; writes results/{sky}/tables/footprints.csv.
"""

from pathlib import Path
from typing import Annotated

from typer import Option

from stargal.dataset.buckets import check_buckets
from stargal.io import cli
from stargal.io.tables import read_json, write_csv
from stargal.survey.fields import parse_fields


def main(
    sky: Annotated[str, Option(help="Name of the sky, said on the output.")],
    reports: Annotated[str, Option(help="Path of a field's report, with {field} for its name.")],
    train: Annotated[str, Option(help="Fields of the bucket.")],
    validation: Annotated[str, Option(help="Fields of the bucket.")],
    test: Annotated[str, Option(help="Fields of the bucket.")],
    table: Annotated[Path, Option(help="Where to write the table.")],
) -> None:
    """Check the buckets."""
    named = {"train": train, "validation": validation, "test": test}
    buckets = {field.name: bucket for bucket, fields in named.items() for field in parse_fields(fields)}
    reports_of = {field: read_json(Path(reports.format(field=field))) for field in buckets}
    footprints = {field: report["footprint"] for field, report in reports_of.items()}
    write_csv(check_buckets(footprints, buckets), table, sky, digits=9)


if __name__ == "__main__":
    cli.run(main)
