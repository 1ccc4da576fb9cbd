"""What the labels mean: 1 is a star, 0 a galaxy, everywhere."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stargal.errors import StargalError

STAR, GALAXY = 1, 0

CLASSES = {STAR: "star", GALAXY: "galaxy"}
"""Name of each label."""


def require_both_classes(name: str, labels: NDArray[Any]) -> None:
    """Refuse sources that are all of one class: nothing can be learned from them, and most scores are not defined.

    Parameters
    ----------
    name : str
        What the sources are: ``training set large``, ``bucket test``.
    labels : int array, (n,)
        1 star, 0 galaxy.

    Raises
    ------
    StargalError
        Naming the set and the missing class.
    """
    for label, word in CLASSES.items():
        if not np.any(labels == label):
            raise StargalError(
                f"{name}: no {word} among {len(labels)} sources; add fields to it, or loosen `sources` in the config"
            )
