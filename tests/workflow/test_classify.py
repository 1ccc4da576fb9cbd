"""`make classify` on real frames, where STARGAL_MIRROR names a mirror of them in a folder."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits

from stargal.io.files import sha256
from stargal.learning import architectures, publish
from stargal.learning.calibration import Calibration
from stargal.learning.network_files import save_onnx
from stargal.plan.surroundings import job_environment

ROOT = Path(__file__).parents[2]
FIELD = "301-005112-4-0345"


@pytest.fixture(scope="module")
def checkout(mirror: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout with a classifier; the environment of the tests stands in for the light one."""
    if not mirror.is_dir():
        pytest.skip("STARGAL_MIRROR is not a folder")
    folder = tmp_path_factory.mktemp("classify")
    for name in ("workflow", "config", "profiles", "envs"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("Snakefile", "Makefile", "CITATION.cff"):
        shutil.copy(ROOT / name, folder)
    programs = folder / "light/bin"
    programs.mkdir(parents=True)
    for name, words in (("python", ""), ("snakemake", "-m snakemake ")):
        (programs / name).write_text(f'#!/bin/sh\nexec {sys.executable} {words}"$@"\n')
        (programs / name).chmod(0o755)
    (folder / "light/stamp").touch()
    made_classifier(folder / "hers")
    return folder


def made_classifier(folder: Path) -> None:
    """A classifier of one untrained network."""
    folder.mkdir()
    network = architectures.build(
        "regularized", size=15, sky_sigma=[0.045, 0.017, 0.029, 0.05, 0.18], seed=1, dropout=0.1, l2=0.0
    )
    save_onnx(publish.combine([network], Calibration(), "made"), folder / "model.onnx")
    description = {
        "experiment": "made",
        "sky": "made sky",
        "seeds": [1],
        "training_fields": [],
        "bands": "ugriz",
        "size": 15,
        "inputs": ["nanomaggies"],
        "calibration": {"slope": 1.0, "offset": 0.0},
        "prior": {"magnitude": [20], "star": [0.5], "overall": 0.5},
        "ranges": {"fwhm": [[0.5, 2]] * 5, "noise": [[0.01, 1]] * 5, "magnitude": [14, 23], "no_data": 0.1,
                   "neighbours": 3, "saturated": True},
        "onnx_sha256": sha256(folder / "model.onnx"),
    }  # fmt: skip
    (folder / "classifier.json").write_text(json.dumps(description))


def make(checkout: Path, target: str, **given: str) -> subprocess.CompletedProcess[str]:
    """Run make in the copy."""
    words = [f"{name}={value}" for name, value in given.items()]
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "MAKEFLAGS")}
    command = ["make", "--silent", "LIGHT=light", "CORES=2", target, *words]
    return subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True)


def test_one_command_makes_catalogues(checkout: Path, mirror: Path):
    done = make(checkout, "classify", FIELDS="301-5112-4-345", ARCHIVE=str(mirror), CLASSIFIER="hers", SKY="real")
    assert done.returncode == 0, done.stdout + done.stderr
    with fits.open(checkout / f"results/real/catalogs/{FIELD}.fits") as hdus:
        rows, header = hdus["SOURCES"].data, hdus["SOURCES"].header
        assert header["SKY"] == "SDSS imaging (real)" and header["CLASSFR"] == "made" and len(rows) > 1000
    table = pd.read_parquet(checkout / f"results/real/catalogs/{FIELD}.parquet")
    np.testing.assert_array_equal(table["probability_star"], rows["probability_star"])
    sky = pd.read_parquet(checkout / "results/real/catalogs/hats/dataset", partitioning=None)
    own = table.set_index("id")
    pd.testing.assert_frame_equal(sky.set_index("id").drop(columns="_healpix_29").loc[own.index], own)
    assert len(sky) == len(own)
    again = make(checkout, "classify", FIELDS=FIELD, ARCHIVE=str(mirror), CLASSIFIER="hers", SKY="real")
    assert again.returncode == 0 and "Nothing to be done" in again.stdout + again.stderr


def test_one_job_makes_the_bytes_of_three(checkout: Path, tmp_path: Path):
    """Rule catalog_field, after the test above, beside align_field, detect_sources and classify_field."""
    results = checkout / "results/real"
    run, camcol, number = FIELD.split("-")[1:]
    folder = checkout / "resources/real/frames/301"
    frames = [f"--frames={folder}/frame-{band}-{run}-{camcol}-{number}.fits.bz2" for band in "ugriz"]
    cube, detections = tmp_path / "cube.fits", tmp_path / "detections.parquet"
    field = f"--field={FIELD}"
    hers = checkout / "hers"
    steps = {
        "align_field": [*frames, "--bands=ugriz", "--method=lanczos3", "--refine", f"--cube={cube}",
                        f"--summary={tmp_path / 'summary.json'}", f"--psf={tmp_path / 'psf.npy'}", "--release=dr17",
                        f"--address=https://data.sdss.org/sas/dr17/eboss/photoObj/frames/301/{int(run)}/{camcol}"],
        "detect_sources": [*frames, "--bands=ugriz", f"--detections={detections}"],
        "classify_field": ["--sky=SDSS imaging (real)", f"--cube={cube}", f"--detections={detections}", "--prior=field",
                           f"--model={hers / 'model.onnx'}", f"--description={hers / 'classifier.json'}",
                           f"--fits={tmp_path / 'catalog.fits'}", f"--parquet={tmp_path / 'catalog.parquet'}"],
    }  # fmt: skip
    for script, options in steps.items():
        command = [sys.executable, str(checkout / f"workflow/scripts/{script}.py"), field, *options]
        subprocess.run(command, check=True, env=job_environment(checkout / "workflow", os.environ))
    same = {
        "aligned/{}.fits": cube,
        "aligned/{}.json": tmp_path / "summary.json",
        "aligned/{}.psf.npy": tmp_path / "psf.npy",
        "sources/detections/{}.parquet": detections,
        "catalogs/{}.fits": tmp_path / "catalog.fits",
        "catalogs/{}.parquet": tmp_path / "catalog.parquet",
    }
    for name, path in same.items():
        assert sha256(results / name.format(FIELD)) == sha256(path), name


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"FIELDS": "301-1006-6-11"}, "the archive has no frame of band i"),
        ({"FIELDS": "301-9999-6-11"}, "the archive has no run 9999 of rerun 301"),
        ({"FIELDS": "301-5112-4"}, "expected rerun-run-camcol-field"),
        ({"FIELDS": "301-5112-4-345", "CLASSIFIER": "config"}, "CLASSIFIER: no model.onnx in config"),
    ],
)
def test_what_is_wrong_is_one_line_before_any_work(checkout: Path, mirror: Path, given: dict[str, str], said: str):
    done = make(checkout, "classify", **{"ARCHIVE": str(mirror), "CLASSIFIER": "hers", "SKY": "wrong"} | given)
    assert done.returncode != 0 and not (checkout / "results/wrong").exists()
    (line,) = [line for line in done.stderr.splitlines() if not line.startswith("make")]
    assert line.startswith("error: ") and said in line


def test_fields_are_found_by_their_place(checkout: Path, mirror: Path):
    """The mirror has no list of the survey's fields."""
    done = make(checkout, "fields", RA="229.538", DEC="42.763", RADIUS="5", ARCHIVE=str(mirror))
    assert done.returncode == 0, done.stderr
    assert "301-003918-3-0213  middle 0." in done.stdout and "from the tracks of the runs" in done.stdout
