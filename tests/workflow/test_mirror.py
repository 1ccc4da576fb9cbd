"""The whole path on real sky, where STARGAL_MIRROR names a mirror of it."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from astropy.io import fits

from archive_server import ArchiveServer

ROOT = Path(__file__).parents[2]
TEST_FIELD = "301-003918-3-0213"
UNCATALOGUED = "301-001035-6-0017"


def snakemake(folder: Path, *arguments: str) -> str:
    """Run snakemake in a folder on this checkout; it must succeed."""
    command = [sys.executable, "-m", "snakemake", "-s", str(ROOT / "Snakefile"), "--cores", "2", *arguments]
    environment = os.environ | {"PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}
    done = subprocess.run(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def finished(mirror: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a full run of tests/mirror.yaml over file://."""
    folder = tmp_path_factory.mktemp("mirror")
    snakemake(folder, "--configfile", str(ROOT / "tests/mirror.yaml"))
    return folder


def test_bands_lie_on_each_other(finished: Path):
    table = pd.read_csv(finished / "results/mirror/tables/alignment.csv")
    assert len(table) == 20
    bar = table["band"].map({"u": 0.08}).fillna(0.03)
    assert (table["x_offset"].abs() <= bar).all() and (table["y_offset"].abs() <= bar).all()


def test_every_labelled_source_is_there(finished: Path):
    counts = pd.read_csv(finished / "results/mirror/tables/sources.csv").set_index("field")
    assert counts.loc[TEST_FIELD, ["stars", "galaxies"]].to_list() == [270, 372]
    assert counts.loc["301-004510-4-0030", ["stars", "galaxies"]].to_list() == [178, 182]


def test_the_network_has_learned(finished: Path):
    """Agreement with photo's types on a field of another run; one training scatters by 0.05."""
    scores = pd.read_csv(finished / "results/mirror/tables/scores.csv")
    row = scores[(scores["classifier"] == "regularized_large") & (scores["bucket"] == "test")].iloc[0]
    assert row["mcc"] >= 0.6 and row["accuracy"] > 0.8


def test_one_validation_field_is_too_little_to_calibrate_by(finished: Path):
    """It cannot be left out of the fit, so the probabilities stay as they are; those adapted to the field differ."""
    table = pd.read_csv(finished / "results/mirror/tables/calibration.csv")
    losses = table[table["bucket"] == "test"].set_index("step")["log_loss"]
    assert losses["calibrated"] == losses["uncalibrated"] != losses["adapted"]
    card = (finished / "results/mirror/classifier/README.md").read_text()
    assert "sources in 2 fields" in card and f"{losses['adapted']:.3f}" in card


def test_fields_are_classified_without_a_catalogue(finished: Path):
    """Of the test field, whose catalogue is there but is not looked at, and of one that has none."""
    counts = pd.read_csv(finished / "results/mirror/tables/catalogs.csv").set_index("field")
    test = counts.loc[TEST_FIELD]
    assert test["bucket"] == "test" and test["found"] > 0.9 and test["mcc"] >= 0.6
    assert counts.loc[UNCATALOGUED, "sources"] > 500 and counts.loc[UNCATALOGUED, "bucket"] == "none"
    with fits.open(finished / f"results/mirror/catalogs/{UNCATALOGUED}.fits") as hdus:
        rows, header = hdus["SOURCES"].data, hdus["SOURCES"].header
        assert header["SKY"] == "SDSS imaging (mirror)" and header["CLASSFR"] == "regularized_large"
        assert rows["primary"].sum() == counts.loc[UNCATALOGUED, "sources"]
        assert ((rows["probability_star"] > 0) & (rows["probability_star"] < 1)).all()


def test_a_published_classifier_needs_no_training(finished: Path, mirror: Path, tmp_path: Path):
    """Elsewhere, with the folder of the classifier and what comes of a field's frames: the same catalogue."""
    shutil.copytree(finished / "results/mirror/classifier", tmp_path / "classifier")
    for folder in ("resources/mirror/frames", "results/mirror/aligned", "results/mirror/sources/detections"):
        shutil.copytree(finished / folder, tmp_path / folder)
    overlay = tmp_path / "elsewhere.yaml"
    overlay.write_text(f"classify: {{classifier: classifier, fields: [{UNCATALOGUED}]}}\n")
    said = snakemake(tmp_path, "classify", "--configfile", str(ROOT / "tests/mirror.yaml"), str(overlay))
    assert "classify_field" in said and "train_network" not in said
    name = f"results/mirror/catalogs/{UNCATALOGUED}.fits"
    assert (tmp_path / name).read_bytes() == (finished / name).read_bytes()


def test_nothing_to_do_afterwards(finished: Path):
    plan = snakemake(finished, "--configfile", str(ROOT / "tests/mirror.yaml"), "-n")
    assert "Nothing to be done" in plan


def test_http_gives_the_same_files(finished: Path, mirror: Path, tmp_path: Path):
    """The archive behind a local server: each file asked for once, the same bytes, the same cube."""
    name = f"results/mirror/aligned/{TEST_FIELD}.fits"
    overlay = tmp_path / "server.yaml"
    with ArchiveServer(mirror) as server:
        overlay.write_text(f"skies: {{mirror: {{url: {server.url!r}}}}}\n")
        snakemake(tmp_path, name, "--configfile", str(ROOT / "tests/mirror.yaml"), str(overlay))
        assert len(server.asked_for(".fits")) == 5
    for path in sorted(tmp_path.glob("resources/mirror/frames/301/*")):
        assert path.read_bytes() == (finished / path.relative_to(tmp_path)).read_bytes()
    digests = [hashlib.sha256((folder / name).read_bytes()).hexdigest() for folder in (tmp_path, finished)]
    assert digests[0] == digests[1]
    shutil.rmtree(tmp_path)
