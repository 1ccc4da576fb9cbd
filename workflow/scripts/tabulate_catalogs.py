"""Count what the catalogues of classified fields hold, and compare them with the survey's where there is one.

Reads the catalogues, and the sources of those fields that are in a bucket; writes tables/catalogs.csv, a row a field.
"""

from pathlib import Path
from typing import Annotated

import pandas as pd
from typer import Option

from stargal.io import cli
from stargal.io.tables import read_table, write_csv
from stargal.learning.classify import compare_catalogs, count_catalog
from stargal.survey.fields import parse_fields


def main(
    sky: Annotated[str, Option(help="Name of the sky, said on the output.")],
    catalogs: Annotated[str, Option(help="Path of the catalogue of {field}.")],
    sources: Annotated[str, Option(help="Path of the catalogued sources of {field}.")],
    labels: Annotated[str, Option(help="Labels to compare with: photo or truth.")],
    resamples: Annotated[int, Option(help="Of the intervals.")],
    table: Annotated[Path, Option(help="Where to write the table.")],
    train: Annotated[str, Option(help="Fields of bucket train.")] = "",
    validation: Annotated[str, Option(help="Fields of bucket validation.")] = "",
    test: Annotated[str, Option(help="Fields of bucket test.")] = "",
    new: Annotated[str, Option(help="Fields of no bucket.")] = "",
) -> None:
    """Tabulate the catalogues."""
    buckets = {"train": train, "validation": validation, "test": test, "none": new}
    rows = []
    for bucket, fields in buckets.items():
        for field in parse_fields(fields):
            catalog = read_table(Path(catalogs.format(field=field.name)))
            row = {"field": field.name, "bucket": bucket} | count_catalog(catalog)
            if bucket != "none":
                catalogued = read_table(Path(sources.format(field=field.name)))
                row |= compare_catalogs(catalog, catalogued, labels, resamples)
            rows.append(row)
    write_csv(pd.DataFrame(rows), table, sky)


if __name__ == "__main__":
    cli.run(main)
