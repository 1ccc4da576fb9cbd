"""List the files of a set of fields.

Reads the records of their SHA-256; writes results/{sky}/sets/{size}/{set}.csv, one row per field.
"""

from pathlib import Path
from typing import Annotated

from typer import Option

from stargal.dataset.sets import FieldFiles, list_set
from stargal.io import cli
from stargal.io.tables import write_csv
from stargal.survey.fields import parse_fields


def main(
    sky: Annotated[str, Option(help="Name of the sky, the first column of the list.")],
    fields: Annotated[str, Option(help="Fields in the format of stargal.survey.fields.format_fields.")],
    sources: Annotated[str, Option(help="Path of the sources of a field, with {field} for its name.")],
    patches: Annotated[str, Option(help="Path of the patches of a field, with {field}.")],
    summaries: Annotated[str, Option(help="Path of the alignment summary of a field, with {field}.")],
    psfs: Annotated[str, Option(help="Path of the PSF of a field, with {field}.")],
    listed: Annotated[Path, Option(help="Where to write the list.")],
) -> None:
    """List a set."""
    files = [
        FieldFiles(field, *(Path(path.format(field=field.name)) for path in (sources, patches, summaries, psfs)))
        for field in parse_fields(fields)
    ]
    write_csv(list_set(files), listed, sky)


if __name__ == "__main__":
    cli.run(main)
