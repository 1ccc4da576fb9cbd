"""Fit a network to patches that stay on disk."""

import logging
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from numpy.typing import NDArray

from stargal.dataset.patches import read_patches
from stargal.dataset.sets import FieldFiles
from stargal.errors import StargalError
from stargal.io.tables import read_table, unusable
from stargal.learning import models
from stargal.learning.auxiliary import read_auxiliary
from stargal.survey.labels import UNKNOWN, known_labels

MAD_TO_SIGMA = 1.4826
"""Standard deviation of a normal distribution over its median absolute deviation, 1 / Phi^-1(3/4)."""

Vary = Callable[[NDArray[np.float32], NDArray[np.int64], np.random.Generator], NDArray[np.float32]]
"""What to learn in the place of some patches: a function of the patches, their rows in the training set, and chance."""

SAMPLE_BYTES = 2**25
"""Patches in memory at a time, where a sample of them is looked at: 2,684 of 25 x 25 x 5 pixels."""

AVERAGE = 0.99
"""Each step keeps this much of the average of the weights: it looks back over some hundred steps.

The average is what is validated and kept (Polyak & Juditsky 1992; Izmailov et al. 2018). Its loss falls smoothly, where
that of the weights themselves jumps by a tenth from epoch to epoch and stops trainings early or late by chance.
"""

