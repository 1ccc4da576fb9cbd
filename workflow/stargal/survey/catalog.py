"""SDSS imaging catalogues, the calibObj ("datasweep") files: columns, types, flags and limits.

References
----------
Data model: https://data.sdss.org/datamodel/files/PHOTO_SWEEP/RERUN/calibObj.html
Flags: https://www.sdss.org/dr17/algorithms/bitmasks/ (OBJECT1, RESOLVE_STATUS)
"""

from typing import Any

import numpy as np
import pandas as pd
from astropy.io import fits
from numpy.typing import NDArray

from stargal.errors import StargalError
from stargal.survey.fields import BANDS, Field
from stargal.survey.files import opened_fits
from stargal.survey.labels import GALAXY, STAR

OBJC_TYPES = {"star": 6, "gal": 3}
"""OBJC_TYPE of the sources in each kind of catalogue."""

PHOTO_TYPES = {OBJC_TYPES["star"]: STAR, OBJC_TYPES["gal"]: GALAXY}
"""Label for each OBJC_TYPE of photo."""

RUN_PRIMARY = 1
"""Bit of RESOLVE_STATUS that marks the primary detection of a source within its run.

SURVEY_PRIMARY (256) is unsuitable: it selects one of several runs over the same sky, possibly a different one.
"""

FLAG_BITS = {
    "BRIGHT": 1,
    "EDGE": 2,
    "BLENDED": 3,
    "CHILD": 4,
    "NODEBLEND": 6,
    "SATURATED": 18,
    "BINNED1": 28,
}
"""Bits of OBJC_FLAGS."""

EDGE, BLENDED, CHILD, NODEBLEND, SATURATED, BINNED1 = (
    1 << FLAG_BITS[name] for name in ("EDGE", "BLENDED", "CHILD", "NODEBLEND", "SATURATED", "BINNED1")
)
"""Flags of OBJC_FLAGS that the workflow's own measurement sets."""

COLUMNS_NEEDED = ("RUN", "CAMCOL", "FIELD", "ID", "OBJC_TYPE", "RA", "DEC", "PSFFLUX", "MODELFLUX", "RESOLVE_STATUS")
"""Catalogue columns that the workflow requires."""

COLUMNS_USED = ("OBJC_FLAGS", "TRUE_TYPE", "EXTINCTION")
"""Columns that are read where a catalogue has them."""

_BY_BAND, _POSITION = ("PSFFLUX", "MODELFLUX", "EXTINCTION"), ("RA", "DEC")

OBJECT_ID_RERUN, SKY_VERSION = 301, 2
"""Rerun of data release 8 and later, and the sky version in their objID."""

STAR_LIMITS = (22.5, 22.5, 22.5, 22.0, 21.5)
"""Limits in u g r i z: a star is catalogued if any of its dereddened PSF magnitudes is below its limit."""

GALAXY_LIMITS = (21.0, 22.0, 22.0, 20.5, 20.1)
"""Limits in u g r i z: a galaxy is catalogued if any of its dereddened model magnitudes is below its limit."""

NO_VALUE = -9999.0
"""Catalogue value for a failed measurement."""

