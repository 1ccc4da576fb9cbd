"""Verify that a downloaded file is the whole frame or catalogue that its name says.

Layout of the files: https://www.sdss4.org/dr17/imaging/images/ and
https://data.sdss.org/datamodel/files/PHOTO_SWEEP/RERUN/calibObj.html
"""

import bz2
import io
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from astropy.io import fits
from astropy.utils.exceptions import AstropyUserWarning

from stargal.errors import StargalError
from stargal.survey.catalog import COLUMNS_NEEDED, OBJC_TYPES
from stargal.survey.fields import COLUMNS, FRAME_LAG, ROWS, Field


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, /) -> bytes: ...


def verify_frame(path: Path, field: Field, band: str) -> None:
    """Check that a file is the complete frame of a field and band.

    Parameters
    ----------
    path : path
        FITS, bz2-compressed.
    field : Field
        The expected field.
    band : str
        The expected band: u, g, r, i or z.

    Raises
    ------
    StargalError
        If it is not. The message describes the fault but does not name the file; the caller does.
    """
    with _open_fits(_decompress(path, "bz2", b"BZh", bz2.BZ2Decompressor)) as hdus:
        header = hdus[0].header
        expected: dict[str, int | str] = {
            "RUN": field.run,
            "CAMCOL": field.camcol,
            "RERUN": field.rerun,
            "FILTER": band,
            # FRAME counts along the strip; a band that observes the same sky later than r has a higher number.
            "FRAME": field.field + FRAME_LAG[band],
        }
        _compare({key: header.get(key) for key in expected}, expected)
        if len(hdus) > 3 and isinstance(hdus[3], fits.BinTableHDU) and "FIELD" in hdus[3].columns.names:
            _compare({"FIELD": hdus[3].data["FIELD"][0]}, {"FIELD": field.field})
        image = hdus[0].data
        if image is None or image.shape != (ROWS, COLUMNS):
            shape = None if image is None else image.shape
            raise StargalError(f"image of shape {shape}, a frame is {(ROWS, COLUMNS)}")
        if not np.isfinite(image).any():
            raise StargalError("the image holds no finite pixel (all NaN)")


def verify_catalog(path: Path, run: int, camcol: int, kind: str) -> None:
    """Check that a file is the complete catalogue of a run and camcol.

    Parameters
    ----------
    path : path
        FITS, gzip-compressed.
    run, camcol : int
        The expected run and camcol of every source.
    kind : str
        star or gal.

    Raises
    ------
    StargalError
        If it is not. The message describes the fault but does not name the file; the caller does.
    """
    data = _decompress(path, "gzip", b"\x1f\x8b", lambda: zlib.decompressobj(wbits=zlib.MAX_WBITS | 16))
    with _open_fits(data) as hdus:
        if len(hdus) < 2 or not isinstance(hdus[1], fits.BinTableHDU):
            raise StargalError("no table in the first extension")
        table = hdus[1].data
        names = {name.upper() for name in hdus[1].columns.names}
        missing = [name for name in COLUMNS_NEEDED if name not in names]
        if missing:
            raise StargalError(f"columns missing: {', '.join(missing)}")
        if len(table) == 0:
            raise StargalError("the catalogue has no rows")
        for key, value in (("RUN", run), ("CAMCOL", camcol)):
            other = np.unique(table[key][table[key] != value])
            if other.size:
                raise StargalError(f"another file's content: column {key} holds {other[0]}, the name says {value}")
        if not (table["OBJC_TYPE"] == OBJC_TYPES[kind]).any():
            raise StargalError(
                f"no source has OBJC_TYPE {OBJC_TYPES[kind]}, the type of all sources in a {kind} catalogue"
            )


def _compare(found: dict[str, Any], expected: dict[str, int | str]) -> None:
    """Compare header values with those in the file name; RERUN is a padded string in the header, others are numbers."""
    wrong = [key for key in expected if str(found[key]).strip() != str(expected[key])]
    if wrong:
        holds = ", ".join(f"{key} {str(found[key]).strip()}" for key in wrong)
        says = ", ".join(f"{key} {expected[key]}" for key in wrong)
        raise StargalError(f"another file's content: it holds {holds}, the name says {says}")


def _decompress(path: Path, form: str, magic: bytes, new: Callable[[], _Decompressor]) -> bytes:
    """Decompress a whole file; the decompressor tests the checksums of the format."""
    packed = path.read_bytes()
    if not packed.startswith(magic):
        web = packed[:512].lstrip().lower().startswith((b"<!doctype", b"<html", b"<?xml"))
        found = "a web page" if web else "something else" if packed else "an empty file"
        raise StargalError(f"{found}, not {form} data")
    pieces, rest = [], packed
    while rest:
        stream = new()
        try:
            pieces.append(stream.decompress(rest))
        except (OSError, zlib.error) as error:
            place = "is damaged" if rest is packed else "is followed by bytes that do not belong to it"
            raise StargalError(f"the {form} data {place} ({error})") from None
        if not stream.eof:
            raise StargalError(f"the {form} data is cut short, after {len(packed)} bytes")
        rest = stream.unused_data
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _open_fits(data: bytes) -> fits.HDUList:
    """Open FITS data in memory and raise if the last unit is truncated, where astropy only warns."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AstropyUserWarning)
            hdus = fits.open(io.BytesIO(data))
            end = max(unit.fileinfo()["datLoc"] + unit.fileinfo()["datSpan"] for unit in hdus)
    except (OSError, ValueError, TypeError, KeyError, fits.VerifyError) as error:
        raise StargalError(f"not a readable FITS file ({error})") from None
    if len(data) < end:
        raise StargalError(f"the FITS file is cut short: {len(data)} of {end} bytes")
    return hdus
