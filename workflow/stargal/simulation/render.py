"""Draw stars and galaxies convolved with the PSF of a telescope.

The PSF is the sum of two Gaussians and a power law, (1 + r**2 / w**2)**-1.5, all scaled with the seeing and slightly
elliptical. The Fourier transforms of the PSF and of the exponential profile have closed forms. Galaxies are drawn as
products of transforms, many stamps of one size at once. Stars are drawn directly from the PSF formula, on stamps large
enough for their wings. Fluxes are in the unit of the image, radii and positions in pixels.

References
----------
Stoughton et al. 2002, AJ 123, 485, sections 4.3 and 4.4.5 (PSF; truncation of de Vaucouleurs' profile)
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft, special

Array = NDArray[np.floating[Any]]

INNER, OUTER, WINGS = 1.0, 1.9, 1.05
"""Widths of the two Gaussians and of the power law, in units of the first (fitted like the shares)."""

SHARES = {
    "u": (0.55, 0.18, 0.27),
    "g": (0.55, 0.165, 0.285),
    "r": (0.54, 0.165, 0.295),
    "i": (0.485, 0.17, 0.345),
    "z": (0.475, 0.155, 0.37),
}
"""Flux fractions of the three components at a FWHM of `SHARES_FWHM` (fitted to stars of real runs, to 15 arcsec)."""

SHARES_FWHM = 1.3
"""FWHM for which `SHARES` holds, arcsec.

The flux fraction of the wings is inversely proportional to the FWHM: light scattered by the camera keeps its surface
brightness, as in real frames with a seeing of 1.0 to 1.6 arcsec.
"""

SPIKES = 0.007
"""Fraction of a bright star's flux in the four diffraction spikes (fitted to real frames)."""

SPIKED = 64
"""Minimum half size of stamps with spikes, pixels."""

STAR_HALVES = (10, 15, 24, 40, 64, 100, 160, 250, 400)
GALAXY_SIDES = (24, 32, 48, 64, 96, 128, 192, 256, 384, 512)
"""Half sizes of star stamps and sizes of galaxy stamps, pixels."""

EXPONENTIAL_SCALE = 1.67835
"""Ratio of the half-light radius of the exponential profile to its scale length."""

CLUMPS = 30
"""Number of star-forming regions in a disk."""

CHUNK_PIXELS = 2_000_000
"""Largest number of pixels drawn at once."""


@dataclass(frozen=True)
class Blur:
    """The PSF at the position of each source.

    Attributes
    ----------
    shares : tuple of float
        Flux fractions of the inner Gaussian, the outer Gaussian and the wings.
    width : ndarray, shape (n,)
        Standard deviation of the inner Gaussian, pixels.
    ellipticity : ndarray, shape (2,)
        (Cxx - Cyy, 2 Cxy) / (Cxx + Cyy).
    spike_angle : float
        Direction of the spikes, rad.
    """

    shares: tuple[float, float, float]
    width: Array
    ellipticity: Array
    spike_angle: float

    @classmethod
    def of_fwhm(cls, shares: tuple[float, float, float], fwhm: Array, ellipticity: Array, spike_angle: float) -> "Blur":
        """Make the PSF whose best-fitting Gaussian has a given full width at half maximum, pixels."""
        return cls(shares, fwhm / fwhm_of_unit(shares), ellipticity, spike_angle)

    def __getitem__(self, keep: Any) -> "Blur":
        return Blur(self.shares, self.width[keep], self.ellipticity, self.spike_angle)

    def single(self) -> "Blur":
        """The same in single precision."""
        single = self.width.astype(np.float32), self.ellipticity.astype(np.float32)
        return Blur(self.shares, *single, self.spike_angle)

    def profile(self, dx: Array, dy: Array) -> Array:
        """Surface brightness of a point source of unit flux at offsets `dx`, `dy` (n, rows, columns), pixels."""
        e1, e2 = self.ellipticity
        determinant = 1 - e1**2 - e2**2
        square = ((1 - e1) * dx**2 - 2 * e2 * dx * dy + (1 + e1) * dy**2) / determinant
        square = square / self.width[:, None, None] ** 2
        inner, outer, wings = self.shares
        result = inner / INNER**2 * np.exp(-0.5 / INNER**2 * square)
        result += outer / OUTER**2 * np.exp(-0.5 / OUTER**2 * square)
        square = 1 + square / WINGS**2
        result += wings / WINGS**2 / (square * np.sqrt(square))
        return result / (2 * np.pi * float(np.sqrt(determinant)) * self.width[:, None, None] ** 2)

    def spikes(self, dx: Array, dy: Array) -> Array:
        """Surface brightness of the diffraction spikes of a point source of unit flux."""
        cosine, sine = np.cos(self.spike_angle), np.sin(self.spike_angle)
        along, across = cosine * dx + sine * dy, cosine * dy - sine * dx
        result = np.zeros(dx.shape, dx.dtype)
        for length, breadth in ((along, across), (across, along)):
            # A spike widens outwards; its brightness falls as r**-2.
            wide = 1.1 + 0.015 * np.abs(length)
            result += np.exp(-0.5 * (breadth / wide) ** 2) / wide / (length**2 + 64.0)
        return SPIKES * 8.0 / (2 * np.pi) ** 1.5 * result

    def transform(self, kx: Array, ky: Array) -> Array:
        """Fourier transform; `kx`, `ky` in cycles per pixel, shape (1, rows, columns); result (n, rows, columns)."""
        e1, e2 = self.ellipticity
        square = (1 + e1) * kx**2 + 2 * e2 * kx * ky + (1 - e1) * ky**2
        radius = 2 * np.pi * np.sqrt(square) * self.width[:, None, None]
        square = radius**2
        inner, outer, wings = self.shares
        result = inner * np.exp(-0.5 * INNER**2 * square)
        result += outer * np.exp(-0.5 * OUTER**2 * square)
        result += wings * np.exp(-WINGS * radius)
        return result


