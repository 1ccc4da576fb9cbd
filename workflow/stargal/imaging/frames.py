"""Read SDSS frames: calibrated, sky-subtracted images of one band of one field.

Data model: https://data.sdss.org/datamodel/files/BOSS_PHOTOOBJ/frames/RERUN/RUN/CAMCOL/frame.html
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from stargal.errors import StargalError
from stargal.imaging.astrometry import AsTrans, Astrometry, Tan, check_astrometry, number_in, separation
from stargal.imaging.stars import sky_noise
from stargal.io.files import intact
from stargal.survey.fields import BANDS, COLUMNS, ROWS
from stargal.survey.files import opened_fits, unpack

MOST_DN = 1e6
"""Counts that no pixel can have: the converters end at 65,535. Such a pixel is missing, as one that is not a number."""

LARGEST_NOISE_DN = 1000.0
"""Standard deviation of the sky above which a band shows no sky, counts; real frames have 3 to 12."""

FARTHEST = 5 / 3600
"""Largest accepted distance between the two astrometric solutions of a frame, deg; real frames have 0.2 arcsec."""


@dataclass(frozen=True)
class Frame:
    """One band of one field.

    Attributes
    ----------
    band : str
        u, g, r, i or z.
    image : ndarray, float32, shape (1489, 2048)
        Rows, columns; nanomaggies above the sky background; NaN where there is no data.
    header : `astropy.io.fits.Header`
        Header of the image, its projection with the keywords CTYPE, CUNIT, CRPIX, CRVAL and CD.
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
        As in `parse_frame`, or if the file does not match its recorded checksum.
    """
    file = intact(path)
    try:
        return parse_frame(unpack(file, "bz2") if path.suffix == ".bz2" else file.read_bytes())
    except OSError as error:
        raise StargalError(f"{path}: not readable ({error.strerror or error})") from None
    except StargalError as error:
        raise StargalError(
            f"{path}: {error}: remove it to fetch it again, or exclude this field from the table of fields"
        ) from error


def read_frames(paths: Iterable[Path], bands: str) -> dict[str, Frame]:
    """Read the frames of a field by band; the paths are in the order of the bands.

    Raises
    ------
    StargalError
        As in `read_frame`, or if a frame is of another band.
    """
    frames = {}
    for band, path in zip(bands, paths, strict=True):
        frames[band] = read_frame(path)
        if frames[band].band != band:
            raise StargalError(f"{path}: holds band {frames[band].band}, expected {band}: remove it to fetch it again")
    return frames


def parse_frame(data: bytes) -> Frame:
    """Read a frame from FITS data; the only reader of frames, for their verification and for their use.

    A pixel that is not finite, or has more counts than the camera can give, is missing. So are rows and columns in
    which all pixels are equal: the camera has noise.

    Raises
    ------
    StargalError
        If the data is not a whole frame of the survey's shape, calibration and pixel scale, or the image is empty. The
        message does not name the file.
    """
    with opened_fits(data) as hdus:
        header = hdus[0].header.copy()
        if "RADECSYS" in header:  # the name before FITS 3.0; astropy would warn for every frame
            if "RADESYS" in header:
                del header["RADECSYS"]
            else:
                header.rename_keyword("RADECSYS", "RADESYS")
        band = str(header.get("FILTER")).strip()
        if band not in BANDS:
            raise StargalError(f"header: FILTER is {header.get('FILTER')!r}; expected one of {', '.join(BANDS)}")
        image = _image(hdus[0], header)
        astrometry = _astrometry(hdus, header)
    return Frame(band, image, header, astrometry)


def _image(unit: fits.PrimaryHDU, header: fits.Header) -> NDArray[np.float32]:
    """Return the pixels of a frame, NaN where there is no data."""
    calibration = number_in(header, "NMGY")
    if not 1e-4 < calibration < 10:
        raise StargalError(f"header: NMGY is {calibration:g}; expected 0.001 to 0.1 nanomaggies per count")
    unit_of = str(header.get("BUNIT", "nanomaggy")).strip().lower()
    if unit_of not in ("nanomaggy", "nanomaggies", "nmgy", ""):
        raise StargalError(f"header: BUNIT is {unit_of}; expected nanomaggy")
    if unit.data is None or unit.data.shape != (ROWS, COLUMNS):
        shape = None if unit.data is None else unit.data.shape
        raise StargalError(f"image of shape {shape}; a frame has {(ROWS, COLUMNS)}")
    with np.errstate(over="ignore", invalid="ignore"):
        image = np.asarray(unit.data, dtype=np.float32)
        impossible = ~(np.abs(image) < MOST_DN * calibration)
        impossible |= (image == image[:, :1]).all(axis=1, keepdims=True)
        impossible |= (image == image[:1]).all(axis=0, keepdims=True)
    if impossible.any():
        image = np.where(impossible, np.float32(np.nan), image)
    if impossible.all():
        raise StargalError("the image holds no finite pixel, or the same value everywhere")
    noise = sky_noise(image) / calibration
    if not 0 < noise < LARGEST_NOISE_DN:
        raise StargalError(f"the image shows no sky: its standard deviation is {noise:.3g} counts; real frames have 5")
    return image


def _astrometry(hdus: fits.HDUList, header: fits.Header) -> Astrometry:
    """Return the best astrometric solution of a frame, and complete the projection of its header."""
    projection = Tan.from_header(header)
    check_astrometry(projection)
    _complete(header, projection)
    table = hdus[3] if len(hdus) > 3 else None
    names = table.columns.names if isinstance(table, fits.BinTableHDU) else []
    if "NODE" not in {name.upper() for name in names}:
        return projection
    solution = AsTrans.from_table(table)
    check_astrometry(solution)
    middle = COLUMNS / 2, ROWS / 2
    apart = float(separation(*projection.to_sky(*middle), *solution.to_sky(*middle)))
    if not apart < FARTHEST:
        raise StargalError(
            f"the astrometric solution (HDU3) and the projection of the header are {3600 * apart:.0f} arcsec apart"
        )
    return solution


def _complete(header: fits.Header, projection: Tan) -> None:
    """Write the projection of a header with its usual keywords, in degrees, where it has others."""
    wcs = projection.wcs.wcs
    matrix = projection.wcs.pixel_scale_matrix
    wanted: dict[str, float] = {}
    for axis in (0, 1):
        wanted |= {f"CRPIX{axis + 1}": wcs.crpix[axis], f"CRVAL{axis + 1}": wcs.crval[axis]}
        wanted |= {f"CD{axis + 1}_{other + 1}": matrix[axis, other] for other in (0, 1)}
    for key, value in wanted.items():
        if key not in header or not np.isclose(header[key], value, rtol=1e-12, atol=0):
            header[key] = float(value)
    for axis in (1, 2):
        if str(header.get(f"CUNIT{axis}")).strip() != "deg":
            header[f"CUNIT{axis}"] = "deg"
        for key in (f"CDELT{axis}", f"CROTA{axis}", f"PC{axis}_1", f"PC{axis}_2"):
            header.remove(key, ignore_missing=True)
