"""The columns of our catalogues, each with its type, unit, UCD and description; said here and nowhere else.

What SDSS has a name for has that name, in SDSS's spelling (``psfMag_r``, ``objID``), so that a query of its database
works on our tables, too. These quantities are SDSS's in definition, not only in name: magnitudes are asinh magnitudes.
Everything else is in snake case, as in Gaia's tables.

References
----------
SDSS: table PhotoObjAll, https://skyserver.sdss.org/dr17/MoreTools/browser
UCD1+: https://www.ivoa.net/documents/UCD1+/
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from stargal.learning.evidence import BRIGHT, SEEN
from stargal.learning.likeness import UNLIKE
from stargal.survey.catalog import FLAG_BITS
from stargal.survey.fields import BANDS
from stargal.survey.labels import UNCLASSIFIED


@dataclass(frozen=True)
class Column:
    """A column.

    Attributes
    ----------
    name : str
    dtype : str
        Name of a NumPy type, or ``str``.
    ucd : str
        UCD1+.
    description : str
    unit : str
        As astropy reads it.
    display : str
        How a FITS table is displayed (TDISP); of a text, with its greatest length.
    null : int
        For integers: the value in a FITS table that stands for none (TNULL).
    """

    name: str
    dtype: str
    ucd: str
    description: str
    unit: str = ""
    display: str = ""
    null: int | None = None


SPECTRUM = {"u": "em.opt.U", "g": "em.opt.B", "r": "em.opt.R", "i": "em.opt.I", "z": "em.opt.I"}
"""Part of the spectrum of each band, as a word of a UCD."""

FLAGS_SET = ("EDGE", "BLENDED", "CHILD", "NODEBLEND", "SATURATED", "BINNED1")
"""Flags that our measurement sets."""

KINDS = {"psf": "as a point source", "model": "of the better of an exponential and a de Vaucouleurs profile"}
"""Kinds of flux."""


def _photometry() -> Iterator[Column]:
    """Fluxes and magnitudes of each kind and band, with their errors."""
    for quantity, word, unit, display, of_error in (
        ("Flux", "flux", "nanomaggy", "F12.4", "F10.4"),
        ("Mag", "asinh magnitude", "mag", "F7.3", "F7.3"),
    ):
        for kind, band in itertools.product(KINDS, BANDS):
            name, error = f"{kind}{quantity}_{band}", f"{kind}{quantity}Err_{band}"
            ucd = f"phot.{quantity.lower()};{SPECTRUM[band]}"
            yield Column(name, "float32", ucd, f"{word} {KINDS[kind]}, {band}", unit, display)
            yield Column(error, "float32", f"stat.error;{ucd}", f"standard error of {name}", unit, of_error)
    for band in BANDS:
        said = f"Galactic extinction in {band}, of the nearest survey source"
        yield Column(f"extinction_{band}", "float32", f"phys.absorption.gal;{SPECTRUM[band]}", said, "mag", "F6.3")


COLUMNS = (
    Column("id", "str", "meta.id;meta.main", "rerun-run-camcol-field-number; the number is ours", display="A24"),
    Column("objID", "int64", "meta.id.cross", "of the survey's source within 1 arcsec", display="I19", null=-1),
    Column("rerun", "int16", "meta.version;obs", "processing of the imaging", display="I3"),
    Column("run", "int32", "meta.id;obs", "scan of the sky", display="I5"),
    Column("camcol", "int16", "meta.id;instr.det", "camera column", display="I1"),
    Column("field", "int16", "meta.id;obs.field", "field of the run", display="I4"),
    Column("ra", "float64", "pos.eq.ra;meta.main", "right ascension, ICRS, when observed", "deg", "F11.7"),
    Column("dec", "float64", "pos.eq.dec;meta.main", "declination, ICRS, when observed", "deg", "F11.7"),
    Column("raErr", "float32", "stat.error;pos.eq.ra", "random error of ra * cos(dec)", "arcsec", "F6.3"),
    Column("decErr", "float32", "stat.error;pos.eq.dec", "random error of dec", "arcsec", "F6.3"),
    Column("x", "float64", "pos.cartesian.x;instr.det", "column of the r frame, first pixel 0", "pix", "F8.3"),
    Column("y", "float64", "pos.cartesian.y;instr.det", "row of the r frame, first pixel 0", "pix", "F8.3"),
    Column("edge_distance", "float32", "pos.distance;instr.det", "distance to the nearest edge of the frame",
           "pix", "F7.2"),
    Column("primary", "bool", "meta.code.status", "in rows that its field owns: keep these to count each once"),
    Column("probability_star", "float32", "stat.probability;src.class.starGalaxy", "of a star, for prior_star",
           display="F8.6"),
    Column("probability_scatter", "float32", "stat.stdev;src.class.starGalaxy",
           "standard deviation of probability_star over networks", display="F8.6"),
    Column(
        "probability_unadapted",
        "float32",
        "stat.probability;src.class.starGalaxy",
        "of a star, for the share of stars in the training set",
        display="F8.6",
    ),
    Column("prior_star", "float32", "stat.probability;src.class", "share of stars of its magnitude in the field",
           display="F8.6"),
    Column("class", "str", "src.class", f"star, galaxy, or {UNCLASSIFIED}: snr < {BRIGHT:g} or snr_r < {SEEN:g}",
           display="A12"),
    Column("type", "int16", "meta.code.class", "3 galaxy, 6 star: photo's rule on our measurement", display="I1"),
    Column("snr", "float32", "stat.snr", "signal to noise as a point source, all bands", display="F9.2"),
    Column("snr_r", "float32", "stat.snr;em.opt.R", "signal to noise as a point source, r", display="F9.2"),
    Column(
        "flags",
        "int32",
        "meta.code.qual",
        "photo's flags, by bit: " + ", ".join(f"{FLAG_BITS[name]} {name}" for name in FLAGS_SET),
        display="I10",
    ),
    Column(
        "unlike_training",
        "int16",
        "meta.code.qual",
        "in what unlike the training set, sum of: " + ", ".join(f"{value} {name}" for name, value in UNLIKE.items()),
        display="I2",
    ),
    Column("no_data", "float32", "stat.value;instr.pixel", "share of its patch without data", display="F5.3"),
    *_photometry(),
)  # fmt: skip
"""All columns, in the order of the files."""

COLUMN = {column.name: column for column in COLUMNS}
"""Columns by name."""


def flag_cards() -> dict[str, tuple[str, str]]:
    """Header cards with the names of the bits of ``flags`` (FLAG02 ...) and ``unlike_training`` (UNLIKE00 ...)."""
    flags = {f"FLAG{FLAG_BITS[name]:02d}": (name, f"flags, value {1 << FLAG_BITS[name]}") for name in FLAGS_SET}
    unlike = {
        f"UNLIKE{value.bit_length() - 1:02d}": (name, f"unlike_training, value {value}")
        for name, value in UNLIKE.items()
    }
    return flags | unlike
