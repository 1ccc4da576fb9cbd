"""Probabilities for the mix of stars and galaxies at hand, on mixtures of known truth."""

import numpy as np
import pytest
from scipy.special import expit, logit
from scipy.stats import norm
from sklearn.metrics import log_loss

from stargal.errors import StargalError
from stargal.evaluation.metrics import calibration_error
from stargal.evaluation.prior import adapt, fit_prior, learned_prior, read_prior


def made(share, count, seed=0):
    """Sources whose appearance tells less the fainter they are, and their probabilities for a share of .5."""
    rng = np.random.default_rng(seed)
    magnitude = 23 - rng.exponential(2, count).clip(0, 8)
    label = (rng.uniform(size=count) < share(magnitude)).astype(np.int8)
    apart = np.interp(magnitude, [17, 22, 23], [5, 3, 1])
    looks = rng.normal(np.where(label == 1, apart / 2, -apart / 2))
    return magnitude, label, expit(apart * looks)


def trained_share(magnitude):
    """Half as many stars as galaxies at 20 mag, more where brighter."""
    return expit(-0.7 - 0.5 * (magnitude - 20))


def given(share, count=4000, seed=0):
    """The field's magnitudes, labels, and probabilities for the trained prior, which was learned from other sources."""
    magnitude, label, _ = made(trained_share, 20000, seed=99)
    trained = learned_prior(label, magnitude)
    magnitude, label, even = made(share, count, seed)
    return magnitude, label, adapt(even, np.full(count, 0.5), trained_share(magnitude)), trained


@pytest.mark.parametrize("mix", [0.1, 0.3, 0.5, 0.7, 0.9])
@pytest.mark.parametrize("slope", [0, -0.5, 0.4])
def test_the_mix_of_a_field_is_found(mix, slope):
    magnitude, label, before, trained = given(lambda m: expit(logit(mix) + slope * (m - 21.5)))
    after = adapt(before, trained(magnitude), fit_prior(before, magnitude, trained))
    assert log_loss(label, after) < log_loss(label, before) + 1e-3
    assert calibration_error(label, after) <= 0.02
    if slope >= 0 and mix >= 0.5:
        assert log_loss(label, after) < 0.9 * log_loss(label, before)


@pytest.mark.parametrize("mix", [0.05, 0.5, 0.95])
def test_few_sources_are_not_made_worse(mix):
    losses = []
    for seed in range(40):
        magnitude, label, before, trained = given(lambda m: np.full(len(m), mix), 30, seed)
        after = adapt(before, trained(magnitude), fit_prior(before, magnitude, trained))
        losses.append([log_loss(label, p, labels=[0, 1]) for p in (before, after)])
    before, after = np.mean(losses, axis=0)
    assert after < before + 0.005


@pytest.mark.parametrize("label", [0, 1])
def test_a_field_of_one_class(label):
    magnitude, labels, before, trained = given(lambda m: np.full(len(m), float(label)), 500)
    prior = fit_prior(before, magnitude, trained)
    after = adapt(before, trained(magnitude), prior)
    assert log_loss(labels, after, labels=[0, 1]) < 0.6 * log_loss(labels, before, labels=[0, 1])
    assert np.isfinite(after).all() and (np.abs(after - label) < 0.5).mean() > 0.98


def test_a_field_of_the_trained_mix_stays_as_it_is():
    magnitude, _, before, trained = given(trained_share)
    np.testing.assert_allclose(fit_prior(before, magnitude, trained), trained(magnitude), atol=0.08)


def test_sources_without_a_magnitude_get_the_prior_of_the_field():
    magnitude, _, before, trained = given(lambda m: np.full(len(m), 0.8))
    magnitude[::50] = np.nan
    prior = fit_prior(before, magnitude, trained)
    assert np.isfinite(prior).all() and 0.4 < prior[0] < 0.95
    assert (fit_prior(before[:3], np.full(3, np.nan), trained) > 0).all()
    assert len(fit_prior(before[:0], magnitude[:0], trained)) == 0


def test_certain_probabilities_stay_finite():
    trained = read_prior(0.5)
    prior = fit_prior(np.array([0.0, 1.0, 1.0]), np.array([20.0, 21.0, np.nan]), trained)
    assert np.isfinite(adapt(np.array([0.0, 1.0, 1.0]), trained(np.full(3, 20.0)), prior)).all()


def test_a_prior_is_written_and_read_again():
    magnitude, label, _ = made(trained_share, 20000)
    prior = learned_prior(label, magnitude)
    again = read_prior(prior.as_dict())
    where = np.array([15.0, 20.3, 22.9, np.nan])
    np.testing.assert_allclose(again(where), prior(where), atol=1e-3)
    np.testing.assert_allclose(prior(where)[1:3], trained_share(where)[1:3], atol=0.04)
    assert prior(where)[3] == pytest.approx(label.mean(), abs=1e-3)


def test_a_given_prior_is_a_share_or_a_table():
    assert read_prior(0.2)(np.array([12, 20, np.nan])).tolist() == pytest.approx([0.2] * 3)
    table = read_prior({"magnitude": [18, 22], "star": [0.8, 0.2]})
    np.testing.assert_allclose(table(np.array([10, 20, 30, np.nan])), [0.8, 0.5, 0.2, 0.5])
    for magnitude in ([18, 22, 23], [22, 18]):
        with pytest.raises(StargalError, match=r"correct classify\.prior"):
            read_prior({"magnitude": magnitude, "star": [0.8, 0.2]})


def test_adapting_is_exact():
    """Two normal distributions, whose posterior is known for every prior."""
    x = np.linspace(-3, 3, 7)

    def posterior(share):
        star, galaxy = share * norm.pdf(x, 1), (1 - share) * norm.pdf(x, -1)
        return star / (star + galaxy)

    np.testing.assert_allclose(adapt(posterior(0.3), np.full(7, 0.3), np.full(7, 0.9)), posterior(0.9))
