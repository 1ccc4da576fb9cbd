"""Simple classifiers that a network has to beat; label 1 is a star, 0 a galaxy."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stargal.evaluation.metrics import score_buckets
from stargal.io.tables import read_table
from stargal.survey.labels import LABELS, UNKNOWN, known_labels, require_both_classes

PHOTO_LIMIT = 0.145
"""Largest psfMag - cmodelMag of a star in SDSS photo, mag (SDSS algorithms page `classify`, since DR2)."""


@dataclass(frozen=True)
class Baseline:
    """Meaning of a baseline's score: a star above `threshold`, a probability if `calibrated`; whether it is trained."""

    threshold: float
    calibrated: bool
    learned: bool


BASELINES = {
    "random": Baseline(0.5, calibrated=True, learned=False),
    "majority": Baseline(0.5, calibrated=True, learned=True),
    "magnitude": Baseline(0.5, calibrated=True, learned=True),
    "concentration": Baseline(-PHOTO_LIMIT, calibrated=False, learned=False),
}
"""random: a coin; majority: the share of stars in the training set; magnitude: that share at the source's r magnitude;
concentration: photo's own rule, in r alone and with model instead of cmodel magnitudes, which sweeps lack."""

MAGNITUDES = ["psf_mag_r", "model_mag_r"]
"""Columns of the sources that the baselines use."""


def score_sources(training: pd.DataFrame, sources: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Score sources by all baselines, the higher the more like a star.

    Parameters
    ----------
    training : DataFrame
        Training sources: label and `MAGNITUDES`.
    sources : DataFrame
        Sources to score: `MAGNITUDES`.
    seed : int
        Seed of the coin.

    Returns
    -------
    DataFrame
        One column for each of `BASELINES`, with the index of `sources`.
    """
    magnitude = sources["model_mag_r"].to_numpy(float)
    scores = {
        "random": np.random.default_rng(seed).random(len(sources)),
        "majority": np.full(len(sources), training["label"].mean()),
        "magnitude": StarsByMagnitude(training["model_mag_r"].to_numpy(float), training["label"].to_numpy())(magnitude),
        "concentration": concentration(sources["psf_mag_r"].to_numpy(float), magnitude),
    }
    return pd.DataFrame(scores, index=sources.index)


def read_sources(name: str, sources: Mapping[str, Path]) -> pd.DataFrame:
    """Columns of the sources of some fields that predictions and baselines need, and ``field``.

    Parameters
    ----------
    name : str
        Name of the set or bucket, for messages.
    sources : mapping
        Table of the sources of each field.

    Raises
    ------
    StargalError
        If a class is missing.
    """
    columns = ["id", "label", "truth", *MAGNITUDES]
    parts = [read_table(path, columns).assign(field=field) for field, path in sources.items()]
    table = pd.concat(parts, ignore_index=True)
    require_both_classes(name, table["label"].to_numpy())
    return table


def predict_baselines(
    training_set: str, fields: Mapping[str, Sequence[str]], sources: Iterable[Path], *, labels: str, seed: int
) -> pd.DataFrame:
    """Scores of the validation and test sources by all baselines.

    Parameters
    ----------
    training_set : str
        Name of the training set, for messages.
    fields : mapping
        Names of the fields in each of ``training``, ``validation`` and ``test``.
    sources : iterable of paths
        Tables of the sources of the training, the validation and the test fields, in this order.
    labels : str
        Labels of the training set: photo or truth.
    seed : int
        Seed of the coin.

    Returns
    -------
    DataFrame
        One row per source: ``id, field, bucket, label, truth``, `MAGNITUDES`, and a column for each of `BASELINES`.

    Raises
    ------
    StargalError
        If a class is missing in one of the three.
    """
    paths = iter(sources)
    files = {part: {field: next(paths) for field in fields[part]} for part in ("training", "validation", "test")}
    training = read_sources(f"training set {training_set}", files["training"])
    known = known_labels(training[LABELS[labels]])
    training = training.assign(label=known)[known != UNKNOWN]
    parts = [read_sources(f"bucket {name}", files[name]).assign(bucket=name) for name in ("validation", "test")]
    table = pd.concat(parts, ignore_index=True)
    return table[["id", "field", "bucket", "label", "truth", *MAGNITUDES]].join(score_sources(training, table, seed))


def score_baselines(predictions: pd.DataFrame, *, edges: Sequence[float], resamples: int) -> list[dict[str, Any]]:
    """Records of `stargal.evaluation.metrics.score_buckets` for each baseline, which ``classifier`` names.

    Parameters
    ----------
    predictions : DataFrame
        As `predict_baselines` gives them.
    edges, resamples
        As for `score_buckets`.
    """
    return [
        {"classifier": name} | record
        for name, kind in BASELINES.items()
        for record in score_buckets(
            predictions, name, edges=edges, threshold=kind.threshold, calibrated=kind.calibrated, resamples=resamples
        )
    ]


class StarsByMagnitude:
    """Share of stars in bins of magnitude, from a training set.

    Bins hold equal numbers of sources, one in ten but at least 20; sources without a magnitude have their own bin.
    Shares are (stars + 1) / (sources + 2), Laplace's rule, so that none is 0 or 1.

    Parameters
    ----------
    magnitude : float array, (n,)
        AB magnitudes, NaN where there is none.
    labels : int array, (n,)
        1 star, 0 galaxy.
    """

    def __init__(self, magnitude: NDArray[np.float64], labels: NDArray[Any]) -> None:
        known = magnitude[np.isfinite(magnitude)]
        bins = int(np.clip(len(known) // 20, 1, 10))
        self.edges = np.unique(np.quantile(known, np.arange(1, bins) / bins)) if bins > 1 else np.empty(0)
        bin_of = self._bin(magnitude)
        total = np.bincount(bin_of, minlength=len(self.edges) + 2)
        stars = np.bincount(bin_of, labels, minlength=len(self.edges) + 2)
        self.share = (stars + 1) / (total + 2)

    def __call__(self, magnitude: NDArray[np.float64]) -> NDArray[np.float64]:
        """Probability of a star at each magnitude."""
        return self.share[self._bin(magnitude)]

    def _bin(self, magnitude: NDArray[np.float64]) -> NDArray[np.int64]:
        return np.where(np.isnan(magnitude), len(self.edges) + 1, np.searchsorted(self.edges, magnitude, side="right"))


def concentration(psf: NDArray[np.float64], model: NDArray[np.float64]) -> NDArray[np.float64]:
    """Model - PSF magnitude: 0 for a point source, lower the more light lies outside the PSF.

    Where a flux is not positive there is no magnitude: such a source gets -`PHOTO_LIMIT`, neither star nor galaxy.
    """
    return np.where(np.isfinite(model - psf), model - psf, -PHOTO_LIMIT)
