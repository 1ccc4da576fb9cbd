"""What the labels mean: 1 is a star, 0 a galaxy, everywhere."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stargal.errors import StargalError

STAR, GALAXY = 1, 0

CLASSES = {STAR: "star", GALAXY: "galaxy"}
"""Name of each label."""

LABELS = {"photo": "label", "truth": "truth"}
"""Column of the sources that holds each kind of label: SDSS photo's own type, and what a source is, known for a
simulated sky alone."""

UNCERTAIN = (0.1, 0.9)
"""A probability between these is called uncertain."""

UNKNOWN = -1
"""In the place of a label that is not known."""


def known_labels(column: Any) -> NDArray[np.int8]:
    """Labels of a table's column, `UNKNOWN` where there is none."""
    return column.astype("Int8").fillna(UNKNOWN).to_numpy(np.int8)


def labelled(predictions: pd.DataFrame, kind: str, bucket: str) -> pd.DataFrame:
    """The sources of a bucket whose label of a kind (``photo`` or ``truth``) is known; it becomes ``label``."""
    known = known_labels(predictions[LABELS[kind]])
    return predictions.assign(label=known)[(known != UNKNOWN) & (predictions["bucket"] == bucket).to_numpy()]


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
