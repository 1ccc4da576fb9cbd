"""Score networks that learned on the simulated sky on real fields.

Reads results/{sky}/realism/real/predictions/{experiment}/seed{seed}.parquet; writes results/{sky}/realism/transfer.csv:
counts and scores with 95 % intervals, a row a seed and field, against the types of the fields' catalogues.
"""

from pathlib import Path
from typing import Annotated

import pandas as pd
from typer import Option

from stargal.evaluation.metrics import COLUMNS, evaluate
from stargal.io import cli
from stargal.io.tables import read_table, write_csv
from stargal.survey.labels import require_both_classes


def main(
    sky: Annotated[str, Option(help="Name of the sky that was classified, said on the output.")],
    learned: Annotated[str, Option(help="Name of the sky that was learned, said on the output.")],
    experiment: Annotated[str, Option(help="Whose networks.")],
    seeds: Annotated[str, Option(help="With spaces between.")],
    predictions: Annotated[str, Option(help="Path of the predictions of {experiment} and {seed}.")],
    resamples: Annotated[int, Option(help="Bootstrap resamples.")],
    table: Annotated[Path, Option(help="Where to write the scores.")],
) -> None:
    """Score the transfer."""
    rows = []
    for seed in map(int, seeds.split()):
        path = Path(predictions.format(experiment=experiment, seed=seed))
        for field, sources in read_table(path, ["field", "label", "probability"]).groupby("field"):
            labels, probability = sources["label"].to_numpy(), sources["probability"].to_numpy()
            require_both_classes(f"field {field}", labels)
            scored = evaluate(labels, probability, resamples=resamples)
            rows.append({"learned_from": learned, "classifier": experiment, "seed": seed, "field": field} | scored)
    columns = ["learned_from", "classifier", "seed", "field", *COLUMNS]
    write_csv(pd.DataFrame(rows, columns=columns), table, sky)


if __name__ == "__main__":
    cli.run(main)
