"""Catalogues of classified fields: their contents, and their agreement with the survey's own catalogues."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from stargal.evaluation.metrics import calibration_error, score_predictions
from stargal.survey.fields import PIXEL_ARCSEC
from stargal.survey.labels import CLASSES, GALAXY, LABELS, STAR, UNCERTAIN, UNCLASSIFIED, UNKNOWN, known_labels
from stargal.survey.matching import MATCH_ARCSEC, match_points

BUCKETS = ("train", "validation", "test", "none")
"""Order of the rows: fields in a bucket first, then those in none."""

FAINTEST = 22.0
"""r model magnitude to which the survey's catalogues keep stars and galaxies alike: stars to 22.5, galaxies to 21 or
22. Beyond, agreement measures this selection."""


def catalog_table(
    catalogs: Sequence[pd.DataFrame],
    sources: Sequence[pd.DataFrame],
    *,
    fields: Sequence[str],
    buckets: Mapping[str, str],
    labels: str,
    resamples: int,
) -> pd.DataFrame:
    """Contents of the catalogues, compared with the survey's catalogue for fields in a bucket.

    Parameters
    ----------
    catalogs : sequence of DataFrame
        Catalogues, in the order of `fields`.
    sources : sequence of DataFrame
        Survey sources of the fields in a bucket, in the order of `fields`.
    fields : sequence of str
    buckets : mapping
        Bucket of each field that is in one.
    labels : str
        Labels to compare with: photo or truth.
    resamples : int
        Bootstrap resamples of the intervals.

    Returns
    -------
    DataFrame
        One row per field, by bucket: ``field, bucket`` (none for a field in no bucket), `count_catalog` and, where
        there are sources, `compare_catalogs`.
    """
    surveyed = dict(zip([field for field in fields if field in buckets], sources, strict=True))
    rows: list[dict[str, Any]] = []
    for field, catalog in zip(fields, catalogs, strict=True):
        row: dict[str, Any] = {"field": field, "bucket": buckets.get(field, "none")} | count_catalog(catalog)
        if field in surveyed:
            row |= compare_catalogs(catalog, surveyed[field], labels, resamples)
        rows.append(row)
    return pd.DataFrame([row for bucket in BUCKETS for row in rows if row["bucket"] == bucket])


def count_catalog(catalog: pd.DataFrame) -> dict[str, int]:
    """Number of primary sources in a catalogue: of each class, unclassified, uncertain, and unlike the training set."""
    own = catalog[catalog["primary"]]
    return {
        "sources": len(own),
        "stars": int((own["class"] == CLASSES[STAR]).sum()),
        "galaxies": int((own["class"] == CLASSES[GALAXY]).sum()),
        "unclassified": int((own["class"] == UNCLASSIFIED).sum()),
        "uncertain": int(own["probability_star"].between(*UNCERTAIN).sum()),
        "unlike_training": int((own["unlike_training"] != 0).sum()),
    }


def compare_catalogs(catalog: pd.DataFrame, sources: pd.DataFrame, labels: str, resamples: int) -> dict[str, float]:
    """Agreement of a catalogue with the survey's own of the same field.

    Parameters
    ----------
    catalog : DataFrame
        As `stargal.learning.apply.classify_sources` gives it.
    sources : DataFrame
        As `stargal.dataset.sources.select_sources` gives them.
    labels : str
        photo or truth.
    resamples : int
        Bootstrap resamples of the intervals.

    Returns
    -------
    dict
        ``catalogued``, the number of survey sources of known label; ``found``, the share of them that are detected, one
        detection each; ``compared``, the number of those brighter than `FAINTEST` in the survey's catalogue; of these
        ``roc_auc``, ``accuracy`` and ``mcc`` with both ends of their intervals, ``log_loss`` and ``calibration_error``.
    """
    label = known_labels(sources[LABELS[labels]])
    known, label = sources[label != UNKNOWN], label[label != UNKNOWN]
    listed, detected = (table[["x", "y"]].to_numpy(float) for table in (known, catalog))
    index = match_points(listed, detected, MATCH_ARCSEC / PIXEL_ARCSEC)
    found = index >= 0
    bright = found & (known["model_mag_r"] < FAINTEST).to_numpy()
    probability = catalog["probability_star"].to_numpy(float)[index[bright]]
    scores = score_predictions(label[bright], probability, resamples=resamples)
    wanted = [f"{name}{end}" for name in ("roc_auc", "accuracy", "mcc") for end in ("", "_low", "_high")]
    counts = {"catalogued": len(known), "found": float(found.mean()), "compared": int(bright.sum())}
    error = calibration_error(label[bright], probability)
    return counts | {name: scores[name] for name in (*wanted, "log_loss")} | {"calibration_error": error}
