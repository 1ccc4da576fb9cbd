"""Train the network of an experiment for one seed, and predict its validation and test fields.

Reads the lists of the training, validation and test fields, and the patches a batch at a time; refuses training and
validation fields that share sky. Writes the network, which takes raw nanomaggies, its history (one row per epoch), and
its predictions (one row per source or placed patch).
"""

import json
from pathlib import Path
from typing import Annotated

from typer import Option

from stargal.io import cli
from stargal.io.tables import write_csv
from stargal.learning.experiment import run_experiment
from stargal.learning.threads import use_one_thread
from stargal.learning.training_data import read_sets


def main(
    training: Annotated[list[Path], Option(help="List of training fields; repeatable.")],
    validation: Annotated[list[Path], Option(help="List of validation fields; repeatable.")],
    test: Annotated[list[Path], Option(help="List of test fields; repeatable.")],
    training_set: Annotated[str, Option(help="Name of the training set, for messages.")],
    task: Annotated[str, Option(help="star_galaxy or four_classes.")],
    model: Annotated[str, Option(help="JSON: a block of `models` of the configuration.")],
    augmentation: Annotated[str, Option(help="JSON: a block of `augmentations` of the configuration.")],
    auxiliary: Annotated[str, Option(help="JSON: list of auxiliary inputs.")],
    labels: Annotated[str, Option(help="Labels to train on: photo or truth.")],
    settings: Annotated[str, Option(help="JSON: the block `training` of the configuration.")],
    seed: Annotated[int, Option(help="Seed of weights, dropout, order and augmentation.")],
    sky: Annotated[str, Option(help="Name of the sky, written into the history.")],
    network: Annotated[Path, Option(help="Output: the network, .keras.")],
    history: Annotated[Path, Option(help="Output: its history, .csv.")],
    predictions: Annotated[Path, Option(help="Output: its predictions, .parquet.")],
) -> None:
    """Train a network and predict with it."""
    use_one_thread()
    epochs = run_experiment(
        *map(read_sets, (training, validation, test)),
        training_set=training_set,
        task=task,
        model=json.loads(model),
        augmentation=json.loads(augmentation),
        auxiliary=json.loads(auxiliary),
        labels=labels,
        settings=json.loads(settings),
        seed=seed,
        network=network,
        predictions=predictions,
    )
    write_csv(epochs, history, sky)


if __name__ == "__main__":
    cli.run(main)
