"""Training: `keras.Model.fit` on patches that stay on disk.

The weights are averaged over the steps, and the averages are validated and kept (Polyak & Juditsky 1992; Izmailov et
al. 2018). Their loss falls smoothly, whereas that of the weights themselves jumps by a tenth from epoch to epoch and
stops training early or late by chance.
"""

import logging
import math
from functools import partial
from typing import Any

import keras
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stargal.errors import StargalError
from stargal.learning.training_data import Augment, LabelledPatches
from stargal.survey.labels import UNKNOWN

AVERAGE = 0.99
"""Share of the average of the weights that each step keeps: it spans about a hundred steps."""

BINARY = keras.losses.BinaryCrossentropy, keras.metrics.BinaryCrossentropy, keras.metrics.BinaryAccuracy
CATEGORICAL = (
    keras.losses.SparseCategoricalCrossentropy,
    keras.metrics.SparseCategoricalCrossentropy,
    keras.metrics.SparseCategoricalAccuracy,
)
"""Loss and metrics of networks with one output, the probability of a star, and with one output per class."""

COLUMNS = {
    "entropy": "loss",
    "accuracy": "accuracy",
    "val_entropy": "val_loss",
    "val_accuracy": "val_accuracy",
}
"""Columns of the history, by the name keras logs them under. Keras's own ``loss`` includes the l2 penalty."""

log = logging.getLogger(__name__)


class Batches(keras.utils.PyDataset):
    """Batches of inputs and labels, read when keras asks for them; patches of unknown label are left out.

    Parameters
    ----------
    patches : LabelledPatches
    size : int
        Patches in a batch; the last may hold fewer.
    seed : int or None
        Seed of the order and of the augmentation, which are new in each epoch. With None the order is that of the
        rows, and nothing is augmented.
    augment : function or None
        Augmentation callback.
    """

    def __init__(
        self, patches: LabelledPatches, size: int, seed: int | None = None, augment: Augment | None = None
    ) -> None:
        super().__init__()
        self.patches, self.size, self.seed, self.augment = patches, size, seed, augment
        self.rows = np.flatnonzero(patches.labels != UNKNOWN)
        self.epoch = 0

    def __len__(self) -> int:
        return math.ceil(len(self.rows) / self.size)

    def __getitem__(self, batch: int) -> tuple[Any, NDArray[np.float32]]:
        rows = self.rows[batch * self.size : (batch + 1) * self.size]
        change = None
        if self.seed is not None and self.augment is not None:
            # By the number of the batch: keras may read batches ahead, or again.
            rng = np.random.default_rng([self.seed, self.epoch, batch])
            change = partial(self.augment, rows=rows, rng=rng)
        inputs = self.patches.inputs(rows, change)
        labels = self.patches.labels[rows, np.newaxis].astype(np.float32)
        return inputs[0] if len(inputs) == 1 else inputs, labels

    def on_epoch_begin(self) -> None:
        """Draw a new order of the patches."""
        self.epoch += 1
        if self.seed is not None:
            self.rows = np.random.default_rng([self.seed, self.epoch]).permutation(np.sort(self.rows))


def fit(
    model: keras.Model,
    training: LabelledPatches,
    validation: LabelledPatches,
    *,
    learning_rate: float,
    batch_size: int,
    max_epochs: int,
    max_patches: int | None,
    patience: int,
    seed: int,
    augment: Augment | None = None,
) -> pd.DataFrame:
    """Train a network until its validation loss stops falling, and leave it with its best weights.

    Parameters
    ----------
    model : keras.Model
        Untrained. It ends with the averaged weights of the epoch with the lowest validation loss.
    training, validation : LabelledPatches
    learning_rate : float
        Step of Adam (Kingma & Ba 2015).
    batch_size : int
        Patches in a step.
    max_epochs : int
        Largest number of epochs.
    max_patches : int or None
        Stop after the epoch in which so many patches were seen.
    patience : int
        Stop after so many epochs without a lower validation loss.
    seed : int
        Seed of the order of the patches and of their augmentation.
    augment : function or None
        Augmentation callback of the training patches. Validation patches are not augmented.

    Returns
    -------
    DataFrame
        One row per epoch, from 1: ``epoch, loss, accuracy, val_loss, val_accuracy``. Losses are mean
        cross-entropies, nats, without the l2 penalty, so that all networks compare. Dropout is on during training,
        so `loss` may exceed `val_loss`.

    Raises
    ------
    StargalError
        If the loss is not finite.
    """
    loss, entropy, accuracy = BINARY if model.output_shape[1] == 1 else CATEGORICAL
    model.compile(
        keras.optimizers.Adam(learning_rate, use_ema=True, ema_momentum=AVERAGE),
        loss(),
        metrics=[entropy(name="entropy"), accuracy(name="accuracy")],
    )
    batches = Batches(training, batch_size, seed, augment)
    enough = max_epochs if max_patches is None else math.ceil(max_patches / len(batches.rows))
    history = model.fit(
        batches,
        validation_data=Batches(validation, batch_size),
        epochs=min(max_epochs, enough),
        shuffle=False,
        verbose=0,
        callbacks=[
            keras.callbacks.TerminateOnNaN(),
            # First the swap, so that what follows sees the averages; the best weights are put back after training.
            keras.callbacks.SwapEMAWeights(swap_on_epoch=True),
            keras.callbacks.EarlyStopping("val_entropy", patience=patience, mode="min", restore_best_weights=True),
            keras.callbacks.LambdaCallback(on_epoch_end=_log_epoch),
        ],
    )
    epochs = pd.DataFrame(history.history)[list(COLUMNS)].rename(columns=COLUMNS)
    epochs.insert(0, "epoch", np.arange(1, len(epochs) + 1))
    if not np.isfinite(epochs.to_numpy(float)).all():
        raise StargalError(
            f"the training loss is not a number in epoch {len(epochs)}: lower learning_rate (now {learning_rate})"
        )
    return epochs


def _log_epoch(epoch: int, logs: dict[str, float]) -> None:
    """Log one line per epoch."""
    log.info("epoch %d: %s", epoch + 1, ", ".join(f"{name} {logs[key]:.4f}" for key, name in COLUMNS.items()))
