"""Measure sources as SDSS photo does.

The PSF flux is the amplitude of the PSF fitted at the source. The model flux is that of the better fit of an
exponential and a de Vaucouleurs profile. Its shape is fitted in r, on a grid of PSF-convolved images, and used in all
bands. The composite flux is that of the best non-negative sum of the two profiles.

References
----------
Lupton et al. 2001, ASP 238, 269; Stoughton et al. 2002, AJ 123, 485, section 4.4;
https://www.sdss4.org/dr17/algorithms/magnitudes/
"""

from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from stargal.constants import FWHM_PER_SIGMA
from stargal.imaging.psf import Psf, position_terms
from stargal.imaging.stars import measure_stars
from stargal.photometry import profiles
from stargal.photometry.deblend import STAMP_HALF, deblend
from stargal.photometry.detect import MERGE_RADIUS, THRESHOLD, Detections
from stargal.photometry.planes import Array, Image, Plane
from stargal.survey.catalog import BINNED1, SATURATED
from stargal.survey.fields import BANDS, PIXEL_ARCSEC, REFERENCE

TRANSFORM = 72
"""Size of the images for convolving profiles, pixels: twice that of the stamps, to limit wrap-around at the edges."""


ROUNDS = 2
"""Number of iterations over positions, shapes and neighbours."""


SIZE_SCALE, SIZE_SPREAD = 0.5, 0.5
"""Effective radius above which a shape needs a better fit to be chosen, arcsec, and the growth of this penalty.

Chi squared must fall by a further (ln(radius / scale) / spread)^2. Without the penalty, noise turns faint sources into
large galaxies; photo follows a profile only as far out as it is detected.
"""


SKY_ERROR = 0.1
"""Error of the local sky, in units of a pixel's sigma.

The error is common to a stamp, which reduces the significance of sources as large as the stamp.
"""


EXTENDED_COST = 1.0
"""Decrease of chi squared needed to prefer an extended shape to a point."""


FIBER_RADII = (1.5, 1.0)
"""Radii of the apertures of FIBERFLUX and FIBER2FLUX, arcsec."""


APERTURE_RADIUS = 4.58
"""Radius of the aperture of APERFLUX6, arcsec: the sixth of photo, after the central pixel."""


@dataclass(frozen=True)
class Library:
    """The shapes convolved with the PSF of a band, and their scalar products.

    Attributes
    ----------
    images : ndarray, float32, shape (terms, n, pixels)
        One set for each image of the PSF.
    products : ndarray, float64, shape (terms, terms, n)
    """

    images: Image
    products: Array

    @classmethod
    def make(cls, transforms: NDArray[np.float32], psf: Psf) -> "Library":
        """Convolve shapes, given by `profiles.transforms`, with the images of a PSF."""
        images = np.stack([profiles.convolve(transforms, image, STAMP_HALF) for image in psf.images])
        images = images.reshape(*images.shape[:2], images.shape[2] * images.shape[3])
        return cls(images, np.einsum("knp,lnp->kln", images, images, optimize=True).astype(float))

    def draw(self, weights: Array, index: NDArray[np.intp]) -> Image:
        """Image of shape `index` for each source, with its PSF weights, shape (n, pixels)."""
        drawn = np.zeros((len(index), self.images.shape[2]), dtype=np.float32)
        for term, images in enumerate(self.images):
            drawn += weights[:, term, None].astype(np.float32) * images[index]
        return drawn


