"""Figure style, and writing of figures."""

from contextlib import AbstractContextManager
from pathlib import Path

import matplotlib.style
from matplotlib.figure import Figure

from stargal.io.files import whole

STYLE = Path(__file__).with_name("style.mplstyle")
"""Style sheet of all figures."""


def style() -> AbstractContextManager[None]:
    """Context manager that applies the style sheet and ignores the user's matplotlibrc."""
    return matplotlib.style.context(STYLE, after_reset=True)


def save(figure: Figure, path: Path, sky: str) -> None:
    """Write a figure as SVG or PNG, without date or version, so that equal figures have equal bytes.

    Parameters
    ----------
    figure : Figure
    path : path
        The suffix selects the format: ``.svg`` or ``.png``.
    sky : str
        Name of the sky, written below the figure, so that a simulated sky is always marked as such.
    """
    figure.text(0.998, 0, sky, ha="right", va="top", fontsize=7, color="0.35")
    metadata = {"svg": {"Date": None}, "png": {"Software": None}}[path.suffix[1:]]
    with whole(path) as partial:
        # A tight bounding box includes the name of the sky, which lies below the figure.
        figure.savefig(partial, format=path.suffix[1:], metadata=metadata, bbox_inches="tight")
