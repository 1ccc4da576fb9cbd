"""Draw where on a patch the decisions of an experiment come from.

Reads the explanation.csv and explanation.npz of every seed, and draws their means.
"""

from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
from typer import Option

from stargal.io import cli
from stargal.io.files import intact
from stargal.io.tables import read_csv
from stargal.report import look, plots


def main(
    sky: Annotated[str, Option(help="Name of the sky, said on the output.")],
    tables: Annotated[str, Option(help="Path of the table of {seed}.")],
    maps: Annotated[str, Option(help="Path of the maps of {seed}.")],
    seeds: Annotated[str, Option(help="With spaces between.")],
    figure: Annotated[Path, Option(help="Where to write the figure.")],
) -> None:
    """Draw the explanation."""
    shares = pd.concat([read_csv(Path(tables.format(seed=seed))) for seed in seeds.split()])
    read = [np.load(intact(Path(maps.format(seed=seed)))) for seed in seeds.split()]
    means = {name: np.mean([run[name] for run in read], axis=0) for name in read[0].files}
    with look.style():
        look.save(plots.explanation(shares, means), figure, sky)


if __name__ == "__main__":
    cli.run(main)