def measure_sources(planes: AnyMapping[str, Plane], detections: Detections) -> dict[str, NDArray[Any]]:
    """Measure sources in all bands.

    Returns
    -------
    dict of ndarray
        One row per source, and five columns u g r i z for quantities that depend on the band (NaN if the band is
        missing or does not cover the source). Fluxes are in nanomaggies, their errors are inverse variances:

        - x, y: pixels of r; x_band, y_band: pixels of each band
        - psf, psf_ivar, model, model_ivar, composite, fiber, fiber_ivar, fiber2, fiber2_ivar, aperture
        - kind, radius, axis_ratio, angle: of the model in r; arcsec, rad
        - position_error: error of each of x and y, pixels
        - moment, psf_moment: adaptive moments M_rr_cc, pixels squared; psf_fwhm: arcsec; sky: nanomaggies per arcsec
          squared
        - flags (OBJC_FLAGS), flags_band
    """
    shapes = profiles.shape_grid(PIXEL_ARCSEC)
    transforms = profiles.transforms(shapes, TRANSFORM)
    reference = planes[REFERENCE]
    x, y, shape, exponential, de_vaucouleurs = _fit_shapes(reference, detections, shapes, transforms)
    rows = len(x)
    result: dict[str, NDArray[Any]] = {"x": x, "y": y}
    result |= {name: getattr(shapes, name)[shape] for name in ("kind", "axis_ratio", "angle")}
    result["radius"] = shapes.radius[shape] * PIXEL_ARCSEC
    names = ["x_band", "y_band", "psf", "psf_ivar", "model", "model_ivar", "composite", "fiber", "fiber_ivar"]
    names += ["fiber2", "fiber2_ivar", "aperture", "moment", "psf_moment", "psf_fwhm", "sky"]
    for name in names:
        result[name] = np.full((rows, len(BANDS)), np.nan)
    result["flags_band"] = np.zeros((rows, len(BANDS)), dtype=np.int32)
    for index, band in enumerate(BANDS):
        if band not in planes:
            continue
        used, inverse = np.unique(np.stack([shape, exponential, de_vaucouleurs]), return_inverse=True)
        library = Library.make(transforms[used], planes[band].psf)
        measured = _measure_band(planes[band], x, y, library, *inverse.reshape(3, -1))
        for name, values in measured.items():
            result[name][:, index] = values
    column = BANDS.index(REFERENCE)
    signal = result["psf"][:, column] * np.sqrt(result["psf_ivar"][:, column])
    # The peak position of a Gaussian matched filter has an error of sqrt(2) times its width over the signal to noise.
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.sqrt(result["psf_moment"][:, column] / 2) * np.sqrt(2) / np.maximum(signal, 1.0)
    result["position_error"] = error
    result["flags"] = detections.flags | np.bitwise_or.reduce(result["flags_band"], axis=1)
    return result


