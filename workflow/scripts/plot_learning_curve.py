"""Draw scores against the number of training sources.

Reads the metrics.json of every experiment and seed, and the table of sources for how many each field has.
"""

import json
from pathlib import Path
from typing import Annotated

import pandas as pd
from typer import Option

from stargal.io import cli
from stargal.io.tables import read_csv, read_json
from stargal.report import look, plots


def main(
    sky: Annotated[str, Option(help="Name of the sky, said on the output.")],
    training: Annotated[str, Option(help="JSON: the names of the training fields of each experiment.")],
    seeds: Annotated[str, Option(help="With spaces between.")],
    metrics: Annotated[str, Option(help="Path of the scores of {experiment} and {seed}.")],
    sources: Annotated[Path, Option(help="The table of sources by field.")],
    labels: Annotated[str, Option(help="Labels to score against: photo or truth.")],
    figure: Annotated[Path, Option(help="Where to write the figure.")],
) -> None:
    """Draw the learning curve."""
    table = read_csv(sources).set_index("field")
    known = table["stars"] + table["galaxies"]
    scores = pd.DataFrame(
        [
            {"fields": len(fields), "training_sources": int(known[fields].sum()), "seed": int(seed)} | record
            for name, fields in json.loads(training).items()
            for seed in seeds.split()
            for record in read_json(Path(metrics.format(experiment=name, seed=seed)))
        ]
    )
    scores = scores[scores["magnitude_low"].isna() & (scores["against"] == labels)]
    with look.style():
        look.save(plots.learning_curve(scores), figure, sky)


if __name__ == "__main__":
    cli.run(main)