BINARY = keras.losses.BinaryCrossentropy, keras.metrics.BinaryCrossentropy, keras.metrics.BinaryAccuracy
CATEGORICAL = (
    keras.losses.SparseCategoricalCrossentropy,
    keras.metrics.SparseCategoricalCrossentropy,
    keras.metrics.SparseCategoricalAccuracy,
)
"""Loss and metrics of networks with one output, the probability of a star, and with one for each class."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LabelledPatches:
    """The patches of many fields in a row, with their labels; only the labels are in memory.

    Attributes
    ----------
    paths : list of paths
        One ``.npy`` file a field.
    offsets : list of int
        Where in each file the first patch begins, bytes.
    starts : int64 array, (fields + 1,)
        Row at which each field begins, and the number of rows.
    labels : int8 array, (n,)
        1 star, 0 galaxy, `stargal.survey.labels.UNKNOWN` where it is not known.
    shape : tuple of int
        Shape of one patch: (rows, columns, bands).
    auxiliary : DataFrame or None
        What a network is told besides, float32, a row a patch, NaN where it is not known.
    """

    paths: list[Path]
    offsets: list[int]
    starts: NDArray[np.int64]
    labels: NDArray[np.int8]
    shape: tuple[int, ...]
    auxiliary: pd.DataFrame | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def read(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """The patches at some rows, in the order given: float32 ``(len(rows), *shape)``, nanomaggies.

        Files are opened only while they are read: no limit on open files, and no mapped page counts as memory.
        """
        order = np.argsort(rows, kind="stable")
        wanted = rows[order]
        files = self.fields(wanted)
        found = np.empty((len(rows), *self.shape), np.float32)
        patch_bytes = found[:1].nbytes
        for first, last in _runs(files):
            file = files[first]
            with self.paths[file].open("rb", buffering=0) as stream:
                for begin, end in _runs(wanted[first:last] - np.arange(last - first)):
                    row = wanted[first + begin] - self.starts[file]
                    stream.seek(self.offsets[file] + row * patch_bytes)
                    stream.readinto(found[first + begin : first + end])
        result = np.empty_like(found)
        result[order] = found
        return result

    def fields(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """The number of the file that each of some rows is in."""
        return np.searchsorted(self.starts, rows, side="right") - 1

    def inputs(self, rows: NDArray[np.int64], patches: NDArray[np.float32] | None = None) -> list[NDArray[np.float32]]:
        """What a network takes: the patches at some rows, or others in their place, and the auxiliary inputs if any."""
        told = [] if self.auxiliary is None else [self.auxiliary.to_numpy()[rows]]
        return [self.read(rows) if patches is None else patches, *told]

    def chunks(self, size: int) -> Iterator[list[NDArray[np.float32]]]:
        """The `inputs` of all patches in order, at most `size` at a time."""
        for first in range(0, len(self), size):
            yield self.inputs(np.arange(first, min(first + size, len(self))))


def _runs(values: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """First and last index + 1 of each stretch of equal values."""
    edges = np.flatnonzero(np.diff(values)) + 1
    return zip([0, *edges], [*edges, len(values)], strict=True)


def open_patches(patches: Sequence[Path], sources: Sequence[Path], column: str = "label") -> LabelledPatches:
    """Check the patches of some fields against their sources, and make them readable by the row.

    Parameters
    ----------
    patches, sources : sequences of paths
        A float32 ``.npy`` of shape (n, size, size, bands) and a table of n rows, a field each.
    column : str
        Column of the tables with the labels.

    Raises
    ------
    StargalError
        Naming the file, if one cannot be read, or its shape is not that of the first or not as long as its table.
    """
    labels: list[NDArray[np.int8]] = []
    offsets: list[int] = []
    shapes: list[tuple[int, ...]] = []
    for patch_path, source_path in zip(patches, sources, strict=True):
        labels.append(known_labels(read_table(source_path, [column])[column]))
        mapped = read_patches(patch_path, len(labels[-1]))
        shape = mapped.shape[1:]
        if shape != (shapes or [shape])[0]:
            raise unusable(patch_path, f"patches of {shape}, those of {patches[0]} are {shapes[0]}")
        offsets.append(mapped.offset)
        shapes.append(shape)
    starts = np.cumsum([0, *map(len, labels)], dtype=np.int64)
    return LabelledPatches(list(patches), offsets, starts, np.concatenate(labels), shapes[0])


def open_set(fields: Sequence[FieldFiles], column: str = "label", auxiliary: Sequence[str] = ()) -> LabelledPatches:
    """`open_patches` of the fields of a set, with the auxiliary inputs of these names (`stargal.learning.auxiliary`)."""
    opened = open_patches([one.patches for one in fields], [one.sources for one in fields], column)
    return replace(opened, auxiliary=read_auxiliary(fields, auxiliary)) if auxiliary else opened


def sky_sigma(patches: LabelledPatches, sample: int = 4096) -> list[float]:
    """Sky noise of each band, nanomaggies per pixel, from the outermost pixels of the patches.

    The median absolute deviation, which neighbours in some patches do not move, of patches spread evenly over the set.

    Raises
    ------
    StargalError
        If a band has no pixel with data, or all of them are the same.
    """
    rows = np.unique(np.linspace(0, len(patches) - 1, sample).astype(np.int64))
    edge = np.ones(patches.shape[:2], bool)
    edge[1:-1, 1:-1] = False
    pixels = np.concatenate([patches.read(part)[:, edge] for part in np.array_split(rows, len(rows) // 256 + 1)])
    pixels = pixels.reshape(-1, patches.shape[2])
    sigma = MAD_TO_SIGMA * np.nanmedian(np.abs(pixels - np.nanmedian(pixels, axis=0)), axis=0)
    for band, value in enumerate(sigma):
        if not value > 0:
            raise StargalError(f"band {band} of {patches.paths[0].parent}: no noise in the sky (sigma {value})")
    return [float(value) for value in sigma]


def sample(patches: LabelledPatches, label: int) -> NDArray[np.float32]:
    """Patches of a class, spread evenly over the set, as many as `SAMPLE_BYTES` hold: float32 ``(n, *shape)``."""
    rows = np.flatnonzero(patches.labels == label)
    most = SAMPLE_BYTES // (4 * math.prod(patches.shape))
    return patches.read(rows[np.linspace(0, len(rows) - 1, min(most, len(rows))).astype(np.int64)])


class Batches:
    """Inputs of a network and their labels, read as they are asked for; those without a label are left out.

    Parameters
    ----------
    patches : LabelledPatches
        What to read.
    size : int
        Patches in a batch; the last may hold fewer.
    seed : int or None
        Shuffle and vary anew each epoch from this seed; in order and as they are if None.
    vary : function or None
        What is learned in the place of the patches.
    """

    def __init__(self, patches: LabelledPatches, size: int, seed: int | None = None, vary: Vary | None = None) -> None:
        self.patches, self.size, self.seed, self.vary = patches, size, seed, vary
        self.rows = np.flatnonzero(patches.labels != UNKNOWN)
        self.epoch = -1
        self.next_epoch()

    def __len__(self) -> int:
        return math.ceil(len(self.rows) / self.size)

    def __getitem__(self, batch: int) -> tuple[list[NDArray[np.float32]], NDArray[np.float32]]:
        rows = self.rows[batch * self.size : (batch + 1) * self.size]
        patches = self.patches.read(rows)
        if self.seed is not None and self.vary is not None:
            random = np.random.default_rng([self.seed, self.epoch, batch])  # whichever batch is asked for first
            patches = self.vary(patches, rows, random)
        return self.patches.inputs(rows, patches), self.patches.labels[rows, np.newaxis].astype(np.float32)

    def next_epoch(self) -> None:
        """Draw another order of the sources."""
        self.epoch += 1
        if self.seed is not None:
            np.random.default_rng([self.seed, self.epoch]).shuffle(self.rows)


class Dropout(keras.layers.Layer):
    """What a layer of dropout does in training, in half its time, which was an eighth of that of a step.

    Whether a number is dropped is drawn as one random byte, where keras draws four and makes a float of them. So the
    share that is dropped is that of the layer to 1/512; what is kept is scaled by just that share.

    Parameters
    ----------
    layer : keras.layers.Dropout or SpatialDropout2D
        Says how much is dropped, up to 255/256, whole maps or single numbers, and from which seed.
    """

    def __init__(self, layer: keras.layers.Dropout) -> None:
        super().__init__(name=layer.name)
        self.dropped = min(round(256 * layer.rate), 255)
        self.maps = isinstance(layer, keras.layers.SpatialDropout2D)
        self.seeds = layer.seed_generator

    def call(self, features: Any, training: bool = False) -> Any:
        """The features, some of them 0 and the others larger in training."""
        if not training:
            return features
        shape = tf.shape(features)
        if self.maps:
            shape = tf.stack([shape[0], 1, 1, shape[3]])
        count = tf.reduce_prod(shape)
        words = tf.random.stateless_uniform([(count + 3) // 4], self.seeds.next(), None, None, tf.uint32)
        drawn = tf.reshape(tf.reshape(tf.bitcast(words, tf.uint8), [-1])[:count], shape)
        return features * (tf.cast(drawn >= self.dropped, tf.float32) * (256 / (256 - self.dropped)))


def learner_of(model: keras.Model) -> keras.Model:
    """A network with the layers and weights of another, but for the `Dropout` of this module: to train, not to save."""
    learner = keras.models.clone_model(
        model,
        clone_function=lambda layer: (
            Dropout(layer)
            if isinstance(layer, keras.layers.Dropout) and layer.rate > 0
            else type(layer).from_config(layer.get_config())
        ),
    )
    learner.set_weights(model.get_weights())
    return learner


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
    vary: Vary | None = None,
) -> pd.DataFrame:
    """Train until the validation loss stops falling; leave `model` with its best weights.

    Parameters
    ----------
    model : keras.Model
        Untrained; gets the weights of the epoch with the lowest validation loss.
    training, validation : LabelledPatches
        What to learn from, and what says when to stop.
    learning_rate : float
        Step of Adam (Kingma & Ba 2015).
    batch_size : int
        Patches in a step.
    max_epochs : int
        Stop after so many passes over the training set in any case.
    max_patches : int or None
        Likewise, after the pass in which so many patches were seen.
    patience : int
        Stop after so many epochs without a lower validation loss.
    seed : int
        Seed of the order of the patches and of what varies them.
    vary : function or None
        What is learned in the place of the training patches; validation is by the patches as they are.

    Returns
    -------
    DataFrame
        A row an epoch, from 1: ``epoch, loss, accuracy, val_loss, val_accuracy``. Losses are mean
        cross-entropies, nats, without the l2 penalty, so that all models compare. During training dropout is on,
        so `loss` may exceed `val_loss`.

    Raises
    ------
    StargalError
        If the loss stops being a number.
    """
    loss, entropy, accuracy = BINARY if model.output_shape[1] == 1 else CATEGORICAL
    entropy_of, metrics = loss(), [entropy(), accuracy()]
    learner = learner_of(model)
    weights = learner.trainable_weights
    adam = keras.optimizers.Adam(learning_rate)
    adam.build(weights)
    batch = [models.signature(model), tf.TensorSpec((None, 1), tf.float32)]

    # Not keras.Model.fit: it hands each batch on through a generator of tf.data, a tenth of the time of a step.
    @tf.function(input_signature=batch)
    def learn(inputs: list[tf.Tensor], labels: tf.Tensor) -> None:
        with tf.GradientTape() as tape:
            probability = models.outputs(learner, inputs, training=True)
            penalized = entropy_of(labels, probability) + sum(learner.losses)
        adam.apply(tape.gradient(penalized, [weight.value for weight in weights]))
        for average, weight in zip(model.trainable_weights, weights, strict=True):
            average.assign_add((1 - AVERAGE) * (weight - average))
        for metric in metrics:
            metric.update_state(labels, probability)

    @tf.function(input_signature=batch)
    def judge(inputs: list[tf.Tensor], labels: tf.Tensor) -> None:
        probability = models.outputs(model, inputs)
        for metric in metrics:
            metric.update_state(labels, probability)

    def epoch_of(step: Callable[..., None], batches: Batches) -> list[float]:
        for metric in metrics:
            metric.reset_state()
        for number in range(len(batches)):
            step(*batches[number])
        return [float(metric.result()) for metric in metrics]

    learned, held_out = Batches(training, batch_size, seed, vary), Batches(validation, batch_size)
    enough = max_epochs if max_patches is None else math.ceil(max_patches / len(learned.rows))
    epochs: list[dict[str, float]] = []
    best, kept, waited = math.inf, model.get_weights(), 0
    while len(epochs) < min(max_epochs, enough) and waited < patience:
        seen = dict(zip(["loss", "accuracy"], epoch_of(learn, learned), strict=True))
        for average, weight in zip(model.non_trainable_weights, learner.non_trainable_weights, strict=True):
            average.assign(weight)  # of batch normalization, means already
        seen |= zip(["val_loss", "val_accuracy"], epoch_of(judge, held_out), strict=True)
        epochs.append({"epoch": len(epochs) + 1} | seen)
        log.info("epoch %d: %s", len(epochs), ", ".join(f"{key} {value:.4f}" for key, value in sorted(seen.items())))
        if not all(map(math.isfinite, seen.values())):
            raise StargalError(
                f"the training loss is not a number in epoch {len(epochs)}: lower learning_rate (now {learning_rate})"
            )
        waited += 1
        if seen["val_loss"] < best:
            best, kept, waited = seen["val_loss"], model.get_weights(), 0
        learned.next_epoch()
    model.set_weights(kept)
    return pd.DataFrame(epochs)
