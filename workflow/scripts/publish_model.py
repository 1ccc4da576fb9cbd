"""Make the classifier to reuse of the networks of an experiment.

Reads their models and predictions and the list of their training set; writes model.keras, what it is (classifier.json)
and what it says of the validation and test sources (predictions.parquet: `probability`, and `uncalibrated`, what it
would be without the calibration).
"""

import json
import logging
from pathlib import Path
from typing import Annotated

from scipy.special import expit
from typer import Option

from stargal.dataset.sets import read_set
from stargal.io import cli
from stargal.io.files import recorded, whole
from stargal.io.tables import read_table
from stargal.learning import models, publish
from stargal.learning.calibration import fit_calibration, mean_predictions


def main(
    sky: Annotated[str, Option(help="Name of the sky, said on the output.")],
    experiment: Annotated[str, Option(help="Name of the experiment.")],
    seeds: Annotated[str, Option(help="With spaces between.")],
    networks: Annotated[str, Option(help="Path of the model of {seed}.")],
    predicted: Annotated[str, Option(help="Path of the predictions of {seed}.")],
    training: Annotated[Path, Option(help="List of the training set.")],
    labels: Annotated[str, Option(help="Labels to calibrate by: photo or truth.")],
    bands: Annotated[str, Option(help="Order of the bands, for example ugriz.")],
    model: Annotated[Path, Option(help="Where to write the model.")],
    description: Annotated[Path, Option(help="Where to write what it is.")],
    predictions: Annotated[Path, Option(help="Where to write its predictions.")],
) -> None:
    """Publish a classifier."""
    models.use_one_thread()
    numbers = [int(seed) for seed in seeds.split()]
    table = mean_predictions([read_table(Path(predicted.format(seed=seed))) for seed in numbers])
    calibration = fit_calibration(table, labels)
    loaded = [models.load(Path(networks.format(seed=seed))) for seed in numbers]
    combined = publish.combine(loaded, calibration, experiment)
    models.save(combined, model)
    said = publish.describe(
        experiment=experiment,
        sky=sky,
        labels=labels,
        bands=bands,
        size=combined.input_shape[1],
        seeds=numbers,
        training={one.field.name: read_table(one.sources, ["model_mag_r"]) for one in read_set(training)},
        predictions=table,
        calibration=calibration,
        model_sha256=str(recorded(model)),
    )
    with whole(description) as partial:
        partial.write_text(json.dumps(said, indent=1) + "\n")
    logit = table.pop("logit").to_numpy()
    with whole(predictions) as partial:
        table.assign(probability=calibration(logit), uncalibrated=expit(logit)).to_parquet(partial, index=False)
    logging.info("%s: %d networks, slope %.3f, offset %.3f", experiment, len(numbers), *vars(calibration).values())


if __name__ == "__main__":
    cli.run(main)
