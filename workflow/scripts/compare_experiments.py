"""Compare experiments that differ in one thing.

Reads the history.csv and predictions.parquet of every seed, and the size of each network; writes a table, a row an
experiment: what is varied, scores over the seeds, differences from the first, and what the report published.
"""

import json
from pathlib import Path
from typing import Annotated

import pandas as pd
from typer import Option

from stargal.evaluation.comparisons import compare, count_parameters
from stargal.io import cli
from stargal.io.tables import read_csv, read_table, write_csv


def main(
    sky: Annotated[str, Option(help="Name of the sky, said on the output.")],
    comparison: Annotated[str, Option(help="Its name.")],
    experiments: Annotated[
        str, Option(help="JSON: each experiment, the base first, and what it has of what is varied.")
    ],
    seeds: Annotated[str, Option(help="With spaces between.")],
    labels: Annotated[str, Option(help="Which labels are right: photo or truth.")],
    models: Annotated[str, Option(help="Path of the model of {experiment} and {seed}.")],
    histories: Annotated[str, Option(help="Path of the history of {experiment} and {seed}.")],
    predictions: Annotated[str, Option(help="Path of the predictions of {experiment} and {seed}.")],
    published: Annotated[Path, Option(help="What the report published of its experiments.")],
    table: Annotated[Path, Option(help="Where to write the table.")],
) -> None:
    """Compare experiments."""
    varied = json.loads(experiments)
    compared = compare(
        {
            name: [read_csv(Path(histories.format(experiment=name, seed=seed))) for seed in seeds.split()]
            for name in varied
        },
        {
            name: [read_table(Path(predictions.format(experiment=name, seed=seed))) for seed in seeds.split()]
            for name in varied
        },
        labels,
    )
    compared["parameters"] = [
        count_parameters(Path(models.format(experiment=name, seed=seeds.split()[0]))) for name in varied
    ]
    theirs = read_csv(published)
    theirs = theirs[theirs["comparison"] == comparison].drop(columns="comparison").set_index("experiment")
    whole = pd.concat(
        [compared[["experiment"]], pd.DataFrame(varied.values()), compared.drop(columns="experiment")], axis=1
    )
    write_csv(whole.join(theirs, on="experiment") if len(theirs) else whole, table, sky)


if __name__ == "__main__":
    cli.run(main)
