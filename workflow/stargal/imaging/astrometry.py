"""Convert pixels to sky positions, and pixels of one band to pixels of another.

Pixels are 0-based, with integers at pixel centres: x along columns, y along rows. SDSS counts from the pixel edge:
ROWC = y + 0.5 and COLC = x + 0.5.

References
----------
asTrans data model: https://data.sdss.org/datamodel/files/PHOTO_REDUX/RERUN/RUN/astrom/asTrans.html
Pier et al. 2003, AJ 125, 1559 (astrometric calibration, great-circle coordinates mu, nu).
"""

import re
import warnings
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from astropy.io import fits
from astropy.utils.exceptions import AstropyWarning
from astropy.wcs import WCS
from numpy.polynomial import polynomial
from numpy.typing import ArrayLike, NDArray

from stargal.errors import StargalError
from stargal.survey.fields import COLUMNS, PIXEL_ARCSEC, ROWS

Array = NDArray[np.floating[Any]]


class Astrometry(Protocol):
    """Conversion between frame pixels and sky positions; angles in deg, ICRS."""

    @property
    def name(self) -> str:
        """Name of the solution, as recorded in the cube."""
        ...

    def to_sky(self, x: ArrayLike, y: ArrayLike) -> tuple[Array, Array]:
        """Right ascension and declination of pixel positions."""
        ...

    def to_pixel(self, ra: ArrayLike, dec: ArrayLike) -> tuple[Array, Array]:
        """Pixel position (x, y) of sky positions."""
        ...


ASTRANS_COLUMNS = (
    *("NODE", "INCL", *"ABCDEF"),
    *(f"{name}{power}" for name in ("DROW", "DCOL") for power in range(4)),
)
"""Columns of an asTrans table that are read."""


