"""Select the catalogued sources of a field and tabulate their properties.

Data model of the catalogues ("datasweeps"):
https://data.sdss.org/datamodel/files/PHOTO_SWEEP/RERUN/calibObj.html
Flags: https://www.sdss.org/dr17/algorithms/bitmasks/ (OBJECT1, RESOLVE_STATUS).
"""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stargal.constants import FWHM_PER_SIGMA
from stargal.errors import StargalError
from stargal.imaging.cube import Cube
from stargal.imaging.stars import measure_stars
from stargal.io.files import intact
from stargal.survey.catalog import FLAG_BITS, PHOTO_TYPES, RUN_PRIMARY, object_ids, parse_catalog
from stargal.survey.fields import BANDS, COLUMNS, PIXEL_ARCSEC, REFERENCE, ROWS, Field
from stargal.survey.files import unpack
from stargal.survey.geometry import edge_distance
from stargal.survey.magnitudes import magnitude

_FLAGS, _TRUTH, _DUST = "OBJC_FLAGS", "TRUE_TYPE", "EXTINCTION"


def read_catalog(path: Path, field: Field) -> NDArray[Any]:
    """Read the rows of a catalogue for a field and its two neighbours along the camcol.

    Returns
    -------
    structured ndarray
        As `stargal.survey.catalog.parse_catalog` returns them.

    Raises
    ------
    StargalError
        As in `parse_catalog`, or if the file differs from its record.
    """
    try:
        rows = parse_catalog(unpack(intact(path), "gzip"), field.run, field.camcol)
    except OSError as error:
        raise StargalError(f"{path}: not readable ({error.strerror or error})") from None
    except StargalError as error:
        raise StargalError(f"{path}: {error}: remove it to fetch it again") from error
    return rows[np.abs(rows["FIELD"] - field.field) <= 1]


def select_sources(
    catalogs: Mapping[str, NDArray[Any]],
    cube: Cube,
    field: Field,
    neighbours: Collection[int] = (),
    magnitude_limit: float | None = None,
    reject_flags: Collection[str] = (),
) -> pd.DataFrame:
    """Select the sources of a field, each once.

    A source that the catalogue assigns to a neighbouring field lies in the rows that both fields share. It is selected
    only if that neighbour is not used, so that no source is in two fields.

    Parameters
    ----------
    catalogs : mapping of structured ndarray
        Rows of the ``star`` and ``gal`` catalogues, as returned by `read_catalog`.
    cube : Cube
        Cube of the field, for its astrometry and, for the sizes, its r image.
    field : Field
        The field.
    neighbours : collection of int
        Numbers of the neighbouring fields that are also used.
    magnitude_limit : float, optional
        Faintest r model magnitude, the same for both classes. The limits of the catalogues themselves differ by class.
    reject_flags : collection of str
        Names in `FLAG_BITS`; a source with any of them is excluded.

    Returns
    -------
    DataFrame
        One row per source, sorted by field, number and class in the catalogue:

        - id: ``rerun-run-camcol-field-number-star|gal``, its place in the catalogue (str)
        - ra, dec: deg, ICRS (float64)
        - x, y: 0-based pixel position on the cube (float64)
        - label: 1 star, 0 galaxy, from OBJC_TYPE (int8)
        - truth: the same from TRUE_TYPE, missing if the catalogue has none (Int8)
        - photo_type: OBJC_TYPE (int16)
        - psf_mag_u ... model_mag_z: AB magnitudes, NaN unless the flux is positive (float32)
        - fwhm: of the best-fitting circular Gaussian in r, arcsec, NaN without convergence or with S/N of 5 or less
          (float32)
        - flags: OBJC_FLAGS, missing if the catalogue has none (Int64)
        - edge_distance: distance to the nearest edge of the frame, pixels (float32)
        - objid: of the survey's database, see `stargal.survey.catalog.object_ids`; missing for a simulated sky (Int64)
        - extinction_u ... extinction_z: Galactic extinction, magnitudes, NaN if the catalogue has none (float32)

    Raises
    ------
    StargalError
        If `reject_flags` is given but the catalogue has no flags, or no source lies in the frame.
    """
    table = in_frame(catalogs, cube, field, neighbours)
    keep = np.full(len(table), True)
    if magnitude_limit is not None:
        keep &= table[f"model_mag_{REFERENCE}"] <= magnitude_limit
    for flag in reject_flags:
        if table["flags"].isna().any():
            raise StargalError(
                f"field {field.name}: sources.reject_flags asks for {flag}, but the catalogue has no {_FLAGS}: "
                "remove the flags from the configuration"
            )
        keep &= (table["flags"] & (1 << FLAG_BITS[flag])) == 0
    table = table[keep].reset_index(drop=True)
    table["fwhm"] = _widths(cube, table["x"].to_numpy(), table["y"].to_numpy())
    table["edge_distance"] = edge_distance(table["x"].to_numpy(), table["y"].to_numpy())
    magnitudes = [f"{kind}_mag_{band}" for kind in ("psf", "model") for band in BANDS]
    names = ["id", "ra", "dec", "x", "y", "label", "truth", "photo_type", *magnitudes, "fwhm", "flags", "edge_distance"]
    return table[[*names, "objid", *(f"extinction_{band}" for band in BANDS)]]


