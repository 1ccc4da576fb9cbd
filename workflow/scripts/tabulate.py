"""Make a table: call a library function with the content of files and with settings."""

import json
from pathlib import Path
from typing import Annotated

import pandas as pd
from typer import Option

from stargal.io import cli
from stargal.io.calls import call_with_files, named_paths
from stargal.io.tables import write_csv


def main(
    call: Annotated[str, Option(help="The function, package.module:function.")],
    sky: Annotated[str, Option(help="Name of the sky, shown on every table.")],
    input: Annotated[list[str], Option(help="name=path of a file, or name[]=path for each item of a list.")] = [],  # noqa: B006
    output: Annotated[list[str], Option(help="name=path of a table to write.")] = [],  # noqa: B006
    settings: Annotated[str, Option(help="JSON: further keyword arguments.")] = "{}",
    buckets: Annotated[str, Option(help="JSON: the fields of each bucket, for paths with {field}.")] = "{}",
    digits: Annotated[int, Option(help="Significant digits.")] = 6,
) -> None:
    """Make a table."""
    made = call_with_files(call, input, json.loads(settings), json.loads(buckets))
    tables = {"table": made} if isinstance(made, pd.DataFrame) else made
    for name, (path,) in named_paths(output).items():
        write_csv(tables[name], Path(path), sky, digits)


if __name__ == "__main__":
    cli.run(main)
