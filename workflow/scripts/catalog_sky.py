"""Make the catalogue of a sky: the sources of all classified fields, each once.

Reads the catalogues of the fields; writes results/{sky}/catalogs/hats/, a HATS catalogue, and its record.
"""

from pathlib import Path
from typing import Annotated

from typer import Option

from stargal.catalogs.sky import catalog_sky
from stargal.io import cli
from stargal.survey.fields import parse_fields


def main(
    name: Annotated[str, Option(help="Name of the catalogue, one word.")],
    sky: Annotated[str, Option(help="Name of the sky, for the title of the catalogue.")],
    fields: Annotated[str, Option(help="Classified fields, in the format of stargal.survey.fields.format_fields.")],
    catalogs: Annotated[str, Option(help="Catalogue of a field, .parquet: path with {field}.")],
    properties: Annotated[Path, Option(help="hats.properties in the folder to write.")],
) -> None:
    """Write the catalogue of a sky."""
    paths = [Path(catalogs.replace("{field}", field.name)) for field in parse_fields(fields)]
    catalog_sky(name=name, sky=sky, catalogs=paths, folder=properties.parent)


if __name__ == "__main__":
    cli.run(main)