FORMATS = {
    "RUN": "I", "RERUN": "3A", "CAMCOL": "B", "FIELD": "I", "ID": "I", "OBJC_TYPE": "J", "OBJC_FLAGS": "J",
    "OBJC_FLAGS2": "J", "OBJC_ROWC": "E", "ROWVDEG": "E", "ROWVDEGERR": "E", "COLVDEG": "E", "COLVDEGERR": "E",
    "ROWC": "5E", "COLC": "5E", "M_RR_CC": "5E", "M_RR_CC_PSF": "5E", "FLAGS": "5J", "FLAGS2": "5J", "PSP_STATUS": "5J",
    "RA": "D", "DEC": "D", "PSF_FWHM": "5E", "EXTINCTION": "5E", "SKYFLUX": "5E", "PSFFLUX": "5E", "PSFFLUX_IVAR": "5E",
    "FIBERFLUX": "5E", "FIBERFLUX_IVAR": "5E", "FIBER2FLUX": "5E", "FIBER2FLUX_IVAR": "5E", "MODELFLUX": "5E",
    "MODELFLUX_IVAR": "5E", "CALIB_STATUS": "5J", "NMGYPERCOUNT": "5E", "RESOLVE_STATUS": "J", "THING_ID": "J",
    "IFIELD": "J", "BALKAN_ID": "J", "NDETECT": "J", "PM_MATCH": "J", "PMRA": "E", "PMDEC": "E", "PMRAERR": "E",
    "PMDECERR": "E", "PM_SIGRA": "E", "PM_SIGDEC": "E", "PM_NFIT": "J", "PM_DIST22": "E", "TMASS_J": "E",
    "TMASS_J_IVAR": "E", "TMASS_H": "E", "TMASS_H_IVAR": "E", "TMASS_K": "E", "TMASS_K_IVAR": "E", "TMASS_PH_QUAL": "A",
    "TMASS_RD_FLG": "I", "TMASS_BL_FLG": "I", "TMASS_CC_FLG": "A", "TMASS_GAL_CONTAM": "B", "TMASS_MP_FLG": "B",
    "TMASS_HEMIS": "A", "TMASS_JDATE": "D", "APERFLUX6": "5E", "ZHEDFLAG": "I",
}  # fmt: skip
"""The 65 columns of an SDSS catalogue file and their FITS formats."""

TRUTH_FORMATS = {"TRUE_TYPE": "J", "TRUTH_ID": "K", "TRUE_FLUX": "5E", "BLENDED_WITH": "K"}
"""Additional columns of a simulated catalogue file."""


def parse_catalog(data: bytes, run: int, camcol: int, kind: str | None = None) -> NDArray[Any]:
    """Read a catalogue from FITS data; the only reader of catalogues, for their verification and for their use.

    Parameters
    ----------
    data : bytes
        The decompressed file.
    run, camcol : int
        The expected run and camcol of every source.
    kind : str, optional
        star or gal: the type that at least one source must have.

    Returns
    -------
    structured ndarray
        `COLUMNS_NEEDED`, and `COLUMNS_USED` where the file has them: int64, and float64 for positions, and for fluxes
        and extinctions (n, 5). A source that is listed several times comes once.

    Raises
    ------
    StargalError
        If the data is not a catalogue, lacks columns or rows, belongs to another camcol, or has values that are no
        positions or numbers. The message does not name the file.
    """
    with opened_fits(data) as hdus:
        table = hdus[1] if len(hdus) > 1 else None
        if not isinstance(table, fits.BinTableHDU) or table.columns is None:
            raise StargalError("no table in the first extension")
        names = {name.upper(): name for name in table.columns.names}
        missing = [name for name in COLUMNS_NEEDED if name not in names]
        if missing:
            raise StargalError(f"columns missing: {', '.join(missing)}: is it a calibObj catalogue?")
        if table.data is None or len(table.data) == 0:
            raise StargalError("the catalogue has no rows")
        wanted = [*COLUMNS_NEEDED, *(name for name in COLUMNS_USED if name in names)]
        columns = {name: _column(name, np.asarray(table.data[names[name]])) for name in wanted}
    for key, value in (("RUN", run), ("CAMCOL", camcol)):
        other = columns[key][columns[key] != value]
        if other.size:
            raise StargalError(f"another file's content: column {key} holds {other[0]}, the name says {value}")
    if kind and not (columns["OBJC_TYPE"] == OBJC_TYPES[kind]).any():
        raise StargalError(f"no source has OBJC_TYPE {OBJC_TYPES[kind]}, the type of all sources in a {kind} catalogue")
    rows = np.empty(len(columns["RA"]), [(name, column.dtype, column.shape[1:]) for name, column in columns.items()])
    for name, column in columns.items():
        rows[name] = column
    return _each_once(rows)


