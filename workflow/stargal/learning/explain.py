"""Explanation: the parts of a patch that a network's decision depends on, by gradients and by occlusion.

Both use the log-odds of a star, the input of the last sigmoid, which do not saturate where the network is certain.
Covered pixels are 0, the mean of the subtracted sky, and so are pixels without data.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from numpy.typing import NDArray

from stargal.evaluation.metrics import wilson
from stargal.io.files import whole
from stargal.learning.training_data import LabelledPatches
from stargal.survey.labels import CLASSES

RADII = (1, 2, 3, 4, 6, 8, 10, 12)
"""Radii around the central pixel, pixels of 0.396 arcsec; the FWHM of a star is about 3."""

BOX, STEP = 5, 2
"""Side of the square that is covered, and the step by which it moves, pixels."""

BATCH = 512
"""Patches computed at a time."""

MOST = 200
"""Largest number of sources of each class: enough for shares to a few per cent."""

Maps = NDArray[np.float64]

Odds = Callable[..., tf.Tensor]
"""Log-odds of a star, as `log_odds` gives them."""


def choose(labels: NDArray[np.int8]) -> NDArray[np.int64]:
    """Rows of at most `MOST` sources of each class, evenly spread, in ascending order."""
    rows = [np.flatnonzero(labels == label) for label in CLASSES]
    spread = [np.unique(np.linspace(0, len(own) - 1, min(MOST, len(own))).astype(int)) for own in rows]
    return np.sort(np.concatenate([own[places] for own, places in zip(rows, spread, strict=True)]))


def write_explanation(model: keras.Model, patches: LabelledPatches, maps: Path) -> pd.DataFrame:
    """Explain a network on chosen sources of a set, write the mean maps, and return the table of `explain`.

    Parameters
    ----------
    model : keras.Model
    patches : LabelledPatches
        Usually the test fields.
    maps : path
        Where to write the mean maps, float32, as ``.npz``.
    """
    chosen = choose(patches.labels)
    inputs = patches.inputs(chosen)
    table, means = explain(model, inputs[0], patches.labels[chosen], *inputs[1:])
    with whole(maps) as partial, partial.open("wb") as stream:
        np.savez(stream, allow_pickle=False, **{name: mean.astype(np.float32) for name, mean in means.items()})
    return table


def log_odds(model: keras.Model) -> Odds:
    """The network without its last sigmoid: from patches ``(n, size, size, bands)`` to log-odds of a star ``(n,)``.

    Auxiliary inputs, if the network takes any, come second.
    """
    last = model.layers[-1]
    features = keras.Model(model.inputs, last.input)
    kernel, bias = last.kernel, last.bias
    return tf.function(
        lambda *inputs: (features(list(inputs)) @ kernel + bias)[:, 0],
        input_signature=[tf.TensorSpec((None, *each.shape[1:]), tf.float32) for each in model.inputs],
    )


def gradient_maps(odds: Odds, patches: NDArray[np.float32], *auxiliary: NDArray[np.float32]) -> Maps:
    """Absolute gradient times input, summed over the bands (Shrikumar et al. 2016): ``(n, size, size)``.

    Parameters
    ----------
    odds : function
        As `log_odds` gives it.
    patches : float32 array, (n, size, size, bands)
        Nanomaggies, NaN where there is no data.
    *auxiliary : float32 array, (n, inputs)
        Auxiliary inputs, if the network takes any.
    """
    maps = []
    for first in range(0, len(patches), BATCH):
        part = tf.constant(np.nan_to_num(patches[first : first + BATCH]))
        with tf.GradientTape() as tape:
            tape.watch(part)
            total = tf.reduce_sum(odds(part, *(more[first : first + BATCH] for more in auxiliary)))
        maps.append(np.abs((tape.gradient(total, part) * part).numpy()).sum(axis=3))
    return np.concatenate(maps).astype(float)


def occlusion_maps(odds: Odds, patches: NDArray[np.float32], *auxiliary: NDArray[np.float32]) -> Maps:
    """Change of the log-odds when a square is covered (Zeiler & Fergus 2014): ``(n, size, size)``.

    The value of a pixel is the mean absolute change over all squares that cover it, so the square blurs the maps.
    """
    filled = np.nan_to_num(patches)
    size = patches.shape[1]
    starts = np.arange(0, size - BOX + 1, STEP)
    as_it_is = _in_batches(odds, filled, *auxiliary)
    change, covered = np.zeros(filled.shape[:3]), np.zeros((size, size))
    for row in starts:
        for column in starts:
            square = (slice(row, row + BOX), slice(column, column + BOX))
            hidden = filled.copy()
            hidden[:, *square] = 0
            change[:, *square] += np.abs(_in_batches(odds, hidden, *auxiliary) - as_it_is)[:, np.newaxis, np.newaxis]
            covered[square] += 1
    return change / np.maximum(covered, 1)


def explain(
    model: keras.Model, patches: NDArray[np.float32], labels: NDArray[np.int8], *auxiliary: NDArray[np.float32]
) -> tuple[pd.DataFrame, dict[str, Maps]]:
    """Shares of the decision within several radii of the centre.

    Parameters
    ----------
    model : keras.Model
        Its last layer is dense with a sigmoid.
    patches : float32 array, (n, size, size, bands)
        Nanomaggies, NaN where there is no data.
    labels : int8 array, (n,)
        1 star, 0 galaxy.
    *auxiliary : float32 array, (n, inputs)
        Auxiliary inputs, if the network takes any. They are not covered, and their influence is in no map.

    Returns
    -------
    DataFrame
        One row per class and radius: ``class, sources, radius`` (pixels), ``area`` (share of the patch within it),
        ``gradient`` and ``occlusion`` (mean share of the map within it, with its 95 % interval over the sources,
        ``_low`` and ``_high``), ``kept`` (share of the sources that keep their class with the rest covered) and
        ``removed`` (the same with the inside covered), with intervals (Wilson).
    dict
        Mean map ``(size, size)`` of each class and kind, ``star_gradient`` and so on; each source's adds up to 1.
    """
    odds = log_odds(model)
    maps_of = {"gradient": gradient_maps, "occlusion": occlusion_maps}
    kinds = {kind: _shares(make(odds, patches, *auxiliary)) for kind, make in maps_of.items()}
    axis = np.arange(patches.shape[1]) - patches.shape[1] // 2
    distance = np.hypot(axis[:, np.newaxis], axis)
    filled = np.nan_to_num(patches)
    star = _in_batches(odds, filled, *auxiliary) > 0
    rows = []
    maps: dict[str, Maps] = {}
    discs = {radius: distance <= radius for radius in RADII if radius <= axis[-1]}
    same = {
        (name, radius): star
        == (_in_batches(odds, np.where((disc == inside)[..., np.newaxis], filled, 0), *auxiliary) > 0)
        for radius, disc in discs.items()
        for name, inside in (("kept", True), ("removed", False))
    }
    for label, word in CLASSES.items():
        own = labels == label
        maps |= {f"{word}_{kind}": shares[own].mean(axis=0) for kind, shares in kinds.items()}
        for radius, disc in discs.items():
            row: dict[str, object] = {"class": word, "sources": int(own.sum()), "radius": radius, "area": disc.mean()}
            for kind, shares in kinds.items():
                row |= _interval(kind, shares[own][:, disc].sum(axis=1))
            for name in ("kept", "removed"):
                share = same[name, radius][own].mean()
                low, high = wilson(share, own.sum())
                row |= {name: share, f"{name}_low": low, f"{name}_high": high}
            rows.append(row)
    return pd.DataFrame(rows), maps


def _in_batches(odds: Odds, *inputs: NDArray[np.float32]) -> NDArray[np.float32]:
    """Log-odds of any number of patches, which are the first input."""
    starts = range(0, len(inputs[0]), BATCH)
    return np.concatenate([odds(*(part[first : first + BATCH] for part in inputs)).numpy() for first in starts])


def _shares(maps: Maps) -> Maps:
    """Maps scaled to a sum of 1; a map that is 0 everywhere becomes uniform."""
    total = maps.sum(axis=(1, 2), keepdims=True)
    return np.where(total > 0, maps, 1) / np.where(total > 0, total, maps[0].size)


def _interval(name: str, values: NDArray[np.float64]) -> Mapping[str, float]:
    """Mean of a share over the sources with its 95 % interval (normal)."""
    half = 1.959964 * values.std(ddof=1) / np.sqrt(len(values))
    mean = values.mean()
    return {name: mean, f"{name}_low": max(mean - half, 0.0), f"{name}_high": min(mean + half, 1.0)}
