"""Resample a frame onto another pixel grid.

The default is a Lanczos-3 kernel. The methods of `reproject` are available for comparison.

The shift between two bands changes by less than a pixel over a frame, which makes the two axes separable: each output
row is interpolated along y into a scratch row, and then along x. The kernel weights change slowly from row to row. They
are computed at the ends of a tile of rows and interpolated linearly in between, which is accurate to 1e-5 of the flux
and needs only twelve multiplications per pixel.
"""

import itertools
from typing import Any

import numpy as np
from astropy.wcs import WCS
from numpy.typing import NDArray

from stargal.errors import StargalError
from stargal.imaging.astrometry import Mapping

Array = NDArray[np.floating[Any]]
Image = NDArray[np.float32]

REACH = 3
"""Half-width of the Lanczos-3 kernel, pixels."""

TILE_ROWS, TILE_COLUMNS = 32, 512
"""Shape of a tile, small enough for its scratch arrays to stay in the cache of a core."""

MOST_SHIFT = 64.0
"""Largest accepted shift between bands, pixels; in SDSS, shifts stay below 15."""


def lanczos3(shift: Array, taps: NDArray[np.int64]) -> Array:
    """Weights of the samples at integer `taps` for positions `shift`, pixels: sinc(d) sinc(d / 3) within 3, else 0.

    Here d = shift - tap. The sines of the differences are expanded, so the taps share three of them.

    Parameters
    ----------
    shift : ndarray, any shape
    taps : ndarray, shape (n,)

    Returns
    -------
    ndarray, shape (n, ...)
        An axis of the taps before those of `shift`.
    """
    taps = taps.reshape(-1, *[1] * shift.ndim)
    distance = shift - taps
    third, parity = np.pi / 3, np.where(taps % 2, -1.0, 1.0)
    sine = np.sin(third * shift) * np.cos(third * taps) - np.cos(third * shift) * np.sin(third * taps)
    near = np.abs(distance) < 1e-6
    weight = np.sin(np.pi * shift) * parity * sine * (REACH / np.pi**2) / np.where(near, 1.0, distance) ** 2
    return np.where(near, 1.0, np.where(np.abs(distance) < REACH, weight, 0.0))


def resample(image: Image, mapping: Mapping) -> Image:
    """Resample an image onto the reference grid with a Lanczos-3 kernel.

    Flux is conserved: weights sum to the area of an output pixel on the image (within 1e-3 of one in SDSS).

    Parameters
    ----------
    image : ndarray, float32, shape (rows, columns)
    mapping : Mapping
        From the reference grid, of the same shape, to the grid of the image.

    Returns
    -------
    ndarray, float32, shape (rows, columns)
        NaN where the kernel reaches beyond the image or onto a NaN.

    Raises
    ------
    StargalError
        If the mapping shifts by more than `MOST_SHIFT` pixels.
    """
    rows, columns = image.shape
    knots = np.append(np.arange(0, rows - 1, TILE_ROWS), rows - 1)
    shift_x, along_y = mapping.shift_grid(np.arange(columns), knots)
    largest = max(np.abs(shift_x).max(), np.abs(along_y).max())
    if not largest < MOST_SHIFT:
        raise StargalError(
            f"bands lie {largest:.0f} pixels apart, more than {MOST_SHIFT:.0f}: check that the frames are of one field"
        )
    margin = int(largest) + 2 * REACH + 2
    padded = np.pad(image, margin, constant_values=np.nan)
    # The first pass runs over the columns of the image: take their shift in y at the matching output column. The mean
    # shift is accurate enough, because the shift in y changes by less than 1e-3 from column to column.
    _, shift_y = mapping.shift_grid(np.arange(-margin, columns + margin) - shift_x.mean(), knots)
    first_x, weights_x = _weights(shift_x, _area(mapping, columns, knots))
    first_y, weights_y = _weights(shift_y, 1.0)
    output = np.empty_like(image)
    for index, (top, bottom) in enumerate(itertools.pairwise(knots)):
        height = bottom - top + (bottom == rows - 1)
        along = (np.arange(height) / (bottom - top)).astype(np.float32)[:, None]
        first_row = margin + top + first_y
        for left in range(0, columns, TILE_COLUMNS):
            right = min(left + TILE_COLUMNS, columns)
            start, stop = margin + left + first_x, margin + right + first_x + len(weights_x) - 1
            source = padded[first_row : first_row + height + len(weights_y) - 1, start:stop]
            taps = [source[tap : tap + height] for tap in range(len(weights_y))]
            scratch = _weighted_sum(taps, weights_y[:, index : index + 2, start:stop], along)
            taps = [scratch[:, tap : tap + right - left] for tap in range(len(weights_x))]
            output[top : top + height, left:right] = _weighted_sum(
                taps, weights_x[:, index : index + 2, left:right], along
            )
    return output


