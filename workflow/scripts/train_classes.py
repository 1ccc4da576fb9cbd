"""Train a network to tell sky, stars, galaxies and both apart.

Reads the lists of the training set and of the validation fields, where they lie, and their placed patches a batch at a
time; a split that shares sky is refused. Writes model.keras, which takes raw nanomaggies and gives the probability of
each class in the order of the labels (0 galaxy, 1 star, 2 both, 3 sky), and history.csv, a row an epoch.
"""

import json
from pathlib import Path
from typing import Annotated

from typer import Option

from stargal.evaluation.classes import NAMES, require_all_classes
from stargal.io import cli
from stargal.io.tables import write_csv
from stargal.learning import models
from stargal.learning.examples import augmented, read_split
from stargal.learning.train import fit, open_set, sky_sigma


def main(
    sky: Annotated[str, Option(help="Name of the sky, said on the output.")],
    training_set: Annotated[str, Option(help="Its name, for messages.")],
    training: Annotated[Path, Option(help="The list of it, with the placed patches.")],
    validation: Annotated[Path, Option(help="The list of the validation fields, likewise.")],
    model: Annotated[str, Option(help="JSON: a block of `models` of the config.")],
    augmentation: Annotated[str, Option(help="JSON: a block of `augmentations` of the config.")],
    settings: Annotated[str, Option(help="JSON: the block `training` of the config.")],
    seed: Annotated[int, Option(help="Seed of weights, dropout and order.")],
    output: Annotated[Path, Option(help="Where to write the model.")],
    history: Annotated[Path, Option(help="Where to write the history.")],
) -> None:
    """Train a model of four classes."""
    split = read_split(training, validation)
    models.use_one_thread()
    learned, held_out = (open_set(listed) for listed in (split.training, split.validation))
    require_all_classes(f"training set {training_set}", learned.labels)
    block = json.loads(model)
    learning_rate = block.pop("learning_rate")
    noise = sky_sigma(learned)
    network = models.build(**block, size=learned.shape[0], sky_sigma=noise, seed=seed, classes=len(NAMES))
    vary = augmented(learned, json.loads(augmentation), classes=NAMES, sky_sigma=noise, seeing=split.seeing, seed=seed)
    epochs = fit(network, learned, held_out, learning_rate=learning_rate, seed=seed, vary=vary, **json.loads(settings))
    models.save(network, output)
    write_csv(epochs, history, sky)


if __name__ == "__main__":
    cli.run(main)
