"""The classifier to reuse: the networks of an experiment as one, and probabilities that mean what they say.

The logits of the networks, one of each seed, are averaged, and a straight line is put through them that makes the
probabilities of the validation sources the most likely (Platt 1999, in Advances in Large Margin Classifiers; with an
offset of 0 it is the temperature of Guo et al. 2017, arXiv:1706.04599). Averages, line and all are one Keras model,
which takes nanomaggies and needs nothing of this library.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import stargal.lean  # noqa: F401  # isort: skip  # before keras
import keras
import numpy as np
import pandas as pd
from keras import layers
from numpy.typing import NDArray
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from stargal.errors import StargalError
from stargal.labels import CLASSES, labelled, require_both_classes
from stargal.metrics import SMALLEST
from stargal.survey import PIXEL_ARCSEC

EXTREMES = (0.005, 0.995)
"""Quantiles of the r magnitudes of the training sources between which a classifier has learned what it tells."""


@dataclass(frozen=True)
class Calibration:
    """The line through the logits: probability = expit(slope * logit + offset)."""

    slope: float
    offset: float

    def __call__(self, logits: NDArray[np.float64]) -> NDArray[np.float64]:
        """Calibrated probabilities of a star."""
        return np.asarray(expit(self.slope * logits + self.offset))


def mean_predictions(runs: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Predictions of networks of several seeds as one table, with the mean of their logits.

    Parameters
    ----------
    runs : sequence of DataFrame
        The same sources in the same order, as `predict` writes them.

    Returns
    -------
    DataFrame
        The first without its probability, and ``logit`` (float64).

    Raises
    ------
    StargalError
        If the sources differ.
    """
    first = runs[0]
    for run in runs[1:]:
        if not run["id"].equals(first["id"]):
            raise StargalError("the networks of the seeds classified different sources; remove their predictions")
    bounded = [np.clip(run["probability"].to_numpy(float), SMALLEST, 1 - SMALLEST) for run in runs]
    return first.drop(columns="probability").assign(logit=np.mean([logit(values) for values in bounded], axis=0))


def fit_calibration(predictions: pd.DataFrame, labels: str) -> Calibration:
    """The line that makes the labels of the validation sources the most likely, and does not fall.

    Of networks that have learned nothing, whose more likely stars are not the more often stars, the slope is 0: every
    source is given the share of stars.

    Parameters
    ----------
    predictions : DataFrame
        As `mean_predictions` gives them.
    labels : str
        photo or truth.

    Raises
    ------
    StargalError
        If a class is missing.
    """
    sources = labelled(predictions, labels, "validation")
    truth = sources["label"].to_numpy(np.int8)
    require_both_classes("bucket validation", truth)
    fitted = LogisticRegression(C=np.inf).fit(sources[["logit"]].to_numpy(float), truth)
    slope, offset = float(fitted.coef_[0, 0]), float(fitted.intercept_[0])
    return Calibration(slope, offset) if slope > 0 else Calibration(0.0, float(logit(truth.mean())))


def combine(networks: Sequence[keras.Model], calibration: Calibration, name: str) -> keras.Model:
    """One model of several networks.

    Parameters
    ----------
    networks : sequence of keras.Model
        As `stargal.models.build` makes them, for patches of one size, without auxiliary inputs.
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