def _column(name: str, values: NDArray[Any]) -> NDArray[Any]:
    """Return a column with the type that it is used with."""
    shape = (len(BANDS),) if name in _BY_BAND else ()
    if values.dtype.kind not in "biuf" or values.shape[1:] != shape:
        raise StargalError(
            f"column {name} holds {values.dtype.name} of shape {values.shape[1:]}; expected numbers of shape {shape}"
        )
    if name in _BY_BAND:
        return values.astype(np.float64)
    wrong = ~np.isfinite(values)
    if name in _POSITION:
        wrong |= np.abs(values) > {"RA": 360, "DEC": 90}[name]
    elif values.dtype.kind == "f":
        wrong |= values != np.rint(values)
        wrong |= np.abs(values) > 2**53
    if wrong.any():
        expected = "degrees" if name in _POSITION else "whole numbers"
        row = int(np.argmax(wrong))
        raise StargalError(f"row {row + 1}: {name} is {values[row]}; expected {expected}")
    return values.astype(np.float64 if name in _POSITION else np.int64)


def _each_once(rows: NDArray[Any]) -> NDArray[Any]:
    """Keep the first of the rows of a source."""
    names, first, place = np.unique(rows[["FIELD", "ID"]], return_index=True, return_inverse=True)
    if len(names) == len(rows):
        return rows
    repeated = np.flatnonzero(first[place] != np.arange(len(rows)))
    before = first[place[repeated]]
    differ = np.zeros(len(repeated), dtype=bool)
    for name in _POSITION:
        differ |= rows[name][repeated] != rows[name][before]
    if differ.any():
        row, other = int(repeated[differ][0]), int(before[differ][0])
        raise StargalError(
            f"rows {other + 1} and {row + 1} are both source {rows['ID'][row]} of field {rows['FIELD'][row]}, at "
            "different positions; a source has one number"
        )
    return np.delete(rows, repeated)


def object_ids(field: Field, fields: NDArray[np.int64], numbers: NDArray[np.int64]) -> Any:
    """SDSS's objID of survey sources of a camcol: a number of 64 bits that holds their place in the survey.

    From the highest bit: 1 unused, 4 sky version, 11 rerun, 16 run, 3 camcol, 1 first field, 12 field, 16 number
    (https://www.sdss4.org/dr17/help/glossary/#objid). Earlier reruns than 301 are of releases whose first-field bit is
    not in the catalogues.

    Parameters
    ----------
    field : Field
        Any field of the camcol.
    fields, numbers : int arrays, (n,)
        FIELD and ID of the sources.

    Returns
    -------
    Int64 array, (n,)
        Missing if the rerun is not 301.
    """
    if field.rerun != OBJECT_ID_RERUN:
        return pd.array([pd.NA] * len(numbers), dtype="Int64")
    camcol = SKY_VERSION << 59 | field.rerun << 48 | field.run << 32 | field.camcol << 29
    return pd.array(camcol + fields.astype(np.int64) * 2**16 + numbers.astype(np.int64), dtype="Int64")


def within_limits(table: pd.DataFrame, kind: str) -> NDArray[np.bool_]:
    """Select the sources that are bright enough for one kind of catalogue.

    Parameters
    ----------
    table : DataFrame
        Columns type, psf_u ... model_z and, to deredden the magnitudes, extinction_u ... extinction_z.
    kind : str
        star or gal.
    """
    name, limits = {"star": ("psf", STAR_LIMITS), "gal": ("model", GALAXY_LIMITS)}[kind]
    flux = table[[f"{name}_{band}" for band in BANDS]].to_numpy(float)
    dust = table.reindex(columns=[f"extinction_{band}" for band in BANDS], fill_value=0.0).to_numpy(float)
    faintest = 10 ** (0.4 * (22.5 - np.asarray(limits) - dust))
    return (table["type"] == OBJC_TYPES[kind]).to_numpy() & (flux > faintest).any(axis=1)
