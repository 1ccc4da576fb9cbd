"""Detect, deblend, measure and classify the sources of a field as SDSS photo does.

Each step is photo's in kind, simpler in detail:

- *Detect*: the wings of bright stars are taken away; peaks of every band, smoothed with its PSF, above 5 sigma; bands
  are merged on r's pixels.
- *Deblend*: thresholds in steps part the peaks of one isophote (SExtractor's tree, Bertin & Arnouts 1996, A&AS 117,
  393); the fluxes of neighbours are solved for together, and a source is measured on what is left once the models of
  its neighbours are taken away. Peaks that no threshold parts stay one source.
- *Measure*: the PSF flux is the amplitude of the frame's PSF at the source; the model flux that of the better of an
  exponential and a de Vaucouleurs profile, whose shape is found in r on a grid of PSF-convolved images and kept in all
  bands, as photo does; the composite flux that of the best non-negative sum of the two.
- *Classify*: a galaxy if psf - composite > 0.145 mag on the fluxes summed over the bands that see the source.

The truth of a simulated sky is not read here.

References
----------
Lupton et al. 2001, ASP 238, 269; Stoughton et al. 2002, AJ 123, 485, section 4.4;
https://www.sdss4.org/dr17/algorithms/magnitudes/, https://www.sdss4.org/dr17/algorithms/classify/
"""

from collections.abc import Mapping as AnyMapping
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sep
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import linalg
from scipy.spatial import cKDTree

from stargal.errors import StargalError
from stargal.imaging.align import SATURATION_DN
from stargal.imaging.astrometry import Mapping, map_pixels
from stargal.imaging.frames import Frame
from stargal.imaging.psf import HALF as PSF_HALF
from stargal.imaging.psf import Psf, measure_psf, shift_stamps
from stargal.imaging.resample import REACH
from stargal.imaging.stars import measure_stars, sky_sigma
from stargal.photometry import profiles
from stargal.simulation.camera import DARK_VARIANCE, GAIN
from stargal.constants import FWHM_PER_SIGMA
from stargal.survey.fields import BANDS, PIXEL_ARCSEC, REFERENCE

Array = NDArray[np.floating[Any]]
Image = NDArray[np.float32]

THRESHOLD = 5.0
"""Height of the faintest peak in the smoothed image, sigma of that image (photo's)."""

DEBLEND_LEVELS, DEBLEND_CONTRAST = 32, 0.002
"""Thresholds between the lowest and the peak, and the share of the flux a branch needs to be a source."""

BRIGHT = 200.0
"""Height above which a source's wings are taken away before others are looked for, sigma (photo's)."""

WING_RADII = np.arange(13.0, 62.0, 4.0)
"""Edges of the rings on which they are measured, pixels."""

COSMIC_RAY = 2.0
"""Brightest pixel over that of a point source of the same smoothed height, above which a peak is a cosmic ray."""

SKY_MESH = 256
"""Side of the cells of the residual sky, pixels (photo's local sky)."""

MERGE_RADIUS = 3.0
"""Peaks of two bands within this distance are one source, pixels."""

HALF = 15
"""Half side of the stamps a source is measured on, pixels (6 arcsec)."""

TRANSFORM = 72
"""Side of the images profiles are convolved on, pixels: twice the stamps', so that little comes round the edge."""

OVERLAP = 20
"""Distance along x or y within which the fluxes of two sources are solved for together, pixels."""

ROUNDS = 2
"""Times that positions, shapes and neighbours are solved for in turn."""

STAR_LIMIT = 0.145
"""Largest psf - composite magnitude of a star."""

SIZE_SCALE, SIZE_SPREAD = 0.5, 0.5
"""Effective radius above which a shape must fit better to be taken, arcsec, and how fast that grows: chi squared must
fall by (ln(radius / scale) / spread)^2 more. Without it noise makes large galaxies of faint sources; photo follows a
profile only as far out as it is seen."""

SKY_ERROR = 0.1
"""Error of the local sky, sigma of a pixel; it is common to a stamp, so that a source as large counts little."""

EXTENDED_COST = 1.0
"""By how much chi squared must fall for a shape to be taken rather than a point."""

FIBER_RADII = (1.5, 1.0)
"""Radii of the apertures of FIBERFLUX and FIBER2FLUX, arcsec."""

APERTURE_RADIUS = 4.58
"""Radius of photo's sixth circle after the central pixel's, arcsec."""

