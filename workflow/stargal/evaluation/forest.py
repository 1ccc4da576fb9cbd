"""A random forest on the photometry, as Kim & Brunner (2017, MNRAS 464, 4463) compare with their networks.

Their set of features (TPC_morph): the model magnitudes, the colours, and the concentration psf - model in each band.
Theirs are corrected for extinction and use cmodel magnitudes; ours are as we measure them.
"""

import itertools
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier

from stargal.survey.fields import BANDS
from stargal.survey.labels import LABELS, STAR, UNKNOWN, known_labels, require_both_classes

TREES, LEAF = 500, 5
"""Number of trees (that of the paper) and fewest sources in a leaf."""


def photometric_features(detections: pd.DataFrame) -> NDArray[np.float32]:
    """Features of sources, shape (n, 14): five magnitudes, four colours, five concentrations; NaN without a flux."""
    model = {band: detections[f"model_mag_{band}"].to_numpy(np.float32) for band in BANDS}
    columns = list(model.values())
    columns += [model[blue] - model[red] for blue, red in itertools.pairwise(BANDS)]
    columns += [detections[f"psf_mag_{band}"].to_numpy(np.float32) - model[band] for band in BANDS]
    return np.stack(columns, axis=1)


def grow_forest(features: NDArray[np.float32], labels: NDArray[np.int8], seed: int) -> RandomForestClassifier:
    """Train a forest on features and labels (1 star, 0 galaxy); one thread, so that equal inputs give equal trees."""
    forest = RandomForestClassifier(
        TREES, criterion="entropy", min_samples_leaf=LEAF, max_features="sqrt", random_state=seed, n_jobs=1
    )
    return forest.fit(features, labels)


def classify_by_forest(
    training: Sequence[pd.DataFrame],
    training_matched: Sequence[pd.DataFrame],
    detections: Sequence[pd.DataFrame],
    *,
    labels: str,
    seed: int,
) -> pd.DataFrame:
    """Probability of a star of detections, by a forest that is trained on matched detections of other fields.

    Parameters
    ----------
    training, training_matched : sequences of DataFrame
        Detections of each training field, and what `stargal.dataset.crossmatch.match_field` gives for them.
    detections : sequence of DataFrame
        Detections of each field to classify.
    labels : str
        Labels to train on: photo or truth.
    seed : int

    Returns
    -------
    DataFrame
        id, forest: probability of a star (float32).

    Raises
    ------
    StargalError
        If a class is missing in the training fields.
    """
    joined = [
        one.merge(matched[["id", LABELS[labels]]].rename(columns={LABELS[labels]: "known"}), on="id", validate="1:1")
        for one, matched in zip(training, training_matched, strict=True)
    ]
    table = pd.concat(joined, ignore_index=True)
    known = known_labels(table["known"])
    table, known = table[known != UNKNOWN], known[known != UNKNOWN]
    require_both_classes("training fields of the forest", known)
    forest = grow_forest(photometric_features(table), known, seed)
    sources = pd.concat([one[["id", *_magnitudes()]] for one in detections], ignore_index=True)
    star = list(forest.classes_).index(STAR)
    probability = forest.predict_proba(photometric_features(sources))[:, star] if len(sources) else np.zeros(0)
    return pd.DataFrame({"id": sources["id"], "forest": probability.astype(np.float32)})


def _magnitudes() -> list[str]:
    return [f"{kind}_mag_{band}" for kind in ("psf", "model") for band in BANDS]
