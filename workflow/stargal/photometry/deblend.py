"""Deblend sources: fit the fluxes of neighbours jointly, then subtract the neighbours of each source."""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import linalg
from scipy.spatial import cKDTree

from stargal.imaging.psf import shift_stamps
from stargal.imaging.resample import REACH
from stargal.photometry.planes import Array, Image, Plane

STAMP_HALF = 15
"""Half size of the stamps used to measure a source, pixels (6 arcsec)."""


OVERLAP = 20
"""Distance along x or y within which the fluxes of two sources are fitted jointly, pixels."""


COINCIDENT = 0.999
"""Correlation of two models above which they are of one source; two points within a twentieth of a pixel have it."""


def deblend(plane: Plane, x: Array, y: Array, models: Image) -> tuple[Image, Array]:
    """Fit the fluxes of all sources jointly, and cut a stamp of each source without its neighbours.

    Sources whose models coincide cannot be told apart: each gets the flux and the stamp of them together.

    Parameters
    ----------
    plane : Plane
    x, y : ndarray, shape (n,)
        Centres in pixels of the band.
    models : ndarray, float32, shape (n, pixels)
        Models of unit flux, on stamps centred on the sources.

    Returns
    -------
    own : ndarray, float32, shape (n, pixels)
        Stamps centred on the sources, nanomaggies.
    flux : ndarray, shape (n,)
    """
    side = 2 * STAMP_HALF + 1
    cubes = np.pad(models.reshape(-1, side, side), ((0, 0), (REACH, REACH), (REACH, REACH)))
    column, row = np.rint(x).astype(int), np.rint(y).astype(int)
    placed = shift_stamps(cubes, column - x, row - y)  # on the pixel grid of the image
    margin = STAMP_HALF + REACH
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
    # A source that coincides with an earlier one is left out of the fit, and takes its flux.
    same = overlap > COINCIDENT * np.sqrt(norm[first] * norm[second])
    source = np.arange(count)
    for one, other in zip(first[same], second[same], strict=True):
        source[other] = source[one]
    fitted = np.flatnonzero((source == np.arange(count)) & (norm > 0))
    if len(fitted) < count:
        matrix, right, norm = matrix[fitted][:, fitted].tocsc(), right[fitted], norm[fitted]
    flux = np.zeros(count)
    if len(fitted):
        flux[fitted] = linalg.spsolve(matrix, right) if len(fitted) > 1 else right / norm
    flux = np.where(inside, np.maximum(flux, 0), 0)  # negative flux would be added to the neighbours
    placed *= flux[:, None, None].astype(np.float32)
    for index in np.flatnonzero(inside):
        padded[top[index] : top[index] + side, left[index] : left[index] + side] -= placed[index]
    wide = side + 2 * REACH
    stamps = np.lib.stride_tricks.sliding_window_view(padded, (wide, wide))[row, column]
    stamps[~inside] = 0
    own = shift_stamps(stamps, np.where(inside, x - column, 0), np.where(inside, y - row, 0)).reshape(models.shape)
    own += flux[source][:, None].astype(np.float32) * models
    return own, flux


def _overlaps(
    column: NDArray[np.intp], row: NDArray[np.intp], placed: Image, inside: NDArray[np.bool_]
) -> tuple[NDArray[np.intp], NDArray[np.intp], Array]:
    """Find pairs of sources with overlapping models, and their scalar products."""
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
