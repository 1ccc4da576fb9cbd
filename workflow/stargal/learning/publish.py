"""The classifier to reuse: the networks of an experiment as one, with calibrated probabilities (`stargal.learning.calibration`).

The average of the logits of the networks, one of each seed, and the line through them are one Keras model, which takes
nanomaggies and needs nothing of this library.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import stargal.learning.lean  # noqa: F401  # isort: skip  # before keras
import keras
import numpy as np
import pandas as pd
from keras import layers

from stargal.learning.calibration import Calibration
from stargal.survey.fields import PIXEL_ARCSEC
from stargal.survey.labels import CLASSES

EXTREMES = (0.005, 0.995)
"""Quantiles of the r magnitudes of the training sources between which a classifier has learned what it tells."""


def combine(networks: Sequence[keras.Model], calibration: Calibration, name: str) -> keras.Model:
    """One model of several networks.

    Parameters
    ----------
    networks : sequence of keras.Model
        As `stargal.learning.models.build` makes them, for patches of one size, without auxiliary inputs.
    calibration : Calibration
    name : str
        Of the model.

    Returns
    -------
    keras.Model
        Takes what each of them takes; gives float32 ``(n, 1)``, the calibrated probability of a star.
    """
    keras.utils.clear_session()
    patches = keras.Input(networks[0].input_shape[1:], name="nanomaggies")
    logits = [_logit(network, number)(patches) for number, network in enumerate(networks, start=1)]
    mean = layers.Average(name="mean_logit")(logits) if len(logits) > 1 else logits[0]
    line = layers.Dense(1, activation="sigmoid", name="star")
    combined = keras.Model(patches, line(mean), name=name)
    line.set_weights([np.array([[calibration.slope]]), np.array([calibration.offset])])
    return combined


def _logit(network: keras.Model, number: int) -> keras.Model:
    """A network without the sigmoid of its last layer."""
    last = network.layers[-1]
    linear = layers.Dense(1, name="logit")
    model = keras.Model(network.input, linear(last.input), name=f"network_{number}")
    linear.set_weights(last.get_weights())
    return model


def describe(
    *,
    experiment: str,
    sky: str,
    labels: str,
    bands: str,
    size: int,
    seeds: Iterable[int],
    training: Mapping[str, pd.DataFrame],
    predictions: pd.DataFrame,
    calibration: Calibration,
    model_sha256: str,
) -> dict[str, Any]:
    """What whoever uses a classifier must know of it, to be written as classifier.json.

    Parameters
    ----------
    experiment, sky, labels : str
        Its experiment, the sky that it learned from, and the kind of its labels.
    bands : str
        The bands of its patches, in order.
    size : int
        Their side, pixels.
    seeds : iterable of int
        Of the networks it is made of.
    training : mapping of DataFrame
        The training sources by field; ``model_mag_r``.
    predictions : DataFrame
        As `mean_predictions` gives them.
    calibration : Calibration
    model_sha256 : str
        SHA-256 of model.keras.
    """
    magnitudes = pd.concat([sources["model_mag_r"] for sources in training.values()])
    low, high = magnitudes.quantile(list(EXTREMES))
    fields = {bucket: list(part["field"].unique()) for bucket, part in predictions.groupby("bucket")}
    return {
        "experiment": experiment,
        "sky": sky,
        "labels": labels,
        "classes": {str(label): word for label, word in CLASSES.items()},
        "bands": bands,
        "size": size,
        "unit": "nanomaggy",
        "pixel_arcsec": PIXEL_ARCSEC,
        "seeds": list(seeds),
        "training_fields": list(training),
        "training_sources": len(magnitudes),
        "magnitudes": [round(float(low), 2), round(float(high), 2)],
        "validation_fields": fields.get("validation", []),
        "test_fields": fields.get("test", []),
        "calibration": {"slope": round(calibration.slope, 6), "offset": round(calibration.offset, 6)},
        "keras": keras.__version__,
        "model_sha256": model_sha256,
    }
