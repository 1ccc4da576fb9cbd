"""Figures for sources and pixels of one's own, outside the workflow."""

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from stargal.dataset.patches import extract_patches
from stargal.report.pictures import COLOUR_BANDS, colour_picture

COLUMNS = 8
"""Patches in a row."""


def plot_patches(
    image: NDArray[np.float32],
    x: ArrayLike,
    y: ArrayLike,
    star: ArrayLike,
    *,
    bands: str = "ugriz",
    size: int = 25,
    title: str = "",
) -> Figure:
    """Draw the patch of each source in colour, with its probability of a star.

    Parameters
    ----------
    image : ndarray, shape (bands, rows, columns)
        Nanomaggies per pixel; ``image`` of a cube.
    x, y : array_like, shape (n,)
        0-based columns and rows of the sources.
    star : array_like, shape (n,)
        Probability of a star.
    bands : str
        Order of the bands of the image; i, r and g are shown as red, green and blue.
    size : int
        Side of a patch, odd, pixels.
    title : str
        Title of the figure; say here if the pixels are simulated.

    Raises
    ------
    StargalError
        If `size` is not odd, or a position lies outside the image.
    """
    columns, rows, probability = (np.atleast_1d(np.asarray(values, float)) for values in (x, y, star))
    patches = extract_patches(np.asarray(image), columns, rows, size)
    lines = max(1, -(-len(patches) // COLUMNS))
    figure = Figure(figsize=(1.15 * COLUMNS, 1.4 * lines + 0.4), layout="constrained")
    panels = figure.subplots(lines, COLUMNS, squeeze=False).ravel()
    for ax in panels:
        ax.set_axis_off()
    for ax, patch, value in zip(panels, patches, probability, strict=False):
        picture = colour_picture({band: patch[:, :, bands.index(band)] for band in COLOUR_BANDS})
        ax.imshow(picture, origin="lower", interpolation="nearest")
        ax.set_title(f"{value:.2f}", fontsize=9)
    if title:
        figure.suptitle(title, fontsize=10)
    return figure
