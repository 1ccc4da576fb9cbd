"""Classify the sources of a field with a published classifier."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, logit

from stargal.dataset.patches import extract_patches
from stargal.errors import StargalError
from stargal.evaluation.metrics import SMALLEST
from stargal.evaluation.prior import adapt, fit_prior, read_prior
from stargal.imaging.cube import Cube
from stargal.imaging.psf import psf_stamps, require_psf
from stargal.learning.calibration import Calibration
from stargal.learning.evidence import signal_to_noise, together, weight
from stargal.learning.likeness import unlike_training
from stargal.learning.published import Predict
from stargal.survey.fields import REFERENCE
from stargal.survey.labels import CLASSES, GALAXY, STAR, UNCLASSIFIED

OF_FIELD, OF_TRAINING = "field", "training"
"""Priors that are not given in numbers: estimated from the field, or as in the training set."""


def prior_text(prior: str | float | Mapping[str, Any]) -> str:
    """Return a prior as `parse_prior` reads it."""
    return prior if isinstance(prior, str) else json.dumps(prior)


def parse_prior(text: str) -> str | float | dict[str, Any]:
    """Return a prior from a command line: `OF_FIELD`, `OF_TRAINING`, or a number or a table as JSON."""
    return text if text in (OF_FIELD, OF_TRAINING) else json.loads(text)


def classify_sources(
    detected: pd.DataFrame,
    cube: Cube,
    classifier: Mapping[str, Any],
    predict: Predict,
    prior: str | float | Mapping[str, Any] = OF_FIELD,
) -> pd.DataFrame:
    """Catalogue of a field: its sources with the probability that each is a star.

    Parameters
    ----------
    detected : DataFrame
        As `stargal.photometry.sources.detect_sources` gives it.
    cube : Cube
        Of the same field.
    classifier : mapping
        As `stargal.learning.published.read_classifier` gives it.
    predict : callable
        As `stargal.learning.published.open_onnx` gives it.
    prior : str, float or mapping
        Share of stars: `OF_FIELD`, estimated from the field; `OF_TRAINING`; a number; or a table of ``magnitude`` and
        ``star``.

    Returns
    -------
    DataFrame
        `detected`, and

        - probability_star: for `prior_star`, never exactly 0 or 1 (float32)
        - probability_unadapted: as the model gives it, for the prior of the training set; NaN if that is no number
          (float32)
        - probability_scatter: standard deviation of `probability_star` over the networks, NaN for one (float32)
        - prior_star: share of stars in the field among sources of the magnitude (float32)
        - snr, snr_r: of all bands together and in r, see `stargal.learning.evidence` (float32)
        - class: star above 0.5, else galaxy; unclassified if there is too little light, or if the model does not give
          a number (str)
        - unlike_training: bits of `stargal.learning.likeness.UNLIKE` (int16)
        - no_data: share of the pixels of the patch, over all bands, without data (float32)

    Raises
    ------
    StargalError
        If the bands of the cube differ from the classifier's, or are in another order, or the classifier needs a PSF
        that could not be measured.
    """
    if cube.bands != classifier["bands"]:
        raise StargalError(
            f"the cube has bands {cube.bands}, the classifier takes {classifier['bands']}; set `bands` in the config "
            "to the classifier's"
        )
    size, x, y = classifier["size"], detected["x"].to_numpy(float), detected["y"].to_numpy(float)
    patches = extract_patches(cube.image, x, y, size)
    psf = psf_stamps(cube.psf, x, y, size)
    takes_psf = "psf" in classifier["inputs"]
    if takes_psf:
        require_psf(cube.psf, "the cube")
    outputs = predict(patches, psf) if takes_psf else predict(patches)
    known: NDArray[np.bool_] = np.all(np.isfinite(outputs), axis=1)
    signal = signal_to_noise(patches, psf, cube.noise)
    snr, snr_r = together(signal), signal[:, cube.bands.index(REFERENCE)]
    counts = np.where(known, weight(snr, snr_r), 0)
    guess = np.concatenate([np.full_like(outputs[:, :1], 0.5), np.zeros_like(outputs[:, 1:])], axis=1)
    outputs = np.where(known[:, None], outputs, guess)
    probabilities = adapt_outputs(outputs, detected["model_mag_r"].to_numpy(float), counts, classifier, prior)
    probabilities.loc[~known, "probability_unadapted"] = np.nan
    no_data = np.isnan(patches).mean(axis=(1, 2, 3)).astype(np.float32)
    word = np.where(probabilities["probability_star"] > 0.5, CLASSES[STAR], CLASSES[GALAXY])
    return detected.drop(columns=["label", "truth"], errors="ignore").assign(
        **probabilities,
        snr=snr.astype(np.float32),
        snr_r=snr_r.astype(np.float32),
        **{"class": np.where(counts < 1, UNCLASSIFIED, word)},
        unlike_training=unlike_training(detected, no_data, cube.fwhm, cube.noise, size, classifier["ranges"]),
        no_data=no_data,
    )


def adapt_outputs(
    outputs: NDArray[np.float32],
    magnitude: NDArray[np.float64],
    counts: NDArray[np.float64],
    classifier: Mapping[str, Any],
    prior: str | float | Mapping[str, Any],
) -> pd.DataFrame:
    """Probabilities of the sources of a field from the outputs of the model; see `classify_sources`.

    As the light fades, the network and the magnitude count less (`counts`, by `stargal.learning.evidence.weight`), down
    to the share of stars in the whole field.
    """
    trained = read_prior(classifier["prior"])
    calibration = Calibration(classifier["calibration"]["slope"], classifier["calibration"]["offset"])
    learned = trained(magnitude)

    def faded(probability: NDArray[Any]) -> NDArray[np.float64]:
        evidence = logit(np.clip(probability.astype(float), SMALLEST, 1 - SMALLEST)) - logit(learned)
        return np.asarray(expit(logit(learned) + counts * evidence))

    given = faded(outputs[:, 0])
    if prior == OF_FIELD:
        here = fit_prior(np.where(counts == 1, given, learned), magnitude, trained)  # faint sources do not tell it
    else:
        here = (trained if prior == OF_TRAINING else read_prior(prior))(magnitude)  # type: ignore[arg-type]
    here = np.clip(here, SMALLEST, 1 - SMALLEST)
    overall = np.average(here, weights=counts + SMALLEST) if len(here) else 0.5
    here = expit(counts * logit(here) + (1 - counts) * logit(overall))
    networks = [adapt(faded(calibration(one.astype(float))), learned, here) for one in outputs[:, 1:].T]
    columns = {
        "probability_star": np.clip(adapt(given, learned, here), SMALLEST, 1 - SMALLEST),
        "probability_unadapted": outputs[:, 0],
        "probability_scatter": np.std(networks, axis=0, ddof=1) if len(networks) > 1 else np.full(len(here), np.nan),
        "prior_star": here,
    }
    return pd.DataFrame(columns).astype(np.float32)
