"""Class labels: 1 is a star and 0 is a galaxy, throughout the library."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stargal.errors import StargalError

STAR, GALAXY = 1, 0

CLASSES = {STAR: "star", GALAXY: "galaxy"}
"""Name of each label."""

UNCLASSIFIED = "unclassified"
"""What a source of a catalogue is called whose light does not tell its class."""

LABELS = {"photo": "label", "truth": "truth"}
"""Source column of each kind of label: the type assigned by SDSS photo, and the true class, known only for a
simulated sky."""

UNCERTAIN = (0.1, 0.9)
"""A prediction is uncertain if its probability lies between these."""

UNKNOWN = -1
"""Value for an unknown label."""


def known_labels(column: Any) -> NDArray[np.int8]:
    """Return the labels in a table column, with `UNKNOWN` for missing ones."""
    return column.astype("Int8").fillna(UNKNOWN).to_numpy(np.int8)


def labelled(predictions: pd.DataFrame, kind: str, bucket: str) -> pd.DataFrame:
    """Select the sources of a bucket with a known label of a kind (``photo`` or ``truth``), stored in ``label``."""
    known = known_labels(predictions[LABELS[kind]])
    return predictions.assign(label=known)[(known != UNKNOWN) & (predictions["bucket"] == bucket).to_numpy()]


def require_both_classes(name: str, labels: NDArray[Any]) -> None:
    """Reject sources that all belong to one class: training and most scores need both classes.

    Parameters
    ----------
    name : str
        Name of the set, for the message: ``training set large``, ``bucket test``.
    labels : int array, (n,)
        1 star, 0 galaxy.

    Raises
    ------
    StargalError
        If a class is missing; the message names the set and the class.
    """
    for label, word in CLASSES.items():
        if not np.any(labels == label):
            raise StargalError(
                f"{name}: no {word} among {len(labels)} sources; add fields to it, or loosen `sources` in the config"
            )
