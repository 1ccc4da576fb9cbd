"""Compare the simulated with the real sky.

Reads results/{sky}/realism/{simulated|real}/{field}.csv; writes results/{sky}/realism/realism.csv, a row a quantity.
"""

import logging
from pathlib import Path
from typing import Annotated

from typer import Option

from stargal.evaluation.realism import compare, read_descriptions
from stargal.io import cli
from stargal.io.tables import write_csv
from stargal.survey.fields import parse_fields


def main(
    sky: Annotated[str, Option(help="Name of the sky, said on the output.")],
    simulated: Annotated[str, Option(help="Path of a simulated field's description, with {field} for its name.")],
    real: Annotated[str, Option(help="Path of a real field's description, likewise.")],
    fields: Annotated[str, Option(help="Fields, as stargal.survey.format_fields writes them.")],
    table: Annotated[Path, Option(help="Where to write the comparison.")],
) -> None:
    """Compare two skies."""
    names = [field.name for field in parse_fields(fields)]
    compared = compare(read_descriptions(simulated, names), read_descriptions(real, names))
    write_csv(compared, table, sky)
    logging.info("%d of %d quantities within their bar", compared["within"].sum(), len(compared))


if __name__ == "__main__":
    cli.run(main)
