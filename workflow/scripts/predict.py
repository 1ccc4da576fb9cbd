"""Classify the sources of the validation and test fields.

Reads a model, and the sources and patches of the fields one at a time; writes predictions.parquet, a row a source: id,
field, bucket, label (1 star, 0 galaxy, SDSS photo's type), truth (the same, where known), psf_mag_r, model_mag_r,
probability of a star.
"""

from itertools import starmap
from pathlib import Path
from typing import Annotated

import numpy as np
import pyarrow
import pyarrow.parquet
from typer import Argument, Option

from stargal.dataset.sets import read_set
from stargal.io import cli
from stargal.io.files import whole
from stargal.io.tables import read_table, unusable
from stargal.learning import models
from stargal.learning.train import open_set


def main(
    model: Annotated[Path, Argument(help="The model.")],
    sets: Annotated[list[Path], Argument(help="The lists of the fields to classify.")],
    buckets: Annotated[str, Option(help="The bucket of each list, with spaces between.")],
    predictions: Annotated[Path, Option(help="Where to write the predictions.")],
    auxiliary: Annotated[str, Option(help="What the model takes besides; names with spaces between.")] = "",
) -> None:
    """Apply a model."""
    models.use_one_thread()
    network = models.load(model)
    classify, shape = models.predictor(network), network.inputs[0].shape[1:]
    writer = None
    with whole(predictions) as partial:
        for bucket, path in zip(buckets.split(), sets, strict=True):
            for one in read_set(path):
                cut = open_set([one], auxiliary=auxiliary.split())
                if cut.shape != shape:
                    raise unusable(one.patches, f"patches of {cut.shape}, {model} takes {shape}")
                table = read_table(one.sources, ["id", "label", "truth", "psf_mag_r", "model_mag_r"])
                table.insert(1, "field", one.field.name)
                table.insert(2, "bucket", bucket)
                table["probability"] = np.concatenate([np.empty(0, np.float32), *starmap(classify, cut.chunks(512))])
                rows = pyarrow.Table.from_pandas(table, preserve_index=False)
                writer = writer or pyarrow.parquet.ParquetWriter(partial, rows.schema)
                writer.write_table(rows)
        if writer:
            writer.close()


if __name__ == "__main__":
    cli.run(main)
