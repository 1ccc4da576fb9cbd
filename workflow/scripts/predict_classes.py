"""Say of each placed patch of the validation and test fields how probably it shows sky, a star, a galaxy, or both.

Reads a model, and tables and patches of the fields one at a time; writes predictions.parquet, a row a patch: id, field,
bucket, x, y, label, and the probability of each class.
"""

from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
from typer import Argument, Option

from stargal import cli, models
from stargal.classes import NAMES
from stargal.files import whole
from stargal.survey import parse_fields
from stargal.tables import read_table, unusable
from stargal.train import open_fields


def main(
    model: Annotated[Path, Argument(help="The model.")],
    validation_fields: Annotated[str, Option(help="As stargal.survey.format_fields writes them.")],
    test_fields: Annotated[str, Option(help="Likewise.")],
    placed: Annotated[str, Option(help="Path of the table of the patches of {field}.")],
    patches: Annotated[str, Option(help="Path of the patches of {field}.")],
    predictions: Annotated[Path, Option(help="Where to write the predictions.")],
) -> None:
    """Apply a model of four classes."""
    models.use_one_thread()
    network = models.load(model)
    classify = models.predictor(network)
    parts = []
    for bucket, fields in (("validation", validation_fields), ("test", test_fields)):
        for field in parse_fields(fields):
            cut = open_fields([field], patches, placed, "label")
            if cut.shape != network.input_shape[1:]:
                raise unusable(cut.paths[0], f"patches of {cut.shape}, {model} takes {network.input_shape[1:]}")
            table = read_table(Path(placed.format(field=field.name)), ["id", "x", "y", "label"])
            table.insert(1, "field", field.name)
            table.insert(2, "bucket", bucket)
            probability = np.concatenate([np.empty((0, len(NAMES)), np.float32), *map(classify, cut.chunks(512))])
            parts.append(table.assign(**{name: probability[:, label] for label, name in NAMES.items()}))
    with whole(predictions) as partial:
        pd.concat(parts, ignore_index=True).to_parquet(partial, index=False)


if __name__ == "__main__":
    cli.run(main)
