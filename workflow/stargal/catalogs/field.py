"""The catalogue of a field: classified sources, with their photometry, and what the survey says of them."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pandas as pd

from stargal import __version__
from stargal.catalogs.columns import COLUMNS, KINDS, flag_cards
from stargal.catalogs.files import write_fits_catalog, write_parquet_catalog
from stargal.evaluation.catalogs import count_catalog
from stargal.imaging.cube import Cube, read_cube
from stargal.io.tables import read_table
from stargal.learning.apply import classify_sources, prior_text
from stargal.learning.published import open_onnx, read_classifier
from stargal.survey.fields import BANDS, Field
from stargal.survey.magnitudes import asinh_magnitude
from stargal.survey.matching import match_sky, nearest_on_sky

DUST_ARCSEC = 60.0
"""Largest distance of the survey source that a source takes its extinction from; the maps of dust that SDSS used have
a resolution of 6 arcmin (Schlegel, Finkbeiner and Davis 1998, ApJ 500, 525)."""

FROM_CUBE = {
    "ORIGIN": "", "SIMULATE": "simulated sky, no photon of it is real", "RELEASE": "of the frames", "FRAMEURL": "",
    "DATE-OBS": "UTC, readout of row 0 in r", "MJD-OBS": "the same", "RADESYS": "",
}  # fmt: skip
"""Keywords of a cube that its catalogue repeats, and their comments."""

log = logging.getLogger(__name__)


def classify_field(
    *,
    sky: str,
    field: str,
    cube: Path,
    detections: Path,
    model: Path,
    description: Path,
    prior: str | float | Mapping[str, Any],
    fits: Path,
    parquet: Path,
    survey: Sequence[Path] = (),
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
        model.onnx and classifier.json of the classifier.
    prior
        See `stargal.learning.apply.classify_sources`.
    fits, parquet : paths
        Where to write the catalogue.
    survey : sequence of paths, optional
        Table of the survey's sources of the field, where the survey's catalogue is at hand.
    """
    classifier, opened = read_classifier(model, description), read_cube(cube)
    classified = classify_sources(read_table(detections), opened, classifier, open_onnx(model), prior)
    known = read_table(survey[0]) if survey else None
    catalog = tabulate_catalog(classified, Field.parse(field), known)
    provenance = provenance_of(sky, field, opened, classifier, prior)
    write_fits_catalog(catalog, fits, provenance)
    write_parquet_catalog(catalog, parquet, provenance)
    log.info("%s: %s", field, ", ".join(f"{count} {name}" for name, count in count_catalog(catalog).items()))


def provenance_of(
    sky: str, field: str, cube: Cube, classifier: Mapping[str, Any], prior: str | float | Mapping[str, Any]
) -> dict[str, tuple[Any, str]]:
    """Keywords of a catalogue, with comments: its field, frames, classifier, prior, software and flags."""
    frames = zip(cube.alignment["band"], cube.alignment["frame"], cube.alignment["sha256"], strict=True)
    header = cube.header
    said: dict[str, tuple[Any, str]] = {"FIELD": (field, "rerun-run-camcol-field"), "SKY": (sky, "of the frames")}
    said |= {key: (header[key], comment) for key, comment in FROM_CUBE.items() if key in header}
    for band, name, digest in frames:
        said |= {f"FRAME_{band}".upper(): (str(name), ""), f"SHA_{band}".upper(): (str(digest), "")}
    return said | {
        "CLASSFR": (classifier["experiment"], "classifier"),
        "TRAINSKY": (classifier["sky"], "sky that it learned from"),
        "CLASSSHA": (classifier["onnx_sha256"], ""),  # leaves no room for a comment
        "PRIOR": (prior_text(prior), "share of stars"),
        "SOFTWARE": (f"stargal {__version__}, onnxruntime {onnxruntime.__version__}", ""),
        **flag_cards(),
    }


def tabulate_catalog(classified: pd.DataFrame, field: Field, survey: pd.DataFrame | None = None) -> pd.DataFrame:
    """Arrange classified sources as a catalogue.

    Parameters
    ----------
    classified : DataFrame
        As `stargal.learning.apply.classify_sources` gives it, of `stargal.photometry.sources.detect_sources`.
    field : Field
    survey : DataFrame, optional
        Sources of the survey, as `stargal.dataset.sources.select_sources` gives them. Without it, ``objID`` and
        ``extinction_u`` ... ``extinction_z`` are missing.

    Returns
    -------
    DataFrame
        `stargal.catalogs.columns.COLUMNS`. ``objID`` is that of the survey's source within 1 arcsec, missing where the
        survey has none, or none that can be computed (see `stargal.survey.catalog.object_ids`). The extinction is that
        of the nearest source of the survey within `DUST_ARCSEC`.
    """
    rows = len(classified)
    values: dict[str, Any] = {name: classified[name] for name in classified.columns}
    values |= {name: np.full(rows, value) for name, value in vars(field).items()}
    values |= {"type": classified["photo_type"]} | dict.fromkeys(("raErr", "decErr"), classified["position_error"])
    for kind in KINDS:
        for band in BANDS:
            flux, error = (classified[f"{kind}_{name}_{band}"] for name in ("flux", "flux_error"))
            values[f"{kind}Flux_{band}"], values[f"{kind}FluxErr_{band}"] = flux, error
            pair = asinh_magnitude(flux.to_numpy(float), error.to_numpy(float), band)
            values[f"{kind}Mag_{band}"], values[f"{kind}MagErr_{band}"] = pair
    values |= _of_survey(classified, survey)
    table = pd.DataFrame({column.name: values[column.name] for column in COLUMNS})
    return table.astype({column.name: column.dtype if column.null is None else "Int64" for column in COLUMNS})


def _of_survey(classified: pd.DataFrame, survey: pd.DataFrame | None) -> dict[str, Any]:
    """``objID`` and extinction of sources from the survey's sources of the field."""
    names = [f"extinction_{band}" for band in BANDS]
    if survey is None or survey.empty or classified.empty:
        missing = np.full(len(classified), np.nan)
        return dict.fromkeys(names, missing) | {"objID": pd.Series(missing)}
    (ra, dec), (other_ra, other_dec) = (
        [table[name].to_numpy(float) for name in ("ra", "dec")] for table in (classified, survey)
    )
    match = match_sky(ra, dec, other_ra, other_dec)
    number = survey["objid"].take(np.maximum(match, 0)).reset_index(drop=True).mask(match < 0)
    nearest, distance = nearest_on_sky(ra, dec, other_ra, other_dec)
    near = distance <= DUST_ARCSEC
    dust = {name: np.where(near, survey[name].to_numpy(float)[nearest], np.nan) for name in names}
    return dust | {"objID": number}
