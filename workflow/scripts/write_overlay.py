"""Check what `make classify` is given, and write it as a configuration overlay."""

from pathlib import Path
from typing import Annotated

import yaml
from typer import Option

from stargal.io import cli
from stargal.io.files import replaced
from stargal.io.tables import read_table
from stargal.plan.overlay import check_listed, overlay, read_fields
from stargal.survey.field_list import KEPT

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
    if Path(KEPT).exists():  # `make fields` has fetched it
        runs = read_table(Path(KEPT), ["rerun", "run"]).drop_duplicates()
        check_listed(set(runs.itertuples(index=False, name=None)), read_fields(fields))
    with replaced(output) as partial:
        partial.write_text(yaml.safe_dump(written, sort_keys=False))


if __name__ == "__main__":
    cli.run(main)
