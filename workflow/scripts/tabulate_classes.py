"""Score the calls of the four classes, of every seed and by both rules, beside always calling the most frequent class.

Reads predictions.parquet of each seed, and the placed patches of the training fields for how frequent the classes are
there; writes classes.csv, a row a rule, seed and bucket, and classes_by_class.csv, the same for each class.
"""

from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
from typer import Option

from stargal.dataset.sets import read_set
from stargal.evaluation.classes import NAMES, score_calls
from stargal.io import cli
from stargal.io.tables import read_table, write_csv


def main(
    sky: Annotated[str, Option(help="Name of the sky, said on the output.")],
    training: Annotated[Path, Option(help="The list of the training set, with the placed patches.")],
    predictions: Annotated[str, Option(help="Path of the predictions of {seed}.")],
    seeds: Annotated[str, Option(help="With spaces between.")],
    labels: Annotated[str, Option(help="What the labels are: photo or truth.")],
    resamples: Annotated[int, Option(help="Bootstrap resamples.")],
    overall: Annotated[Path, Option(help="Where to write the table.")],
    by_class: Annotated[Path, Option(help="Where to write the table by class.")],
) -> None:
    """Tabulate the scores of four classes."""
    learned = [read_table(one.sources, ["label"]) for one in read_set(training)]
    counts = np.bincount(pd.concat(learned)["label"], minlength=len(NAMES))
    tables = {
        int(seed): read_table(Path(predictions.format(seed=seed)), ["bucket", "label", *NAMES.values()])
        for seed in seeds.split()
    }
    for table, path in zip(score_calls(tables, counts, resamples), (overall, by_class), strict=True):
        table.insert(2, "against", labels)
        write_csv(table, path, sky)


if __name__ == "__main__":
    cli.run(main)
