"""The look of all figures, and how they are written."""

from contextlib import AbstractContextManager
from pathlib import Path

import matplotlib.style
from matplotlib.figure import Figure

from stargal.io.files import whole

STYLE = Path(__file__).with_name("stargal.mplstyle")
"""What all figures look like."""


def style() -> AbstractContextManager[None]:
    """Context with the style of the house, whatever the user's matplotlibrc says."""
    return matplotlib.style.context(STYLE, after_reset=True)


def save(figure: Figure, path: Path, sky: str) -> None:
    """Write an SVG or PNG, as the path says, without date or version: the same figure gives the same bytes.

    `sky` is written below the figure, which grows by that line: what is simulated says so wherever it is shown.
    """
    figure.text(0.998, 0, sky, ha="right", va="top", fontsize=7, color="0.35")
    metadata = {"svg": {"Date": None}, "png": {"Software": None}}[path.suffix[1:]]
    with whole(path) as partial:
        # tight here and not in the style, without which the name of the sky would be cut off
        figure.savefig(partial, format=path.suffix[1:], metadata=metadata, bbox_inches="tight")
