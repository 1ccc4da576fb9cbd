"""Draw a figure: call a library function with the content of files and with settings."""

import json
from pathlib import Path
from typing import Annotated

from typer import Option

from stargal.io import cli
from stargal.io.calls import call_with_files, named_paths
from stargal.report import style


def main(
    call: Annotated[str, Option(help="The function, package.module:function.")],
    sky: Annotated[str, Option(help="Name of the sky, shown on every figure.")],
    input: Annotated[list[str], Option(help="name=path of a file, or name[]=path for each item of a list.")],
    output: Annotated[list[str], Option(help="figure=path of the figure to write.")],
    settings: Annotated[str, Option(help="JSON: further keyword arguments.")] = "{}",
) -> None:
    """Draw a figure."""
    with style.style():
        figure = call_with_files(call, input, json.loads(settings), {})
        style.save(figure, Path(named_paths(output)["figure"][0]), sky)


if __name__ == "__main__":
    cli.run(main)
