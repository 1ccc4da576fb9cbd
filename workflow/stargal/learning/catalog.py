"""The catalogue of a classified field: its columns, and the files that hold it.

Names follow SDSS (psf, model, fiber; bands) and Gaia (flux, error). A catalogue does not hold SDSS's objID: that needs
the number of the object in the survey's own list of detections, and these sources are detected independently.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from astropy.io import fits
from astropy.table import Table
from pyarrow import parquet

from stargal.io.files import whole
from stargal.io.fits import write_fits
from stargal.learning.evidence import BRIGHT, SEEN
from stargal.learning.likeness import UNLIKE
from stargal.survey.catalog import FLAG_BITS
from stargal.survey.fields import BANDS
from stargal.survey.magnitudes import asinh_magnitude

FLUX = "nanomaggies"
"""Unit of the fluxes; SDSS's own files spell it like this, and FITS has no unit for it."""

LIGHT = {"u": "em.opt.U", "g": "em.opt.B", "r": "em.opt.R", "i": "em.opt.I", "z": "em.opt.I"}
"""UCD word of each band; UCDs divide the spectrum more coarsely."""


@dataclass(frozen=True)
class Column:
    """Unit, UCD (IVOA UCD1+) and description of a column."""

    unit: str
    ucd: str
    description: str


COLUMNS = {
    "id": Column("", "meta.id;meta.main", "rerun-run-camcol-field-number; the number is stargal's own, not SDSS's"),
    "ra": Column("deg", "pos.eq.ra;meta.main", "right ascension, ICRS"),
    "dec": Column("deg", "pos.eq.dec;meta.main", "declination, ICRS"),
    "x": Column("pix", "pos.cartesian.x;instr.det", "column on the r frame, the centre of the first pixel is 0"),
    "y": Column("pix", "pos.cartesian.y;instr.det", "row on the r frame, the centre of the first pixel is 0"),
    "primary": Column("", "meta.code", "this field owns the row of sky; keep these to count each source once"),
    "photo_type": Column("", "src.class.starGalaxy", "3 galaxy, 6 star; psf - model magnitude > 0.145, as SDSS photo"),
    **{
        f"{kind}_{name}_{band}": Column(unit, f"{word};{LIGHT[band]}", f"{text}, {band}, not dereddened")
        for kind, light in (("psf", "PSF"), ("model", "model"))
        for name, unit, word, text in (
            ("flux", FLUX, "phot.flux", f"{light} flux"),
            ("flux_error", FLUX, "stat.error;phot.flux", f"error of the {light} flux"),
            ("mag", "mag", "phot.mag", f"{light} magnitude, asinh"),
            ("mag_error", "mag", "stat.error;phot.mag", f"error of the {light} magnitude"),
        )
        for band in BANDS
    },
    "flags": Column("", "meta.code.qual", "bits of SDSS OBJC_FLAGS that are set here; names in the header"),
    "edge_distance": Column("pix", "pos.distance;instr.det", "distance to the nearest edge of the frame"),
    "probability_star": Column("", "stat.probability;src.class.starGalaxy", "probability of a star, for prior_star"),
    "probability_unadapted": Column(
        "", "stat.probability;src.class.starGalaxy", "probability of a star as the model gives it, before adaptation"
    ),
    "probability_scatter": Column(
        "", "stat.stdev;stat.probability", "standard deviation of probability_star over the networks"
    ),
    "prior_star": Column("", "stat.probability", "share of stars among sources of this magnitude in this field"),
    "snr": Column("", "stat.snr", "signal-to-noise ratio as a point source, all bands together"),
    "snr_r": Column("", "stat.snr;em.opt.R", "signal-to-noise ratio as a point source in r"),
    "class": Column(
        "", "src.class.starGalaxy", f"star, galaxy, or unclassified (snr < {BRIGHT:g} or snr_r < {SEEN:g})"
    ),
    "unlike_training": Column("", "meta.code.qual", "bits: how the source is unlike the training set; names in header"),
    "no_data": Column("", "meta.number;arith.ratio", "share of the pixels of the patch without data"),
}
"""Every column of a catalogue, in order."""


def arrange_catalog(table: pd.DataFrame) -> pd.DataFrame:
    """Arrange classified sources as a catalogue.

    Parameters
    ----------
    table : DataFrame
        As `stargal.learning.apply.classify_sources` gives it, with AB magnitudes.

    Returns
    -------
    DataFrame
        The columns `COLUMNS`, with asinh magnitudes and their errors.
    """
    magnitudes: dict[str, Any] = {}
    for kind in ("psf", "model"):
        for band in BANDS:
            flux, error = (table[f"{kind}_{name}_{band}"].to_numpy() for name in ("flux", "flux_error"))
            mag, mag_error = asinh_magnitude(flux, error, band)
            magnitudes |= {f"{kind}_mag_{band}": mag, f"{kind}_mag_error_{band}": mag_error}
    return table.assign(**magnitudes)[list(COLUMNS)]


def flag_cards() -> dict[str, tuple[str, str]]:
    """Return header cards with the names of the bits of ``flags`` and ``unlike_training``."""
    flags = {f"FLAG{bit:02d}": (name, f"flags, bit {bit}, value {1 << bit}") for name, bit in FLAG_BITS.items()}
    unlike = {
        f"UNLIKE{bit.bit_length() - 1:02d}": (name, f"unlike_training, value {bit}") for name, bit in UNLIKE.items()
    }
    return flags | unlike


def write_catalog(table: pd.DataFrame, path: Path, provenance: Mapping[str, tuple[Any, str]]) -> None:
    """Write a catalogue as a FITS table with unit (TUNIT), UCD (TUCD) and description (TCOMM) of each column.

    Parameters
    ----------
    table : DataFrame
        As `arrange_catalog` gives it.
    path : path
        Ends in .fits.
    provenance : mapping
        Value and comment of further header keywords.
    """
    hdu = fits.table_to_hdu(Table.from_pandas(table))
    hdu.name = "SOURCES"
    for number, name in enumerate(table.columns, 1):
        column = COLUMNS[name]
        if column.unit:
            hdu.header.set(f"TUNIT{number}", column.unit, after=f"TFORM{number}")
        hdu.header.set(f"TUCD{number}", column.ucd, after=f"TFORM{number}")
        hdu.header.set(f"TCOMM{number}", column.description, after=f"TFORM{number}")
    hdu.header.extend([(key, *card) for key, card in (dict(provenance) | flag_cards()).items()])
    write_fits([fits.PrimaryHDU(), hdu], path)


def write_parquet(table: pd.DataFrame, path: Path, provenance: Mapping[str, tuple[Any, str]]) -> None:
    """Write a catalogue as Parquet; unit, ucd and description of each column are metadata of its field.

    Missing numbers are nulls. Parameters as of `write_catalog`; the provenance becomes metadata of the schema.
    """
    arrays = pa.Table.from_pandas(table, preserve_index=False)
    fields = []
    for one in arrays.schema:
        column = COLUMNS[one.name]
        words = {"unit": column.unit, "ucd": column.ucd, "description": column.description}
        fields.append(one.with_metadata({key: word for key, word in words.items() if word}))
    own = {key: str(value) for key, (value, _) in (dict(provenance) | flag_cards()).items()}
    metadata = {**(arrays.schema.metadata or {}), **{key.encode(): word.encode() for key, word in own.items()}}
    with whole(path) as partial:
        parquet.write_table(arrays.cast(pa.schema(fields, metadata=metadata)), partial)
