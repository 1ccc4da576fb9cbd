"""Classify the sources of a field with a published classifier, and say how far the result can be trusted."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from astropy.table import Table
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from stargal.dataset.patches import extract_patches
from stargal.errors import StargalError
from stargal.evaluation.metrics import evaluate
from stargal.imaging.cube import Cube
from stargal.io.files import sha256, whole
from stargal.io.tables import read_json
from stargal.survey.fields import PIXEL_ARCSEC
from stargal.survey.labels import CLASSES, GALAXY, LABELS, STAR, UNCERTAIN, UNKNOWN, known_labels

MATCH_ARCSEC = 1.0
"""Distance within which a detected and a catalogued source are one: the catalogue's own positions are good to 0.1, and
half the seeing parts two sources."""

CHUNK = 512
"""Patches that a network is given at once; bounds its memory."""

NEEDED = ("experiment", "sky", "bands", "size", "magnitudes", "model_sha256")
"""What is read of a description of a classifier."""

UNITS = {"ra": "deg", "dec": "deg", "x": "pix", "y": "pix", "edge_distance": "pix"}
DESCRIPTIONS = {
    "id": "run-camcol-field-number",
    "ra": "ICRS",
    "dec": "ICRS",
    "x": "column of r, 0-based",
    "y": "row of r, 0-based",
    "primary": "the field owns the rows it lies in",
    "photo_type": "3 galaxy, 6 star, by psf - model magnitude as SDSS photo",
    "flags": "bits of OBJC_FLAGS",
    "edge_distance": "to the nearest edge of the frame",
    "probability_star": "calibrated probability of a star",
    "class": "star above 0.5, else galaxy",
    "extrapolated": "r model magnitude beyond those learned from",
    "no_data": "share of the patch without data",
}


def read_classifier(model: Path, description: Path) -> dict[str, Any]:
    """What classifier.json says of the model beside it.

    Raises
    ------
    StargalError
        If it lacks what a classifier says, or is of another model.
    """
    said = read_json(description)
    missing = [key for key in NEEDED if not isinstance(said, dict) or key not in said]
    if missing:
        raise StargalError(f"{description}: no {', '.join(missing)}: is it the classifier.json of a classifier?")
    if said["model_sha256"] != sha256(model):
        raise StargalError(f"{model}: not the model that {description} describes; take both from one classifier")
    return said


def classify(
    detected: pd.DataFrame,
    cube: Cube,
    classifier: Mapping[str, Any],
    predict: Callable[[NDArray[np.float32]], NDArray[np.float32]],
) -> pd.DataFrame:
    """The catalogue of a field: its sources with the probability that each is a star.

    Parameters
    ----------
    detected : DataFrame
        As `stargal.photometry.catalog.detect_sources` gives it.
    cube : Cube
        Of the same field.
    classifier : mapping
        As `read_classifier` gives it.
    predict : callable
        From patches, float32 ``(n, size, size, bands)`` in nanomaggies, to probabilities ``(n,)``.

    Returns
    -------
    DataFrame
        `detected`, and

        - probability_star: calibrated (float32)
        - class: star above 0.5, else galaxy (str)
        - extrapolated: whether the r model magnitude lies beyond those of the training sources, or is not known (bool)
        - no_data: share of the numbers of the patch that are missing, beyond an edge for example (float32)

    Raises
    ------
    StargalError
        If the bands of the cube are in another order than the classifier's.
    """
    if cube.bands != classifier["bands"]:
        raise StargalError(
            f"the cube has bands {cube.bands}, the classifier takes {classifier['bands']}; set `bands` in the config "
            "to the classifier's"
        )
    patches = extract_patches(cube.image, detected["x"], detected["y"], classifier["size"])
    parts = [predict(patches[first : first + CHUNK]) for first in range(0, len(patches), CHUNK)]
    probability = np.concatenate([np.empty(0, np.float32), *parts]).astype(np.float32)
    low, high = classifier["magnitudes"]
    return detected.assign(
        probability_star=probability,
        **{"class": np.where(probability > 0.5, CLASSES[STAR], CLASSES[GALAXY])},
        extrapolated=~detected["model_mag_r"].between(low, high),
        no_data=np.isnan(patches).mean(axis=(1, 2, 3)).astype(np.float32),
    )


def write_catalog(table: pd.DataFrame, path: Path, provenance: Mapping[str, tuple[Any, str]]) -> None:
    """Write a catalogue as a FITS table with units and descriptions, and in the header where it comes from.

    Parameters
    ----------
    table : DataFrame
        As `classify` gives it.
    path : path
        Ends in .fits.
    provenance : mapping
        Value and comment of further keywords.
    """
    rows = Table.from_pandas(table)
    for name in rows.colnames:
        unit = "mag" if "_mag_" in name else UNITS.get(name)
        rows[name].unit = unit
        if name in DESCRIPTIONS:
            rows[name].description = DESCRIPTIONS[name]
    rows.meta |= {"EXTNAME": "SOURCES", **provenance}
    with whole(path) as partial:
        rows.write(partial, format="fits", overwrite=True)


def count_catalog(catalog: pd.DataFrame) -> dict[str, int]:
    """How many primary sources a catalogue has, and of what."""
    own = catalog[catalog["primary"]]
    stars = int((own["class"] == CLASSES[STAR]).sum())
    return {
        "sources": len(own),
        "stars": stars,
        "galaxies": len(own) - stars,
        "uncertain": int(own["probability_star"].between(*UNCERTAIN).sum()),
        "extrapolated": int(own["extrapolated"].sum()),
    }


def compare_catalogs(catalog: pd.DataFrame, sources: pd.DataFrame, labels: str, resamples: int) -> dict[str, float]:
    """A catalogue beside the survey's own of the same field.

    Parameters
    ----------
    catalog : DataFrame
        As `classify` gives it.
    sources : DataFrame
        As `stargal.dataset.sources.select_sources` gives them.
    labels : str
        photo or truth.
    resamples : int
        Of the intervals.

    Returns
    -------
    dict
        ``catalogued``, the sources of known label that the survey has; ``found``, the share of them that were detected
        within `MATCH_ARCSEC`; of those ``accuracy`` and ``mcc`` with both ends of their intervals, and ``log_loss``.
    """
    label = known_labels(sources[LABELS[labels]])
    known, label = sources[label != UNKNOWN], label[label != UNKNOWN]
    tree = cKDTree(catalog[["x", "y"]].to_numpy(float))
    distance, index = tree.query(known[["x", "y"]].to_numpy(float))
    found = distance * PIXEL_ARCSEC <= MATCH_ARCSEC
    probability = catalog["probability_star"].to_numpy(float)[index[found]]
    scores = evaluate(label[found], probability, resamples=resamples)
    wanted = [f"{name}{end}" for name in ("accuracy", "mcc") for end in ("", "_low", "_high")]
    return {"catalogued": len(known), "found": float(found.mean())} | {
        name: scores[name] for name in (*wanted, "log_loss")
    }
