"""Classify the sources of a field with a published classifier."""

import logging
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from astropy.table import Table
from numpy.typing import NDArray

from stargal.dataset.patches import extract_patches
from stargal.errors import StargalError
from stargal.evaluation.catalogs import count_catalog
from stargal.evaluation.metrics import SMALLEST
from stargal.imaging.cube import Cube, read_cube
from stargal.io.files import sha256, whole
from stargal.io.tables import read_json, read_table
from stargal.learning.network_files import load
from stargal.learning.predict import predict
from stargal.survey.labels import CLASSES, GALAXY, STAR

NEEDED = ("experiment", "sky", "bands", "size", "magnitudes", "model_sha256")
"""Keys of classifier.json that are read here."""

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


log = logging.getLogger(__name__)


def classify_field(
    *,
    sky: str,
    field: str,
    cube: Path,
    detections: Path,
    model: Path,
    description: Path,
    fits: Path,
    parquet: Path,
) -> None:
    """Classify the sources of a field, and write the catalogue as FITS and as parquet.

    Parameters
    ----------
    sky : str
        Name of the sky of the field.
    field : str
        Name of the field.
    cube, detections : paths
        Cube of the field, and its detected sources.
    model, description : paths
        model.keras and classifier.json of the classifier.
    fits, parquet : paths
        Where to write the catalogue.
    """
    classifier = read_classifier(model, description)
    catalog = classify_sources(read_table(detections), read_cube(cube), classifier, partial(predict, load(model)))
    provenance = {
        "FIELD": (field, "rerun-run-camcol-field"),
        "SKY": (sky, "where the frames come from"),
        "CLASSFR": (classifier["experiment"], "experiment of the classifier"),
        "TRAINSKY": (classifier["sky"], "sky that it learned from"),
        "CLASSSHA": (classifier["model_sha256"], ""),  # leaves no room for a comment
    }
    write_catalog(catalog, fits, provenance)
    catalog.attrs = {key: value for key, (value, _) in provenance.items()}
    with whole(parquet) as unfinished:
        catalog.to_parquet(unfinished, index=False)
    log.info("%s: %s", field, ", ".join(f"{count} {name}" for name, count in count_catalog(catalog).items()))


def read_classifier(model: Path, description: Path) -> dict[str, Any]:
    """Read the classifier.json of a model.

    Raises
    ------
    StargalError
        If it lacks one of `NEEDED`, or describes another model.
    """
    read = read_json(description)
    missing = [key for key in NEEDED if not isinstance(read, dict) or key not in read]
    if missing:
        raise StargalError(f"{description}: no {', '.join(missing)}: is it the classifier.json of a classifier?")
    if read["model_sha256"] != sha256(model):
        raise StargalError(f"{model}: not the model that {description} describes; take both from one classifier")
    return read


def classify_sources(
    detected: pd.DataFrame,
    cube: Cube,
    classifier: Mapping[str, Any],
    predict: Callable[[NDArray[np.float32]], NDArray[np.float32]],
) -> pd.DataFrame:
    """Catalogue of a field: its sources with the probability that each is a star.

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

        - probability_star: calibrated, never exactly 0 or 1 (float32)
        - class: star above 0.5, else galaxy (str)
        - extrapolated: whether the r model magnitude lies beyond those of the training sources, or is not known (bool)
        - no_data: share of the pixels of the patch, over all bands, without data (float32)

    Raises
    ------
    StargalError
        If the bands of the cube differ from the classifier's, or are in another order.
    """
    if cube.bands != classifier["bands"]:
        raise StargalError(
            f"the cube has bands {cube.bands}, the classifier takes {classifier['bands']}; set `bands` in the config "
            "to the classifier's"
        )
    patches = extract_patches(cube.image, detected["x"], detected["y"], classifier["size"])
    probability = np.clip(predict(patches), SMALLEST, 1 - SMALLEST).astype(np.float32)  # float32 rounds to 0 and 1
    low, high = classifier["magnitudes"]
    return detected.assign(
        probability_star=probability,
        **{"class": np.where(probability > 0.5, CLASSES[STAR], CLASSES[GALAXY])},
        extrapolated=~detected["model_mag_r"].between(low, high),
        no_data=np.isnan(patches).mean(axis=(1, 2, 3)).astype(np.float32),
    )


def write_catalog(table: pd.DataFrame, path: Path, provenance: Mapping[str, tuple[Any, str]]) -> None:
    """Write a catalogue as a FITS table, with units, descriptions, and provenance in the header.

    Parameters
    ----------
    table : DataFrame
        As `classify_sources` gives it.
    path : path
        Ends in .fits.
    provenance : mapping
        Value and comment of further header keywords.
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
