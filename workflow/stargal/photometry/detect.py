"""Detect sources: peaks above 5 sigma in each PSF-smoothed band, merged on the pixel grid of r.

A series of thresholds separates the peaks of one isophote (the SExtractor tree, Bertin & Arnouts 1996, A&AS 117, 393).
Peaks that no threshold separates remain one source.
"""

from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass

import numpy as np
import sep
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from stargal.imaging.psf import PSF_HALF
from stargal.photometry.planes import Array, Plane, extract
from stargal.survey.catalog import BLENDED, CHILD, EDGE, NODEBLEND
from stargal.survey.fields import BANDS, REFERENCE

THRESHOLD = 5.0
"""Height of the faintest peak in the smoothed image, in units of its sigma (the value of photo)."""


DEBLEND_LEVELS, DEBLEND_CONTRAST = 32, 0.002
"""Number of thresholds up to the peak, and the minimum fraction of the flux for a branch to be a source."""


COSMIC_RAY = 2.0
"""Ratio of the brightest pixel to that of a point source of the same smoothed height, above which a peak is a cosmic
ray."""


MERGE_RADIUS = 3.0
"""Distance within which peaks in two bands are one source, pixels."""


@dataclass(frozen=True)
class Detections:
    """Peaks of a field in pixels of r, an array (n,) each: position, flags, and band of detection."""

    x: Array
    y: Array
    flags: NDArray[np.int32]
    band: NDArray[np.int64]


def detect_peaks(planes: AnyMapping[str, Plane]) -> Detections:
    """Find the sources of a field in all bands, ordered by row, then by column.

    Bands are searched in the order r, i, g, z, u. A peak in a later band is a new source if it is farther than
    `MERGE_RADIUS` from all sources and outside the isophotes of the earlier bands. A peak inside an isophote belongs to
    a source that the earlier band did not separate from its neighbour.
    """
    found: list[Array] = []
    flags: list[NDArray[np.int32]] = []
    bands: list[NDArray[np.int64]] = []
    isophotes: list[tuple[Plane, NDArray[np.int32]]] = []
    for band in [name for name in "rigzu" if name in planes]:
        plane = planes[band]
        x, y, flag, segments = _peaks(plane)
        if band != REFERENCE:  # those of r stay whole pixels: rounding must not order the sources of one row
            # Convert to pixels of r: the shift changes by at most 1e-3 per pixel, so one iteration is enough.
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
    """Find the peaks of one band: x, y, flags, and the map of their isophotes."""
    middle, reach = PSF_HALF, 4
    inner = plane.psf.images[0][middle - reach : middle + reach + 1, middle - reach : middle + reach + 1]
    kernel = inner / inner.sum()
    threshold = THRESHOLD * plane.sigma * float(np.sqrt((kernel**2).sum()))
    peaks, segments = extract(
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
    # A pixel sharper than the PSF is a cosmic ray; photo removes cosmic rays before detection.
    allowed = inner.max() / (inner * kernel).sum() * peaks["cpeak"]
    ray = (peaks["peak"] > COSMIC_RAY * allowed) & (peaks["peak"] - allowed > THRESHOLD * plane.sigma)
    peaks = peaks[~ray]
    truncated, merged = (peaks["flag"] & sep.OBJ_TRUNC) > 0, (peaks["flag"] & sep.OBJ_MERGED) > 0
    # Photo does not deblend sources that touch the edge of the frame.
    flags = EDGE * truncated + CHILD * (merged & ~truncated) + (BLENDED + NODEBLEND) * (merged & truncated)
    return peaks["xcpeak"].astype(float), peaks["ycpeak"].astype(float), flags.astype(np.int32), segments


def _within(plane: Plane, segments: NDArray[np.int32], x: Array, y: Array) -> NDArray[np.bool_]:
    """Test whether positions in pixels of r lie in an isophote of a band."""
    dx, dy = plane.mapping.shift(x, y)
    column = np.clip(np.rint(x + dx).astype(int), 0, segments.shape[1] - 1)
    row = np.clip(np.rint(y + dy).astype(int), 0, segments.shape[0] - 1)
    return segments[row, column] > 0