def _fit_shapes(
    plane: Plane, detections: Detections, shapes: profiles.Shapes, transforms: NDArray[np.float32]
) -> tuple[Array, Array, NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Fit positions and shapes in r: x, y, and the best shape of all, of the exponential and of the de Vaucouleurs."""
    library = Library.make(transforms, plane.psf)
    x, y = detections.x.copy(), detections.y.copy()
    shape = np.zeros(len(x), dtype=np.intp)
    exponential, de_vaucouleurs = shape, shape
    is_kind = [
        np.flatnonzero((shapes.kind == kind) | (shapes.radius == 0))
        for kind in (profiles.EXPONENTIAL, profiles.DE_VAUCOULEURS)
    ]
    with np.errstate(divide="ignore"):
        cost = (np.maximum(np.log(shapes.radius * PIXEL_ARCSEC / SIZE_SCALE), 0) / SIZE_SPREAD) ** 2
    cost = cost + EXTENDED_COST * (shapes.radius > 0)
    found_here = detections.band == BANDS.index(plane.band)
    for _ in range(ROUNDS):
        weights = position_terms(x, y)
        models = library.draw(weights, shape)
        own, _ = deblend(plane, x, y, models)
        step_x, step_y = _peak_offset(own, library.draw(weights, np.zeros_like(shape)))
        near = found_here & (np.hypot(x + step_x - detections.x, y + step_y - detections.y) < MERGE_RADIUS)
        x, y = np.where(near, x + step_x, x), np.where(near, y + step_y, y)
        gain = _likelihood(own, weights, library) / plane.sigma**2 - cost
        exponential, de_vaucouleurs = (kind[np.argmax(gain[:, kind], axis=1)] for kind in is_kind)
        row = np.arange(len(x))
        better = gain[row, exponential] >= gain[row, de_vaucouleurs]
        shape = np.where(better, exponential, de_vaucouleurs)
    return x, y, shape, exponential, de_vaucouleurs


def _likelihood(own: Image, weights: Array, library: Library) -> Array:
    """Decrease of chi squared of each source for each shape, times the sky variance; shape (sources, shapes).

    All pixels share the sky error `SKY_ERROR`: the inverse of their covariance is the unit matrix minus a constant.
    """
    pixels = own.shape[1]
    shared = np.float32(SKY_ERROR**2 / (1 + pixels * SKY_ERROR**2))
    totals = library.images.sum(axis=2)
    level = own.sum(axis=1)
    product = np.zeros((len(own), library.images.shape[1]), dtype=np.float32)
    norm = np.zeros_like(product)
    for k, images in enumerate(library.images):
        product += weights[:, k, None].astype(np.float32) * (own @ images.T - shared * np.outer(level, totals[k]))
        for other in range(len(library.images)):
            pair = (weights[:, k] * weights[:, other]).astype(np.float32)
            products = library.products[k, other] - shared * totals[k] * totals[other]
            norm += pair[:, None] * products.astype(np.float32)
    return np.where(product > 0, product**2 / norm, 0)


def _peak_offset(own: Image, psf: Image) -> tuple[Array, Array]:
    """Offset of the peak of the smoothed stamp from its centre, pixels.

    A parabola is fitted to the logarithm of the central 3 x 3 values.
    """
    side = 2 * STAMP_HALF + 1
    cube, kernel = (
        own.reshape(-1, side, side),
        psf.reshape(-1, side, side)[:, STAMP_HALF - 5 : STAMP_HALF + 6, STAMP_HALF - 5 : STAMP_HALF + 6],
    )
    values = np.empty((3, 3, len(own)))
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            part = cube[:, STAMP_HALF - 5 + dy : STAMP_HALF + 6 + dy, STAMP_HALF - 5 + dx : STAMP_HALF + 6 + dx]
            values[dy + 1, dx + 1] = np.einsum("nyx,nyx->n", part, kernel)
    log = np.log(np.maximum(values, 1e-3 * np.maximum(values.max(axis=(0, 1)), 1e-30)))
    steps = []
    for line in (log.mean(axis=0), log.mean(axis=1)):
        bend = 2 * line[1] - line[0] - line[2]
        with np.errstate(divide="ignore", invalid="ignore"):
            step = np.where(bend > 0, (line[2] - line[0]) / (2 * bend), np.sign(line[2] - line[0]))
        steps.append(np.clip(step, -0.7, 0.7))
    return steps[0], steps[1]


def _measure_band(
    plane: Plane,
    x: Array,
    y: Array,
    library: Library,
    shape: NDArray[np.intp],
    exponential: NDArray[np.intp],
    de_vaucouleurs: NDArray[np.intp],
) -> dict[str, Array]:
    """Measure one band, as described in `measure_sources`, an array (n,) each.

    Shapes are indices of the library; the first is a point.
    """
    dx, dy = plane.mapping.shift(x, y)
    x, y = x + dx, y + dy
    weights = position_terms(x, y)
    model = library.draw(weights, shape)
    own, _ = deblend(plane, x, y, model)
    psf = library.draw(weights, np.zeros_like(shape))
    sky_variance = plane.sigma**2
    result: dict[str, Array] = {"x_band": x, "y_band": y}
    for name, template in (("psf", psf), ("model", model)):
        norm = np.einsum("np,np->n", template, template).astype(float)
        flux = np.einsum("np,np->n", own, template) / norm
        # Photon noise of the source, weighted as in the fit.
        cubed = np.einsum("np,np,np->n", template, template, template) / norm**2
        variance = sky_variance / norm + plane.variance_per_flux * np.maximum(flux, 0) * cubed
        result[name], result[f"{name}_ivar"] = flux, 1 / variance
    result["composite"] = _composite(own, library.draw(weights, exponential), library.draw(weights, de_vaucouleurs))
    pixels = np.arange(-STAMP_HALF, STAMP_HALF + 1.0)
    distance = np.hypot(pixels, pixels[:, None]).ravel()
    for name, radius in (*zip(("fiber", "fiber2"), FIBER_RADII, strict=True), ("aperture", APERTURE_RADIUS)):
        covered = np.clip(radius / PIXEL_ARCSEC + 0.5 - distance, 0, 1)
        flux = own @ covered.astype(np.float32)
        result[name] = flux
        if name != "aperture":
            noise = sky_variance * (covered**2).sum() + plane.variance_per_flux * np.maximum(flux, 0)
            result[f"{name}_ivar"] = 1 / noise
    width = plane.psf.sigma(x, y)
    result["psf_moment"] = 2 * width**2
    result["psf_fwhm"] = FWHM_PER_SIGMA * PIXEL_ARCSEC * width
    result["sky"] = np.full(len(x), plane.sky / PIXEL_ARCSEC**2)
    seen = result["psf"] * np.sqrt(result["psf_ivar"]) > THRESHOLD
    result["moment"] = np.full(len(x), np.nan)
    result["moment"][seen] = _moments(own[seen], plane.sigma)
    result["flags_band"] = BINNED1 * seen + SATURATED * _touches(plane.saturated, x, y, 3)
    rows, columns = plane.image.shape
    outside = (x < -0.5) | (y < -0.5) | (x > columns - 0.5) | (y > rows - 0.5)
    for name, values in result.items():
        if name not in ("x_band", "y_band", "flags_band", "sky", "psf_fwhm", "psf_moment"):
            values[outside] = np.nan
    return result


def _composite(own: Image, one: Image, other: Image) -> Array:
    """Total flux of the best non-negative sum of two profiles."""
    products = [np.einsum("np,np->n", a, b).astype(float) for a, b in ((one, one), (one, other), (other, other))]
    right_one, right_other = (np.einsum("np,np->n", own, image).astype(float) for image in (one, other))
    determinant = products[0] * products[2] - products[1] ** 2
    apart = determinant > 1e-6 * products[0] * products[2]
    determinant = np.where(apart, determinant, 1.0)
    flux_one = (right_one * products[2] - right_other * products[1]) / determinant
    flux_other = (right_other * products[0] - right_one * products[1]) / determinant
    alone = right_one**2 / products[0] >= right_other**2 / products[2]
    best_alone = np.where(alone, right_one / products[0], right_other / products[2])
    return np.where(apart & (flux_one > 0) & (flux_other > 0), flux_one + flux_other, best_alone)


def _moments(own: Image, sigma: float) -> Array:
    """Adaptive moments of stamps, pixels squared; NaN where they do not converge."""
    side = 2 * STAMP_HALF + 1
    count = len(own)
    if count == 0:
        return np.empty(0)
    strip = np.ascontiguousarray(own.reshape(count * side, side))
    middle = np.arange(count) * side + float(STAMP_HALF)
    measured = measure_stars(strip, np.full(count, float(STAMP_HALF)), middle, sigma)
    return np.where(measured.ok, 2 * measured.sigma**2, np.nan)


def _touches(mask: NDArray[np.bool_], x: Array, y: Array, reach: int) -> NDArray[np.bool_]:
    """Test whether any pixel within `reach` of each position is set."""
    if not mask.any():
        return np.zeros(len(x), dtype=bool)
    rows, columns = np.nonzero(mask)
    distance, _ = cKDTree(np.stack([columns, rows], axis=1)).query(np.stack([x, y], axis=1))
    return distance <= reach
