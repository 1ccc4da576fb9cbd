"""Publishing: the networks of an experiment as one calibrated classifier (`stargal.learning.calibration`).

The mean logit of the networks, one per seed, and the line through it become one Keras model, which takes nanomaggies
and needs nothing of this library. Its description holds what is needed to use its probabilities elsewhere: the prior of
the training set by magnitude, and the ranges of what it was trained on.
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
from numpy.typing import NDArray
from scipy.special import expit

from stargal.dataset.sets import FieldFiles
from stargal.evaluation.prior import Prior, adapt, fit_prior, learned_prior
from stargal.io.files import recorded, whole
from stargal.io.tables import read_table
from stargal.learning.calibration import Calibration, choose_calibration, mean_predictions
from stargal.learning.likeness import training_ranges
from stargal.learning.network_files import OLDEST_KERAS, load, save, save_onnx
from stargal.survey.fields import PIXEL_ARCSEC
from stargal.survey.labels import CLASSES, LABELS, UNKNOWN, known_labels, labelled

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
    onnx: Path,
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
    model, onnx, description : paths
        Where to write the model, as Keras and as ONNX, and classifier.json.
    published : path
        Where to write the predictions of the classifier: ``uncalibrated``, ``probability`` (calibrated), and
        ``adapted``, the same for the prior of each field.
    """
    table = mean_predictions([read_table(path) for path in predictions])
    method, calibration, losses = choose_calibration(table, labels)
    combined = combine([load(path) for path in networks], calibration, experiment)
    save(combined, model)
    save_onnx(combined, onnx)
    size = combined.inputs[0].shape[1]
    sources = {one.field.name: read_table(one.sources, ["model_mag_r", LABELS[labels]]) for one in training}
    # An offset fitted to the validation fields takes in their prior.
    of_prior = labelled(table, labels, "validation") if calibration.offset else pd.concat(sources.values())
    prior = prior_of(of_prior, "label" if calibration.offset else LABELS[labels])
    described = describe_classifier(
        experiment=experiment,
        sky=sky,
        labels=labels,
        bands=bands,
        size=size,
        seeds=seeds,
        training=sources,
        predictions=table,
        calibration=calibration,
        method=method,
        losses=losses,
        prior=prior,
        ranges=training_ranges(training, size),
        model=combined,
        model_sha256=str(recorded(model)),
        onnx_sha256=str(recorded(onnx)),
    )
    with whole(description) as partial:
        partial.write_text(json.dumps(described, indent=1) + "\n")
    logit = table.pop("logit").to_numpy()
    table = table.assign(probability=calibration(logit), uncalibrated=expit(logit))
    with whole(published) as partial:
        table.assign(adapted=adapt_fields(table, prior)).to_parquet(partial, index=False)
    log.info(
        "%s: %d networks, calibration %s: slope %.3f, offset %.3f",
        experiment,
        len(networks),
        method,
        *vars(calibration).values(),
    )


def prior_of(sources: pd.DataFrame, column: str) -> Prior:
    """Return the prior of the sources with a known label, by ``model_mag_r``."""
    label = known_labels(sources[column])
    return learned_prior(label[label != UNKNOWN], sources["model_mag_r"].to_numpy(float)[label != UNKNOWN])


def adapt_fields(predictions: pd.DataFrame, trained: Prior) -> NDArray[np.float64]:
    """Adapt the probabilities of each field to the field's prior.

    Parameters
    ----------
    predictions : DataFrame
        ``field``, ``model_mag_r`` and ``probability``.
    trained : Prior
    """
    adapted = np.empty(len(predictions))
    for rows in predictions.reset_index(drop=True).groupby("field").indices.values():
        magnitude, given = (predictions[name].to_numpy(float)[rows] for name in ("model_mag_r", "probability"))
        adapted[rows] = adapt(given, trained(magnitude), fit_prior(given, magnitude, trained))
    return adapted


def combine(networks: Sequence[keras.Model], calibration: Calibration, name: str) -> keras.Model:
    """Combine several networks into one model.

    Parameters
    ----------
    networks : sequence of keras.Model
        As `stargal.learning.architectures.build` makes them, with the same inputs.
    calibration : Calibration
    name : str
        Name of the model.

    Returns
    -------
    keras.Model
        Takes the inputs of the networks, by name or as a list; gives float32 ``(n, 1 + networks)``: the calibrated
        probability of a star, then the logit of each network. One output of numbers side by side is as easy in ONNX
        as in Keras, and ``[:, 0]`` is all that most need.
    """
    keras.utils.clear_session()
    inputs = [keras.Input(each.shape[1:], name=each.name) for each in networks[0].inputs]
    given = inputs if len(inputs) > 1 else inputs[0]
    logits = [_logit(network, number)(given) for number, network in enumerate(networks, start=1)]
    mean = layers.Average(name="mean_logit")(logits) if len(logits) > 1 else logits[0]
    line = layers.Dense(1, activation="sigmoid", name="star")
    combined = keras.Model(given, layers.Concatenate(name="star_and_logits")([line(mean), *logits]), name=name)
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
    method: str,
    losses: Mapping[str, float],
    prior: Prior,
    ranges: Mapping[str, Any],
    model: keras.Model,
    model_sha256: str,
    onnx_sha256: str,
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
    method, losses
        As `stargal.learning.calibration.choose_calibration` gives them.
    prior : Prior
        Share of stars by magnitude that the probabilities are for.
    ranges : mapping
        As `stargal.learning.likeness.training_ranges` gives them.
    model : keras.Model
    model_sha256, onnx_sha256 : str
        SHA-256 of model.keras and model.onnx.
    """
    fields = {bucket: list(part["field"].unique()) for bucket, part in predictions.groupby("bucket")}
    return {
        "experiment": experiment,
        "sky": sky,
        "labels": labels,
        "classes": {str(label): word for label, word in CLASSES.items()},
        "bands": bands,
        "size": size,
        "inputs": [each.name for each in model.inputs],
        "unit": "nanomaggy",
        "pixel_arcsec": PIXEL_ARCSEC,
        "seeds": list(seeds),
        "training_fields": list(training),
        "training_sources": sum(map(len, training.values())),
        "ranges": dict(ranges),
        "prior": prior.as_dict(),
        "validation_fields": fields.get("validation", []),
        "test_fields": fields.get("test", []),
        "calibration": {
            "method": method,
            "slope": round(calibration.slope, 6),
            "offset": round(calibration.offset, 6),
            "loss_on_fields_left_out": {name: round(loss, 5) for name, loss in losses.items()},
        },
        "keras": {"oldest": OLDEST_KERAS, "saved_by": keras.__version__},
        "model_sha256": model_sha256,
        "onnx_sha256": onnx_sha256,
    }
