"""Set what training took beside what it gave.

Reads the table of a comparison, and of every seed what Snakemake measured of the training and its history; writes a
table, a row an experiment: what is varied, parameters, scores, seconds and memory.
"""

from pathlib import Path
from typing import Annotated

import pandas as pd
from typer import Argument, Option

from stargal.evaluation.comparisons import timings
from stargal.io import cli
from stargal.io.tables import read_csv, write_csv

SCORES = ("val_loss", "val_loss_sd", "val_accuracy", "val_accuracy_sd", "test_mcc", "test_mcc_sd")


def main(
    sky: Annotated[str, Option(help="Name of the sky, said on the output.")],
    comparison: Annotated[Path, Argument(help="The table of the comparison.")],
    seeds: Annotated[str, Option(help="With spaces between.")],
    benchmarks: Annotated[str, Option(help="Path of what Snakemake measured of {experiment} and {seed}.")],
    histories: Annotated[str, Option(help="Path of the history of {experiment} and {seed}.")],
    table: Annotated[Path, Option(help="Where to write the table.")],
) -> None:
    """Tabulate what training took."""
    compared = read_csv(comparison)

    def of_each(pattern: str, separator: str) -> dict[str, list[pd.DataFrame]]:
        return {
            name: [pd.read_csv(pattern.format(experiment=name, seed=seed), sep=separator) for seed in seeds.split()]
            for name in compared["experiment"]
        }

    first, last = compared.columns.get_loc("experiment"), compared.columns.get_loc("val_loss")
    described = compared[[*compared.columns[first:last], "parameters", *SCORES]]
    write_csv(described.merge(timings(of_each(benchmarks, "\t"), of_each(histories, ",")), on="experiment"), table, sky)


if __name__ == "__main__":
    cli.run(main)
