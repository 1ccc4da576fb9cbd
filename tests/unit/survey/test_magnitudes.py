"""Magnitudes of fluxes: Pogson's, and the asinh magnitudes of SDSS."""

import numpy as np
import pytest

from stargal.survey.magnitudes import asinh_magnitude, magnitude


@pytest.mark.parametrize(
    ("band", "softening", "zero", "ten"),
    [
        ("u", 1.4e-10, 24.63, 22.12),
        ("g", 0.9e-10, 25.11, 22.60),
        ("r", 1.2e-10, 24.80, 22.29),
        ("i", 1.8e-10, 24.36, 21.85),
        ("z", 7.4e-10, 22.83, 20.32),
    ],
)
def test_asinh_magnitudes_are_those_of_the_survey(band, softening, zero, ten):
    """Table 21 of Stoughton et al. 2002: the magnitudes of no flux and of ten times the softening."""
    found, _ = asinh_magnitude(np.array([0, 10 * softening * 1e9]), np.ones(2), band)
    assert found == pytest.approx([zero, ten], abs=0.006)


def test_bright_sources_have_pogson_magnitudes_and_errors():
    flux = np.array([100.0, 1000.0])
    found, error = asinh_magnitude(flux, flux / 50, "r")
    np.testing.assert_allclose(found, magnitude(flux), atol=1e-4)
    np.testing.assert_allclose(error, 2.5 / np.log(10) / 50, rtol=1e-4)


def test_negative_fluxes_have_a_magnitude_and_missing_ones_none():
    found, error = asinh_magnitude(np.array([-0.1, np.nan]), np.array([0.1, np.nan]), "r")
    assert 24.80 < found[0] < 26 and error[0] > 0 and np.isnan([found[1], error[1]]).all()
