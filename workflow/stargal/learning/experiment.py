"""Run an experiment: train its network for one seed, and write its predictions."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from stargal.dataset.sets import FieldFiles
from stargal.learning import architectures
from stargal.learning.auxiliary import summary
from stargal.learning.network_files import save
from stargal.learning.predict import write_predictions
from stargal.learning.tasks import task_of
from stargal.learning.train import fit
from stargal.learning.training_data import augmentation_of, border_noise, check_split, open_set, read_seeing


def run_experiment(
    training: Sequence[FieldFiles],
    validation: Sequence[FieldFiles],
    test: Sequence[FieldFiles],
    *,
    training_set: str,
    task: str,
    model: Mapping[str, Any],
    augmentation: Mapping[str, Any],
    auxiliary: Sequence[str],
    labels: str,
    settings: Mapping[str, Any],
    seed: int,
    network: Path,
    predictions: Path,
) -> pd.DataFrame:
    """Train a network, save it, write its predictions for the validation and test fields, and return its history.

    Parameters
    ----------
    training, validation, test : sequences of FieldFiles
    training_set : str
        Name of the training set, for messages.
    task : str
        Name of a task: see `stargal.learning.tasks.TASKS`.
    model : mapping
        Block of `models` of the configuration.
    augmentation : mapping
        Block of `augmentations` of the configuration.
    auxiliary : sequence of str
        Names of the auxiliary inputs.
    labels : str
        Labels to train on: photo or truth.
    settings : mapping
        Block `training` of the configuration.
    seed : int
        Seed of the weights, of dropout, and of the order and augmentation of the patches.
    network, predictions : paths
        Where to write the network and its predictions.

    Returns
    -------
    DataFrame
        As `stargal.learning.train.fit` gives it.

    Raises
    ------
    StargalError
        If training and validation fields share sky, or a class is missing.
    """
    check_split(training, validation)
    chosen = task_of(task)
    with_psf = model["architecture"] == architectures.PSF_AWARE
    trained, held_out = (
        open_set(fields, chosen.label_columns[labels], auxiliary, with_psf) for fields in (training, validation)
    )
    chosen.check(training_set, labels, trained.labels, held_out.labels)
    noise = border_noise(trained)
    built = architectures.build(
        **{key: value for key, value in model.items() if key != "learning_rate"},
        size=trained.shape[0],
        sky_sigma=noise,
        seed=seed,
        classes=None if chosen.outputs == 1 else chosen.outputs,
        auxiliary=() if trained.auxiliary is None else summary(trained.auxiliary),
    )
    augment = augmentation_of(
        trained, augmentation, classes=chosen.classes, noise=noise, seeing=read_seeing(training), seed=seed
    )
    history = fit(
        built, trained, held_out, learning_rate=model["learning_rate"], seed=seed, augment=augment, **settings
    )
    save(built, network)
    write_predictions(built, chosen, {"validation": validation, "test": test}, predictions, auxiliary)
    return history
