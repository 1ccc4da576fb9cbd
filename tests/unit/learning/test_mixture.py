"""Artificial patches: like those they are learned from, of the same class, the same for the same seed."""

import numpy as np
import pytest

from stargal.errors import StargalError
from stargal.learning.mixture import SOFTENING, fit_mixture, mix_in

SKY = np.array([0.04, 0.013, 0.025, 0.037, 0.15])
AXIS = np.arange(15) - 7
RADIUS2 = AXIS[:, None] ** 2 + AXIS**2


def sources(n, sigma, seed=0):
    """Round Gaussians of lognormal fluxes, of 60 sky sigma in the mean, in white noise."""
    random = np.random.default_rng(seed)
    light = np.exp(-0.5 * RADIUS2 / sigma**2) / (2 * np.pi * sigma**2)
    flux = random.lognormal(np.log(60), 1, (n, 1, 1, 1))
    noise = random.normal(size=(n, 15, 15, 5))
    return ((flux * light[..., None] + noise) * SKY).astype(np.float32)


def scaled(patches):
    return np.arcsinh(patches / (SOFTENING * SKY)).reshape(len(patches), -1)


@pytest.fixture(scope="module")
def stars():
    return sources(1500, 1.4)


@pytest.fixture(scope="module")
def mixtures(stars):
    return {1: fit_mixture(stars, SKY, 4, seed=1), 0: fit_mixture(sources(1500, 3), SKY, 4, seed=1)}


def test_drawn_patches_have_the_mean_and_covariance_of_the_given_ones(stars, mixtures):
    """In the scaled space, along the axes: means within five standard errors, covariances to a fifth."""
    mixture = mixtures[1]
    given, drawn = (
        (scaled(patches) - mixture.centre) @ mixture.axes.T
        for patches in (stars, mixture.draw(6000, np.random.default_rng(2)))
    )
    error = given.std(axis=0) * np.sqrt(1 / len(given) + 1 / len(drawn))
    assert np.all(np.abs(drawn.mean(axis=0) - given.mean(axis=0)) < 5 * error)
    spread = np.sqrt(np.outer(given.var(axis=0), given.var(axis=0)))
    np.testing.assert_allclose(np.cov(drawn.T) / spread, np.cov(given.T) / spread, atol=0.2)


def test_drawn_patches_have_the_fluxes_the_shape_and_the_noise_of_the_given_ones(stars, mixtures):
    drawn = mixtures[1].draw(3000, np.random.default_rng(3))
    assert drawn.dtype == np.float32 and drawn.shape == (3000, 15, 15, 5)
    inside = RADIUS2 <= 16
    fluxes = [patches[:, inside].sum(axis=1) / SKY for patches in (stars, drawn)]
    given, made = (np.percentile(flux, [10, 50, 90], axis=0) for flux in fluxes)
    np.testing.assert_allclose(made, given, rtol=0.15, atol=8)  # the noise in so many pixels is 7
    profiles = [np.median(patches / SKY, axis=(0, 3)) for patches in (stars, drawn)]
    np.testing.assert_allclose(profiles[1], profiles[0], rtol=0.15, atol=0.1)
    np.testing.assert_allclose(drawn[:, 0].std(axis=(0, 1)), SKY, rtol=0.05)


def test_a_patch_is_replaced_by_one_of_its_class(mixtures):
    """Those of stars are narrow and those of galaxies wide, whatever was there before."""
    labels = (np.arange(1000) % 2).astype(np.int8)
    nothing = np.zeros((1000, 15, 15, 5), np.float32)
    made = mix_in(nothing, labels, 0.5, mixtures, np.random.default_rng(0))
    assert not nothing.any()
    chosen = made.any(axis=(1, 2, 3))
    for label, expected in ((1, 1.4), (0, 3.0)):
        own = made[chosen & (labels == label)]
        assert 190 < len(own) < 310
        profile = np.median(own / SKY, axis=(0, 3))
        width = np.sqrt(np.sum(profile * RADIUS2) / np.sum(profile) / 2)
        assert width == pytest.approx(expected, rel=0.2)


def test_nothing_is_drawn_where_none_is_to_be_mix_in(stars, mixtures):
    random = np.random.default_rng(0)
    labels = np.ones(len(stars), np.int8)
    assert mix_in(stars, labels, 0, {}, random) is stars
    assert random.random() == np.random.default_rng(0).random()
    made = mix_in(stars, labels, 1, mixtures, random)
    assert np.all((made != stars).any(axis=(1, 2, 3)))


def test_the_same_seed_gives_the_same_patches(stars, mixtures):
    again = fit_mixture(stars.copy(), SKY, 4, seed=1)
    first, second, other = (
        mixture.draw(20, np.random.default_rng(seed)).tobytes()
        for mixture, seed in ((mixtures[1], 0), (again, 0), (again, 1))
    )
    assert first == second != other


def test_patches_without_all_data_teach_nothing(stars):
    holed = np.concatenate([stars[:300], stars[:5]])
    holed[300:, 0] = np.nan
    expected = fit_mixture(stars[:300], SKY, 2, seed=1).draw(5, np.random.default_rng(0))
    np.testing.assert_array_equal(fit_mixture(holed, SKY, 2, seed=1).draw(5, np.random.default_rng(0)), expected)
    assert len(fit_mixture(holed[270:], SKY, 8, seed=1).weights) == 3  # 30 patches, ten for each Gaussian
    with pytest.raises(StargalError, match="cannot be learned from 1 patches of a class; add training fields"):
        fit_mixture(holed[299:], SKY, 5, seed=1)
