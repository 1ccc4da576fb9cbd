"""From SDSS imaging to star/galaxy classifiers and catalogues: plain functions over arrays and tables.

`survey` and `io` are the ground floor. The other packages follow the data: `archive`, `imaging`, `photometry`,
`simulation`, `dataset`, `evaluation`, `learning`, `catalogs`, `report`. `plan` is what the rules of the workflow
import.

For pixels of one's own, the functions of `__all__` are here, too. They are imported on first use, so that
``import stargal`` takes no time, and needs no package that a program does not use.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stargal.dataset.patches import extract_patches
    from stargal.errors import StargalError
    from stargal.imaging.cube import read_cube
    from stargal.imaging.psf import psf_stamps
    from stargal.learning.pixels import open_classifier
    from stargal.report.figures.own import plot_patches
    from stargal.report.pictures import colour_picture

__version__ = "1.0.0"

__all__ = [
    "StargalError",
    "colour_picture",
    "extract_patches",
    "open_classifier",
    "plot_patches",
    "psf_stamps",
    "read_cube",
]

_MODULES = {
    "StargalError": "errors",
    "colour_picture": "report.pictures",
    "extract_patches": "dataset.patches",
    "open_classifier": "learning.pixels",
    "plot_patches": "report.figures.own",
    "psf_stamps": "imaging.psf",
    "read_cube": "imaging.cube",
}


def __getattr__(name: str) -> Any:
    """Import a function of `__all__` (PEP 562)."""
    if name not in _MODULES:
        raise AttributeError(f"module 'stargal' has no attribute {name!r}")
    return getattr(importlib.import_module(f"stargal.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    """Names of the package, those not yet imported, too."""
    return sorted([*globals(), *__all__])
