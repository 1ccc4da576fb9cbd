"""Publishing: the networks of an experiment as one calibrated classifier (`stargal.learning.calibration`).

The mean logit of the networks, one per seed, and the line through it become one Keras model, which takes nanomaggies
and needs nothing of this library.
"""

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
from keras import layers
from scipy.special import expit

from stargal.dataset.sets import FieldFiles
from stargal.io.files import recorded, whole
from stargal.io.tables import read_table
from stargal.learning.calibration import Calibration, fit_calibration, mean_predictions
from stargal.learning.network_files import load, save
from stargal.survey.fields import PIXEL_ARCSEC
from stargal.survey.labels import CLASSES

EXTREMES = (0.005, 0.995)
"""Quantiles of the r magnitudes of the training sources; beyond them a classifier extrapolates."""

log = logging.getLogger(__name__)


def publish_classifier(
    networks: Sequence[Path],
    predictions: Sequence[Path],
    training: Sequence[FieldFiles],
    *,
    sky: str,
    experiment: str,
    seeds: Sequence[int],
    labels: str,
    bands: str,
    model: Path,
    description: Path,
    published: Path,
) -> None:
    """Write the classifier of an experiment: the model, its description and its predictions.

    Parameters
    ----------
    networks, predictions : sequences of paths
        Networks and their predictions, by seed.
    training : sequence of FieldFiles
        Fields of the training set.
    sky, experiment : str
        Names of the sky and of the experiment.
    seeds : sequence of int
    labels : str
        Labels to calibrate on: photo or truth.
    bands : str
        Bands in order, for example ugriz.
    model, description : paths
        Where to write the model and classifier.json.
    published : path
        Where to write the predictions of the classifier: ``probability``, and ``uncalibrated``, the same without the
        calibration.
    """
    table = mean_predictions([read_table(path) for path in predictions])
    calibration = fit_calibration(table, labels)
    combined = combine([load(path) for path in networks], calibration, experiment)
    save(combined, model)
    described = describe_classifier(
        experiment=experiment,
        sky=sky,
        labels=labels,
        bands=bands,
        size=combined.input_shape[1],
        seeds=seeds,
        training={one.field.name: read_table(one.sources, ["model_mag_r"]) for one in training},
        predictions=table,
        calibration=calibration,
        model_sha256=str(recorded(model)),
    )
    with whole(description) as partial:
        partial.write_text(json.dumps(described, indent=1) + "\n")
    logit = table.pop("logit").to_numpy()
    with whole(published) as partial:
        table.assign(probability=calibration(logit), uncalibrated=expit(logit)).to_parquet(partial, index=False)
    log.info("%s: %d networks, slope %.3f, offset %.3f", experiment, len(networks), *vars(calibration).values())


def combine(networks: Sequence[keras.Model], calibration: Calibration, name: str) -> keras.Model:
    """Combine several networks into one model.

    Parameters
    ----------
    networks : sequence of keras.Model
        As `stargal.learning.architectures.build` makes them, for patches of one size, without auxiliary inputs.
    calibration : Calibration
    name : str
        Name of the model.

    Returns
    -------
    keras.Model
        Takes the same patches as each network; gives float32 ``(n, 1)``, the calibrated probability of a star.
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


def describe_classifier(
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
    """Describe a classifier for its users; the description becomes classifier.json.

    Parameters
    ----------
    experiment, sky, labels : str
        Experiment, sky of the training set, and kind of the labels.
    bands : str
        Bands of the patches, in order.
    size : int
        Side of the patches, pixels.
    seeds : iterable of int
        Seeds of the networks.
    training : mapping of DataFrame
        Training sources by field, with ``model_mag_r``.
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
