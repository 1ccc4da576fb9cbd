"""Exponential and de Vaucouleurs galaxy profiles as in SDSS photo, on a grid of sizes, axis ratios and angles.

Profiles are stored as Fourier transforms, so convolution with a PSF is a product. Both are truncated as in photo: the
exponential falls smoothly to zero between 3 and 4 effective radii, the de Vaucouleurs profile between 7 and 8.

References
----------
Stoughton et al. 2002, AJ 123, 485, section 4.4.5 (model magnitudes); https://www.sdss4.org/dr17/algorithms/magnitudes/
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft, special

Array = NDArray[np.floating[Any]]

EXPONENTIAL, DE_VAUCOULEURS = 0, 1
"""Kinds of profile."""

TRUNCATION = {EXPONENTIAL: (3.0, 4.0), DE_VAUCOULEURS: (7.0, 8.0)}
"""Range over which a profile falls to zero, effective radii."""

_STEEPNESS = {EXPONENTIAL: (1.67835, 1.0), DE_VAUCOULEURS: (7.66925, 0.25)}
"""b and 1/n in exp(-b ((r / r_e)**(1/n) - 1)); half of the untruncated light is within r_e."""

RADII = np.geomspace(0.12, 9.0, 17)
"""Effective radii along the major axis, arcsec; in steps of about 30 %."""

AXIS_RATIOS = (0.25, 0.5, 0.75)
"""Axis ratios in addition to 1."""

ANGLES = np.arange(6) * (np.pi / 6)
"""Angles of the major axis from x towards y, rad."""


@dataclass(frozen=True)
class Shapes:
    """Shapes of galaxies, an array (n,) each; the first shape of a grid is a point.

    Attributes
    ----------
    kind : int
        `EXPONENTIAL` or `DE_VAUCOULEURS`.
    radius : float64
        Effective radius along the major axis, pixels.
    axis_ratio : float64
    angle : float64
        Angle of the major axis, from x towards y, rad.
    """

    kind: NDArray[np.int64]
    radius: Array
    axis_ratio: Array
    angle: Array

    def __getitem__(self, keep: Any) -> "Shapes":
        return Shapes(*(getattr(self, name)[keep] for name in self.__dataclass_fields__))


def shape_grid(pixel: float) -> Shapes:
    """Make the grid of shapes: a point, then every combination of kind, radius, axis ratio and angle.

    Parameters
    ----------
    pixel : float
        Pixel size, arcsec.
    """
    rows = [(EXPONENTIAL, 0.0, 1.0, 0.0)]
    for kind in (EXPONENTIAL, DE_VAUCOULEURS):
        for radius in RADII / pixel:
            rows.append((kind, radius, 1.0, 0.0))
            rows += [(kind, radius, ratio, angle) for ratio in AXIS_RATIOS for angle in ANGLES]
    kind, radius, ratio, angle = np.array(rows).T
    return Shapes(kind.astype(np.int64), radius, ratio, angle)


def profile(kind: int, radius: Array) -> Array:
    """Surface brightness at `radius` effective radii; the untruncated profile is one at the effective radius."""
    steepness, power = _STEEPNESS[kind]
    inner, outer = TRUNCATION[kind]
    fade = np.clip((radius - inner) / (outer - inner), 0, 1)
    return np.exp(-steepness * (radius**power - 1)) * (1 - fade**2) ** 2


@cache
def _transform_table(kind: int) -> tuple[Array, Array]:
    """Hankel transform of a profile of unit flux and effective radius: wave numbers and values."""
    # r = s**4 removes the cusp from the integrand.
    s = np.linspace(0, TRUNCATION[kind][1] ** 0.25, 4001)
    r = s**4
    weight = profile(kind, r) * r * 4 * s**3
    weight /= np.trapezoid(weight, s)
    # The last value, at 400 / r_e, is below 3e-4.
    k = np.concatenate([np.linspace(0, 6, 400), np.geomspace(6.02, 400, 400)])
    return k, np.array([np.trapezoid(weight * special.j0(value * r), s) for value in k])


def transforms(shapes: Shapes, size: int) -> NDArray[np.float32]:
    """Fourier transforms of profiles of unit flux, centred on the origin.

    Parameters
    ----------
    shapes : Shapes
        Radii in pixels.
    size : int
        Size of the square image, pixels.

    Returns
    -------
    ndarray, float32, shape (n, size, size // 2 + 1)
        Wave numbers in the order of `scipy.fft.rfft2`; real, because profiles are symmetric.
    """
    kx = 2 * np.pi * fft.rfftfreq(size)
    ky = 2 * np.pi * fft.fftfreq(size)[:, None]
    result = np.ones((len(shapes.kind), size, size // 2 + 1), dtype=np.float32)
    for index, (kind, radius, ratio, angle) in enumerate(
        zip(shapes.kind, shapes.radius, shapes.axis_ratio, shapes.angle, strict=True)
    ):
        if radius == 0:
            continue
        along = kx * np.cos(angle) + ky * np.sin(angle)
        across = (ky * np.cos(angle) - kx * np.sin(angle)) * ratio
        result[index] = np.interp(radius * np.hypot(along, across), *_transform_table(int(kind)))
    return result


def convolve(profiles: NDArray[np.float32], psf: Array, half: int) -> NDArray[np.float32]:
    """Convolve profiles with a PSF.

    Parameters
    ----------
    profiles : ndarray, float32, shape (n, size, size // 2 + 1)
        Output of `transforms`.
    psf : ndarray, shape (side, side)
        Centred on its middle pixel; the side is odd.
    half : int
        Half size of the output images, pixels.

    Returns
    -------
    ndarray, float32, shape (n, 2 half + 1, 2 half + 1)
    """
    size = profiles.shape[1]
    middle = psf.shape[0] // 2
    padded = np.zeros((size, size), dtype=np.float32)
    padded[: psf.shape[0], : psf.shape[1]] = psf
    padded = np.roll(padded, (half - middle, half - middle), axis=(0, 1))
    images = fft.irfft2(profiles * fft.rfft2(padded), s=(size, size))
    side = 2 * half + 1
    return np.ascontiguousarray(images[:, :side, :side], dtype=np.float32)