def shares_of(band: str, fwhm: float) -> tuple[float, float, float]:
    """Flux fractions of the two Gaussians and the wings, for a run with a mean FWHM, arcsec."""
    inner, outer, wings = SHARES[band]
    scattered = wings * SHARES_FWHM / fwhm
    core = (1 - scattered) / (inner + outer)
    return inner * core, outer * core, scattered


@cache
def fwhm_of_unit(shares: tuple[float, float, float]) -> float:
    """FWHM of the best-fitting Gaussian (adaptive moments) of a PSF whose inner Gaussian has unit width."""
    r = np.linspace(0, 12, 4001)[1:]
    light = shares[0] / INNER**2 * np.exp(-0.5 * (r / INNER) ** 2)
    light += shares[1] / OUTER**2 * np.exp(-0.5 * (r / OUTER) ** 2)
    light += shares[2] / WINGS**2 * (1 + (r / WINGS) ** 2) ** -1.5
    sigma = 1.2
    for _ in range(100):
        weight = light * np.exp(-0.5 * (r / sigma) ** 2) * r
        sigma = float(np.sqrt(1 / (2 * weight.sum() / (weight * r**2).sum() - 1 / sigma**2)))
    return 2 * np.sqrt(2 * np.log(2)) * sigma


def add_stars(image: Array, x: Array, y: Array, flux: Array, blur: Blur, faint: float) -> None:
    """Add point sources to an image, in place.

    Parameters
    ----------
    image : ndarray, shape (rows, columns)
    x, y, flux : ndarray, shape (n,)
    blur : Blur
        PSF at the n sources.
    faint : float
        Surface brightness below which wings are cut off.
    """
    reach = np.cbrt(flux * blur.shares[2] * WINGS * blur.width / (2 * np.pi * faint))
    for half, chosen in _tiers(reach, np.array(STAR_HALVES), (2 * np.array(STAR_HALVES) + 1) ** 2):
        pixels = np.arange(-half, half + 1.0)
        column, row = np.rint(x[chosen]).astype(int), np.rint(y[chosen]).astype(int)
        dx = (pixels + (column - x[chosen])[:, None]).astype(np.float32)[:, None, :]
        dy = (pixels + (row - y[chosen])[:, None]).astype(np.float32)[:, :, None]
        blurred = blur[chosen].single()
        stamps = blurred.profile(dx, dy)
        if half >= SPIKED:
            dx, dy = np.broadcast_arrays(dx, dy)
            stamps = (1 - SPIKES) * stamps + blurred.spikes(dx, dy)
        _add(image, stamps * flux[chosen, None, None].astype(np.float32), row - half, column - half)


