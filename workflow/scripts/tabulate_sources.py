"""Count the sources by field, bucket, class, magnitude and size.

Reads results/{sky}/sources/{field}.parquet; writes sources.csv, magnitudes.csv and sizes.csv below
results/{sky}/tables.
"""

from pathlib import Path
from typing import Annotated

from typer import Option

from stargal.dataset.statistics import MAGNITUDE_EDGES, SIZE_EDGES, bin_sources, count_sources
from stargal.io import cli
from stargal.io.tables import read_table, write_csv
from stargal.survey.fields import REFERENCE, parse_fields


def main(
    sky: Annotated[str, Option(help="Name of the sky, said on the output.")],
    sources: Annotated[str, Option(help="Path of a field's sources, with {field} for its name.")],
    train: Annotated[str, Option(help="Fields of the bucket.")],
    validation: Annotated[str, Option(help="Fields of the bucket.")],
    test: Annotated[str, Option(help="Fields of the bucket.")],
    size: Annotated[int, Option(help="Side of a patch, pixels.")],
    counts: Annotated[Path, Option(help="Where to write the counts by field.")],
    magnitudes: Annotated[Path, Option(help="Where to write the histogram of magnitudes.")],
    sizes: Annotated[Path, Option(help="Where to write the histogram of sizes.")],
) -> None:
    """Count the sources."""
    named = {"train": train, "validation": validation, "test": test}
    buckets = {field.name: bucket for bucket, fields in named.items() for field in parse_fields(fields)}
    columns = ["label", f"model_mag_{REFERENCE}", "fwhm", "edge_distance"]
    tables = {field: read_table(Path(sources.format(field=field)), columns) for field in buckets}
    write_csv(count_sources(tables, buckets, size), counts, sky)
    write_csv(bin_sources(tables, buckets, f"model_mag_{REFERENCE}", MAGNITUDE_EDGES), magnitudes, sky)
    write_csv(bin_sources(tables, buckets, "fwhm", SIZE_EDGES), sizes, sky)


if __name__ == "__main__":
    cli.run(main)
