"""Cut, write and read patches around sources."""

from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stargal.errors import StargalError
from stargal.io.files import intact, whole
from stargal.io.tables import unusable

Patches = NDArray[np.float32]


def extract_patches(image: NDArray[np.float32], x: ArrayLike, y: ArrayLike, size: int) -> Patches:
    """Cut patches centred on the pixels that contain the given positions.

    Parameters
    ----------
    image : ndarray, float32, shape (bands, rows, columns)
    x, y : array_like, shape (n,)
        0-based pixel positions within the image.
    size : int
        Side of a patch, odd, pixels.

    Returns
    -------
    ndarray, float32, shape (n, size, size, bands)
        Rows, columns and bands of each patch, in the unit of the image. NaN where the image is NaN and
        outside the image.

    Raises
    ------
    StargalError
        If `size` is not odd, or a position lies outside the image.
    """
    if size < 1 or size % 2 == 0:
        raise StargalError(f"patch size {size}: expected an odd number of pixels, so that a source is in the middle")
    bands, rows, columns = image.shape
    column, row = np.rint(x).astype(int), np.rint(y).astype(int)
    outside = (column < 0) | (column >= columns) | (row < 0) | (row >= rows)
    if outside.any():
        first = int(np.argmax(outside))
        raise StargalError(f"source {first} at column {column[first]}, row {row[first]} is outside the image")
    half = size // 2
    # With the bands last and a margin of NaN, a patch is `size` contiguous blocks, and all are copied in one operation.
    padded = np.full((rows + 2 * half, columns + 2 * half, bands), np.nan, dtype=np.float32)
    for band in range(bands):
        padded[half : half + rows, half : half + columns, band] = image[band]
    windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size, bands))[:, :, 0]
    return windows[row, column]


def write_patches(patches: Patches, path: Path) -> None:
    """Write patches as a .npy file, which training maps into memory."""
    with whole(path) as partial, partial.open("wb") as stream:
        np.save(stream, patches)


def read_patches(path: Path, rows: int) -> "np.memmap[tuple[int, ...], np.dtype[np.float32]]":
    """Map a file of patches into memory, read-only.

    Parameters
    ----------
    path : path
        File written by `write_patches`.
    rows : int
        Expected number of patches: that of the sources.

    Raises
    ------
    StargalError
        If the file is not valid, or has not one patch per source.
    """
    try:
        patches = np.load(intact(path), mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise unusable(path, str(error).splitlines()[0]) from None
    if patches.ndim != 4 or patches.dtype != np.float32 or not patches.flags.c_contiguous:
        raise unusable(path, f"{patches.dtype} of shape {patches.shape}, expected float32 (n, size, size, bands)")
    if len(patches) != rows:
        raise unusable(path, f"{len(patches)} patches for {rows} sources")
    return patches
