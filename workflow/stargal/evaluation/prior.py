"""The share of stars by magnitude, and probabilities adapted from one share to another.

A network gives the probability of a star for the mix of stars and galaxies that it was trained on. Where the mix
differs, the odds differ by the ratio of the two prior odds. The prior of a field is estimated from the outputs of the
classifier: it maximizes their likelihood, which is what the EM algorithm of Saerens, Latinne & Decaestecker (2002,
Neural Computation 14, 21) climbs. That assumes that stars and galaxies of a magnitude look as they do in the training
set, and only their numbers differ.

The logit of the prior, less that of the trained prior, is a penalized spline of magnitude (Eilers & Marx 1996,
Statistical Science 11, 89). Where there are few sources it stays near its mean over the field, and where the field has
few sources, near 0.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import BSpline
from scipy.optimize import minimize
from scipy.special import expit, logit

from stargal.errors import StargalError
from stargal.evaluation.metrics import SMALLEST

Array = NDArray[np.float64]

KNOTS = np.arange(14.0, 25.0)
"""Knots of the spline, r magnitudes; beyond them it is constant."""

DEGREE = 2
"""Degree of the spline."""

SHIFT_SD = 2.0
"""Standard deviation of the shift of a field's prior from the trained one, logit: fields at galactic latitudes of 10
and 90 deg differ by about 3."""

SLOPE_SD = 0.2
"""Standard deviation of the change of that shift from one magnitude to the next, logit. With 0.7, a network that errs
on faint sources makes the loss of a simulated field rise from 0.18 to 0.21; with 0.2 to 0.18."""


@dataclass(frozen=True)
class Prior:
    """Share of stars as a function of r magnitude.

    Attributes
    ----------
    magnitude : float array, (k,)
        Increasing; the share beyond the ends is that of the end.
    star : float array, (k,)
        Share of stars at these magnitudes, between 0 and 1; its logit is linear in between.
    overall : float
        Share of stars of all sources, for those without a magnitude.
    """

    magnitude: Array
    star: Array
    overall: float

    def __call__(self, magnitude: NDArray[Any]) -> Array:
        """Share of stars at some magnitudes; `overall` for NaN."""
        magnitude = np.asarray(magnitude, float)
        share = expit(np.interp(magnitude, self.magnitude, _logit(self.star)))
        return np.where(np.isnan(magnitude), self.overall, share)

    def as_dict(self) -> dict[str, Any]:
        """Return the prior as numbers for JSON, rounded to four digits."""
        star = [round(float(share), 4) for share in self.star]
        return {"magnitude": self.magnitude.tolist(), "star": star, "overall": round(self.overall, 4)}


def read_prior(given: float | Mapping[str, Any]) -> Prior:
    """Return a prior from one share, or from a table ``magnitude``, ``star`` and, if wanted, ``overall``.

    Raises
    ------
    StargalError
        If the lists of the table differ in length, or the magnitudes do not increase.
    """
    if not isinstance(given, Mapping):
        return Prior(np.zeros(1), np.full(1, float(given)), float(given))
    magnitude, star = np.array(given["magnitude"], float), np.array(given["star"], float)
    if len(magnitude) != len(star) or (np.diff(magnitude) <= 0).any():
        raise StargalError("prior: `magnitude` must increase and be as long as `star`; correct classify.prior")
    return Prior(magnitude, star, float(given.get("overall", star.mean())))


def learned_prior(labels: NDArray[Any], magnitude: NDArray[Any]) -> Prior:
    """Fit the prior of labelled sources.

    Parameters
    ----------
    labels : int array, (n,)
        1 star, 0 galaxy.
    magnitude : float array, (n,)
        r model magnitudes; NaN where not known.
    """
    even = read_prior(0.5)
    overall = float((labels.sum() + 0.5) / (len(labels) + 1))
    fine = np.linspace(KNOTS[0], KNOTS[-1], 2 * len(KNOTS) - 1)
    certain = np.where(labels == 1, 1 - SMALLEST, SMALLEST)
    return Prior(fine, _fitted(certain, magnitude, even)(fine), overall)


def fit_prior(probability: NDArray[Any], magnitude: NDArray[Any], trained: Prior) -> Array:
    """Estimate the prior of each source of a field from the probabilities of its sources.

    Parameters
    ----------
    probability : float array, (n,)
        Probability of a star for the trained prior.
    magnitude : float array, (n,)
        r model magnitudes; NaN where not known.
    trained : Prior

    Returns
    -------
    float64 array, (n,)
        The share of stars in this field among sources of the magnitude.
    """
    return _fitted(probability, magnitude, trained)(magnitude)


def _fitted(probability: NDArray[Any], magnitude: NDArray[Any], trained: Prior) -> Any:
    """The prior of greatest likelihood, as a function of magnitude.

    With prior odds exp(t) and the ratio of likelihoods exp(e) of a source, its likelihood is
    (1 + exp(t + e)) / (1 + exp(t)), up to a factor.
    """
    offset, basis = _logit(trained(magnitude)), _basis(magnitude)
    evidence = _logit(probability) - offset
    size = basis.shape[1]
    change = np.diff(np.eye(size), axis=0) / SLOPE_SD
    mean = np.full((1, size), 1 / size) / SHIFT_SD
    penalty = np.concatenate([change, mean])
    penalty = penalty.T @ penalty

    def loss(weights: Array) -> tuple[float, Array]:
        prior = offset + basis @ weights
        likelihood = np.logaddexp(0, prior + evidence) - np.logaddexp(0, prior)
        rise = basis.T @ (expit(prior + evidence) - expit(prior))
        return weights @ penalty @ weights / 2 - likelihood.sum(), penalty @ weights - rise

    weights = minimize(loss, np.zeros(size), jac=True, method="BFGS").x
    return lambda where: expit(_logit(trained(where)) + _basis(where) @ weights)


def _basis(magnitude: NDArray[Any]) -> Array:
    """Values of the spline's functions, (n, functions); their mean over the knots where the magnitude is not known."""
    step = KNOTS[1] - KNOTS[0]
    ends = np.arange(1, DEGREE + 1) * step
    knots = np.concatenate([KNOTS[0] - ends[::-1], KNOTS, KNOTS[-1] + ends])
    functions = len(KNOTS) + DEGREE - 1
    known = np.isfinite(magnitude)
    found = np.full((len(magnitude), functions), 1 / functions)
    within = np.clip(np.asarray(magnitude, float)[known], KNOTS[0], KNOTS[-1])
    found[known] = BSpline(knots, np.eye(functions), DEGREE)(within)
    return found


def adapt(probability: NDArray[Any], trained: NDArray[Any], prior: NDArray[Any]) -> Array:
    """Adapt probabilities from the prior that they were trained for to another.

    Parameters
    ----------
    probability, trained, prior : float arrays, (n,)
        Probability of a star, and the share of stars at each source's magnitude in the training set and in the field.
    """
    return np.asarray(expit(_logit(probability) - _logit(trained) + _logit(prior)))


def _logit(probability: NDArray[Any]) -> Array:
    """The logit, finite for probabilities of 0 and 1."""
    return np.asarray(logit(np.clip(np.asarray(probability, float), SMALLEST, 1 - SMALLEST)))
