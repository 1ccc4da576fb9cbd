"""Training data: the listed sets of an experiment, their patches on disk, and what augments them.

Patches stay on disk and are read a batch at a time, so that memory does not grow with the number of fields.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stargal.constants import MAD_TO_SIGMA
from stargal.dataset.buckets import check_buckets
from stargal.dataset.patches import read_patches
from stargal.dataset.sets import FieldFiles, read_set
from stargal.errors import StargalError
from stargal.imaging.psf import psf_stamps, read_psf
from stargal.io.tables import read_json, read_table, unusable
from stargal.learning.augment import Augmentation
from stargal.learning.auxiliary import read_auxiliary
from stargal.learning.mixture import fit_mixture, mix_in
from stargal.survey.labels import known_labels


class Augment(Protocol):
    """Augmentation of images ``(n, size, size, channels)``: patches, with the PSF as further bands if there is one.

    The rows are those of the training set.
    """

    def __call__(
        self, images: NDArray[np.float32], rows: NDArray[np.int64], rng: np.random.Generator
    ) -> NDArray[np.float32]:
        """Return the images changed."""


SAMPLE_BYTES = 2**25
"""Largest sample of patches held in memory, bytes: 2,684 patches of 25 x 25 x 5 pixels."""

NOISE_PATCHES = 4096
"""Patches that the noise of the sky is measured on."""


@dataclass(frozen=True)
class PsfOfSources:
    """The PSF at each source of many fields, computed when it is asked for.

    Attributes
    ----------
    images : float32 array, (fields, bands, terms, 37, 37)
        As `stargal.imaging.psf.psf_stamps` takes them.
    x, y : float64 arrays, (n,)
        Positions of the sources, pixels of their cubes.
    """

    images: NDArray[np.float32]
    x: NDArray[np.float64]
    y: NDArray[np.float64]

    def read(self, rows: NDArray[np.int64], fields: NDArray[np.int64], size: int) -> NDArray[np.float32]:
        """PSF stamps of some rows, which lie in `fields`: float32 ``(len(rows), size, size, bands)``."""
        found = np.empty((len(rows), size, size, self.images.shape[1]), np.float32)
        for field in np.unique(fields):
            own = fields == field
            found[own] = psf_stamps(self.images[field], self.x[rows[own]], self.y[rows[own]], size)
        return found


@dataclass(frozen=True)
class LabelledPatches:
    """The patches of many fields, one field after the other, with their labels; only the labels are in memory.

    Attributes
    ----------
    paths : list of paths
        One ``.npy`` file per field.
    offsets : list of int
        Position of the first patch in each file, bytes.
    starts : int64 array, (fields + 1,)
        First row of each field, and the number of rows.
    labels : int8 array, (n,)
        Class of each patch, `stargal.survey.labels.UNKNOWN` where it is not known.
    shape : tuple of int
        Shape of one patch: (rows, columns, bands).
    auxiliary : DataFrame or None
        Auxiliary inputs, float32, one row per patch, NaN where a value is not known.
    psf : PsfOfSources or None
    """

    paths: list[Path]
    offsets: list[int]
    starts: NDArray[np.int64]
    labels: NDArray[np.int8]
    shape: tuple[int, ...]
    auxiliary: pd.DataFrame | None = None
    psf: PsfOfSources | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def read(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Read the patches of some rows, in the order given: float32 ``(len(rows), *shape)``, nanomaggies.

        A file is open only while it is read: there is no limit on open files, and no mapped page counts as memory.
        """
        order = np.argsort(rows, kind="stable")
        wanted = rows[order]
        files = self.fields(wanted)
        found = np.empty((len(rows), *self.shape), np.float32)
        patch_bytes = found[:1].nbytes
        for first, last in _runs(files):
            file = files[first]
            with self.paths[file].open("rb", buffering=0) as stream:
                for begin, end in _runs(wanted[first:last] - np.arange(last - first)):
                    row = wanted[first + begin] - self.starts[file]
                    stream.seek(self.offsets[file] + row * patch_bytes)
                    stream.readinto(found[first + begin : first + end])
        result = np.empty_like(found)
        result[order] = found
        return result

    def fields(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Index of the file that holds each row."""
        return np.searchsorted(self.starts, rows, side="right") - 1

    def inputs(
        self, rows: NDArray[np.int64], change: Callable[[NDArray[np.float32]], NDArray[np.float32]] | None = None
    ) -> tuple[NDArray[np.float32], ...]:
        """Inputs of a network for some rows: patches, then the PSF and the auxiliary inputs if there are any.

        Parameters
        ----------
        rows : int64 array, (n,)
        change : function or None
            Applied to the patches, with the PSF as further bands.
        """
        images = [self.read(rows)]
        if self.psf is not None:
            images.append(self.psf.read(rows, self.fields(rows), self.shape[0]))
        if change is not None:
            images = np.split(change(np.concatenate(images, axis=3)), len(images), axis=3)
        auxiliary = () if self.auxiliary is None else (self.auxiliary.to_numpy()[rows],)
        return (*images, *auxiliary)

    def chunks(self, size: int) -> Iterator[tuple[NDArray[np.float32], ...]]:
        """Yield the `inputs` of all patches in order, at most `size` patches at a time."""
        for first in range(0, len(self), size):
            yield self.inputs(np.arange(first, min(first + size, len(self))))


def _runs(values: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """First index and last index + 1 of each run of equal values."""
    edges = np.flatnonzero(np.diff(values)) + 1
    return zip([0, *edges], [*edges, len(values)], strict=True)


def open_patches(patches: Sequence[Path], sources: Sequence[Path], column: str = "label") -> LabelledPatches:
    """Check the patches of some fields against their sources, and make them readable by row.

    Parameters
    ----------
    patches, sources : sequences of paths
        Per field, a float32 ``.npy`` of shape (n, size, size, bands) and a table of n rows.
    column : str
        Column of the tables with the labels.

    Raises
    ------
    StargalError
        Naming the file, if one cannot be read, or its patches differ in shape from the first or in number from its
        table.
    """
    labels: list[NDArray[np.int8]] = []
    offsets: list[int] = []
    shapes: list[tuple[int, ...]] = []
    for patch_path, source_path in zip(patches, sources, strict=True):
        labels.append(known_labels(read_table(source_path, [column])[column]))
        mapped = read_patches(patch_path, len(labels[-1]))
        shape = mapped.shape[1:]
        if shape != (shapes or [shape])[0]:
            raise unusable(patch_path, f"patches of {shape}, those of {patches[0]} are {shapes[0]}")
        offsets.append(mapped.offset)
        shapes.append(shape)
    starts = np.cumsum([0, *map(len, labels)], dtype=np.int64)
    return LabelledPatches(list(patches), offsets, starts, np.concatenate(labels), shapes[0])


def open_set(
    fields: Sequence[FieldFiles], column: str = "label", auxiliary: Sequence[str] = (), with_psf: bool = False
) -> LabelledPatches:
    """Open the patches of a set of fields.

    Parameters
    ----------
    fields : sequence of FieldFiles
    column : str
        Column of the sources with the labels.
    auxiliary : sequence of str
        Names of auxiliary inputs (`stargal.learning.auxiliary`).
    with_psf : bool
        Whether the network takes the PSF.
    """
    opened = open_patches([one.patches for one in fields], [one.sources for one in fields], column)
    if auxiliary:
        opened = replace(opened, auxiliary=read_auxiliary(fields, auxiliary))
    if with_psf:
        images = np.stack([read_psf(one.psf) for one in fields])
        places = pd.concat([read_table(one.sources, ["x", "y"]) for one in fields])
        opened = replace(opened, psf=PsfOfSources(images, *places[["x", "y"]].to_numpy(float).T))
    return opened


def read_sets(paths: Iterable[Path]) -> list[FieldFiles]:
    """Fields of several listed sets, in order.

    Raises
    ------
    StargalError
        As in `read_set`.
    """
    return [one for path in paths for one in read_set(path)]


def read_labels(fields: Sequence[FieldFiles]) -> NDArray[np.int8]:
    """Labels of all sources of some fields, `stargal.survey.labels.UNKNOWN` where they are not known."""
    return np.concatenate([known_labels(read_table(one.sources, ["label"])["label"]) for one in fields])


def check_split(training: Sequence[FieldFiles], validation: Sequence[FieldFiles]) -> None:
    """Refuse training and validation fields that share sky.

    Raises
    ------
    StargalError
        Naming the fields.
    """
    sets = {"train": training, "validation": validation}
    buckets = {one.field.name: bucket for bucket, fields in sets.items() for one in fields}
    footprints = {one.field.name: read_json(one.summary)["footprint"] for fields in sets.values() for one in fields}
    check_buckets(footprints, buckets)


def read_seeing(fields: Sequence[FieldFiles]) -> NDArray[np.float64]:
    """Full width at half maximum of the stars in each field and band, arcsec, NaN where it is not known."""
    return np.array([[band["fwhm"] for band in read_json(one.summary)["bands"]] for one in fields], float)


def border_noise(patches: LabelledPatches) -> list[float]:
    """Sky noise of each band, nanomaggies per pixel, from the outermost pixels of patches.

    It is the median absolute deviation, which the neighbours in some patches do not change, of `NOISE_PATCHES` patches
    spread evenly over the set.

    Raises
    ------
    StargalError
        If a band has no pixel with data, or all its pixels are the same.
    """
    rows = np.unique(np.linspace(0, len(patches) - 1, NOISE_PATCHES).astype(np.int64))
    edge = np.ones(patches.shape[:2], bool)
    edge[1:-1, 1:-1] = False
    pixels = np.concatenate([patches.read(part)[:, edge] for part in np.array_split(rows, len(rows) // 256 + 1)])
    pixels = pixels.reshape(-1, patches.shape[2])
    sigma = MAD_TO_SIGMA * np.nanmedian(np.abs(pixels - np.nanmedian(pixels, axis=0)), axis=0)
    for band, value in enumerate(sigma):
        if not value > 0:
            raise StargalError(
                f"band {band} of {patches.paths[0].parent}: no noise in the sky (sigma {value}); check the frames of "
                "this band"
            )
    return [float(value) for value in sigma]


def sample_class(patches: LabelledPatches, label: int) -> NDArray[np.float32]:
    """Patches of one class, spread evenly over the set, at most `SAMPLE_BYTES`: float32 ``(n, *shape)``."""
    rows = np.flatnonzero(patches.labels == label)
    most = SAMPLE_BYTES // (4 * math.prod(patches.shape))
    return patches.read(rows[np.linspace(0, len(rows) - 1, min(most, len(rows))).astype(np.int64)])


def augmentation_of(
    patches: LabelledPatches,
    settings: Mapping[str, Any],
    *,
    classes: Iterable[int],
    noise: Sequence[float],
    seeing: NDArray[np.float64],
    seed: int,
) -> Augment:
    """Augmentation callback of a training set.

    Parameters
    ----------
    patches : LabelledPatches
        The training set; mixtures are fitted to it if the augmentation asks for artificial patches.
    settings : mapping
        Arguments of `Augmentation`: a block of `augmentations` of the configuration.
    classes : iterable of int
        All labels of the task.
    noise : sequence of float
        Sky noise of each band, nanomaggies per pixel.
    seeing : float64 array, (fields, bands)
        As `read_seeing` gives it.
    seed : int
        Seed of the mixtures.
    """
    augmentation, sigma = Augmentation(**settings), np.array(noise)
    mixtures = {}
    if augmentation.generated:
        for label in classes:
            mixtures[label] = fit_mixture(sample_class(patches, label), sigma, augmentation.components, seed)

    def augment(images: NDArray[np.float32], rows: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.float32]:
        mixed = mix_in(images, patches.labels[rows], augmentation.generated, mixtures, rng)
        return augmentation.draw(mixed, rng, sigma, seeing[patches.fields(rows)])

    return augment
