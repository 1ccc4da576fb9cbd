"""Simple classifiers that a network has to beat. As everywhere, 1 is a star and 0 a galaxy."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

PHOTO_LIMIT = 0.145
"""Photo calls a source a galaxy if its psfMag - cmodelMag exceeds this, mag (SDSS algorithms page
`classify`, since DR2)."""


@dataclass(frozen=True)
class Baseline:
    """How to read a baseline's score: a star above `threshold`; a probability if `calibrated`."""

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
concentration: photo's own rule, in r alone and with model in the place of cmodel magnitudes, which sweeps lack."""

COLUMNS = ["psf_mag_r", "model_mag_r"]
"""What the baselines read of the sources."""


def score_sources(training: pd.DataFrame, sources: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Scores of all baselines, the higher the more like a star.

    Parameters
    ----------
    training : DataFrame
        Sources to learn from: label and `COLUMNS`.
    sources : DataFrame
        Sources to score: `COLUMNS`.
    seed : int
        Seed of the coin.

    Returns
    -------
    DataFrame
        A column for each of `BASELINES`, the index of `sources`.
    """
    magnitude = sources["model_mag_r"].to_numpy(float)
    scores = {
        "random": np.random.default_rng(seed).random(len(sources)),
        "majority": np.full(len(sources), training["label"].mean()),
        "magnitude": StarsByMagnitude(training["model_mag_r"].to_numpy(float), training["label"].to_numpy())(magnitude),
        "concentration": concentration(sources["psf_mag_r"].to_numpy(float), magnitude),
    }
    return pd.DataFrame(scores, index=sources.index)


class StarsByMagnitude:
    """Share of stars in bins of magnitude, learned from a training set.

    Bins hold equal numbers of sources, one in ten but at least 20; sources without a magnitude have a bin of their own.
    Shares are (stars + 1) / (sources + 2), Laplace's rule, so that none is 0 or 1.

    Parameters
    ----------
    magnitude : float array, (n,)
        AB magnitudes; NaN where there is none.
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
