"""Measurements of stars with known position, width and flux."""

import numpy as np
import pytest

from made_archive import SIGMA, MadeField, make_image
from stargal.imaging.stars import APERTURE, WINDOW, find_stars, measure_stars, sky_noise

SHAPE = (300, 400)


@pytest.fixture
def field():
    rng = np.random.default_rng(3)
    x, y = (grid.ravel() for grid in np.meshgrid(np.arange(40, 380, 50.0), np.arange(40, 280, 50.0)))
    x, y = x + rng.uniform(-3, 3, len(x)), y + rng.uniform(-3, 3, len(x))
    return MadeField(x, y, np.arange(len(x)) % 4 != 0, np.full(len(x), 60.0))


def test_sky_noise_of_counts():
    """Quantisation, as in real frames, and sources change the sky noise by at most 2 %."""
    rng = np.random.default_rng(0)
    image = np.rint(rng.normal(0, 3.3, (1489, 2048))) * 0.004
    image[100:130, 200:260] += 5.0
    assert sky_noise(image.astype(np.float32)) == pytest.approx(3.3 * 0.004, rel=0.02)


def test_sky_noise_ignores_missing_pixels():
    image = np.random.default_rng(0).normal(0, 1, SHAPE).astype(np.float32)
    image[:100] = np.nan
    assert sky_noise(image) == pytest.approx(1.0, rel=0.05)


def test_stars_are_measured(field):
    image = make_image(field, "r", SHAPE)
    stars = field.label == 1
    measured = measure_stars(image, np.rint(field.x), np.rint(field.y), SIGMA["r"])
    assert measured.ok.all()
    assert np.abs(measured.x - field.x)[stars].max() < 0.05
    assert np.abs(measured.y - field.y)[stars].max() < 0.05
    assert np.median(measured.sigma[stars]) == pytest.approx(1.3, rel=0.02)
    assert np.median(measured.sigma[~stars]) == pytest.approx(2.4, rel=0.03)
    assert measured.flux[stars] == pytest.approx(60.0, rel=0.02)


def test_stars_are_found_without_galaxies_and_saturated(field):
    field.flux[5] = 4000.0  # saturated: the peak is 370 nanomaggies
    image = make_image(field, "r", SHAPE)
    found = find_stars(image, SIGMA["r"], ceiling=300.0)
    expected = np.flatnonzero((field.label == 1) & (np.arange(len(field.x)) != 5))
    distance = np.hypot(found.x[:, None] - field.x[expected], found.y[:, None] - field.y[expected])
    assert len(found.x) == len(expected)
    assert distance.min(axis=1).max() < 0.1


def test_nothing_is_found_on_empty_sky():
    image = np.random.default_rng(0).normal(0, 1, SHAPE).astype(np.float32)
    assert len(find_stars(image, 1.0).x) == 0


def test_failed_measurements_are_flagged(field):
    image = make_image(field, "r", SHAPE)
    image[int(field.y[0]), int(field.x[0])] = np.nan
    positions = np.array([field.x[0], 2.0, 200.0]), np.array([field.y[0], 2.0, -50.0])
    assert not measure_stars(image, *positions, SIGMA["r"]).ok.any()


def test_stamp_holds_the_aperture():
    assert APERTURE + 0.5 < WINDOW
