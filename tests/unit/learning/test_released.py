"""The classifier in the repository: whole, made by its recipe, the same in both formats and on a real field."""

import csv
import os
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from stargal.imaging.align import align_field
from stargal.imaging.frames import read_frame
from stargal.io.files import sha256
from stargal.learning.apply import classify_sources
from stargal.learning.likeness import UNLIKE
from stargal.learning.network_files import load
from stargal.learning.predict import predict
from stargal.learning.published import open_onnx, read_classifier
from stargal.learning.threads import use_one_thread
from stargal.photometry.sources import detect_sources
from stargal.survey.fields import BANDS, REFERENCE, Field

use_one_thread()  # before anything is computed

ROOT = Path(__file__).parents[3]
RECIPE = yaml.safe_load((ROOT / "config/release.yaml").read_text())
FOLDER = ROOT / "resources/classifiers" / RECIPE["report"]["best"]
FIELD = Field(301, 5112, 4, 345)
MIRROR = Path(os.getenv("STARGAL_MIRROR", "-").removeprefix("file://"), "eboss/photoObj/frames")


@pytest.fixture(scope="module")
def description():
    return read_classifier(FOLDER / "model.onnx", FOLDER / "classifier.json")


def test_the_files_are_those_of_the_description(description):
    assert sha256(FOLDER / "model.keras") == description["model_sha256"]
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 5e6


def test_it_is_the_default():
    default = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    assert ROOT / default["classify"]["classifier"] == FOLDER


def test_it_is_what_its_recipe_makes(description):
    name = RECIPE["report"]["best"]
    assert FOLDER.name == description["experiment"] == name
    assert description["seeds"] == RECIPE["seeds"] and len(description["seeds"]) >= 3
    assert description["labels"] == RECIPE["labels"] == "truth"
    assert f"seed {RECIPE['skies'][RECIPE['sky']]['seed']}" in description["sky"]
    with (ROOT / RECIPE["skies"][RECIPE["sky"]]["fields"]).open() as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))
    for bucket in ("train", "validation", "test"):
        fields = [Field(*(int(row[key]) for key in ("rerun", "run", "camcol", "field"))) for row in rows
                  if row["bucket"] == bucket]  # fmt: skip
        key = "training_fields" if bucket == "train" else f"{bucket}_fields"
        assert sorted(description[key]) == sorted(field.name for field in fields)
    runs = {name: {field.split("-")[1] for field in description[f"{name}_fields"]} for name in ("training", "test")}
    assert len(runs["training"]) >= 60 and not runs["training"] & runs["test"]


def test_its_card_shows_the_real_fields():
    card = (FOLDER / "README.md").read_text().split("## On real fields", 1)[1]
    with (ROOT / "config/realism.tsv").open() as stream:
        fields = [Field(*(int(row[key]) for key in ("rerun", "run", "camcol", "field")))
                  for row in csv.DictReader(stream, delimiter="\t")]  # fmt: skip
    for field in fields:
        (row,) = [line for line in card.splitlines() if line.startswith(f"| {field.name} |")]
        compared, auc = re.match(r"\| \S+ \| (\d+) \| (\d\.\d+) \[", row).groups()  # type: ignore[union-attr]
        assert int(compared) > 200 and float(auc) > 0.98


def test_both_formats_give_the_same_probabilities(description):
    random = np.random.default_rng(1)
    size = description["size"]
    pixels = np.arange(size) - size // 2
    psf = np.exp(-(pixels**2 + pixels[:, None] ** 2) / 4.5)
    psf = np.repeat((psf / psf.sum())[None, ..., None], 5, axis=3).repeat(64, axis=0).astype(np.float32)
    flux = 10 ** random.uniform(-1, 4, (64, 1, 1, 5))
    patches = (flux * psf + random.normal(0, 0.03, psf.shape)).astype(np.float32)
    patches[0, :, :9] = np.nan
    found = open_onnx(FOLDER / "model.onnx")(patches, psf)
    given = predict(load(FOLDER / "model.keras"), patches, psf)
    assert found.shape == given.shape == (64, 1 + len(description["seeds"]))
    np.testing.assert_allclose(found[:, 0], given[:, 0], atol=1e-5)
    assert (given[32:, 0] > 0.9).mean() > 0.9  # point sources


def catalog_of(field: Field, description) -> pd.DataFrame:
    """Catalogue of a field of the mirror."""
    if not MIRROR.is_dir():
        pytest.skip("STARGAL_MIRROR names no folder with a mirror of SDSS frames")
    name = "{rerun}/{run}/{camcol}/frame-{band}-{run:06d}-{camcol}-{field:04d}.fits.bz2"
    frames = {band: read_frame(MIRROR / name.format(band=band, **vars(field))) for band in BANDS}
    others = [frames[band] for band in BANDS if band != REFERENCE]
    cube = align_field(field, frames[REFERENCE], others, "".join(BANDS))
    return classify_sources(detect_sources(frames, field), cube, description, open_onnx(FOLDER / "model.onnx"))


def test_it_gives_the_recorded_catalogue_of_a_real_field(description):
    """To 0.01 in probability: other processors round differently."""
    catalog = catalog_of(FIELD, description)
    recorded = pd.read_csv(FOLDER / f"{FIELD.name}.csv")
    assert len(catalog) == len(recorded) and (catalog["id"] == recorded["id"]).all()
    np.testing.assert_allclose(catalog["probability_star"], recorded["probability_star"], atol=0.01)


def test_a_nebula_is_unlike_the_training_set(description):
    """The Orion nebula: neither its sky noise nor its PSF can be measured as elsewhere."""
    catalog = catalog_of(Field(301, 6073, 4, 63), description)
    assert len(catalog) > 100
    assert (catalog["unlike_training"] & (UNLIKE["noise"] | UNLIKE["seeing"])).all()
