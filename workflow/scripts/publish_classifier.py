"""Publish the networks of an experiment as one calibrated classifier.

Reads the networks, their predictions and the lists of the training set. Writes model.keras, model.onnx, their
description (classifier.json) and the predictions for the validation and test sources (predictions.parquet:
`uncalibrated`, `probability`, calibrated, and `adapted`, the same for the mix of stars and galaxies of each field).
"""

import json
from pathlib import Path
from typing import Annotated

from typer import Option

from stargal.io import cli
from stargal.learning import publish
from stargal.learning.threads import use_one_thread
from stargal.learning.training_data import read_sets


def main(
    sky: Annotated[str, Option(help="Name of the sky of the training set.")],
    experiment: Annotated[str, Option(help="Name of the experiment.")],
    seeds: Annotated[str, Option(help="JSON: list of seeds.")],
    networks: Annotated[list[Path], Option(help="Network of each seed; repeatable.")],
    predictions_of: Annotated[list[Path], Option(help="Predictions of each network; repeatable.")],
    training: Annotated[list[Path], Option(help="List of training fields; repeatable.")],
    labels: Annotated[str, Option(help="Labels to calibrate on: photo or truth.")],
    bands: Annotated[str, Option(help="Bands in order, for example ugriz.")],
    model: Annotated[Path, Option(help="Output: the classifier, .keras.")],
    onnx: Annotated[Path, Option(help="Output: the same, .onnx.")],
    description: Annotated[Path, Option(help="Output: its description, .json.")],
    predictions: Annotated[Path, Option(help="Output: its predictions, .parquet.")],
) -> None:
    """Publish a classifier."""
    use_one_thread()
    publish.publish_classifier(
        networks,
        predictions_of,
        read_sets(training),
        sky=sky,
        experiment=experiment,
        seeds=json.loads(seeds),
        labels=labels,
        bands=bands,
        model=model,
        onnx=onnx,
        description=description,
        published=predictions,
    )


if __name__ == "__main__":
    cli.run(main)
