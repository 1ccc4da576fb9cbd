"""Read SDSS frames: calibrated, sky-subtracted images of one band of one field.

Data model: https://data.sdss.org/datamodel/files/BOSS_PHOTOOBJ/frames/RERUN/RUN/CAMCOL/frame.html
"""

import bz2
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS
from numpy.typing import NDArray

from stargal.errors import StargalError
from stargal.imaging.astrometry import AsTrans, Astrometry, Tan
from stargal.io.files import intact
from stargal.survey.fields import COLUMNS, ROWS


@dataclass(frozen=True)
class Frame:
    """One band of one field.

    Attributes
    ----------
    band : str
        u, g, r, i or z.
    image : ndarray, float32, shape (1489, 2048)
        Rows, columns; nanomaggies above the sky background.
    header : `astropy.io.fits.Header`
        Header of the image.
    astrometry : Astrometry
        asTrans if the frame contains it, otherwise the TAN projection of the header.
    """

    band: str
    image: NDArray[np.float32]
    header: fits.Header
    astrometry: Astrometry

    @property
    def nmgy_per_dn(self) -> float:
        """Calibration of the frame, nanomaggies per count."""
        return float(self.header["NMGY"])


def read_frame(path: Path) -> Frame:
    """Read a frame, bz2-compressed or not.

    Raises
    ------
    StargalError
        If the file is not a complete frame of the survey's shape, does not match its recorded checksum, or has no
        finite pixel.
    """
    remedy = "remove it to fetch it again"
    try:
        data = intact(path).read_bytes()
        if path.suffix == ".bz2":
            data = bz2.decompress(data)  # twice as fast as fits.open on the compressed file
        with fits.open(io.BytesIO(data)) as hdus:
            header = hdus[0].header
            if "RADECSYS" in header:  # the name before FITS 3.0; astropy would warn for every frame
                header.rename_keyword("RADECSYS", "RADESYS")
            image = np.asarray(hdus[0].data, dtype=np.float32)
            astrometry: Astrometry
            if len(hdus) > 3 and "NODE" in hdus[3].columns.names:
                astrometry = AsTrans.from_row(hdus[3].data[0])
            else:
                astrometry = Tan(WCS(header, fix=False))
    except (OSError, EOFError, ValueError, TypeError) as error:
        raise StargalError(f"{path}: not a readable frame ({error}): {remedy}") from None
    if image.shape != (ROWS, COLUMNS):
        raise StargalError(f"{path}: image of shape {image.shape}; a frame has {(ROWS, COLUMNS)}: {remedy}")
    if not np.isfinite(image).any():
        raise StargalError(f"{path}: band {header['FILTER'].strip()} holds no finite pixel: exclude this field")
    return Frame(header["FILTER"].strip(), image, header, astrometry)