EDGE, BLENDED, CHILD, NODEBLEND, SATURATED, BINNED1 = (1 << bit for bit in (2, 3, 4, 6, 18, 28))
"""Flags, bits of OBJC_FLAGS: https://www.sdss.org/dr17/algorithms/bitmasks/"""


@dataclass(frozen=True)
class Plane:
    """One band of a field, ready to be measured.

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
        From r's pixels to this band's.
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
        """Sky that the noise tells of, nanomaggies per pixel."""
        return ((self.sigma / self.calibration) ** 2 - self.dark_variance) * self.gain * self.calibration

    @property
    def variance_per_flux(self) -> float:
        """Variance that light itself adds, nanomaggies squared per nanomaggy."""
        return self.calibration / self.gain


@dataclass(frozen=True)
class Detections:
    """Peaks of a field on r's pixels, an array (n,) each: position, flags, and in which band they were found."""

    x: Array
    y: Array
    flags: NDArray[np.int32]
    band: NDArray[np.int64]


@dataclass(frozen=True)
class Library:
    """The shapes as a band's PSF shows them, and their scalar products.

    Attributes
    ----------
    images : ndarray, float32, shape (terms, n, pixels)
        For each image of the PSF.
    products : ndarray, float64, shape (terms, terms, n)
    """

    images: Image
    products: Array

    @classmethod
    def make(cls, transforms: NDArray[np.float32], psf: Psf) -> "Library":
        """Convolve shapes, given as `profiles.transforms`, with the images of a PSF."""
        images = np.stack([profiles.convolve(transforms, image, HALF) for image in psf.images])
        images = images.reshape(*images.shape[:2], -1)
        return cls(images, np.einsum("knp,lnp->kln", images, images, optimize=True).astype(float))

    def draw(self, weights: Array, index: NDArray[np.intp]) -> Image:
        """Shape `index` of each source under the PSF with the weights of its row, shape (n, pixels)."""
        drawn = np.zeros((len(index), self.images.shape[2]), dtype=np.float32)
        for term, images in enumerate(self.images):
            drawn += weights[:, term, None].astype(np.float32) * images[index]
        return drawn


def prepare(frames: AnyMapping[str, Frame], camcol: int) -> dict[str, Plane]:
    """Sky, PSF and place of every band.

    Parameters
    ----------
    frames : mapping of Frame
        By band; with r.
    camcol : int
        Camera column, 1 to 6; its detectors have each their gain and dark variance.

    Raises
    ------
    StargalError
        If r is missing, or a frame has too few stars for its PSF.
    """
    if REFERENCE not in frames:
        raise StargalError(f"no frame of band {REFERENCE}, whose pixels positions are given on")
    planes = {}
    for band, frame in frames.items():
        no_data = ~np.isfinite(frame.image)
        image = np.where(no_data, np.float32(0), frame.image)
        saturated = image > SATURATION_DN * frame.nmgy_per_dn
        sky = sep.Background(image, mask=no_data | saturated, bw=SKY_MESH, bh=SKY_MESH)
        image = image - sky.back(dtype=np.float32)
        image[no_data] = 0
        sigma = sky_sigma(frame.image)
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
    """An image without what bright sources spread beyond the stamps that they are measured on.

    The median of each ring around them, not rising outwards, is subtracted; nothing within the first ring.

    Parameters
    ----------
    image : ndarray, float32, shape (rows, columns)
        Sky-subtracted.
    sigma : float
        Standard deviation of the sky.
    """
    bright = sep.extract(image, BRIGHT * sigma, minarea=4)
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


def detect(planes: AnyMapping[str, Plane]) -> Detections:
    """Find the sources of a field in all bands.

    r comes first, then i, g, z, u. A peak of a later band is new if no source is within `MERGE_RADIUS` and it lies
    outside the isophotes of the earlier bands: inside one, the earlier band has not parted it from its neighbour.
    """
    found: list[Array] = []
    flags: list[NDArray[np.int32]] = []
    bands: list[NDArray[np.int64]] = []
    isophotes: list[tuple[Plane, NDArray[np.int32]]] = []
    for band in [name for name in "rigzu" if name in planes]:
        plane = planes[band]
        x, y, flag, segments = _peaks(plane)
        # Back to r's pixels: the shift changes by 1e-3 a pixel at most, so that one step is enough.
        dx, dy = plane.mapping.shift(x, y)
        dx, dy = plane.mapping.shift(x - dx, y - dy)
        x, y = x - dx, y - dy
        new = np.ones(len(x), dtype=bool)
        if found and len(x):
            distance, _ = cKDTree(np.concatenate(found)).query(np.stack([x, y], axis=1))
            new &= distance > MERGE_RADIUS
        for earlier, inside in isophotes:
            new &= ~_within(earlier, inside, x, y)
        rows, columns = planes[REFERENCE].image.shape
        new &= (x > -0.5) & (y > -0.5) & (x < columns - 0.5) & (y < rows - 0.5)
        found.append(np.stack([x, y], axis=1)[new])
        flags.append(flag[new])
        bands.append(np.full(new.sum(), BANDS.index(band)))
        isophotes.append((plane, segments))
    position = np.concatenate(found)
    order = np.lexsort((position[:, 0], position[:, 1]))
    return Detections(
        position[order, 0], position[order, 1], np.concatenate(flags)[order], np.concatenate(bands)[order]
    )


