"""Predictions of a network for the fields of listed sets."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import keras
import numpy as np
import pyarrow
import pyarrow.parquet
from numpy.typing import NDArray

from stargal.dataset.sets import FieldFiles
from stargal.errors import StargalError
from stargal.io.files import whole
from stargal.io.tables import read_table, unusable
from stargal.learning.network_files import takes_psf
from stargal.learning.tasks import Task
from stargal.learning.training_data import LabelledPatches, open_set

CHUNK = 512
"""Patches computed at a time; bounds the memory."""


def predict(model: keras.Model, *inputs: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probabilities of some patches: ``(n,)`` of a star, or ``(n, classes)`` of each class.

    Parameters
    ----------
    model : keras.Model
    *inputs : float32 arrays
        Patches ``(n, size, size, bands)``, nanomaggies, the PSF of each source if the network takes it, and auxiliary
        inputs ``(n, inputs)`` if it takes any.
    """
    starts = range(0, len(inputs[0]), CHUNK)
    return _predict_chunks(model, (tuple(part[first : first + CHUNK] for part in inputs) for first in starts))


def predict_set(model: keras.Model, patches: LabelledPatches) -> NDArray[np.float32]:
    """`predict` for all patches of a set, read `CHUNK` at a time."""
    return _predict_chunks(model, patches.chunks(CHUNK))


def _predict_chunks(model: keras.Model, chunks: Iterable[tuple[NDArray[np.float32], ...]]) -> NDArray[np.float32]:
    """Probabilities of inputs that come in chunks."""
    outputs = model.output_shape[1]
    parts = [model.predict_on_batch(inputs[0] if len(inputs) == 1 else inputs) for inputs in chunks]
    probability = np.concatenate([np.empty((0, outputs), np.float32), *parts])
    return probability[:, 0] if outputs == 1 else probability


def write_predictions(
    model: keras.Model,
    task: Task,
    buckets: Mapping[str, Sequence[FieldFiles]],
    path: Path,
    auxiliary: Sequence[str] = (),
) -> None:
    """Write the predictions of a network as one parquet file; one field is in memory at a time.

    Parameters
    ----------
    model : keras.Model
    task : Task
    buckets : mapping
        Fields of each bucket.
    path : path
    auxiliary : sequence of str
        Names of the auxiliary inputs that the network takes.

    Raises
    ------
    StargalError
        If the patches of a field have another shape than the network takes, or a prediction is not a number.
    """
    shape = model.inputs[0].shape[1:]
    writer = None
    with whole(path) as partial:
        for bucket, fields in buckets.items():
            for one in fields:
                patches = open_set([one], auxiliary=auxiliary, with_psf=takes_psf(model))
                if patches.shape != shape:
                    raise unusable(one.patches, f"patches of {patches.shape}, the network takes {shape}")
                sources = read_table(one.sources, list(task.columns))
                probability = predict_set(model, patches)
                wrong = np.count_nonzero(~np.isfinite(probability))
                if wrong:
                    raise StargalError(
                        f"{one.patches}: the network gives no number for {wrong} of {len(sources)} patches: its "
                        "training has diverged; lower `learning_rate` of its model"
                    )
                table = task.predictions(sources, one.field.name, bucket, probability)
                rows = pyarrow.Table.from_pandas(table, preserve_index=False)
                writer = writer or pyarrow.parquet.ParquetWriter(partial, rows.schema)
                writer.write_table(rows)
        if writer:
            writer.close()