def in_frame(
    catalogs: Mapping[str, NDArray[Any]], cube: Cube, field: Field, neighbours: Collection[int] = ()
) -> pd.DataFrame:
    """Select all catalogued sources in the frame of a field, each once, of any magnitude and with any flags.

    Parameters
    ----------
    catalogs, cube, field
        As in `select_sources`.
    neighbours : collection of int
        Numbers of the neighbouring fields whose sources are excluded.

    Returns
    -------
    DataFrame
        In the order of `select_sources` and with its columns except fwhm and edge_distance.

    Raises
    ------
    StargalError
        If no source lies in the frame.
    """
    parts = [_describe(rows, kind, field) for kind, rows in catalogs.items()]
    table = pd.concat(parts, ignore_index=True).sort_values(["number_field", "number", "id"], kind="stable")
    table["x"], table["y"] = cube.astrometry.to_pixel(table["ra"], table["dec"])
    inside = table["x"].between(-0.5, COLUMNS - 0.5) & table["y"].between(-0.5, ROWS - 0.5)
    own = (table["number_field"] == field.field) | ~table["number_field"].isin(list(neighbours))
    primary = (table["resolve_status"] & RUN_PRIMARY) != 0
    keep = inside & own & primary
    if not keep.any():
        raise StargalError(
            f"field {field.name}: none of the {len(table)} catalogued sources of fields {field.field - 1} to "
            f"{field.field + 1} lies in the frame: catalogue and frames belong to different fields"
        )
    if "SIMULATE" in cube.header:
        table["objid"] = pd.array([pd.NA] * len(table), dtype="Int64")
    # A source that is listed in both catalogues, or again under another number, is one source.
    return table[keep].drop_duplicates(["ra", "dec"]).reset_index(drop=True)


def _describe(rows: NDArray[Any], kind: str, field: Field) -> pd.DataFrame:
    """Tabulate the properties of sources that depend only on the catalogue."""
    known = np.isin(rows["OBJC_TYPE"], list(PHOTO_TYPES))
    rows = rows[known]
    names = [f"{field.rerun}-{field.run}-{field.camcol}-{row['FIELD']}-{row['ID']}-{kind}" for row in rows]
    table = pd.DataFrame(
        {
            "id": pd.Series(names, dtype=str),
            "number_field": rows["FIELD"].astype(np.int64),
            "number": rows["ID"].astype(np.int64),
            "resolve_status": rows["RESOLVE_STATUS"].astype(np.int64),
            "ra": rows["RA"].astype(np.float64),
            "dec": rows["DEC"].astype(np.float64),
            "label": np.array([PHOTO_TYPES[int(kind)] for kind in rows["OBJC_TYPE"]], dtype=np.int8),
            "photo_type": rows["OBJC_TYPE"].astype(np.int16),
        }
    )
    for kind_of_flux, column in (("psf", "PSFFLUX"), ("model", "MODELFLUX")):
        for index, band in enumerate(BANDS):
            table[f"{kind_of_flux}_mag_{band}"] = magnitude(rows[column][:, index])
    types = rows[_TRUTH] if _TRUTH in (rows.dtype.names or ()) else np.zeros(len(rows), dtype=int)
    truth = [PHOTO_TYPES.get(int(kind), pd.NA) for kind in types]
    table["truth"] = pd.array(truth, dtype="Int8")
    flags = rows[_FLAGS].astype(np.int64) if _FLAGS in (rows.dtype.names or ()) else [pd.NA] * len(rows)
    table["flags"] = pd.array(flags, dtype="Int64")
    table["objid"] = object_ids(field, rows["FIELD"], rows["ID"])
    dust = rows[_DUST] if _DUST in (rows.dtype.names or ()) else np.full((len(rows), len(BANDS)), np.nan)
    for index, band in enumerate(BANDS):
        table[f"extinction_{band}"] = dust[:, index].astype(np.float32)
    return table


def _widths(cube: Cube, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float32]:
    """Full width at half maximum of sources in r, arcsec; NaN without convergence or with S/N of 5 or less."""
    band = cube.bands.index(REFERENCE)
    measured = measure_stars(np.asarray(cube.image[band], dtype=np.float32), x, y, float(cube.noise[band]))
    width = FWHM_PER_SIGMA * PIXEL_ARCSEC * measured.sigma
    return np.where(measured.ok & (measured.snr > 5), width, np.nan).astype(np.float32)
