"""Write FITS files with checksums, the same bytes at every time."""

from collections.abc import Sequence
from pathlib import Path

from astropy.io import fits

from stargal.io.files import whole


def write_fits(hdus: Sequence[fits.PrimaryHDU | fits.ImageHDU | fits.BinTableHDU], path: Path) -> None:
    """Write a FITS file and its record, whole or not at all; each HDU gets a CHECKSUM and a DATASUM.

    Left to itself, astropy writes the time into the comments of these keywords.

    Parameters
    ----------
    hdus : sequence of HDUs
        The primary HDU first.
    path : path
        Ends in .fits.

    Raises
    ------
    StargalError
        If the file cannot be written.
    """
    listed = fits.HDUList(hdus)
    listed.update_extend()  # before the checksum of the primary header
    for hdu in listed:
        hdu.add_checksum(when="on writing")
    with whole(path) as partial:
        listed.writeto(partial, overwrite=True)
