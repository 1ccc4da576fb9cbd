"""Train a network to tell sky, stars, galaxies and both apart.

Reads the placed patches of the training and validation fields, a batch at a time, and where the fields lie: a split
that shares sky is refused. Writes model.keras, which takes raw nanomaggies and gives the probability of each class in
the order of the labels (0 galaxy, 1 star, 2 both, 3 sky), and history.csv, a row an epoch.
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
from stargal.survey import parse_fields
from stargal.tables import read_json, write_csv
from stargal.train import fit, open_fields, sky_sigma


def main(
    sky: Annotated[str, Option(help="Name of the sky, said on the output.")],
    training_fields: Annotated[str, Option(help="As stargal.survey.format_fields writes them.")],
    validation_fields: Annotated[str, Option(help="Likewise.")],
    placed: Annotated[str, Option(help="Path of the table of the patches of {field}.")],
    patches: Annotated[str, Option(help="Path of the patches of {field}.")],
    reports: Annotated[str, Option(help="Path of the alignment report of {field}.")],
    model: Annotated[str, Option(help="JSON: a block of `models` of the config.")],
    augmentation: Annotated[str, Option(help="JSON: a block of `augmentations` of the config.")],
    training: Annotated[str, Option(help="JSON: the block `training` of the config.")],
    seed: Annotated[int, Option(help="Seed of weights, dropout and order.")],
    output: Annotated[Path, Option(help="Where to write the model.")],
    history: Annotated[Path, Option(help="Where to write the history.")],
) -> None:
    """Train a model of four classes."""
    fields_of = {"train": parse_fields(training_fields), "validation": parse_fields(validation_fields)}
    buckets = {field.name: bucket for bucket, fields in fields_of.items() for field in fields}
    aligned = {field: read_json(Path(reports.format(field=field))) for field in buckets}
    check_buckets({field: report["footprint"] for field, report in aligned.items()}, buckets)

    models.use_one_thread()
    learned, held_out = (open_fields(fields, patches, placed, "label") for fields in fields_of.values())
    require_all_classes("the training set of the four classes", learned.labels)
    settings = json.loads(model)
    learning_rate = settings.pop("learning_rate")
    noise = sky_sigma(learned)
    network = models.build(**settings, size=learned.shape[0], sky_sigma=noise, seed=seed, classes=len(NAMES))
    variants = Augmentation(**json.loads(augmentation))
    measured = [aligned[field.name]["bands"] for field in fields_of["train"]]
    seeing = np.array([[band["fwhm"] for band in bands] for bands in measured], float)  # NaN where it is not known

    def vary(cut: NDArray[np.float32], fields: NDArray[np.int64], random: np.random.Generator) -> NDArray[np.float32]:
        return variants.draw(cut, random, np.array(noise), seeing[fields])

    epochs = fit(network, learned, held_out, learning_rate=learning_rate, seed=seed, vary=vary, **json.loads(training))
    models.save(network, output)
    write_csv(epochs, history, sky)


if __name__ == "__main__":
    cli.run(main)
