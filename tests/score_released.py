"""The figures of docs/explanation/classifier.md, from the files of a release run; run it in the folder of that run.

    python tests/score_released.py

The run is `snakemake release --configfile config/release.yaml config/realism.yaml`, with STARGAL_MIRROR set. Printed
are the scores on the real fields, what the catalogues say of their bright sources and of blank sky, the scores on
the simulated test runs against the truth, as Markdown.
"""

import sys
from itertools import pairwise
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree
from sklearn.metrics import roc_auc_score

from stargal.evaluation.baselines import PHOTO_LIMIT, concentration
from stargal.evaluation.catalogs import FAINTEST
from stargal.evaluation.metrics import calibration_error, score_predictions
from stargal.imaging.cube import read_cube
from stargal.learning.apply import classify_sources
from stargal.learning.published import open_onnx, read_classifier
from stargal.survey.fields import COLUMNS, PIXEL_ARCSEC, ROWS
from stargal.survey.labels import STAR, UNCLASSIFIED, UNKNOWN, known_labels
from stargal.survey.matching import MATCH_ARCSEC, match_points

CLASSIFIER, REAL = Path("results/release/classifier"), Path("results/mirror")
BRIGHT = 17.0
"""r magnitude above which sources are saturated or nearly so."""

PLACES, FREE = 2000, 20.0
"""Number of places of blank sky in a field, and their distance from all detections, pixels."""

CLOSE = 4.0
"""Distance within which another source is a close neighbour, arcsec."""

LIMITS = 22.0, 22.5, 23.0
EDGES = 14, 17, 18, 19, 20, 20.5, 21, 21.5, 22, 22.5, 23
"""Limits and bins of r model magnitude."""


def nearest(table: pd.DataFrame) -> np.ndarray:
    """Distance of each source to the nearest other source, arcsec."""
    places = table[["x", "y"]].to_numpy(float)
    return cKDTree(places).query(places, k=2)[0][:, 1] * PIXEL_ARCSEC


def with_interval(scores: dict[str, float | int], name: str) -> str:
    """A score and its interval."""
    return f"{scores[name]:.4f} [{scores[f'{name}_low']:.3f}, {scores[f'{name}_high']:.3f}]"


def show_pairs(table: pd.DataFrame, star: pd.Series, right: pd.Series) -> None:
    """Number of stars with a close neighbour that are called galaxies."""
    pairs = star & (table["near"] < CLOSE) & (table["model_mag_r"] < FAINTEST)
    print(f"stars of r < {FAINTEST:g} in close pairs called galaxies: {(pairs & ~right).sum()} of {pairs.sum()}")


def match_labels(catalog: pd.DataFrame, sources: pd.DataFrame) -> pd.DataFrame:
    """Detections of a field that are labelled sources: with ``label, truth, model_mag_r`` of these, and ``near``.

    ``near`` is the distance to the nearest other detection, arcsec.
    """
    known = sources[known_labels(sources["label"]) != UNKNOWN]
    listed, detected = (table[["x", "y"]].to_numpy(float) for table in (known, catalog))
    match = match_points(listed, detected, MATCH_ARCSEC / PIXEL_ARCSEC)
    found = catalog.assign(near=nearest(catalog)).iloc[match[match >= 0]].reset_index(drop=True)
    columns = known.loc[match >= 0, ["label", "truth", "model_mag_r"]].reset_index(drop=True)
    return pd.concat([found, columns], axis=1)


def real_sources() -> pd.DataFrame:
    """Labelled sources of the real fields that were detected, with their probabilities."""
    parts = []
    for path in sorted((REAL / "sources/catalog").glob("*.parquet")):
        catalog, sources = pd.read_parquet(REAL / "catalogs" / path.name), pd.read_parquet(path)
        parts.append(match_labels(catalog, sources).assign(name=path.stem))
    return pd.concat(parts, ignore_index=True)


def show_real(table: pd.DataFrame) -> None:
    """Scores by field, and the sources that are bright, wrong, or in close pairs."""
    print("| field | sources | AUC | Matthews | accuracy | calibration error |\n|---|---|---|---|---|---|")
    for name, part in table[table["model_mag_r"] < FAINTEST].groupby("name"):
        labels, given = part["label"].to_numpy(int), part["probability_star"].to_numpy(float)
        scores = score_predictions(labels, given, resamples=1000)
        auc, mcc = (with_interval(scores, key) for key in ("roc_auc", "mcc"))
        error = calibration_error(labels, given)
        print(f"| {name} | {len(part)} | {auc} | {mcc} | {scores['accuracy']:.3f} | {error:.3f} |")
    right = (table["probability_star"] > 0.5) == (table["label"] == STAR)
    bright = table["model_mag_r"] < BRIGHT
    print(f"\nr < {BRIGHT:g}: {(right & bright).sum()} of {bright.sum()} right")
    for name, part in table[~right & (table["model_mag_r"] < FAINTEST)].groupby("name"):
        faint = (part["model_mag_r"] > 21).sum()
        stars = (part["label"] == STAR).sum()
        print(f"{name}: {len(part)} wrong, {faint} of them beyond r = 21, {stars} labelled star")
    show_pairs(table, table["label"] == STAR, right)


