"""Check what `make classify` is given, and write it as a configuration overlay."""

from pathlib import Path
from typing import Annotated

import yaml
from typer import Option

from stargal.io import cli
from stargal.io.files import replaced
from stargal.plan.availability import check_listed, listed_runs
from stargal.plan.overlay import overlay, read_fields
from stargal.plan.paths import FIELD_LIST

CHECKOUT = Path(__file__).parents[2]


def main(
    output: Annotated[Path, Option(help="Output: the overlay, YAML.")],
    fields: Annotated[str, Option(help="Names of fields, or @FILE.")] = "",
    sky: Annotated[str, Option(help="Name of the sky; results are below results/SKY.")] = "mine",
    archive: Annotated[str, Option(help="URL or folder of the archive.")] = "",
    classifier: Annotated[str, Option(help="Folder of a published classifier.")] = "",
) -> None:
    """Write the overlay."""
    config = yaml.safe_load((CHECKOUT / "config/config.yaml").read_text())
    written = overlay(config, CHECKOUT, fields=fields, sky=sky, archive=archive, classifier=classifier)
    if Path(FIELD_LIST).exists():  # `make fields` has fetched it
        check_listed(listed_runs(Path(FIELD_LIST)), read_fields(fields), "FIELDS")
    with replaced(output) as partial:
        partial.write_text(yaml.safe_dump(written, sort_keys=False))


if __name__ == "__main__":
    cli.run(main)