@dataclass(frozen=True)
class AsTrans:
    """The full astrometric solution of a frame, from HDU3 of an SDSS frame.

    Great-circle coordinates are linear in the distortion-corrected pixel. The distortion is a cubic in the column only,
    because the camera drift-scans. The colour terms (CSROW ... RICUT) are omitted: they are zero for a star of colour
    zero and at most a few hundredths of a pixel for others, and the refinement removes their mean.

    Attributes
    ----------
    node, incl : float
        Ascending node and inclination of the scan's great circle, deg.
    affine : tuple of 6 float
        a, b, c, d, e, f: mu = a + b row + c col, nu = d + e row + f col; deg, deg per pixel.
    drow, dcol : tuple of 4 float
        Coefficients of the cubics in the column that correct row and column, pixels.
    """

    node: float
    incl: float
    affine: tuple[float, ...]
    drow: tuple[float, ...]
    dcol: tuple[float, ...]
    name = "asTrans"

    @classmethod
    def from_row(cls, row: AnyMapping[str, Any]) -> "AsTrans":
        """Read one row of an asTrans table (`astropy.io.fits` record or mapping)."""
        return cls(
            node=float(row["NODE"]),
            incl=float(row["INCL"]),
            affine=tuple(float(row[key]) for key in "ABCDEF"),
            drow=tuple(float(row[f"DROW{power}"]) for power in range(4)),
            dcol=tuple(float(row[f"DCOL{power}"]) for power in range(4)),
        )

    @classmethod
    def from_table(cls, table: fits.BinTableHDU) -> "AsTrans":
        """Read the asTrans table of a frame, whatever the case of its column names.

        Raises
        ------
        StargalError
            If it lacks a column or does not have one row.
        """
        rows = 0 if table.data is None else len(table.data)
        if rows != 1:
            raise StargalError(f"the table of the astrometric solution (HDU3) has {rows} rows; expected 1")
        row = {name.upper(): table.data[name][0] for name in table.columns.names}
        missing = [name for name in ASTRANS_COLUMNS if name not in row]
        if missing:
            raise StargalError(f"the table of the astrometric solution (HDU3) lacks {', '.join(missing)}")
        return cls.from_row(row)

    def as_row(self) -> dict[str, float]:
        """The solution under the column names of the asTrans table, readable by `from_row`."""
        row = {"NODE": self.node, "INCL": self.incl} | dict(zip("ABCDEF", self.affine, strict=True))
        for power in range(4):
            row |= {f"DROW{power}": self.drow[power], f"DCOL{power}": self.dcol[power]}
        return row

    def to_sky(self, x: ArrayLike, y: ArrayLike) -> tuple[Array, Array]:
        """Right ascension and declination (deg) of pixel positions."""
        a, b, c, d, e, f = self.affine
        col, row = np.asarray(x, float) + 0.5, np.asarray(y, float) + 0.5
        row_corrected = row + polynomial.polyval(col, self.drow)
        col_corrected = col + polynomial.polyval(col, self.dcol)
        mu = np.radians(a + b * row_corrected + c * col_corrected - self.node)
        nu = np.radians(d + e * row_corrected + f * col_corrected)
        incl = np.radians(self.incl)
        along, across, up = np.cos(mu) * np.cos(nu), np.sin(mu) * np.cos(nu), np.sin(nu)
        ra = self.node + np.degrees(np.arctan2(across * np.cos(incl) - up * np.sin(incl), along))
        dec = np.degrees(np.arcsin(across * np.sin(incl) + up * np.cos(incl)))
        return np.mod(ra, 360.0), dec

    def to_pixel(self, ra: ArrayLike, dec: ArrayLike) -> tuple[Array, Array]:
        """Pixel position (x, y) of sky positions (deg)."""
        a, b, c, d, e, f = self.affine
        ra, dec = np.radians(np.asarray(ra, float) - self.node), np.radians(np.asarray(dec, float))
        incl = np.radians(self.incl)
        along, across, up = np.cos(ra) * np.cos(dec), np.sin(ra) * np.cos(dec), np.sin(dec)
        mu = np.degrees(np.arctan2(across * np.cos(incl) + up * np.sin(incl), along)) + self.node
        nu = np.degrees(np.arcsin(np.clip(up * np.cos(incl) - across * np.sin(incl), -1, 1)))
        # `a` may lie outside 0 to 360 deg: choose the turn nearest to the frame.
        mu = mu - 360.0 * np.round((mu - a) / 360.0)
        determinant = b * f - c * e
        row_corrected = ((mu - a) * f - (nu - d) * c) / determinant
        col_corrected = ((nu - d) * b - (mu - a) * e) / determinant
        # The distortion is below a pixel and flat: three fixed-point iterations reach 1e-9 pixel.
        col = col_corrected
        for _ in range(5):
            col = col_corrected - polynomial.polyval(col, self.dcol)
        return col - 0.5, row_corrected - polynomial.polyval(col, self.drow) - 0.5


PROJECTIONS = ("TAN", "TAN-SIP", "TPV")
"""Projections of a header that are read."""

DISTORTION = re.compile(r"(A|B|AP|BP)_(ORDER|\d+_\d+)|PV[12]_\d+")
"""Keywords of the distortion of a projection."""


