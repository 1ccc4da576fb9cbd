"""Train the network of an experiment.

Reads the lists of the training set and of the validation fields, their sources and where they lie, and their patches a
batch at a time; a split that shares sky is refused. Writes model.keras, which takes raw nanomaggies, and history.csv,
a row an epoch.
"""

import json
from pathlib import Path
from typing import Annotated

from typer import Option

from stargal.io import cli
from stargal.io.tables import write_csv
from stargal.learning import models
from stargal.learning.auxiliary import summary
from stargal.learning.examples import augmented, read_split
from stargal.learning.train import fit, open_set, sky_sigma
from stargal.survey.labels import CLASSES, LABELS, require_both_classes


def main(
    sky: Annotated[str, Option(help="Name of the sky, said on the output.")],
    training_set: Annotated[str, Option(help="Its name, for messages.")],
    training: Annotated[Path, Option(help="The list of it.")],
    validation: Annotated[Path, Option(help="The list of the validation fields.")],
    model: Annotated[str, Option(help="JSON: a block of `models` of the config.")],
    augmentation: Annotated[str, Option(help="JSON: a block of `augmentations` of the config.")],
    labels: Annotated[str, Option(help="What to learn: photo or truth.")],
    settings: Annotated[str, Option(help="JSON: the block `training` of the config.")],
    seed: Annotated[int, Option(help="Seed of weights, dropout and order.")],
    output: Annotated[Path, Option(help="Where to write the model.")],
    history: Annotated[Path, Option(help="Where to write the history.")],
    auxiliary: Annotated[str, Option(help="What to tell the network besides; names with spaces between.")] = "",
) -> None:
    """Train a model."""
    split = read_split(training, validation)
    models.use_one_thread()
    learned, held_out = (
        open_set(listed, LABELS[labels], auxiliary.split()) for listed in (split.training, split.validation)
    )
    require_both_classes(f"training set {training_set}, labels {labels}", learned.labels)
    require_both_classes(f"bucket validation, labels {labels}", held_out.labels)
    block = json.loads(model)
    learning_rate = block.pop("learning_rate")
    noise = sky_sigma(learned)
    if learned.auxiliary is not None:
        block["auxiliary"] = summary(learned.auxiliary)
    network = models.build(**block, size=learned.shape[0], sky_sigma=noise, seed=seed)
    vary = augmented(
        learned, json.loads(augmentation), classes=CLASSES, sky_sigma=noise, seeing=split.seeing, seed=seed
    )
    epochs = fit(network, learned, held_out, learning_rate=learning_rate, seed=seed, vary=vary, **json.loads(settings))
    models.save(network, output)
    write_csv(epochs, history, sky)


if __name__ == "__main__":
    cli.run(main)
