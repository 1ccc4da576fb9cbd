"""Classify the sources of the validation and test fields.

Reads a model, and the sources and patches of the fields one at a time; writes predictions.parquet, a row a source: id,
field, bucket, label (1 star, 0 galaxy, SDSS photo's type), truth (the same, where known), psf_mag_r, model_mag_r,
probability of a star.
"""

from pathlib import Path
from typing import Annotated

import numpy as np
import pyarrow
import pyarrow.parquet
from typer import Argument, Option

from stargal import cli, models
from stargal.files import whole
from stargal.survey import parse_fields
from stargal.tables import read_table, unusable
from stargal.train import open_patches


def main(
    model: Annotated[Path, Argument(help="The model.")],
    validation_fields: Annotated[str, Option(help="As stargal.survey.format_fields writes them.")],
    test_fields: Annotated[str, Option(help="Likewise.")],
    sources: Annotated[str, Option(help="Path of the sources of {field}.")],
    patches: Annotated[str, Option(help="Path of the patches of {field}.")],
    predictions: Annotated[Path, Option(help="Where to write the predictions.")],
) -> None:
    """Apply a model."""
    models.use_one_thread()
    network = models.load(model)
    classify = models.predictor(network)
    bucket_of = dict.fromkeys(parse_fields(validation_fields), "validation")
    bucket_of |= dict.fromkeys(parse_fields(test_fields), "test")
    writer = None
    with whole(predictions) as partial:
        for field, bucket in bucket_of.items():
            source_path, patch_path = Path(sources.format(field=field.name)), Path(patches.format(field=field.name))
            cut = open_patches([patch_path], [source_path])
            if cut.shape != network.input_shape[1:]:
                raise unusable(patch_path, f"patches of {cut.shape}, {model} takes {network.input_shape[1:]}")
            table = read_table(source_path, ["id", "label", "truth", "psf_mag_r", "model_mag_r"])
            table.insert(1, "field", field.name)
            table.insert(2, "bucket", bucket)
            table["probability"] = np.concatenate([np.empty(0, np.float32), *map(classify, cut.chunks(512))])
            rows = pyarrow.Table.from_pandas(table, preserve_index=False)
            writer = writer or pyarrow.parquet.ParquetWriter(partial, rows.schema)
            writer.write_table(rows)
        if writer:
            writer.close()


if __name__ == "__main__":
    cli.run(main)
