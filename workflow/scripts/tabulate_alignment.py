"""Put the alignment reports of all fields into one table.

Reads results/{sky}/aligned/{field}.json; writes results/{sky}/tables/alignment.csv, a row a field and band.
"""

from pathlib import Path
from typing import Annotated

import pandas as pd
from typer import Option

from stargal.io import cli
from stargal.io.tables import read_json, write_csv
from stargal.survey.fields import parse_fields


def main(
    sky: Annotated[str, Option(help="Name of the sky, said on the output.")],
    fields: Annotated[str, Option(help="The fields, as stargal.survey.format_fields writes them.")],
    reports: Annotated[str, Option(help="Path of a field's report, with {field} for its name.")],
    table: Annotated[Path, Option(help="Where to write the table.")],
) -> None:
    """Tabulate the alignment."""
    names = [field.name for field in parse_fields(fields)]
    described = {name: read_json(Path(reports.format(field=name))) for name in names}
    rows = [{"field": name} | band for name, report in described.items() for band in report["bands"]]
    write_csv(pd.DataFrame(rows), table, sky)


if __name__ == "__main__":
    cli.run(main)