def _peaks(plane: Plane) -> tuple[Array, Array, NDArray[np.int32], NDArray[np.int32]]:
    """Peaks of one band: x, y, flags, and the map of their isophotes."""
    middle, reach = PSF_HALF, 4
    inner = plane.psf.images[0][middle - reach : middle + reach + 1, middle - reach : middle + reach + 1]
    kernel = inner / inner.sum()
    threshold = THRESHOLD * plane.sigma * float(np.sqrt((kernel**2).sum()))
    peaks, segments = sep.extract(
        plane.image,
        threshold,
        minarea=1,
        filter_kernel=kernel,
        filter_type="conv",
        deblend_nthresh=DEBLEND_LEVELS,
        deblend_cont=DEBLEND_CONTRAST,
        clean=False,
        segmentation_map=True,
    )
    # A pixel that stands out more than the PSF allows is a cosmic ray; photo takes those out before it looks.
    allowed = inner.max() / (inner * kernel).sum() * peaks["cpeak"]
    ray = (peaks["peak"] > COSMIC_RAY * allowed) & (peaks["peak"] - allowed > THRESHOLD * plane.sigma)
    peaks = peaks[~ray]
    truncated, merged = (peaks["flag"] & sep.OBJ_TRUNC) > 0, (peaks["flag"] & sep.OBJ_MERGED) > 0
    # Photo does not part what touches the edge of the frame.
    flags = EDGE * truncated + CHILD * (merged & ~truncated) + (BLENDED + NODEBLEND) * (merged & truncated)
    return peaks["xcpeak"].astype(float), peaks["ycpeak"].astype(float), flags.astype(np.int32), segments


def _within(plane: Plane, segments: NDArray[np.int32], x: Array, y: Array) -> NDArray[np.bool_]:
    """Whether positions on r's pixels lie in an isophote of a band."""
    dx, dy = plane.mapping.shift(x, y)
    column = np.clip(np.rint(x + dx).astype(int), 0, segments.shape[1] - 1)
    row = np.clip(np.rint(y + dy).astype(int), 0, segments.shape[0] - 1)
    return segments[row, column] > 0


