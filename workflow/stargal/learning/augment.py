"""Augmentation: variants of a patch that keep its class, rotated, mirrored, offset or blurred.

The report's four transformations (its section 5.1) with its numbers, and two that scale with the image: an offset in
units of the sky noise, and a blur that widens the seeing and keeps the noise. One variant of each patch is drawn per
epoch as the patches are read; none is stored. Artificial patches come from `stargal.learning.mixture`.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stargal.constants import FWHM_PER_SIGMA
from stargal.survey.fields import PIXEL_ARCSEC


@dataclass(frozen=True)
class Augmentation:
    """Variants of a patch. With every field at its default there is one: the patch itself.

    An offset in nanomaggies and one in sky sigma add up; both blurs may be combined.

    Attributes
    ----------
    rotations : bool
        Unchanged, or rotated by 90, 180 or 270 degrees.
    reflections : bool
        Unchanged, mirrored along the diagonal, or upside down. The report's "diagonal" rotated the patch by 180
        degrees.
    offset : float
        Unchanged, or each band offset by its own normal deviate of this standard deviation, nanomaggies per pixel.
    sky_offset : float
        The same in units of the band's sky sigma.
    blur : float
        Unchanged, or blurred in all bands by a Gaussian of this standard deviation, pixels; this blurs the noise, too.
    widen : float
        Unchanged, or as under a seeing wider by a factor drawn uniformly from 1 to this, each band by its own PSF, with
        the same noise; 0 for none.
    generated : float
        Probability that an artificial patch of the same class replaces a patch before all else: see
        `stargal.learning.mixture`. These are new at every draw, so they do not count as variants of the patch.
    components : int
        Number of Gaussians of the mixture for artificial patches.
    """

    rotations: bool = False
    reflections: bool = False
    offset: float = 0
    sky_offset: float = 0
    blur: float = 0
    widen: float = 0
    generated: float = 0
    components: int = 0

    def variants(self) -> Iterator[tuple[int, int, bool, bool]]:
        """All combinations: quarter turns, mirror (as in `moved`), offset or not, blurred or not."""
        turns = range(4) if self.rotations else range(1)
        mirrors = range(3) if self.reflections else range(1)
        offset = (False, True) if self.offset or self.sky_offset else (False,)
        blurred = (False, True) if self.blur or self.widen else (False,)
        return itertools.product(turns, mirrors, offset, blurred)

    def count_distinct(self) -> int:
        """Number of different variants: of the twelve rotated and mirrored patches, eight differ.

        Two variants with an offset always differ.
        """
        variants = np.array(list(self.variants()))
        marks = np.broadcast_to(np.arange(9).reshape(3, 3, 1), (len(variants), 3, 3, 1))
        places = moved(marks, *variants.T[:2])
        return len(
            {
                (place.tobytes(), blurred, (turns, mirror) if offset else None)
                for place, (turns, mirror, offset, blurred) in zip(places, variants.tolist(), strict=True)
            }
        )

    def draw(
        self,
        patches: NDArray[np.float32],
        random: np.random.Generator,
        sky_sigma: NDArray[np.float64],
        seeing: NDArray[np.float64],
    ) -> NDArray[np.float32]:
        """Draw a variant of each patch, all combinations with equal probability.

        Parameters
        ----------
        patches : float32 array, (n, size, size, bands)
            Nanomaggies, NaN where there is no data; the NaN move with the other pixels.
        random : Generator
        sky_sigma : array, (bands,)
            Sky noise, nanomaggies per pixel.
        seeing : array, (n, bands)
            Full width at half maximum of the PSF, arcsec; where it is NaN, `widen` has no effect.

        Returns
        -------
        float32 array, (n, size, size, bands)
        """
        combinations = np.array(list(self.variants()))
        if len(combinations) == 1:
            return patches
        drawn = combinations[random.integers(len(combinations), size=len(patches))]
        return self.make(drawn, patches, random, sky_sigma, seeing)

    def examples(
        self,
        patch: NDArray[np.float32],
        random: np.random.Generator,
        sky_sigma: NDArray[np.float64],
        seeing: NDArray[np.float64],
        most: int = 3,
    ) -> NDArray[np.float32]:
        """Variants of one patch ``(1, size, size, bands)`` for a figure, at most `most`, without the patch itself.

        They are spread evenly over the variants; if there is only one, and it is random, it is drawn twice.
        """
        variants = [variant for variant in self.variants() if any(variant)]
        if len(variants) == 1 and (self.offset or self.sky_offset or self.widen):
            variants *= 2
        chosen = np.linspace(0, len(variants) - 1, min(most, len(variants))).round().astype(int)
        copies = np.repeat(patch, len(chosen), axis=0)
        return self.make(np.array(variants)[chosen], copies, random, sky_sigma, np.repeat(seeing, len(chosen), axis=0))

    def make(
        self,
        variants: NDArray[np.int64],
        patches: NDArray[np.float32],
        random: np.random.Generator,
        sky_sigma: NDArray[np.float64],
        seeing: NDArray[np.float64],
    ) -> NDArray[np.float32]:
        """Make one of the `variants` of each patch; other parameters and result as for `draw`.

        Parameters
        ----------
        variants : int array, (n, 4)
            Rows of `variants`.
        """
        turns, mirror, offset, blurred = variants.T
        result = moved(patches, turns, mirror)
        bands = patches.shape[3]
        rows = np.flatnonzero(blurred)
        if self.blur and len(rows):
            result[rows] = convolved(result[rows], np.full((1, bands), self.blur))
        if self.widen and len(rows):
            factor = random.uniform(1, self.widen, (len(rows), 1))
            psf_sigma = seeing[rows] / (PIXEL_ARCSEC * FWHM_PER_SIGMA)
            result[rows] = reseen(result[rows], psf_sigma * np.sqrt(factor**2 - 1), sky_sigma, random)
        rows = np.flatnonzero(offset)
        if len(rows):
            scale = self.offset + self.sky_offset * sky_sigma
            result[rows] += (random.normal(size=(len(rows), 1, 1, bands)) * scale).astype(np.float32)
        return result


def moved(patches: NDArray[Any], turns: NDArray[np.int64], mirror: NDArray[np.int64]) -> NDArray[Any]:
    """Copy of patches ``(n, size, size, bands)``, each mirrored, then rotated by right angles.

    `turns` is the number of right angles; `mirror` is 0 for none, 1 for along the diagonal, 2 for upside down.
    """
    size = patches.shape[1]
    pixels = np.arange(size**2).reshape(size, size)
    mirrored = pixels, pixels.T, pixels[::-1]
    origins = np.array([[np.rot90(kind, quarter).ravel() for kind in mirrored] for quarter in range(4)])
    origin = origins[turns, mirror] + np.arange(len(patches))[:, np.newaxis] * size**2
    return patches.reshape(-1, patches.shape[3]).take(origin, axis=0).reshape(patches.shape)


def reseen(
    patches: NDArray[np.float32],
    sigma: NDArray[np.float64],
    sky_sigma: NDArray[np.float64],
    random: np.random.Generator,
) -> NDArray[np.float32]:
    """Patches blurred by `sigma` (n, bands) pixels, with the noise that the blur removes added back.

    Worse seeing widens the sources and does not change the photon noise of the sky. White noise replaces the variance
    that the blur removes: 1 minus the sum of the squared kernel.
    """
    kernel = gaussian(sigma, patches.shape[1])
    lost = 1 - np.sum(kernel[:, :, patches.shape[1] // 2] ** 2, axis=2) ** 2
    noise = random.standard_normal(patches.shape, np.float32)
    return convolved(patches, sigma) + noise * (sky_sigma * np.sqrt(lost))[:, np.newaxis, np.newaxis].astype(np.float32)


def convolved(patches: NDArray[np.float32], sigma: NDArray[np.float64]) -> NDArray[np.float32]:
    """Patches ``(n, size, size, bands)`` convolved with Gaussians of standard deviations `sigma`, pixels.

    `sigma` is ``(n, bands)``, or ``(1, bands)`` for all patches alike. Pixels beyond the edge and pixels without data
    have no weight, so that they do not bias the sky.
    """
    kernel = gaussian(sigma, patches.shape[1]).astype(np.float32)
    turned = kernel.swapaxes(2, 3)
    bands_first = np.ascontiguousarray(np.moveaxis(patches, 3, 1))
    known = np.isfinite(bands_first)
    if known.all():
        return np.moveaxis(np.asarray(kernel @ bands_first @ turned), 1, 3)
    blurred = kernel @ np.where(known, bands_first, 0) @ turned
    with np.errstate(invalid="ignore", divide="ignore"):
        blurred /= kernel @ known.astype(np.float32) @ turned
    blurred[~known] = np.nan
    return np.moveaxis(blurred, 1, 3)


def gaussian(sigma: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """Matrices ``(*sigma.shape, size, size)`` that convolve a column of pixels with a Gaussian; each row sums to 1."""
    distance = np.subtract.outer(np.arange(size), np.arange(size))
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = np.exp(-0.5 * (distance / sigma[..., np.newaxis, np.newaxis]) ** 2)
    weight = np.where(sigma[..., np.newaxis, np.newaxis] > 0, weight, np.eye(size))
    return weight / weight.sum(axis=-1, keepdims=True)