def show_blank() -> None:
    """Probabilities and classes of blank sky in the real fields."""
    classifier = read_classifier(CLASSIFIER / "model.onnx", CLASSIFIER / "classifier.json")
    predict, random = open_onnx(CLASSIFIER / "model.onnx"), np.random.default_rng(1)
    for path in sorted((REAL / "sources/detections").glob("*.parquet")):
        detected = pd.read_parquet(path)  # of these the share of stars is estimated
        places = random.uniform((20, 20), (COLUMNS - 20, ROWS - 20), (4 * PLACES, 2))
        places = places[cKDTree(detected[["x", "y"]]).query(places)[0] > FREE][:PLACES]
        sky = pd.DataFrame({"x": places[:, 0], "y": places[:, 1], "flags": 0, "model_mag_r": 24.0})
        together = pd.concat([detected, sky], ignore_index=True)
        found = classify_sources(together, read_cube(REAL / f"aligned/{path.stem}.fits"), classifier, predict)
        found = found.iloc[len(detected) :]
        sure = (~found["probability_star"].between(0.1, 0.9)).mean()
        none = (found["class"] == UNCLASSIFIED).mean()
        print(f"{path.stem}: {len(sky)} blank places, {sure:.2%} beyond .1 or .9, {none:.2%} unclassified")


def simulated_sources() -> pd.DataFrame:
    """Sources of the test runs with a known class; ``right`` and ``rule``: is the classifier, is photo's rule right."""
    table = pd.read_parquet(CLASSIFIER / "predictions.parquet").query("bucket == 'test'").reset_index(drop=True)
    sources = []
    for name in table["field"].unique():
        one = pd.read_parquet(f"results/release/sources/detections/{name}.parquet")
        sources.append(one[["id", "x", "y", "psf_mag_r", "model_mag_r"]].assign(near=nearest(one)))
    joined = pd.concat(sources, ignore_index=True)
    if not joined["id"].equals(table["id"]):
        sys.exit("the predictions are of other sources")
    table = table.drop(columns=[name for name in joined if name in table]).join(joined)
    table = table[known_labels(table["truth"]) != UNKNOWN]
    star = table["truth"] == STAR
    rule = concentration(table["psf_mag_r"], table["model_mag_r"]) > -PHOTO_LIMIT
    return table.assign(right=(table["adapted"] > 0.5) == star, rule=rule == star)


def show_simulated(table: pd.DataFrame) -> None:
    """Scores on the test runs against the truth, by limit, magnitude and run, and in close pairs."""
    print("| r | sources | AUC | Matthews | log loss | log loss without the prior of the field | calibration error |")
    print("|---|---|---|---|---|---|---|")
    for limit in (*LIMITS, np.inf):
        part = table[table["model_mag_r"] < limit]
        labels = part["truth"].to_numpy(int)
        adapted, plain = (part[name].to_numpy(float) for name in ("adapted", "probability"))
        scores, without = (score_predictions(labels, given, resamples=1000) for given in (adapted, plain))
        auc, mcc = (with_interval(scores, key) for key in ("roc_auc", "mcc"))
        losses = f"{scores['log_loss']:.3f} | {without['log_loss']:.3f}"
        print(f"| < {limit:g} | {len(part):,} | {auc} | {mcc} | {losses} | {calibration_error(labels, adapted):.4f} |")
    print("\n| r | photo's rule: accuracy | stargal_1: accuracy |\n|---|---|---|")
    for low, high in pairwise(EDGES):
        inside = table["model_mag_r"].between(low, high, inclusive="left")
        print(f"| {low:g} to {high:g} | {table['rule'][inside].mean():.3f} | {table['right'][inside].mean():.3f} |")
    print()
    for limit in LIMITS[:2]:
        bright = table[table["model_mag_r"] < limit]
        auc = {
            name: roc_auc_score(part["truth"].to_numpy(int), part["adapted"]) for name, part in bright.groupby("field")
        }
        low, high = min(auc, key=auc.get), max(auc, key=auc.get)
        print(f"r < {limit:g}, AUC of single runs: {auc[low]:.4f} ({low}) to {auc[high]:.4f} ({high})")
    show_pairs(table, table["truth"] == STAR, table["right"])


if __name__ == "__main__":
    show_real(real_sources())
    print()
    show_blank()
    print()
    show_simulated(simulated_sources())
