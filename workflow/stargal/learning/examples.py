"""What a network learns from: a split that shares no sky, and what it is shown in the place of its patches."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stargal.dataset.buckets import check_buckets
from stargal.dataset.sets import FieldFiles, read_set
from stargal.io.tables import read_json
from stargal.learning.augment import Augmentation
from stargal.learning.mixture import fit_mixture, replaced
from stargal.learning.train import LabelledPatches, Vary, sample


class Split(NamedTuple):
    """The fields to learn from and those to validate on, and the ``seeing`` of the former.

    That is the full width at half maximum of stars in each field and band, float64 ``(fields, bands)``, arcsec, NaN
    where it is not known.
    """

    training: list[FieldFiles]
    validation: list[FieldFiles]
    seeing: NDArray[np.float64]


def read_split(training: Path, validation: Path) -> Split:
    """The fields of two listed sets.

    Raises
    ------
    StargalError
        As in `read_set`, or if the sets share sky.
    """
    sets = {"train": read_set(training), "validation": read_set(validation)}
    buckets = {one.field.name: bucket for bucket, listed in sets.items() for one in listed}
    aligned = {one.field.name: read_json(one.report) for listed in sets.values() for one in listed}
    check_buckets({field: report["footprint"] for field, report in aligned.items()}, buckets)
    measured = [aligned[one.field.name]["bands"] for one in sets["train"]]
    seeing = np.array([[band["fwhm"] for band in bands] for bands in measured], float)
    return Split(sets["train"], sets["validation"], seeing)


def augmented(
    patches: LabelledPatches,
    settings: dict[str, Any],
    *,
    classes: Iterable[int],
    sky_sigma: list[float],
    seeing: NDArray[np.float64],
    seed: int,
) -> Vary:
    """What `stargal.learning.train.fit` shows in the place of training patches.

    Parameters
    ----------
    patches : LabelledPatches
        The training set, of which mixtures are learned where the augmentation wants artificial patches.
    settings : dict
        What `Augmentation` takes: a block of `augmentations` of the config.
    classes : iterable of int
        The labels there are.
    sky_sigma : list of float
        Sky noise of each band, nanomaggies per pixel.
    seeing : float64 array, (fields, bands)
        As in `Split`.
    seed : int
        Seed of the mixtures.
    """
    variants, noise = Augmentation(**settings), np.array(sky_sigma)
    mixtures = {}
    if variants.generated:
        for label in classes:
            mixtures[label] = fit_mixture(sample(patches, label), noise, variants.components, seed)

    def vary(cut: NDArray[np.float32], rows: NDArray[np.int64], random: np.random.Generator) -> NDArray[np.float32]:
        cut = replaced(cut, patches.labels[rows], variants.generated, mixtures, random)
        return variants.draw(cut, random, noise, seeing[patches.fields(rows)])

    return vary
