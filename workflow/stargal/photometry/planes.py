"""Prepare the bands of a field for detection and measurement: sky, wings of bright stars, PSF and mapping."""

from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import sep
from numpy.typing import NDArray

from stargal.errors import StargalError
from stargal.imaging.astrometry import Mapping, map_pixels
from stargal.imaging.frames import Frame
from stargal.imaging.psf import Psf, measure_psf
from stargal.imaging.stars import sky_noise
from stargal.survey.camera import DARK_VARIANCE, GAIN, SATURATION_DN
from stargal.survey.fields import REFERENCE

Array = NDArray[np.floating[Any]]


Image = NDArray[np.float32]


BRIGHT = 200.0
"""Peak height above which the wings of a source are subtracted before detection, sigma (the value of photo)."""


WING_RADII = np.arange(13.0, 62.0, 4.0)
"""Radii of the rings on which the wings are measured, pixels."""


SKY_MESH = 256
"""Cell size of the residual sky, pixels (as for the local sky of photo)."""


MOST_BRANCHES = 1 << 16
"""Largest number of branches of one isophote; a field of 50,000 sources has fewer."""


@dataclass(frozen=True)
class Plane:
    """One band of a field, ready for measurement.

    Attributes
    ----------
    band : str
    image : ndarray, float32, shape (rows, columns)
        Nanomaggies above the residual sky; zero where there is no data.
    sigma : float
        Standard deviation of the sky, nanomaggies.
    calibration : float
        Nanomaggies per count.
    gain, dark_variance : float
        Electrons per count; variance of a pixel without light, counts squared.
    psf : Psf
    mapping : Mapping
        From pixels of r to pixels of this band.
    saturated : ndarray, bool, same shape
    """

    band: str
    image: Image
    sigma: float
    calibration: float
    gain: float
    dark_variance: float
    psf: Psf
    mapping: Mapping
    saturated: NDArray[np.bool_]

    @property
    def sky(self) -> float:
        """Sky background derived from the noise, nanomaggies per pixel."""
        return ((self.sigma / self.calibration) ** 2 - self.dark_variance) * self.gain * self.calibration

    @property
    def variance_per_flux(self) -> float:
        """Photon-noise variance per flux, nanomaggies squared per nanomaggy."""
        return self.calibration / self.gain


def extract(image: Image, threshold: float, **options: Any) -> Any:
    """Extract sources with `sep.extract`, whose buffers grow until they hold the sources of the image.

    The library stops at 300,000 pixels above the threshold and at 1024 branches of one isophote, which nebulae and
    clusters exceed. The result does not depend on the buffers.

    Raises
    ------
    StargalError
        If the image has too many sources for buffers of twice its size.
    """
    pixels, branches = 300_000, 1024
    while True:
        sep.set_extract_pixstack(pixels)
        sep.set_sub_object_limit(branches)
        try:
            return sep.extract(image, threshold, **options)
        except Exception as error:  # sep has no class of its own
            said = str(error)
            if "pixel buffer" in said and pixels < 2 * image.size:
                pixels = min(4 * pixels, 2 * image.size)
            elif "deblending overflow" in said and branches < MOST_BRANCHES:
                branches = 4 * branches
            else:
                raise StargalError(f"too many sources to separate ({said}): exclude this field") from None


def prepare_planes(frames: AnyMapping[str, Frame], camcol: int) -> dict[str, Plane]:
    """Subtract the sky, measure the PSF and map the pixels of every band.

    Parameters
    ----------
    frames : mapping of Frame
        Frames by band, including r.
    camcol : int
        Camera column, 1 to 6; it determines gain and dark variance of the detectors.

    Raises
    ------
    StargalError
        If r is missing, or a frame has too few stars for its PSF.
    """
    if REFERENCE not in frames:
        raise StargalError(f"no frame of band {REFERENCE}, which defines the pixel grid; add it")
    planes = {}
    for band, frame in frames.items():
        no_data = ~np.isfinite(frame.image)
        image = np.where(no_data, np.float32(0), frame.image)
        saturated = image > SATURATION_DN * frame.nmgy_per_dn
        sky = sep.Background(image, mask=no_data | saturated, bw=SKY_MESH, bh=SKY_MESH)
        image = image - sky.back(dtype=np.float32)
        image[no_data] = 0
        sigma = sky_noise(frame.image)
        image = without_wings(image, sigma)
        try:
            psf = measure_psf(image, sigma, SATURATION_DN * frame.nmgy_per_dn)
        except StargalError as error:
            raise StargalError(f"band {band}: {error}") from None
        mapping = map_pixels(frames[REFERENCE].astrometry, frame.astrometry)
        detector = GAIN[band][camcol - 1], DARK_VARIANCE[band][camcol - 1]
        planes[band] = Plane(band, image, sigma, frame.nmgy_per_dn, *detector, psf, mapping, saturated)
    return planes


def without_wings(image: Image, sigma: float) -> Image:
    """Subtract the wings of bright sources beyond the stamps on which they are measured.

    The wing is the median in rings around the source, constrained not to rise outwards. Nothing is subtracted within
    the first ring.

    Parameters
    ----------
    image : ndarray, float32, shape (rows, columns)
        Sky-subtracted.
    sigma : float
        Standard deviation of the sky.
    """
    bright = extract(image, BRIGHT * sigma, minarea=4)
    bright = bright[np.argsort(-bright["peak"], kind="stable")]
    image = image.copy()
    reach = int(WING_RADII[-1])
    middles = (WING_RADII[:-1] + WING_RADII[1:]) / 2
    for x, y in zip(bright["x"], bright["y"], strict=True):
        left, top = max(int(x) - reach, 0), max(int(y) - reach, 0)
        around = image[top : int(y) + reach + 1, left : int(x) + reach + 1]
        columns, rows = np.arange(around.shape[1]) + left - x, np.arange(around.shape[0]) + top - y
        distance = np.hypot(columns, rows[:, None]).astype(np.float32)
        ring = np.digitize(distance, WING_RADII)
        profile = [
            np.median(around[ring == step]) if (ring == step).any() else 0.0 for step in range(1, len(WING_RADII))
        ]
        falling = np.minimum.accumulate(np.maximum(profile, 0))
        wing = np.interp(distance, [*middles, reach], [*falling, 0.0]).astype(np.float32)
        around -= wing * np.clip((distance - WING_RADII[0]) / 4, 0, 1)
    return image
