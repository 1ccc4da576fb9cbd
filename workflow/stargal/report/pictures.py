"""Colour pictures of the sky, and the part of a field that is shown."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from astropy.visualization import make_lupton_rgb
from numpy.typing import NDArray

COLOUR_BANDS = "irg"
"""Bands shown as red, green and blue, as in the pictures of the SDSS SkyServer."""

COLOUR_SCALE = {"i": 0.75, "r": 1.0, "g": 1.6}
"""Factors that make a star of mean colour (g - r = 0.6, r - i = 0.3 mag) white."""

LUPTON_STRETCH, LUPTON_SOFTENING = 0.2, 10.0
"""Linear range in nanomaggies per pixel, and asinh softening Q (Lupton et al. 2004, PASP 116, 133)."""


def colour_picture(images: Mapping[str, NDArray[np.float32]]) -> NDArray[np.uint8]:
    """RGB picture of the bands i, r and g.

    Parameters
    ----------
    images : mapping of ndarray, float32, shape (rows, columns)
        Image of each band, nanomaggies per pixel.

    Returns
    -------
    ndarray, uint8, shape (rows, columns, 3)
        Missing pixels are black.
    """
    scaled = [np.nan_to_num(images[band], nan=-1.0) * COLOUR_SCALE[band] for band in COLOUR_BANDS]
    return make_lupton_rgb(*scaled, minimum=-0.02, stretch=LUPTON_STRETCH, Q=LUPTON_SOFTENING)


def choose_window(sources: pd.DataFrame, shape: tuple[int, int], side: int) -> tuple[slice, slice]:
    """Rows and columns of a square cut-out with many sources: the fullest cell of a grid over the field.

    Parameters
    ----------
    sources : DataFrame
        Columns ``x`` and ``y``, pixels.
    shape : tuple of int
        Rows and columns of the field.
    side : int
        Side of the cut-out, pixels.
    """
    rows, columns = shape[0] // side, shape[1] // side
    counts, _, _ = np.histogram2d(
        sources["y"], sources["x"], bins=[rows, columns], range=[[0, rows * side], [0, columns * side]]
    )
    row, column = np.unravel_index(int(np.argmax(counts)), counts.shape)
    return slice(row * side, (row + 1) * side), slice(column * side, (column + 1) * side)
