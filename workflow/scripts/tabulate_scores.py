"""Collect the scores of all experiments and baselines into two tables.

Reads the metrics.json of each; writes scores.csv, a row an experiment, seed, kind of label and bucket, and
scores_by_magnitude.csv, the same for each bin of r magnitude.
"""

from pathlib import Path
from typing import Annotated

import pandas as pd
from typer import Option

from stargal.evaluation.baselines import BASELINES
from stargal.evaluation.metrics import COLUMNS
from stargal.io import cli
from stargal.io.tables import read_json, write_csv


def main(
    sky: Annotated[str, Option(help="Name of the sky, said on the output.")],
    experiments: Annotated[str, Option(help="name=training_set, with spaces between.")],
    seeds: Annotated[str, Option(help="With spaces between.")],
    metrics: Annotated[str, Option(help="Path of the scores of {experiment} and {seed}.")],
    baselines: Annotated[str, Option(help="Path of the scores of the baselines learned on {training_set}.")],
    scores: Annotated[Path, Option(help="Where to write the table.")],
    by_magnitude: Annotated[Path, Option(help="Where to write the table by magnitude.")],
) -> None:
    """Tabulate the scores."""
    training_set_of = dict(item.split("=") for item in experiments.split())
    rows = [
        {"classifier": experiment, "training_set": training_set, "seed": int(seed)} | record
        for experiment, training_set in training_set_of.items()
        for seed in seeds.split()
        for record in read_json(Path(metrics.format(experiment=experiment, seed=seed)))
    ]
    for place, training_set in enumerate(dict.fromkeys(training_set_of.values())):
        for record in read_json(Path(baselines.format(training_set=training_set))):
            learned = BASELINES[record["classifier"]].learned
            if learned or place == 0:  # the others are the same for every training set
                rows.append({"training_set": training_set if learned else None} | record)
    table = pd.DataFrame(rows)
    table = table[
        ["classifier", "training_set", "seed", "against", "bucket", "magnitude_low", "magnitude_high", *COLUMNS]
    ]
    table["seed"] = table["seed"].astype("Int64")
    binned = table["magnitude_low"].notna()
    write_csv(table[~binned].drop(columns=["magnitude_low", "magnitude_high"]), scores, sky)
    write_csv(table[binned], by_magnitude, sky)


if __name__ == "__main__":
    cli.run(main)
