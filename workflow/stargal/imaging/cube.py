"""The aligned cube of a field: contents, writing and reading.

A cube file has a primary image and these extensions:

========= ==================================================================================
primary   float32 (5, 1489, 2048): band, row, column; nanomaggies; NaN where there is no data
MASK      uint8, same shape: bit 0 no data, bit 1 saturated
NOISE     float32 (5,): standard deviation of the sky per band, nanomaggies per pixel
FWHM      float32 (5,): full width at half maximum of the PSF per band, arcsec
PSF       float32 (5, 3, 37, 37): the PSF of each band on the grid of the cube, as images of
          u**0, u**1, u**2, where u is the column scaled to -1 ... 1 (`stargal.imaging.psf`)
ALIGNMENT table, one row per band: source file, method, residuals, mapping
ASTRANS   the full astrometric solution of r, if its frame has one
========= ==================================================================================
"""

import warnings
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.table import Table
from astropy.utils.exceptions import AstropyUserWarning
from numpy.typing import NDArray

from stargal.errors import StargalError
from stargal.imaging.astrometry import DISTORTION, AsTrans, Astrometry, Tan
from stargal.io.files import intact, whole
from stargal.survey.fields import COLUMNS, ROWS, Field

NO_DATA, SATURATED = 1, 2
"""Bits of the mask."""

_WCS_KEYS = ("CTYPE", "CUNIT", "CRPIX", "CRVAL")


@dataclass(frozen=True)
class Cube:
    """The five bands of a field on the pixel grid of r.

    Attributes
    ----------
    bands : str
        Order of axis 0, for example ``ugriz``.
    image : ndarray, float32, shape (5, 1489, 2048)
        Nanomaggies; NaN where there is no data.
    mask : ndarray, uint8, shape (5, 1489, 2048)
    noise : ndarray, float32, shape (5,)
        Nanomaggies per pixel.
    fwhm : ndarray, float32, shape (5,)
        Full width at half maximum, arcsec; NaN where no star could be measured.
    psf : ndarray, float32, shape (5, 3, 37, 37)
        The PSF as images along the columns: see `stargal.imaging.psf.psf_stamps`. NaN where there are too few stars.
    alignment : `astropy.table.Table`
        One row per band.
    header : `astropy.io.fits.Header`
        Projection of r and provenance of the cube.
    astrometry : Astrometry
        Astrometry of r.
    """

    bands: str
    image: NDArray[np.float32]
    mask: NDArray[np.uint8]
    noise: NDArray[np.float32]
    fwhm: NDArray[np.float32]
    psf: NDArray[np.float32]
    alignment: Table
    header: fits.Header
    astrometry: Astrometry


def make_cube_header(frame: fits.Header, field: Field, bands: str, provenance: AnyMapping[str, Any]) -> fits.Header:
    """Make the header of a cube: field, projection of r, whether it is simulated, and `provenance` as keywords."""
    header = fits.Header()
    header["RERUN"], header["RUN"], header["CAMCOL"], header["FIELD"] = (
        str(field.rerun),
        field.run,
        field.camcol,
        field.field,
    )
    header["BANDS"] = (bands, "order of axis 3")
    header["BUNIT"] = ("nanomaggy", "1 nanomaggy = 3.631e-6 Jy")
    header["RADESYS"] = "ICRS"
    distortion = [key for key in frame if DISTORTION.fullmatch(key)]
    matrix = ["CD1_1", "CD1_2", "CD2_1", "CD2_2"]
    for key in [*(f"{name}{axis}" for name in _WCS_KEYS for axis in (1, 2)), *matrix, *distortion]:
        header[key] = frame[key]
    if "SIMULATE" in frame:  # products of a simulated sky stay marked as simulated
        for key in ("ORIGIN", "SIMULATE"):
            header[key] = (frame[key], frame.comments[key])
    for key, value in provenance.items():
        header[key] = value
    return header


def write_cube(cube: Cube, path: Path) -> None:
    """Write a cube; the file appears under its name only when complete."""
    primary = fits.PrimaryHDU(cube.image, cube.header)
    hdus = [
        primary,
        fits.ImageHDU(cube.mask, name="MASK"),
        fits.ImageHDU(cube.noise, name="NOISE"),
        fits.ImageHDU(cube.fwhm, name="FWHM"),
        fits.ImageHDU(cube.psf, name="PSF"),
        fits.BinTableHDU(cube.alignment, name="ALIGNMENT"),
    ]
    hdus[1].header["BIT0"], hdus[1].header["BIT1"] = "no data", "saturated"
    hdus[2].header["BUNIT"], hdus[3].header["BUNIT"] = "nanomaggy", "arcsec"
    if isinstance(cube.astrometry, AsTrans):
        hdus.append(fits.BinTableHDU(Table([cube.astrometry.as_row()]), name="ASTRANS"))
    with whole(path) as partial:
        fits.HDUList(hdus).writeto(partial, overwrite=True)


def read_cube(path: Path | str) -> Cube:
    """Read a cube; its images are memory-mapped (big-endian) and loaded on access.

    Raises
    ------
    StargalError
        If the file is not a complete cube, or has changed since it was written.
    """
    path = Path(path)
    try:
        with intact(path).open("rb") as stream:
            with warnings.catch_warnings():
                warnings.simplefilter("error", AstropyUserWarning)  # astropy only warns about a truncated file
                hdus = fits.open(stream, memmap=True, lazy_load_hdus=False)
            hdus.verify("exception")
            primary, mask = hdus[0], hdus["MASK"]
            image = primary.data
            if image is None or image.shape != (5, ROWS, COLUMNS) or mask.data.shape != image.shape:
                raise ValueError(f"image of shape {getattr(image, 'shape', None)}")
            astrometry: Astrometry
            if "ASTRANS" in hdus:
                astrometry = AsTrans.from_row(hdus["ASTRANS"].data[0])
            else:
                astrometry = Tan.from_header(primary.header)
            return Cube(
                bands=primary.header["BANDS"],
                image=image,
                mask=mask.data,
                noise=hdus["NOISE"].data.astype(np.float32),
                fwhm=hdus["FWHM"].data.astype(np.float32),
                psf=hdus["PSF"].data.astype(np.float32),
                alignment=Table.read(hdus["ALIGNMENT"]),
                header=primary.header,
                astrometry=astrometry,
            )
    except FileNotFoundError:
        raise
    except (OSError, KeyError, ValueError, TypeError, IndexError, fits.VerifyError, AstropyUserWarning) as error:
        raise StargalError(f"{path}: not a whole cube ({error}): remove it to rebuild it") from None
