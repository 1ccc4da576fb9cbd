"""The aligned cube of a field: contents, writing and reading.

A cube file has a primary image and these extensions:

========= ==================================================================================
primary   float32 (5, 1489, 2048): band, row, column; nanomaggies; NaN where there is no data
MASK      uint8, same shape and WCS: bit 0 no data, bit 1 saturated
NOISE     float32 (5,): standard deviation of the sky per band, nanomaggies per pixel
FWHM      float32 (5,): full width at half maximum of the PSF per band, arcsec
PSF       float32 (5, 5, 37, 37): the PSF of each band on the grid of the cube, as images of 1, u,
          u**2, v, v**2: u, v are column and row scaled to -1 ... 1 (`stargal.imaging.psf`)
ALIGNMENT table, one row per band: source file, wavelength, time, method, residuals, mapping
ASTRANS   the full astrometric solution of r, if its frame has one
========= ==================================================================================

The WCS of the image and of the mask has three axes, the third for the bands (`band_axis`). Each extension has a
CHECKSUM and a DATASUM.
"""

import re
import warnings
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.table import Table
from astropy.time import Time
from astropy.utils.exceptions import AstropyUserWarning
from numpy.typing import NDArray

from stargal.errors import StargalError
from stargal.imaging.astrometry import DISTORTION, AsTrans, Astrometry, Tan
from stargal.io.files import intact
from stargal.io.fits import write_fits
from stargal.survey.camera import WAVELENGTH
from stargal.survey.fields import COLUMNS, ROWS, Field

NO_DATA, SATURATED = 1, 2
"""Bits of the mask."""

_WCS_KEYS = ("CTYPE", "CUNIT", "CRPIX", "CRVAL")

OF_WCS = re.compile(rf"({'|'.join(_WCS_KEYS)})[123]|CD[123]_[123]|RADESYS|{DISTORTION.pattern}")
"""Keywords of the WCS of a cube."""

NEAR = 20.0
"""Largest distance of a band from a linear axis of wavelength, nm; a third of the narrowest band, u."""

SURVEY_DAYS = (50_000, 60_000)
"""MJD between which a time of exposure is believed; SDSS imaging is from 1998 to 2009."""


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
    psf : ndarray, float32, shape (5, 5, 37, 37)
        The PSF as images of terms of the position: see `stargal.imaging.psf.psf_stamps`. NaN where there are too few
        stars.
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
    # The plural is no unit that astropy can read. Of the singular, spectral-cube makes an error: FITS has no such unit.
    header["BUNIT"] = ("nanomaggies", "1 nanomaggy = 3.631e-6 Jy")
    start = exposure_start(frame)
    if start is not None:
        header["DATE-OBS"] = (start.isot, "UTC, row 0 of r; other bands: ALIGNMENT")
        header["MJD-OBS"] = (round(start.mjd, 8), "the same")
    header["RADESYS"] = "ICRS"
    distortion = [key for key in frame if DISTORTION.fullmatch(key)]
    matrix = ["CD1_1", "CD1_2", "CD2_1", "CD2_2"]
    for key in [*(f"{name}{axis}" for name in _WCS_KEYS for axis in (1, 2)), *matrix, *distortion]:
        header[key] = frame[key]
    for key, card in band_axis(bands).items():
        header[key] = card
    if "SIMULATE" in frame:  # products of a simulated sky stay marked as simulated
        for key in ("ORIGIN", "SIMULATE"):
            header[key] = (frame[key], frame.comments[key])
    for key, value in provenance.items():
        header[key] = value
    return header


def exposure_start(frame: fits.Header) -> Time | None:
    """Time at which row 0 of a frame was read out, UTC; None if its header does not say."""
    seconds = frame.get("TAI")
    if not isinstance(seconds, int | float) or not SURVEY_DAYS[0] < seconds / 86400 < SURVEY_DAYS[1]:
        return None
    return Time(seconds / 86400, format="mjd", scale="tai", precision=2).utc


def band_axis(bands: str) -> dict[str, tuple[str | float, str]]:
    """Keywords and comments of the third axis of a cube.

    The axis is wavelength, as the programs that show cubes expect it. FITS can say exactly where five bands lie only by
    a table, which few programs read. So the axis is the straight line nearest to the bands, 12 nm off at most for
    ugriz; the exact wavelengths are in ALIGNMENT. In an order of bands that no line comes near, the axis is their
    number.
    """
    planes = np.arange(len(bands)) - len(bands) // 2
    wavelengths = np.array([WAVELENGTH[band] for band in bands])
    step, middle = np.polyfit(planes, wavelengths, 1)
    off = np.abs(middle + step * planes - wavelengths).max()
    if off < NEAR:
        kind, unit, said = "WAVE", "m", f"nominal: bands lie within {off:.0f} nm"
        middle, step = round(1e-9 * middle, 12), round(1e-9 * step, 12)
    else:
        kind, unit, said = "BAND", "", "number of the band"
        middle, step = len(bands) // 2 + 1, 1
    return {
        "CTYPE3": (kind, said),
        "CUNIT3": (unit, ""),
        "CRPIX3": (len(bands) // 2 + 1.0, ""),
        "CRVAL3": (float(middle), ""),
        "CD3_3": (float(step), ""),
    }


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
    hdus[1].header.extend([card for card in cube.header.cards if OF_WCS.fullmatch(card.keyword)])
    hdus[1].header["BIT0"], hdus[1].header["BIT1"] = "no data", "saturated"
    hdus[2].header["BUNIT"], hdus[3].header["BUNIT"] = "nanomaggies", "arcsec"
    if isinstance(cube.astrometry, AsTrans):
        hdus.append(fits.BinTableHDU(Table([cube.astrometry.as_row()]), name="ASTRANS"))
    write_fits(hdus, path)


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
