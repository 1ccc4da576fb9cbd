"""Catalogues of measured sources in the SDSS format, the calibObj ("datasweep") files.

Data model: https://data.sdss.org/datamodel/files/PHOTO_SWEEP/RERUN/calibObj.html. Names and formats of the columns are
those of a real file. Quantities unavailable from a simulated image (proper motions, 2MASS, links to other runs) have
the value that real files use for missing data.
"""

import gzip
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from astropy.io import fits
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from stargal import __version__
from stargal.errors import StargalError
from stargal.imaging.astrometry import Astrometry
from stargal.io.files import whole
from stargal.photometry.sources import tabulate_sources
from stargal.survey.catalog import FORMATS, NO_VALUE, OBJC_TYPES, PHOTO_TYPES, RUN_PRIMARY, TRUTH_FORMATS
from stargal.survey.fields import BANDS, REFERENCE, STEP_ROWS, TRIM, Field, fields_ahead
from stargal.survey.labels import STAR

MATCH_RADIUS = 3.0
"""Distance within which a true source matches a measured one, pixels (1.2 arcsec)."""

BLEND_RADIUS = 6.0
"""Distance within which an undetected true source counts as blended with a detected one, pixels."""

BLEND_SHARE = 0.1
"""Minimum flux in r of the undetected source, as a fraction of that of the detected one."""

SAME_RADIUS = 2.0
"""Distance within which two measurements near the border of two fields are one source, pixels."""

_BAND_COLUMNS = {
    "ROWC": "row",
    "COLC": "column",
    "M_RR_CC": "moment",
    "M_RR_CC_PSF": "psf_moment",
    "FLAGS": "flags",
    "PSF_FWHM": "psf_fwhm",
    "EXTINCTION": "extinction",
    "SKYFLUX": "sky",
    "PSFFLUX": "psf",
    "PSFFLUX_IVAR": "psf_ivar",
    "FIBERFLUX": "fiber",
    "FIBERFLUX_IVAR": "fiber_ivar",
    "FIBER2FLUX": "fiber2",
    "FIBER2FLUX_IVAR": "fiber2_ivar",
    "MODELFLUX": "model",
    "MODELFLUX_IVAR": "model_ivar",
    "NMGYPERCOUNT": "calibration",
    "APERFLUX6": "aperture",
}
"""Catalogue columns with measurements in five bands, and their names in the table of a field."""

_KNOWN = {
    "RESOLVE_STATUS": RUN_PRIMARY,
    "CALIB_STATUS": 1,  # photometric
    "NDETECT": 1,
    "THING_ID": -1,
    "IFIELD": -1,
    "BALKAN_ID": -1,
    "ROWVDEG": NO_VALUE,
    "ROWVDEGERR": NO_VALUE,
    "COLVDEG": NO_VALUE,
    "COLVDEGERR": NO_VALUE,
}
"""Columns with a constant value; other unfilled columns are zero or empty, as in most rows of a real file."""


def tabulate(
    measured: Mapping[str, NDArray[Any]],
    types: NDArray[np.int32],
    calibration: Sequence[float],
    extinction: Sequence[float],
    astrometry: Astrometry,
    field: Field,
) -> pd.DataFrame:
    """Arrange the measured sources of a field in a flat table.

    Parameters
    ----------
    measured : mapping of ndarray
        Output of `stargal.photometry.measure.measure_sources`.
    types : ndarray, shape (n,)
        3 galaxy, 6 star.
    calibration : sequence of float
        Nanomaggies per count of each band.
    extinction : sequence of float
        Extinction in each band, magnitudes.
    astrometry : Astrometry
        Astrometry of r.
    field : Field
        Field whose frames were measured.

    Returns
    -------
    DataFrame
        One row per source: frame_field (the field measured), field (the field that owns the source), type, flags, x, y
        (0-based, on the frame), position_error (pixels), ra, dec (deg), kind, radius (arcsec), axis_ratio, angle (rad),
        and ``name_u`` ... ``name_z`` for composite and each name in `_BAND_COLUMNS`. Rows are ROWC in the field that
        owns the source.
    """
    number, shift = assign_field(measured["y"], field.field)
    ra, dec = astrometry.to_sky(measured["x"], measured["y"])
    columns: dict[str, Any] = {
        "frame_field": np.full(len(number), field.field, np.int32),
        "field": number,
        "type": types,
        "flags": measured["flags"],
        "x": measured["x"],
        "y": measured["y"],
        "position_error": measured["position_error"],
        "ra": ra,
        "dec": dec,
    }
    columns |= {name: measured[name] for name in ("kind", "radius", "axis_ratio", "angle")}
    by_band = dict(measured) | {
        "row": measured["y_band"] + 0.5 + shift[:, None],
        "column": measured["x_band"] + 0.5,
        "flags": measured["flags_band"],
        "calibration": np.broadcast_to(np.asarray(calibration, float), (len(number), len(BANDS))),
        "extinction": np.broadcast_to(np.asarray(extinction, float), (len(number), len(BANDS))),
    }
    for name in (*_BAND_COLUMNS.values(), "composite"):
        values = by_band[name]
        kind = np.int32 if name == "flags" else np.float32
        columns |= {f"{name}_{band}": values[:, index].astype(kind) for index, band in enumerate(BANDS)}
    return pd.DataFrame(columns)