@dataclass(frozen=True)
class Galaxies:
    """Shapes of galaxies on a frame, an array (n,) each.

    Attributes
    ----------
    bulge_fraction, clump_fraction : ndarray
        Fraction of the flux in the bulge, and of the disk flux in clumps.
    disk_radius, bulge_radius : ndarray
        Half-light radii along the major axis, pixels.
    axis_ratio, bulge_axis_ratio : ndarray
    angle : ndarray
        Angle of the major axis, from x towards y, rad.
    identity : ndarray of int
        Seed of the positions of the clumps.
    """

    bulge_fraction: Array
    clump_fraction: Array
    disk_radius: Array
    bulge_radius: Array
    axis_ratio: Array
    bulge_axis_ratio: Array
    angle: Array
    identity: NDArray[np.int64]

    def __getitem__(self, keep: Any) -> "Galaxies":
        return Galaxies(*(getattr(self, name)[keep] for name in self.__dataclass_fields__))

    def single(self) -> "Galaxies":
        """The same in single precision."""
        values = {name: getattr(self, name).astype(np.float32) for name in self.__dataclass_fields__}
        return Galaxies(**values | {"identity": self.identity})

    def transform(self, kx: Array, ky: Array) -> NDArray[np.inexact[Any]]:
        """Fourier transform for unit flux, as in `Blur.transform`; complex if there are clumps."""
        cosine, sine = np.cos(self.angle)[:, None, None], np.sin(self.angle)[:, None, None]
        along, across = kx * cosine + ky * sine, ky * cosine - kx * sine
        bulge = self.bulge_fraction[:, None, None]
        result = np.zeros(along.shape, along.dtype)
        disky, bulgy = self.bulge_fraction < 1, self.bulge_fraction > 0
        for chosen, share, radius, ratio, profile in (
            (disky, 1 - bulge, self.disk_radius, self.axis_ratio, exponential_transform),
            (bulgy, bulge, self.bulge_radius, self.bulge_axis_ratio, de_vaucouleurs_transform),
        ):
            k = np.hypot(along[chosen], across[chosen] * ratio[chosen, None, None]) * radius[chosen, None, None]
            result[chosen] += share[chosen] * profile(k)
        clumpy = np.flatnonzero(self.clump_fraction > 0)
        if not clumpy.size:
            return result
        with_clumps = result.astype(np.complex64)
        share = (1 - self.bulge_fraction) * self.clump_fraction
        for index in clumpy.tolist():
            smooth = exponential_transform(
                np.hypot(along[index], across[index] * self.axis_ratio[index]) * self.disk_radius[index]
            )
            with_clumps[index] += share[index] * (self._clumps(index, kx[0, 0], ky[0, :, 0]) - smooth)
        return with_clumps

    def _clumps(self, index: int, kx: Array, ky: Array) -> NDArray[np.complexfloating[Any, Any]]:
        """Fourier transform of the clumps of one galaxy, random points in its disk; shape (rows, columns)."""
        rng = np.random.default_rng(int(self.identity[index]))
        # Distances of an exponential disk follow a gamma distribution of shape 2.
        radius = rng.gamma(2.0, size=CLUMPS) * self.disk_radius[index] / EXPONENTIAL_SCALE
        turn = rng.uniform(0, 2 * np.pi, CLUMPS)
        weight = rng.exponential(size=CLUMPS)
        radius = np.minimum(radius, 4 * self.disk_radius[index])
        major, minor = radius * np.cos(turn), radius * np.sin(turn) * self.axis_ratio[index]
        cosine, sine = np.cos(self.angle[index]), np.sin(self.angle[index])
        in_x = np.exp(-2j * np.pi * np.outer(major * cosine - minor * sine, kx))
        in_y = np.exp(-2j * np.pi * np.outer(major * sine + minor * cosine, ky))
        return (in_y * (weight / weight.sum())[:, None]).T @ in_x


