"""Positions on a frame."""

import numpy as np
from numpy.typing import NDArray

from stargal.survey.fields import COLUMNS, ROWS


def edge_distance(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the distance from positions on a frame to its nearest edge, pixels."""
    distance = np.minimum.reduce([x + 0.5, COLUMNS - 0.5 - x, y + 0.5, ROWS - 0.5 - y])
    return distance.astype(np.float32)
