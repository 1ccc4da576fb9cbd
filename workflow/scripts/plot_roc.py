"""Draw the ROC curves of experiments and baselines on the test fields, from their predictions."""

from pathlib import Path
from typing import Annotated

from typer import Option

from stargal.io import cli
from stargal.io.tables import read_table
from stargal.report import look, plots
from stargal.survey.labels import labelled


def main(
    sky: Annotated[str, Option(help="Name of the sky, said on the output.")],
    experiments: Annotated[str, Option(help="With spaces between.")],
    seeds: Annotated[str, Option(help="With spaces between.")],
    predictions: Annotated[str, Option(help="Path of the predictions of {experiment} and {seed}.")],
    training_sets: Annotated[str, Option(help="With spaces between.")],
    baselines: Annotated[str, Option(help="Path of the baselines' predictions, learned on {training_set}.")],
    labels: Annotated[str, Option(help="Labels to score against: photo or truth.")],
    figure: Annotated[Path, Option(help="Where to write the figure.")],
) -> None:
    """Draw the ROC curves."""
    runs = {
        name: [
            labelled(read_table(Path(predictions.format(experiment=name, seed=seed))), labels, "test")
            for seed in seeds.split()
        ]
        for name in experiments.split()
    }
    lines = {}
    for training_set in training_sets.split():
        table = labelled(read_table(Path(baselines.format(training_set=training_set))), labels, "test")
        known = table["label"].to_numpy()
        lines["concentration"] = (known, table["concentration"].to_numpy())
        lines[f"magnitude ({training_set})"] = (known, table["magnitude"].to_numpy())
    with look.style():
        look.save(plots.roc_curves(runs, lines), figure, sky)


if __name__ == "__main__":
    cli.run(main)
