"""List the layers of a network, their output shapes and parameters, as the report does."""

import json
from pathlib import Path
from typing import Annotated

from typer import Option

from stargal.io import cli
from stargal.io.tables import write_csv
from stargal.learning import models


def main(
    sky: Annotated[str, Option(help="Name of the sky, said on the output.")],
    model: Annotated[str, Option(help="JSON: a block of `models` of the config, without the learning rate.")],
    size: Annotated[int, Option(help="Side of the patches, pixels.")],
    bands: Annotated[int, Option(help="How many.")],
    table: Annotated[Path, Option(help="Where to write the table.")],
) -> None:
    """Tabulate an architecture."""
    network = models.build(**json.loads(model), size=size, sky_sigma=[1.0] * bands, seed=0)
    write_csv(models.describe(network), table, sky)


if __name__ == "__main__":
    cli.run(main)
