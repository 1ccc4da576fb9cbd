"""Train a network to tell sky, stars, galaxies and both apart.

Reads the lists of the training set and of the validation fields, where they lie, and their placed patches a batch at a
time; a split that shares sky is refused. Writes model.keras, which takes raw nanomaggies and gives the probability of
each class in the order of the labels (0 galaxy, 1 star, 2 both, 3 sky), and history.csv, a row an epoch.
"""

import json
from pathlib import Path
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from typer import Option

from stargal import cli, models
from stargal.augment import Augmentation
from stargal.buckets import check_buckets
from stargal.classes import NAMES, require_all_classes
from stargal.mixture import fit_mixture, replaced
from stargal.sets import read_set
from stargal.tables import read_json, write_csv
from stargal.train import fit, open_set, sample, sky_sigma


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
    sets = {"train": read_set(training), "validation": read_set(validation)}
    buckets = {one.field.name: bucket for bucket, listed in sets.items() for one in listed}
    aligned = {one.field.name: read_json(one.report) for listed in sets.values() for one in listed}
    check_buckets({field: report["footprint"] for field, report in aligned.items()}, buckets)

    models.use_one_thread()
    learned, held_out = (open_set(listed) for listed in sets.values())
    require_all_classes(f"training set {training_set}", learned.labels)
    block = json.loads(model)
    learning_rate = block.pop("learning_rate")
    noise = sky_sigma(learned)
    network = models.build(**block, size=learned.shape[0], sky_sigma=noise, seed=seed, classes=len(NAMES))
    variants = Augmentation(**json.loads(augmentation))
    mixtures = {}
    if variants.generated:
        for label in NAMES:
            mixtures[label] = fit_mixture(sample(learned, label), np.array(noise), variants.components, seed)
    measured = [aligned[one.field.name]["bands"] for one in sets["train"]]
    seeing = np.array([[band["fwhm"] for band in bands] for bands in measured], float)  # NaN where it is not known

    def vary(cut: NDArray[np.float32], rows: NDArray[np.int64], random: np.random.Generator) -> NDArray[np.float32]:
        cut = replaced(cut, learned.labels[rows], variants.generated, mixtures, random)
        return variants.draw(cut, random, np.array(noise), seeing[learned.fields(rows)])

    epochs = fit(network, learned, held_out, learning_rate=learning_rate, seed=seed, vary=vary, **json.loads(settings))
    models.save(network, output)
    write_csv(epochs, history, sky)


if __name__ == "__main__":
    cli.run(main)
