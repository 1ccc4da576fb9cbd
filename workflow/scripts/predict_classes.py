"""Say of each placed patch of the validation and test fields how probably it shows sky, a star, a galaxy, or both.

Reads a model, the lists of both, and tables and patches of the fields one at a time; writes predictions.parquet, a row
a patch: id, field, bucket, x, y, label, and the probability of each class.
"""

from itertools import starmap
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
from typer import Argument, Option

from stargal.dataset.sets import read_set
from stargal.evaluation.classes import NAMES
from stargal.io import cli
from stargal.io.files import whole
from stargal.io.tables import read_table, unusable
from stargal.learning import models
from stargal.learning.train import open_set


def main(
    model: Annotated[Path, Argument(help="The model.")],
    validation: Annotated[Path, Option(help="The list of the validation fields, with the placed patches.")],
    test: Annotated[Path, Option(help="The list of the test fields, likewise.")],
    predictions: Annotated[Path, Option(help="Where to write the predictions.")],
) -> None:
    """Apply a model of four classes."""
    models.use_one_thread()
    network = models.load(model)
    classify = models.predictor(network)
    parts = []
    for bucket, path in (("validation", validation), ("test", test)):
        for one in read_set(path):
            cut = open_set([one])
            if cut.shape != network.input_shape[1:]:
                raise unusable(one.patches, f"patches of {cut.shape}, {model} takes {network.input_shape[1:]}")
            table = read_table(one.sources, ["id", "x", "y", "label"])
            table.insert(1, "field", one.field.name)
            table.insert(2, "bucket", bucket)
            probability = np.concatenate([np.empty((0, len(NAMES)), np.float32), *starmap(classify, cut.chunks(512))])
            parts.append(table.assign(**{name: probability[:, label] for label, name in NAMES.items()}))
    with whole(predictions) as partial:
        pd.concat(parts, ignore_index=True).to_parquet(partial, index=False)


if __name__ == "__main__":
    cli.run(main)