@dataclass(frozen=True)
class Tan:
    """The gnomonic projection in a frame header, which omits the distortion.

    The header may name declination as its first axis; positions are right ascension and declination in any case.
    """

    wcs: WCS
    name = "TAN"

    @classmethod
    def from_header(cls, header: fits.Header) -> "Tan":
        """Read the projection of a header.

        Raises
        ------
        StargalError
            If it is not one of `PROJECTIONS` in right ascension and declination of J2000, or is incomplete.
        """
        for key in ("CRPIX1", "CRPIX2", "CRVAL1", "CRVAL2"):
            number_in(header, key)
        types = [str(header.get(f"CTYPE{axis}")).strip() for axis in (1, 2)]
        axes = sorted(name[:4].rstrip("-") for name in types)
        projections = {name[4:].lstrip("-") for name in types}
        if axes != ["DEC", "RA"] or len(projections) != 1 or not projections <= set(PROJECTIONS):
            raise StargalError(
                f"header: CTYPE1 and CTYPE2 are {types[0]} and {types[1]}; expected right ascension and declination "
                f"(RA---TAN and DEC--TAN) with one of the projections {', '.join(PROJECTIONS)}"
            )
        projection = projections.pop()
        matrix = [key for key in header if re.fullmatch(r"(CD|PC)[12]_[12]|CDELT[12]", key)]
        if not matrix:
            raise StargalError("header: no CD1_1 ... CD2_2, which give the scale and orientation of the pixels")
        distortion = [key for key in header if DISTORTION.fullmatch(key)]
        for key in (*matrix, *distortion):
            number_in(header, key)
        if any(key.startswith("PV") != (projection == "TPV") or projection == "TAN" for key in distortion):
            raise StargalError(
                f"header: {distortion[0]} is a distortion, but CTYPE1 is {types[0]}; expected TAN-SIP with A_ and B_, "
                "TPV with PV, or no distortion"
            )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AstropyWarning)
            try:
                wcs = WCS(header, naxis=2, fix=False)
            except Exception as error:  # wcslib has a class for each kind of fault
                said = " ".join(str(error).split())
                raise StargalError(f"header: not a valid projection ({said})") from error
        if wcs.wcs.radesys not in ("", "ICRS", "FK5") or not (np.isnan(wcs.wcs.equinox) or wcs.wcs.equinox == 2000):
            raise StargalError(
                f"header: positions are {wcs.wcs.radesys} of equinox {wcs.wcs.equinox:g}; expected ICRS, or FK5 of "
                "equinox 2000"
            )
        return cls(wcs)

    def to_sky(self, x: ArrayLike, y: ArrayLike) -> tuple[Array, Array]:
        """Right ascension and declination (deg) of pixel positions."""
        world = self.wcs.all_pix2world(np.asarray(x, float), np.asarray(y, float), 0)
        return world[self.wcs.wcs.lng], world[self.wcs.wcs.lat]

    def to_pixel(self, ra: ArrayLike, dec: ArrayLike) -> tuple[Array, Array]:
        """Pixel position (x, y) of sky positions (deg); NaN on the far side of the sky."""
        world = [np.asarray(ra, float), np.asarray(dec, float)]
        if self.wcs.wcs.lng == 1:
            world.reverse()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # of positions for which no pixel is found
            x, y = self.wcs.all_world2pix(*world, 0, quiet=True)
        if self.wcs.has_distortion:  # its polynomials mean nothing far from the frame, where no inverse is found
            found = separation(ra, dec, *self.to_sky(x, y)) < 0.01 * PIXEL_ARCSEC / 3600
            x, y = np.where(found, x, np.nan), np.where(found, y, np.nan)
        return x, y


def number_in(header: fits.Header, key: str) -> float:
    """Return the number of a keyword.

    Raises
    ------
    StargalError
        If the header lacks the keyword, or its value is not a finite number.
    """
    value = header.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
        found = "missing" if key not in header else f"{value!r}"
        raise StargalError(f"header: {key} is {found}; expected a number")
    return float(value)


def separation(ra: ArrayLike, dec: ArrayLike, other_ra: ArrayLike, other_dec: ArrayLike) -> Array:
    """Distance between sky positions, deg; exact for small distances."""
    ends = []
    for angles in ((ra, dec), (other_ra, other_dec)):
        lon, lat = (np.radians(np.asarray(angle, float)) for angle in angles)
        ends.append(np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)]))
    return np.degrees(2 * np.arcsin(np.minimum(np.linalg.norm(ends[0] - ends[1], axis=0) / 2, 1)))


SCALE_TOLERANCE = 0.05
"""Largest accepted deviation of the pixel scale from `PIXEL_ARCSEC`, as a fraction; real frames have below 0.005."""


