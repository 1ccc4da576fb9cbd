"""SDSS imaging catalogues, the calibObj ("datasweep") files: columns, types, flags and limits.

References
----------
Data model: https://data.sdss.org/datamodel/files/PHOTO_SWEEP/RERUN/calibObj.html
Flags: https://www.sdss.org/dr17/algorithms/bitmasks/ (OBJECT1, RESOLVE_STATUS)
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stargal.survey.fields import BANDS
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

STAR_LIMITS = (22.5, 22.5, 22.5, 22.0, 21.5)
"""Limits in u g r i z: a star is catalogued if any of its dereddened PSF magnitudes is below its limit."""

GALAXY_LIMITS = (21.0, 22.0, 22.0, 20.5, 20.1)
"""Limits in u g r i z: a galaxy is catalogued if any of its dereddened model magnitudes is below its limit."""

UNKNOWN = -9999.0
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
