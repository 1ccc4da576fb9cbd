"""Tasks: what a network tells apart, and all that depends on it.

A task says which column holds the labels, which classes there are, which of them a set must show, and which columns the
predictions have.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stargal.dataset.places import NAMES, require_all_classes
from stargal.errors import StargalError
from stargal.evaluation.classes import score_calls
from stargal.evaluation.metrics import score_buckets
from stargal.survey.labels import CLASSES, LABELS, require_both_classes


@dataclass(frozen=True)
class Task:
    """A task of an experiment.

    Attributes
    ----------
    classes : mapping
        Name of each label.
    columns : tuple of str
        Columns of the sources that the predictions keep; the field and the bucket follow the first.
    label_columns : mapping
        Column of the sources that holds each kind of label: photo or truth.
    outputs : int
        Outputs of the network: 1 for the probability of label 1, otherwise one per class.
    require_classes : function
        ``(name, labels)``: refuse labels that lack a class.
    validated : bool
        Whether the validation set must show every class, too.
    score : function
        ``(predictions, edges, resamples, learned)``: records of `stargal.evaluation`. `learned` holds the labels of the
        training set, None if they are not given.
    """

    classes: Mapping[int, str]
    columns: tuple[str, ...]
    label_columns: Mapping[str, str]
    outputs: int
    require_classes: Callable[[str, NDArray[Any]], None]
    validated: bool
    score: Callable[..., list[dict[str, Any]]]

    def check(self, training_set: str, labels: str, training: NDArray[Any], validation: NDArray[Any]) -> None:
        """Refuse a training or validation set that lacks a class.

        Raises
        ------
        StargalError
            Naming the set and the class.
        """
        self.require_classes(f"training set {training_set}, labels {labels}", training)
        if self.validated:
            self.require_classes(f"bucket validation, labels {labels}", validation)

    def predictions(
        self, sources: pd.DataFrame, field: str, bucket: str, probability: NDArray[np.float32]
    ) -> pd.DataFrame:
        """Predictions of one field: `columns` of its sources, field, bucket, and probabilities.

        Parameters
        ----------
        sources : DataFrame
        field, bucket : str
        probability : float32 array, (n,) or (n, classes)
            Of label 1, or of each class by label.
        """
        table = sources[list(self.columns)].copy()
        table.insert(1, "field", field)
        table.insert(2, "bucket", bucket)
        if self.outputs == 1:
            return table.assign(probability=probability)
        return table.assign(**{name: probability[:, label] for label, name in self.classes.items()})


def _score_star_galaxy(
    predictions: pd.DataFrame, edges: Sequence[float], resamples: int, learned: NDArray[Any] | None
) -> list[dict[str, Any]]:
    """Scores of each bucket, as a whole and by magnitude."""
    for bucket, sources in predictions.groupby("bucket"):
        require_both_classes(f"bucket {bucket}", sources["label"].to_numpy())
    return score_buckets(predictions, "probability", edges=edges, resamples=resamples)


def _score_four_classes(
    predictions: pd.DataFrame, edges: Sequence[float], resamples: int, learned: NDArray[Any] | None
) -> list[dict[str, Any]]:
    """Scores of each bucket, as a whole and by class."""
    if learned is None:
        raise StargalError("scoring four classes needs the training set: give its lists with --training")
    return score_calls(predictions, np.bincount(learned, minlength=len(NAMES)), resamples)


TASKS = {
    "star_galaxy": Task(
        classes=CLASSES,
        columns=("id", "label", "truth", "psf_mag_r", "model_mag_r"),
        label_columns=LABELS,
        outputs=1,
        require_classes=require_both_classes,
        validated=True,
        score=_score_star_galaxy,
    ),
    # The tables of placed patches hold one kind of label: the kind that they were placed by.
    "four_classes": Task(
        classes=NAMES,
        columns=("id", "x", "y", "label"),
        label_columns=dict.fromkeys(LABELS, "label"),
        outputs=len(NAMES),
        require_classes=require_all_classes,
        validated=False,
        score=_score_four_classes,
    ),
}
"""Probability of a star; probabilities of sky, star, galaxy and both."""


def task_of(name: str) -> Task:
    """The task of this name.

    Raises
    ------
    StargalError
        If there is none.
    """
    if name not in TASKS:
        raise StargalError(f"task {name!r}: unknown; allowed: {', '.join(TASKS)}")
    return TASKS[name]