def assign_field(y: NDArray[Any], field: int) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Return the field that owns each source, and the offset to its row in that field.

    Parameters
    ----------
    y : ndarray, shape (n,)
        Row on the r frame, 0-based pixels.
    field : int
        Field number of the frame.
    """
    step = fields_ahead(np.asarray(y))
    return (field + step).astype(np.int32), -step * STEP_ROWS


def match_truth(table: pd.DataFrame, truth: pd.DataFrame, astrometry: Astrometry) -> pd.DataFrame:
    """Match measured sources to true sources.

    The match is the brightest true source in r within `MATCH_RADIUS`. If several measured sources match the same true
    source, the nearest keeps it. The brightest unmatched true source within `BLEND_RADIUS` counts as blended with the
    measured source if it has more than `BLEND_SHARE` of its true flux.

    Parameters
    ----------
    table : DataFrame
        x, y: pixels of r.
    truth : DataFrame
        truth_id, label (1 star, 0 galaxy), ra, dec (deg), flux_u ... flux_z (nanomaggies).
    astrometry : Astrometry
        Astrometry of r.

    Returns
    -------
    DataFrame
        One row per measured source: true_type (3, 6, or 0 if unmatched), truth_id, blended_with (-1 for none), and
        true_flux_u ... true_flux_z (0 if unmatched).
    """
    truth_x, truth_y = astrometry.to_pixel(truth["ra"], truth["dec"])
    tree = cKDTree(np.stack([truth_x, truth_y], axis=1))
    position = table[["x", "y"]].to_numpy(float)
    flux = truth[f"flux_{REFERENCE}"].to_numpy(float)
    near = [np.sort(np.array(found, dtype=np.intp)) for found in tree.query_ball_point(position, MATCH_RADIUS)]
    match = np.array([found[np.argmax(flux[found])] if len(found) else -1 for found in near], dtype=np.intp)
    distance = np.hypot(*(position - tree.data[match]).T)
    order = np.lexsort((distance, match))
    claimed = match[order]
    again = order[np.flatnonzero(claimed[1:] == claimed[:-1]) + 1]
    match[again] = -1
    taken = np.zeros(len(truth), dtype=bool)
    taken[match[match >= 0]] = True
    blended = np.full(len(table), -1, dtype=np.int64)
    identity = truth["truth_id"].to_numpy(np.int64)
    for index, found in enumerate(tree.query_ball_point(position, BLEND_RADIUS)):
        others = np.sort(np.array(found, dtype=np.intp))
        others = others[~taken[others]]
        if match[index] >= 0 and len(others):
            brightest = others[np.argmax(flux[others])]
            if flux[brightest] > BLEND_SHARE * flux[match[index]]:
                blended[index] = identity[brightest]
    known = match >= 0
    star = truth["label"].to_numpy()[match] == STAR
    result = {
        "true_type": np.where(known, np.where(star, OBJC_TYPES["star"], OBJC_TYPES["gal"]), 0).astype(np.int32),
        "truth_id": np.where(known, identity[match], -1),
        "blended_with": blended,
    }
    for band in BANDS:
        result[f"true_flux_{band}"] = np.where(known, truth[f"flux_{band}"].to_numpy()[match], 0).astype(np.float32)
    return pd.DataFrame(result)


def list_detections(measured: pd.DataFrame, field: Field) -> pd.DataFrame:
    """List the measured sources of a field as `stargal.photometry.sources.detect_sources` would, with their classes.

    Parameters
    ----------
    measured : DataFrame
        Columns of `tabulate` and `match_truth`.
    field : Field

    Returns
    -------
    DataFrame
        The columns of `detect_sources`, and label (by photo's rule: 1 star, 0 galaxy, int8) and truth (the true class,
        missing where no true source matches, Int8).
    """
    arrays: dict[str, NDArray[Any]] = {
        name: measured[name].to_numpy() for name in ("x", "y", "flags", "position_error")
    }
    for kind in ("psf", "model", "psf_ivar", "model_ivar"):
        arrays[kind] = measured[[f"{kind}_{band}" for band in BANDS]].to_numpy(float)
    ra, dec = (measured[name].to_numpy(float) for name in ("ra", "dec"))
    table = tabulate_sources(arrays, ra, dec, measured["type"].to_numpy(np.int32), field)
    return table.assign(
        label=measured["type"].map(PHOTO_TYPES).astype(np.int8),
        truth=measured["true_type"].map(PHOTO_TYPES).astype("Int8"),
    )


def join_fields(tables: Mapping[int, pd.DataFrame]) -> pd.DataFrame:
    """Merge the sources of several fields of a camcol, without duplicates, numbered within the field that owns them.

    In rows shared by two fields, the measurement of the owning field is used, or that of the other field if the owner
    is not in `tables`. Near the border, noise may put a source on either side in each field; the first one is kept.

    Parameters
    ----------
    tables : mapping of DataFrame
        Tables by number of the measured field.
    """
    parts = []
    for number, table in sorted(tables.items()):
        owner = table["field"]
        parts.append(table[(owner == number) | ~owner.isin(list(tables))])
        # Close to the border on the neighbour's side: needed if the neighbour places the source on this side.
        stray = table[(owner != number) & owner.isin(list(tables))]
        row = stray["y"] + 0.5
        border = np.minimum((row - TRIM).abs(), (row - TRIM - STEP_ROWS).abs()) < SAME_RADIUS
        parts.append(stray[border])
    joined = pd.concat(parts, ignore_index=True)
    joined = joined[~_seen_before(joined)]
    joined = joined.sort_values(["field", f"row_{REFERENCE}", f"column_{REFERENCE}"], kind="stable", ignore_index=True)
    joined.insert(0, "number", joined.groupby("field").cumcount() + 1)
    return joined


def _seen_before(table: pd.DataFrame) -> NDArray[np.bool_]:
    """Find rows that measure the source of another row in the frame of another field."""
    # Rows of a camcol on one scale: fields follow each other by STEP_ROWS.
    along = table["y"].to_numpy() + STEP_ROWS * table["frame_field"].to_numpy(float)
    pairs = cKDTree(np.stack([table["x"].to_numpy(), along], axis=1)).query_pairs(SAME_RADIUS, output_type="ndarray")
    frame = table["frame_field"].to_numpy()
    pairs = np.sort(pairs[frame[pairs[:, 0]] != frame[pairs[:, 1]]], axis=1)
    own = (table["frame_field"] == table["field"]).to_numpy()
    again = np.zeros(len(table), dtype=bool)
    # If only one of the two fields owns its measurement, that one is kept.
    again[np.where(own[pairs[:, 1]] & ~own[pairs[:, 0]], pairs[:, 0], pairs[:, 1])] = True
    return again


def make_rows(table: pd.DataFrame, field: Field) -> NDArray[Any]:
    """Make the rows of a catalogue file: the columns of `FORMATS` and, if the table has the truth, `TRUTH_FORMATS`.

    Parameters
    ----------
    table : DataFrame
        Rows from `join_fields`.
    field : Field
        Any field of the camcol.
    """
    formats = FORMATS | (TRUTH_FORMATS if "truth_id" in table else {})
    columns = fits.ColDefs([fits.Column(name, form) for name, form in formats.items()])
    rows = np.zeros(len(table), dtype=columns.dtype.newbyteorder("="))
    rows["RUN"], rows["RERUN"], rows["CAMCOL"] = field.run, str(field.rerun), field.camcol
    rows["FIELD"], rows["ID"] = table["field"], table["number"]
    rows["OBJC_TYPE"], rows["OBJC_FLAGS"] = table["type"], table["flags"]
    rows["OBJC_ROWC"] = table[f"row_{REFERENCE}"]
    rows["RA"], rows["DEC"] = table["ra"], table["dec"]
    for name, measured in _BAND_COLUMNS.items():
        values = table[[f"{measured}_{band}" for band in BANDS]].to_numpy()
        if name != "FLAGS":
            values = np.where(np.isfinite(values), values, 0.0 if name.endswith("_IVAR") else NO_VALUE)
        rows[name] = values
    for name, value in _KNOWN.items():
        rows[name] = value
    if "truth_id" in table:
        rows["TRUE_TYPE"], rows["TRUTH_ID"] = table["true_type"], table["truth_id"]
        rows["BLENDED_WITH"] = table["blended_with"]
        rows["TRUE_FLUX"] = table[[f"true_flux_{band}" for band in BANDS]].to_numpy()
    return rows


def write_calibobj(rows: NDArray[Any], path: Path) -> None:
    """Write a catalogue, gzip-compressed without a date, with its SHA-256 in a file beside it.

    Raises
    ------
    StargalError
        If there are no rows.
    """
    if len(rows) == 0:
        raise StargalError(f"{path}: no source is bright enough for the catalogue; choose another field")
    primary = fits.PrimaryHDU()
    primary.header["ORIGIN"] = ("SIMULATED", "measured on a simulated sky")
    formats = FORMATS | TRUTH_FORMATS
    table = fits.BinTableHDU.from_columns(
        [fits.Column(name, formats[name], array=rows[name]) for name in rows.dtype.names or ()]
    )
    table.header["ORIGIN"] = ("SIMULATED", "measured on a simulated sky")
    table.header["VERSION"] = (f"stargal {__version__}", "what measured it")
    stream = io.BytesIO()
    fits.HDUList([primary, table]).writeto(stream)
    with whole(path) as partial, partial.open("wb") as file, gzip.GzipFile("", "wb", 6, file, mtime=0) as packed:
        packed.write(stream.getvalue())
