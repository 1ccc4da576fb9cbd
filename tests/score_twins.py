"""What errors of photo do to the scores of a real field: the classifier on simulated twins of the field.

    snakemake --cores all --configfile tests/twins.yaml \
      -- results/twin_{1..6}/{catalogs,sources/catalog}/301-003918-3-0213.parquet
    python tests/score_twins.py

A twin has the seeing, noise and direction of field 301-3918-3-213, and other sources. Its truth is known, and it has
labels as photo would give them. Printed are the scores against both, those of the labels against the truth, and the
stars in close pairs.
"""

from pathlib import Path

import pandas as pd

from score_released import match_labels, show_pairs, with_interval
from stargal.evaluation.catalogs import FAINTEST
from stargal.evaluation.metrics import calibration_error, score_predictions
from stargal.survey.labels import STAR, UNKNOWN, known_labels

FIELD = "301-003918-3-0213"
KINDS = "catalogs", "sources/catalog"
AGAINST = {"truth": "the truth", "label": "photo's types"}


def show_twin(name: str, table: pd.DataFrame) -> None:
    """Rows of one twin."""
    truth = table["truth"].to_numpy(int)
    given = table["probability_star"].to_numpy(float)
    for column, words in AGAINST.items():
        labels = table[column].to_numpy(int)
        scores = score_predictions(labels, given)
        auc, mcc = (with_interval(scores, key) for key in ("roc_auc", "mcc"))
        disagree, error = ((given > 0.5) != labels).sum(), calibration_error(labels, given)
        print(f"| {name} | stargal_1 | {words} | {len(table)} | {auc} | {mcc} | {disagree} | {error:.3f} |")
    labels = table["label"].to_numpy(int)
    mcc = with_interval(score_predictions(truth, labels.astype(float)), "mcc")
    print(f"| {name} | photo's types | the truth | {len(table)} | | {mcc} | {(labels != truth).sum()} | |")


def show_close_pairs(table: pd.DataFrame) -> None:
    """Number of stars with a close neighbour that are called galaxies, by the truth and by photo's types."""
    for column, words in AGAINST.items():
        star = table[column] == STAR
        print(f"by {words}, ", end="")
        show_pairs(table, star, (table["probability_star"] > 0.5) == star)


if __name__ == "__main__":
    print("| twin | classifier | against | sources | AUC | Matthews | disagreements | calibration error |")
    print("|---|---|---|---|---|---|---|---|")
    twins = []
    for folder in sorted(Path("results").glob("twin_*")):
        catalog, sources = (pd.read_parquet(folder / kind / f"{FIELD}.parquet") for kind in KINDS)
        table = match_labels(catalog, sources)
        known = (known_labels(table["truth"]) != UNKNOWN) & (table["model_mag_r"] < FAINTEST)
        twins.append(table[known])
        show_twin(folder.name, twins[-1])
    print()
    show_close_pairs(pd.concat(twins, ignore_index=True))
