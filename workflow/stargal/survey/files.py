"""Unpack and open the survey's files: FITS, compressed with bz2 or gzip.

Everything that reads a frame or a catalogue does it through this module, so that a file that passes verification is
also read without an error.
"""

import bz2
import io
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from astropy.io import fits
from astropy.utils.exceptions import AstropyWarning

from stargal.errors import StargalError


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, /) -> bytes: ...


_FORMS: dict[str, tuple[bytes, Callable[[], _Decompressor]]] = {
    "bz2": (b"BZh", bz2.BZ2Decompressor),
    "gzip": (b"\x1f\x8b", lambda: zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)),
}
"""First bytes and decompressor of each form."""


LONGEST_HEADER = 100 * 2880
"""Longest header, bytes; those of the survey have 6 blocks of 2880."""


def unpack(path: Path, form: str) -> bytes:
    """Decompress a whole file; the decompressor tests the checksums of the format.

    Parameters
    ----------
    path : path
    form : str
        bz2 or gzip.

    Raises
    ------
    StargalError
        If the file is not complete data of this form. The message does not name the file.
    """
    magic, new = _FORMS[form]
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


def _require_header(data: bytes, start: int) -> None:
    """Require a header at a place: astropy would look for its end in all that follows, for minutes."""
    if data[start : start + 8] not in (b"SIMPLE  ", b"XTENSION"):
        raise StargalError(f"not a readable FITS file (no header at byte {start})")
    for card in range(start, min(start + LONGEST_HEADER, len(data)), 80):
        if data[card : card + 8] == b"END     ":
            return
    raise StargalError(f"not a readable FITS file (the header at byte {start} does not end)")


@contextmanager
def opened_fits(data: bytes) -> Iterator[fits.HDUList]:
    """Open FITS data in memory.

    Astropy raises errors of many types for damaged headers, some of them only when a unit is read. All that are raised
    within the context become a StargalError.

    Raises
    ------
    StargalError
        If the data is not valid FITS or is cut short. The message does not name the file.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AstropyWarning)  # such as a truncated unit: checked here
            _require_header(data, 0)
            with fits.open(io.BytesIO(data)) as hdus:
                number = end = 0
                while end < len(data):
                    _require_header(data, end)
                    place = hdus[number].fileinfo()
                    number, end = number + 1, place["datLoc"] + place["datSpan"]
                if len(data) < end:
                    raise StargalError(f"the FITS file is cut short: {len(data)} of {end} bytes")
                yield hdus
    except StargalError:
        raise
    except Exception as error:
        said = " ".join(str(error).split()) or type(error).__name__
        raise StargalError(f"not a readable FITS file ({said})") from error
