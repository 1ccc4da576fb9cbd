"""Matches of positions: each the nearest of the other."""

import numpy as np

from stargal.survey.matching import match_points, match_sky


def test_each_of_a_pair_is_the_nearest_of_the_other():
    points = np.array([[0.0, 0.0], [0.4, 0.0], [5.0, 5.0]])
    others = np.array([[0.3, 0.0], [5.0, 5.9]])
    np.testing.assert_array_equal(match_points(points, others, 1.0), [-1, 0, 1])
    np.testing.assert_array_equal(match_points(points, others, 0.5), [-1, 0, -1])


def test_lists_may_be_empty():
    none = np.empty((0, 2))
    np.testing.assert_array_equal(match_points(none, np.zeros((1, 2)), 1.0), [])
    np.testing.assert_array_equal(match_points(np.zeros((1, 2)), none, 1.0), [-1])


def test_distances_on_the_sky_are_arcseconds():
    """Across 0 h, and near a pole, where an arcsecond is many degrees of right ascension."""
    ra, dec = np.array([0.0001, 10.0, 30.0]), np.array([0.0, 89.999, 20.0])
    other_ra, other_dec = np.array([359.9999, 14.0, 30.0]), np.array([0.0, 89.999, 20.0 + 1.1 / 3600])
    np.testing.assert_array_equal(match_sky(ra, dec, other_ra, other_dec), [0, 1, -1])
    np.testing.assert_array_equal(match_sky(ra, dec, other_ra, other_dec, 1.2), [0, 1, 2])
    np.testing.assert_array_equal(match_sky(ra, dec, other_ra, other_dec, 0.5), [-1, 1, -1])