def check_astrometry(astrometry: Astrometry) -> None:
    """Check that an astrometric solution gives positions all over a frame, with the pixel scale of the camera.

    Raises
    ------
    StargalError
        If it does not.
    """
    x, y = (grid.ravel() for grid in np.meshgrid([0.0, COLUMNS / 2, COLUMNS - 1.0], [0.0, ROWS / 2, ROWS - 1.0]))
    try:
        with np.errstate(all="ignore"):
            sky = astrometry.to_sky(x, y)
            back_x, back_y = astrometry.to_pixel(*sky)
            error = np.hypot(back_x - x, back_y - y)
            scales = [3600 * separation(*sky, *astrometry.to_sky(x + dx, y + dy)) for dx, dy in ((1, 0), (0, 1))]
    except ValueError as fault:  # as wcslib says of positions that it cannot convert
        raise StargalError(f"{astrometry.name}: no positions ({' '.join(str(fault).split())})") from fault
    if not np.all(error < 0.1):  # not of NaN, either
        raise StargalError(f"the {astrometry.name} solution does not give a position to every pixel")
    wrong = [scale for scale in np.ravel(scales) if not abs(scale / PIXEL_ARCSEC - 1) < SCALE_TOLERANCE]
    if wrong:
        raise StargalError(
            f"the {astrometry.name} solution has pixels of {wrong[0]:.4g} arcsec; expected {PIXEL_ARCSEC} arcsec"
        )


@dataclass(frozen=True)
class Mapping:
    """Polynomial mapping from pixels of the reference grid to another band's frame.

    Attributes
    ----------
    dx, dy : ndarray, shape (i, j)
        Coefficients of u**i v**j of the shift in x and y, pixels, with u, v the reference pixel scaled to -1 ... 1
        over the frame: u = x / 1023.5 - 1, v = y / 744 - 1.
    """

    dx: Array
    dy: Array

    def shift(self, x: ArrayLike, y: ArrayLike) -> tuple[Array, Array]:
        """Shift (dx, dy) of reference pixels, pixels; `x` and `y` of one shape."""
        u, v = scaled_pixels(x, y)
        return polynomial.polyval2d(u, v, self.dx), polynomial.polyval2d(u, v, self.dy)

    def shift_grid(self, x: ArrayLike, y: ArrayLike) -> tuple[Array, Array]:
        """Shift (dx, dy) on the grid of columns `x` (n,) and rows `y` (m,), each of shape (m, n)."""
        u, v = scaled_pixels(x, y)
        return polynomial.polygrid2d(u, v, self.dx).T, polynomial.polygrid2d(u, v, self.dy).T

    def refined(self, dx: Array, dy: Array) -> "Mapping":
        """Return this mapping with two polynomials of the same shape added."""
        return Mapping(self.dx + dx, self.dy + dy)


DEGREES = (5, 3)
"""Degrees of a mapping in column and row.

The distortion of each band is a cubic in the column, and the mapping combines two of them. Rows are nearly linear, but
the refinement may be a cubic in them.
"""


def scaled_pixels(x: ArrayLike, y: ArrayLike) -> tuple[Array, Array]:
    """Scale pixel positions to -1 ... 1 over a frame."""
    return np.asarray(x, float) * (2 / (COLUMNS - 1)) - 1, np.asarray(y, float) * (2 / (ROWS - 1)) - 1


def map_pixels(reference: Astrometry, band: Astrometry) -> Mapping:
    """Fit the mapping from pixels of the reference frame to pixels of another band, through the sky.

    The polynomial reproduces the two solutions to better than 1e-4 pixel (tested on real frames).
    """
    x, y = (grid.ravel() for grid in np.meshgrid(np.linspace(0, COLUMNS - 1, 33), np.linspace(0, ROWS - 1, 17)))
    band_x, band_y = band.to_pixel(*reference.to_sky(x, y))
    terms = polynomial.polyvander2d(*scaled_pixels(x, y), DEGREES)
    shifts = np.stack([band_x - x, band_y - y], axis=1)
    coefficients = np.linalg.lstsq(terms, shifts, rcond=None)[0]
    dx, dy = coefficients.T.reshape(2, DEGREES[0] + 1, DEGREES[1] + 1)
    return Mapping(dx, dy)


def footprint(astrometry: Astrometry) -> Array:
    """Corners of a frame on the sky, shape (4, 2): right ascension and declination (deg), in order around it."""
    x = np.array([-0.5, COLUMNS - 0.5, COLUMNS - 0.5, -0.5])
    y = np.array([-0.5, -0.5, ROWS - 0.5, ROWS - 0.5])
    return np.stack(astrometry.to_sky(x, y), axis=1)
