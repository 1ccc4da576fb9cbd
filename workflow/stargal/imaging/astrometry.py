"""Convert pixels to sky positions, and pixels of one band to pixels of another.

Pixels are 0-based, with integers at pixel centres: x along columns, y along rows. SDSS counts from the pixel edge:
ROWC = y + 0.5 and COLC = x + 0.5.

References
----------
asTrans data model: https://data.sdss.org/datamodel/files/PHOTO_REDUX/RERUN/RUN/astrom/asTrans.html
Pier et al. 2003, AJ 125, 1559 (astrometric calibration, great-circle coordinates mu, nu).
"""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from astropy.wcs import WCS
from numpy.polynomial import polynomial
from numpy.typing import ArrayLike, NDArray

from stargal.survey.fields import COLUMNS, ROWS

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
    def from_row(cls, row: Any) -> "AsTrans":
        """Read one row of an asTrans table (`astropy.io.fits` record or mapping)."""
        return cls(
            node=float(row["NODE"]),
            incl=float(row["INCL"]),
            affine=tuple(float(row[key]) for key in "ABCDEF"),
            drow=tuple(float(row[f"DROW{power}"]) for power in range(4)),
            dcol=tuple(float(row[f"DCOL{power}"]) for power in range(4)),
        )

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


@dataclass(frozen=True)
class Tan:
    """The gnomonic projection in a frame header, which omits the distortion."""

    wcs: WCS
    name = "TAN"

    def to_sky(self, x: ArrayLike, y: ArrayLike) -> tuple[Array, Array]:
        """Right ascension and declination (deg) of pixel positions."""
        ra, dec = self.wcs.all_pix2world(np.asarray(x, float), np.asarray(y, float), 0)
        return ra, dec

    def to_pixel(self, ra: ArrayLike, dec: ArrayLike) -> tuple[Array, Array]:
        """Pixel position (x, y) of sky positions (deg); NaN on the far side of the sky."""
        x, y = self.wcs.all_world2pix(np.asarray(ra, float), np.asarray(dec, float), 0)
        return x, y


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
