"""The published classifier on pixels of one's own, outside the workflow."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stargal.dataset.patches import extract_patches
from stargal.errors import StargalError
from stargal.imaging.psf import TERMS, psf_stamps, require_psf
from stargal.learning.published import Predict, open_onnx, read_classifier

RELEASED = "stargal_1"
"""Name of the classifier that stargal comes with."""

FOLDERS = (Path(__file__).parents[1] / "classifiers", Path(__file__).parents[3] / "resources/classifiers")
"""Where it is: in an installed package, or in a checkout."""


@dataclass(frozen=True)
class Classifier:
    """A published classifier.

    Attributes
    ----------
    description : mapping
        Content of its classifier.json.
    predict : callable
        Its model, see `stargal.learning.published.open_onnx`.
    """

    description: Mapping[str, Any]
    predict: Predict

    @property
    def bands(self) -> str:
        """Order of the bands that it takes, for example ``ugriz``."""
        return str(self.description["bands"])

    @property
    def size(self) -> int:
        """Side of the patches that it takes, pixels of 0.396 arcsec."""
        return int(self.description["size"])

    @property
    def takes_psf(self) -> bool:
        """Whether it takes the PSF at each source beside its patch."""
        return "psf" in self.description["inputs"]

    def probability(self, patches: ArrayLike, psf: ArrayLike | None = None) -> NDArray[np.float32]:
        """Return the probability of a star for patches.

        Parameters
        ----------
        patches : array_like, shape (n, size, size, bands)
            Nanomaggies per pixel, sky-subtracted, the source on the middle pixel; NaN where there is no data.
        psf : array_like, shape (n, size, size, bands), optional
            PSF of each band at the source, shifted like the source within the middle pixel, of unit flux, as
            `stargal.imaging.psf.psf_stamps` gives it. Needed if the classifier `takes_psf`.

        Returns
        -------
        float32 array, (n,)
            Calibrated probability of a star, for the share of stars of the training set. One minus it is that of a
            galaxy.

        Raises
        ------
        StargalError
            If an array has another shape, or the PSF is needed and is missing or not finite.
        """
        inputs = [self._checked("patches", patches)]
        if self.takes_psf:
            if psf is None:
                raise StargalError("psf: missing; this classifier takes the PSF at each source, as psf_stamps gives it")
            stamps = self._checked("psf", psf)
            if stamps.shape != inputs[0].shape:
                raise StargalError(f"psf: {len(stamps)} for {len(inputs[0])} patches; give one for each patch")
            if not np.isfinite(stamps).all():
                raise StargalError("psf: not finite at some source; leave out sources without a PSF")
            inputs.append(stamps)
        return self.predict(*inputs)[:, 0]

    def at(self, image: NDArray[Any], psf: NDArray[Any], x: ArrayLike, y: ArrayLike) -> NDArray[np.float32]:
        """Return the probability of a star for sources at positions of an image.

        Parameters
        ----------
        image : ndarray, shape (bands, rows, columns)
            The bands on one pixel grid, in the order of `bands`: nanomaggies per pixel, sky-subtracted; NaN where there
            is no data. ``image`` of a cube is this.
        psf : ndarray, shape (bands, side, side) or (bands, terms, side, side)
            PSF of each band, centred on the middle of an odd number of pixels, of unit flux: one image, or images of
            terms of the position as ``psf`` of a cube.
        x, y : array_like, shape (n,)
            0-based columns and rows.

        Returns
        -------
        float32 array, (n,)
            See `probability`.

        Raises
        ------
        StargalError
            If an array has another shape, a position lies outside the image, or the PSF of a band is not finite.
        """
        image, psf = np.asarray(image), np.asarray(psf, np.float32)
        if image.ndim != 3 or len(image) != len(self.bands):
            raise StargalError(f"image: shape {image.shape}; expected the {len(self.bands)} bands {self.bands} first")
        if psf.ndim == 3:
            psf = psf[:, None]
        if psf.ndim != 4 or len(psf) != len(image) or psf.shape[2] != psf.shape[3] or psf.shape[2] % 2 == 0:
            raise StargalError(
                f"psf: shape {psf.shape}; expected (bands, side, side) or (bands, terms, side, side) with an odd side"
            )
        if psf.shape[1] > TERMS:
            raise StargalError(f"psf: shape {psf.shape}; a PSF has at most {TERMS} terms: see psf_stamps")
        columns, rows = (np.atleast_1d(np.asarray(values, float)) for values in (x, y))
        patches = extract_patches(image, columns, rows, self.size)
        if not self.takes_psf:
            return self.probability(patches)
        require_psf(psf, "psf")
        return self.probability(patches, psf_stamps(psf, columns, rows, self.size))

    def _checked(self, name: str, values: ArrayLike) -> NDArray[np.float32]:
        """Convert an input to float32, and check its shape."""
        array = np.asarray(values, np.float32)
        shape = (self.size, self.size, len(self.bands))
        if array.ndim != 4 or array.shape[1:] != shape:
            raise StargalError(f"{name}: shape {array.shape}; expected (n, {', '.join(map(str, shape))})")
        return array


def open_classifier(folder: Path | str | None = None) -> Classifier:
    """Open a published classifier.

    Parameters
    ----------
    folder : path, optional
        Folder with its model.onnx and classifier.json; by default the classifier that stargal comes with.

    Raises
    ------
    StargalError
        If a file is missing or is not a classifier's, or the two do not belong together.
    """
    if folder is None:
        folder = next((one / RELEASED for one in FOLDERS if (one / RELEASED).is_dir()), FOLDERS[0] / RELEASED)
    model, description = (Path(folder).expanduser() / name for name in ("model.onnx", "classifier.json"))
    for path in (model, description):
        if not path.is_file():
            raise StargalError(f"{path}: no such file; name the folder of a published classifier")
    return Classifier(read_classifier(model, description), open_onnx(model))
