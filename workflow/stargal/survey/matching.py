"""Match two lists of positions."""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

ARCSEC = np.pi / 180 / 3600
"""One arcsecond in radians."""

MATCH_ARCSEC = 1.0
"""Largest distance between two measurements of one source, unless a configuration says otherwise: positions in the
survey's catalogue are good to 0.1 arcsec, and two sources are separate from about half the seeing."""


def match_points(points: NDArray[np.float64], others: NDArray[np.float64], radius: float) -> NDArray[np.intp]:
    """Match points to others: each of a pair is the nearest of the other, within a radius.

    Parameters
    ----------
    points, others : arrays, (n, d) and (m, d)
    radius : float
        In the unit of the coordinates.

    Returns
    -------
    intp array, (n,)
        Index in `others` of the match of each point, -1 without one.
    """
    matched = np.full(len(points), -1, dtype=np.intp)
    if len(points) == 0 or len(others) == 0:
        return matched
    distance, nearest = cKDTree(others).query(points)
    _, back = cKDTree(points).query(others)
    pair = (distance <= radius) & (back[nearest] == np.arange(len(points)))
    matched[pair] = nearest[pair]
    return matched


def match_sky(
    ra: NDArray[np.float64],
    dec: NDArray[np.float64],
    other_ra: NDArray[np.float64],
    other_dec: NDArray[np.float64],
    arcsec: float = MATCH_ARCSEC,
) -> NDArray[np.intp]:
    """Match positions on the sky to others as `match_points` does; coordinates in degrees."""
    chord = 2 * np.sin(arcsec * ARCSEC / 2)
    return match_points(unit_vectors(ra, dec), unit_vectors(other_ra, other_dec), chord)


def unit_vectors(ra: NDArray[np.float64], dec: NDArray[np.float64]) -> NDArray[np.float64]:
    """Directions on the sky, from degrees; shape (..., 3)."""
    a, d = np.radians(np.asarray(ra, float)), np.radians(np.asarray(dec, float))
    return np.stack([np.cos(d) * np.cos(a), np.cos(d) * np.sin(a), np.sin(d)], axis=-1)


def nearest_on_sky(
    ra: NDArray[np.float64],
    dec: NDArray[np.float64],
    other_ra: NDArray[np.float64],
    other_dec: NDArray[np.float64],
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return the index of the nearest of some other positions, at least one, and its distance, arcsec; degrees in."""
    chord, nearest = cKDTree(unit_vectors(other_ra, other_dec)).query(unit_vectors(ra, dec))
    return nearest, 2 * np.arcsin(np.minimum(chord / 2, 1)) / ARCSEC