def add_galaxies(image: Array, x: Array, y: Array, flux: Array, shapes: Galaxies, blur: Blur) -> None:
    """Add galaxies to an image, in place; parameters as in `add_stars`."""
    extent = np.maximum(
        np.where(shapes.bulge_fraction < 1, 4.0 * shapes.disk_radius, 0),
        np.where(shapes.bulge_fraction > 0.05, 5.0 * shapes.bulge_radius, 0),
    )
    sides = np.array(GALAXY_SIDES)
    for side, chosen in _tiers(2 * extent + 8 * blur.width, sides, sides**2):
        column, row = np.rint(x[chosen]).astype(int), np.rint(y[chosen]).astype(int)
        # Single precision is accurate to 1e-6 of a peak, and twice as fast.
        ky, kx = np.meshgrid(fft.fftfreq(side), fft.rfftfreq(side), indexing="ij")
        kx, ky = kx[None].astype(np.float32), ky[None].astype(np.float32)
        transform = shapes[chosen].single().transform(kx, ky) * blur[chosen].single().transform(kx, ky)
        # The stamp's centre is pixel side / 2.
        shift_x, shift_y = x[chosen] - column + side // 2, y[chosen] - row + side // 2
        across = np.exp(-2j * np.pi * shift_x[:, None] * fft.rfftfreq(side))
        along = np.exp(-2j * np.pi * shift_y[:, None] * fft.fftfreq(side))
        transform = transform * across.astype(np.complex64)[:, None, :] * along.astype(np.complex64)[:, :, None]
        stamps = fft.irfft2(transform, s=(side, side))
        # Subtract the wings beyond the stamp, which wrap around almost uniformly.
        outside = blur.shares[2] * WINGS * blur.width[chosen] / np.hypot(side / 2, WINGS * blur.width[chosen])
        stamps -= (outside / side**2).astype(np.float32)[:, None, None]
        _add(image, stamps * flux[chosen, None, None].astype(np.float32), row - side // 2, column - side // 2)


def exponential_transform(k: Array) -> Array:
    """Fourier transform of the exponential profile of unit flux and half-light radius; `k` in cycles per unit."""
    square = 1 + (2 * np.pi / EXPONENTIAL_SCALE * k) ** 2
    return 1 / (square * np.sqrt(square))


def de_vaucouleurs_transform(k: Array) -> Array:
    """Fourier transform of the de Vaucouleurs profile of unit flux and effective radius, truncated as in photo."""
    grid, values = (table.astype(k.dtype) for table in _de_vaucouleurs_table())
    # The table is evenly spaced in the cube root of k, so no search is needed.
    place = np.minimum(np.cbrt(k) * ((len(grid) - 1) / float(grid[-1])), len(grid) - 1.001)
    below = place.astype(np.intp)
    part = place - below
    return values[below] * (1 - part) + values[below + 1] * part


@cache
def _de_vaucouleurs_table() -> tuple[Array, Array]:
    """Cube roots of wave numbers up to 64, and the transform at these wave numbers."""
    root = np.linspace(0, 4.0, 801)
    fourth = np.linspace(0, 8**0.25, 6001)
    r = fourth**4
    light = np.exp(-7.66925 * (fourth - 1)) * (1 - np.clip(r - 7, 0, 1) ** 2) ** 2
    measure = light * r * 4 * fourth**3
    total = measure.sum()
    values = np.array([(measure * special.j0(2 * np.pi * k * r)).sum() for k in root**3])
    return root, values / total


def _tiers(wanted: Array, sizes: NDArray[np.intp], pixels: NDArray[np.intp]) -> Any:
    """Group sources by the smallest sufficient stamp size, in chunks of at most `CHUNK_PIXELS` pixels."""
    tier = np.minimum(np.searchsorted(sizes, wanted), len(sizes) - 1)
    for index, size in enumerate(sizes):
        chosen = np.flatnonzero(tier == index)
        step = max(1, CHUNK_PIXELS // int(pixels[index]))
        for start in range(0, len(chosen), step):
            yield int(size), chosen[start : start + step]


def _add(image: Array, stamps: Array, row: NDArray[np.intp], column: NDArray[np.intp]) -> None:
    """Add stamps to an image at their lower left corners, clipped to the image."""
    rows, columns = image.shape
    height, width = stamps.shape[1:]
    for stamp, top, left in zip(stamps, row.tolist(), column.tolist(), strict=True):
        if top >= rows or left >= columns or top + height <= 0 or left + width <= 0:
            continue
        above, before = max(0, -top), max(0, -left)
        below, after = min(height, rows - top), min(width, columns - left)
        image[top + above : top + below, left + before : left + after] += stamp[above:below, before:after]