def measure(planes: AnyMapping[str, Plane], detections: Detections) -> dict[str, NDArray[Any]]:
    """Measure sources in all bands.

    Returns
    -------
    dict of ndarray
        A row a source, five columns u g r i z where a band matters (NaN for a band that is missing or does not see
        the source); fluxes in nanomaggies, their errors as inverse variances:

        - x, y: on r's pixels; x_band, y_band: on each band's
        - psf, psf_ivar, model, model_ivar, composite, fiber, fiber_ivar, fiber2, fiber2_ivar, aperture
        - kind, radius, axis_ratio, angle: of the model in r; arcsec, rad
        - position_error: of x and y each, pixels
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
    # The error of the peak of a Gaussian matched filter is its width over the signal to noise, times root two.
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.sqrt(result["psf_moment"][:, column] / 2) * np.sqrt(2) / np.maximum(signal, 1.0)
    result["position_error"] = error
    result["flags"] = detections.flags | np.bitwise_or.reduce(result["flags_band"], axis=1)
    return result


def _fit_shapes(
    plane: Plane, detections: Detections, shapes: profiles.Shapes, transforms: NDArray[np.float32]
) -> tuple[Array, Array, NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Positions and best shapes in r: x, y, the best of all, of the exponentials, of the de Vaucouleurs."""
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
        weights = plane.psf.weights(x)
        models = library.draw(weights, shape)
        own, _ = _deblend(plane, x, y, models)
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
    """By how much each shape lowers chi squared of each source, times the sky's variance; shape (sources, shapes).

    Pixels share an error of the sky of `SKY_ERROR`: the inverse of their covariance is the unit matrix less a constant.
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
    """Where the smoothed stamp peaks, from the middle, pixels: a parabola through the logarithm of 3 x 3 values."""
    side = 2 * HALF + 1
    cube, kernel = own.reshape(-1, side, side), psf.reshape(-1, side, side)[:, HALF - 5 : HALF + 6, HALF - 5 : HALF + 6]
    values = np.empty((3, 3, len(own)))
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            part = cube[:, HALF - 5 + dy : HALF + 6 + dy, HALF - 5 + dx : HALF + 6 + dx]
            values[dy + 1, dx + 1] = np.einsum("nyx,nyx->n", part, kernel)
    log = np.log(np.maximum(values, 1e-3 * np.maximum(values.max(axis=(0, 1)), 1e-30)))
    steps = []
    for line in (log.mean(axis=0), log.mean(axis=1)):
        bend = 2 * line[1] - line[0] - line[2]
        with np.errstate(divide="ignore", invalid="ignore"):
            step = np.where(bend > 0, (line[2] - line[0]) / (2 * bend), np.sign(line[2] - line[0]))
        steps.append(np.clip(step, -0.7, 0.7))
    return steps[0], steps[1]


def _deblend(plane: Plane, x: Array, y: Array, models: Image) -> tuple[Image, Array]:
    """Solve for the fluxes of all sources together, and give each the stamp that is left without its neighbours.

    Parameters
    ----------
    plane : Plane
    x, y : ndarray, shape (n,)
        Centres on the band's pixels.
    models : ndarray, float32, shape (n, pixels)
        Of unit flux, on stamps centred on the sources.

    Returns
    -------
    own : ndarray, float32, shape (n, pixels)
        Stamps centred on the sources, nanomaggies.
    flux : ndarray, shape (n,)
    """
    side = 2 * HALF + 1
    cubes = np.pad(models.reshape(-1, side, side), ((0, 0), (REACH, REACH), (REACH, REACH)))
    column, row = np.rint(x).astype(int), np.rint(y).astype(int)
    placed = shift_stamps(cubes, column - x, row - y)  # on the image's pixels
    margin = HALF + REACH
    padded = np.pad(plane.image, margin)
    rows, columns = plane.image.shape
    inside = (column >= 0) & (row >= 0) & (column < columns) & (row < rows)
    column, row = np.where(inside, column, 0), np.where(inside, row, 0)
    # Corners of the stamps on the padded image.
    left, top = column + REACH, row + REACH
    windows = np.lib.stride_tricks.sliding_window_view(padded, (side, side))
    right = np.einsum("nyx,nyx->n", windows[top, left], placed).astype(float)
    norm = np.einsum("nyx,nyx->n", placed, placed).astype(float)
    first, second, overlap = _overlaps(column, row, placed, inside)
    count = len(x)
    matrix = sparse.coo_matrix(
        (
            np.concatenate([norm, overlap, overlap]),
            (
                np.concatenate([np.arange(count), first, second]),
                np.concatenate([np.arange(count), second, first]),
            ),
        ),
        shape=(count, count),
    ).tocsc()
    flux = linalg.spsolve(matrix, right) if count > 1 else right / norm
    flux = np.where(inside, np.maximum(flux, 0), 0)  # a source of negative flux would feed its neighbours
    placed *= flux[:, None, None].astype(np.float32)
    for index in np.flatnonzero(inside):
        padded[top[index] : top[index] + side, left[index] : left[index] + side] -= placed[index]
    wide = side + 2 * REACH
    stamps = np.lib.stride_tricks.sliding_window_view(padded, (wide, wide))[row, column]
    stamps[~inside] = 0
    own = shift_stamps(stamps, np.where(inside, x - column, 0), np.where(inside, y - row, 0)).reshape(count, -1)
    own += flux[:, None].astype(np.float32) * models
    return own, flux


def _overlaps(
    column: NDArray[np.intp], row: NDArray[np.intp], placed: Image, inside: NDArray[np.bool_]
) -> tuple[NDArray[np.intp], NDArray[np.intp], Array]:
    """Pairs of sources whose models overlap, and their scalar products."""
    side = placed.shape[1]
    where = np.flatnonzero(inside)
    tree = cKDTree(np.stack([column[where], row[where]], axis=1))
    pairs = where[tree.query_pairs(OVERLAP, p=np.inf, output_type="ndarray").reshape(-1, 2)]
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    products = np.empty(len(pairs))
    for index, (one, other) in enumerate(pairs):
        dx, dy = column[other] - column[one], row[other] - row[one]
        mine = placed[one][max(dy, 0) : side + min(dy, 0), max(dx, 0) : side + min(dx, 0)]
        its = placed[other][max(-dy, 0) : side + min(-dy, 0), max(-dx, 0) : side + min(-dx, 0)]
        products[index] = np.einsum("yx,yx->", mine, its)
    return pairs[:, 0], pairs[:, 1], products


def _measure_band(
    plane: Plane,
    x: Array,
    y: Array,
    library: Library,
    shape: NDArray[np.intp],
    exponential: NDArray[np.intp],
    de_vaucouleurs: NDArray[np.intp],
) -> dict[str, Array]:
    """What `measure` gives of one band, an array (n,) each; shapes are indices of the library, the first a point."""
    dx, dy = plane.mapping.shift(x, y)
    x, y = x + dx, y + dy
    weights = plane.psf.weights(x)
    model = library.draw(weights, shape)
    own, _ = _deblend(plane, x, y, model)
    psf = library.draw(weights, np.zeros_like(shape))
    sky_variance = plane.sigma**2
    result: dict[str, Array] = {"x_band": x, "y_band": y}
    for name, template in (("psf", psf), ("model", model)):
        norm = np.einsum("np,np->n", template, template).astype(float)
        flux = np.einsum("np,np->n", own, template) / norm
        # Light's own noise, weighted as the fit weights it.
        cubed = np.einsum("np,np,np->n", template, template, template) / norm**2
        variance = sky_variance / norm + plane.variance_per_flux * np.maximum(flux, 0) * cubed
        result[name], result[f"{name}_ivar"] = flux, 1 / variance
    result["composite"] = _composite(own, library.draw(weights, exponential), library.draw(weights, de_vaucouleurs))
    pixels = np.arange(-HALF, HALF + 1.0)
    distance = np.hypot(pixels, pixels[:, None]).ravel()
    for name, radius in (*zip(("fiber", "fiber2"), FIBER_RADII, strict=True), ("aperture", APERTURE_RADIUS)):
        covered = np.clip(radius / PIXEL_ARCSEC + 0.5 - distance, 0, 1)
        flux = own @ covered.astype(np.float32)
        result[name] = flux
        if name != "aperture":
            noise = sky_variance * (covered**2).sum() + plane.variance_per_flux * np.maximum(flux, 0)
            result[f"{name}_ivar"] = 1 / noise
    width = plane.psf.sigma(x)
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
    """Total flux of the best sum of two profiles, neither negative."""
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
    side = 2 * HALF + 1
    count = len(own)
    strip = np.ascontiguousarray(own.reshape(count * side, side))
    middle = np.arange(count) * side + float(HALF)
    measured = measure_stars(strip, np.full(count, float(HALF)), middle, sigma)
    return np.where(measured.ok, 2 * measured.sigma**2, np.nan)


def _touches(mask: NDArray[np.bool_], x: Array, y: Array, reach: int) -> NDArray[np.bool_]:
    """Whether any pixel within `reach` of a position is set."""
    if not mask.any():
        return np.zeros(len(x), dtype=bool)
    rows, columns = np.nonzero(mask)
    distance, _ = cKDTree(np.stack([columns, rows], axis=1)).query(np.stack([x, y], axis=1))
    return distance <= reach


def classify(measured: AnyMapping[str, NDArray[Any]], calibration: Sequence[float]) -> NDArray[np.int32]:
    """Photo's type of each source: 3 galaxy, 6 star.

    Parameters
    ----------
    measured : mapping of ndarray
        As `measure` gives it.
    calibration : sequence of float
        Nanomaggies per count of each band: fluxes are summed in counts.
    """
    seen = (measured["flags_band"] & BINNED1) > 0
    weight = np.where(seen.any(axis=1, keepdims=True), seen, np.isfinite(measured["psf"])) / np.asarray(calibration)
    psf = np.nansum(measured["psf"] * weight, axis=1)
    composite = np.nansum(measured["composite"] * weight, axis=1)
    galaxy = psf < composite * 10 ** (-0.4 * STAR_LIMIT)
    return np.where(galaxy, 3, 6).astype(np.int32)