def _area(mapping: Mapping, columns: int, rows: NDArray[np.int64]) -> Array:
    """Area on the image of the reference pixels in some rows, pixels squared, shape (rows, columns)."""
    x = np.arange(columns)
    right, left = mapping.shift_grid(x + 0.5, rows), mapping.shift_grid(x - 0.5, rows)
    up, down = mapping.shift_grid(x, rows + 0.5), mapping.shift_grid(x, rows - 0.5)
    xx, yx = 1 + right[0] - left[0], right[1] - left[1]
    xy, yy = up[0] - down[0], 1 + up[1] - down[1]
    return np.abs(xx * yy - xy * yx)


def _weights(shift: Array, total: Array | float) -> tuple[int, Image]:
    """Compute the kernel weights of each tap at some rows.

    Parameters
    ----------
    shift : ndarray, shape (rows, columns)
        Pixels.
    total : ndarray, shape (rows, columns), or float
        Required sum of the weights.

    Returns
    -------
    first : int
        Offset of the first tap from the output pixel.
    weights : ndarray, float32, shape (taps, rows, columns)
    """
    first = int(np.floor(shift.min())) - REACH + 1
    last = int(np.floor(shift.max())) + REACH
    weights = lanczos3(shift, np.arange(first, last + 1))
    weights *= total / weights.sum(axis=0)
    return first, weights.astype(np.float32)


def _weighted_sum(taps: list[Image], ends: Image, along: Image) -> Image:
    """Sum the pixels of the taps, weighted linearly between the first row of a tile and that of the next tile.

    Parameters
    ----------
    taps : list of ndarray, float32, shape (rows, columns)
    ends : ndarray, float32, shape (taps, 2, columns)
    along : ndarray, float32, shape (rows, 1)
        From 0 at the first row to 1 at the first row of the next tile.
    """
    total = np.zeros(taps[0].shape, dtype=np.float32)
    weight = np.empty_like(total)
    for tap, (start, end) in zip(taps, ends, strict=True):
        np.multiply(along, end - start, out=weight)
        weight += start
        weight *= tap
        total += weight
    return total


def reproject_image(image: Image, band: WCS, reference: WCS, method: str) -> Image:
    """Resample an image with a method of `reproject`, using only the TAN headers, as in the report.

    Parameters
    ----------
    image : ndarray, float32, shape (rows, columns)
    band, reference : `astropy.wcs.WCS`
        Projections of the image and of the output grid, which has the same shape.
    method : str
        ``exact`` (the report's), ``interp`` (bilinear) or ``adaptive`` (flux-conserving DeForest 2004).

    Returns
    -------
    ndarray, float32, shape (rows, columns)
        NaN outside the image.
    """
    import reproject  # noqa: PLC0415  # half the start-up time of a job that rarely needs it

    if method == "exact":
        output, covered = reproject.reproject_exact((image, band), reference, image.shape)
        return np.where(covered > 0.999, output, np.nan).astype(np.float32)
    if method == "interp":
        output, _ = reproject.reproject_interp((image, band), reference, image.shape)
        return output.astype(np.float32)
    output, _ = reproject.reproject_adaptive((image, band), reference, image.shape, conserve_flux=True)
    return output.astype(np.float32)
