"""Positions on a frame."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stargal.survey.fields import COLUMNS, ROWS


def edge_distance(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the distance from positions on a frame to its nearest edge, pixels."""
    distance = np.minimum.reduce([x + 0.5, COLUMNS - 0.5 - x, y + 0.5, ROWS - 0.5 - y])
    return distance.astype(np.float32)


def great_circle(
    ra: ArrayLike, dec: ArrayLike, node: ArrayLike, incl: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return longitude and latitude (mu, nu) of sky positions on a scan's great circle; all angles in deg.

    Parameters
    ----------
    ra, dec : array_like
    node, incl : array_like
        Ascending node and inclination of the great circle (Pier et al. 2003, AJ 125, 1559).
    """
    ra, dec, incl = np.radians(np.asarray(ra, float) - node), np.radians(dec), np.radians(incl)
    along, across, up = np.cos(ra) * np.cos(dec), np.sin(ra) * np.cos(dec), np.sin(dec)
    mu = np.degrees(np.arctan2(across * np.cos(incl) + up * np.sin(incl), along)) + node
    nu = np.degrees(np.arcsin(np.clip(up * np.cos(incl) - across * np.sin(incl), -1, 1)))
    return mu, nu
