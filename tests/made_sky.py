"""Small made frames of stars and galaxies, drawn without the library's own profiles or PSF."""

from dataclasses import dataclass

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS
from scipy import fft

from stargal.imaging.astrometry import Tan
from stargal.imaging.frames import Frame

SIGMA, NMGY, FWHM = 0.025, 0.005, 3.0
"""Sky noise and calibration, nanomaggies; full width at half maximum of the core, pixels."""


@dataclass
class Drawn:
    """A source: position in pixels, flux in nanomaggies, effective radius in pixels (0 for a star), axis ratio."""

    x: float
    y: float
    flux: float
    radius: float = 0.0
    ratio: float = 1.0


def draw(sources: list[Drawn], shape: tuple[int, int]) -> np.ndarray:
    """The scene without noise: exponential discs and points under a double Gaussian, drawn by transforms of stamps."""
    image = np.zeros(shape)
    side, half = 96, 32
    kx, ky = 2 * np.pi * fft.rfftfreq(side), 2 * np.pi * fft.fftfreq(side)[:, None]
    narrow, wide = FWHM / 2.3548, 3 * FWHM / 2.3548
    k2 = kx**2 + ky**2
    psf = 0.95 * np.exp(-0.5 * narrow**2 * k2) + 0.05 * np.exp(-0.5 * wide**2 * k2)
    for source in sources:
        column, row = int(np.rint(source.x)), int(np.rint(source.y))
        scale = source.radius / 1.678
        # The Hankel transform of exp(-r / h) is (1 + h^2 k^2)^(-3/2).
        disc = (1 + scale**2 * (kx**2 + (source.ratio * ky) ** 2)) ** -1.5
        place = np.exp(-1j * (kx * (source.x - column + half) + ky * (source.y - row + half)))
        stamp = source.flux * fft.irfft2(disc * psf * place, s=(side, side))[: 2 * half + 1, : 2 * half + 1]
        image[row - half : row + half + 1, column - half : column + half + 1] += stamp
    return image


def make_frame(sources: list[Drawn], band: str, shape: tuple[int, int] = (500, 700), seed: int = 1) -> Frame:
    """A frame of the sources with noise, quantised as a real one; sources stay 33 pixels off its edges."""
    rng = np.random.default_rng([seed, ord(band)])
    scene = draw(sources, shape)
    noise = rng.normal(size=shape) * np.sqrt(SIGMA**2 + scene * NMGY / 4.7)
    image = np.rint((scene + noise) / NMGY) * NMGY
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval, wcs.wcs.crpix, wcs.wcs.cd = [10.0, 0.0], [351.0, 251.0], np.diag([-1.1e-4, 1.1e-4])
    return Frame(band, image.astype(np.float32), fits.Header({"NMGY": NMGY}), Tan(wcs))
