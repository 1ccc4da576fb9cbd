"""The simulated sky through the same rules as the real one."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

from archive_server import ArchiveServer
from conftest import Project
from stargal.survey.fields import Field

ROOT = Path(__file__).parents[2]
FIELDS = {Field(301, 8162, 6, 174): "train", Field(301, 8162, 6, 120): "validation", Field(301, 8162, 6, 80): "test"}
TEST = "301-008162-6-0080"


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Three simulated fields, as far as their statistics."""
    project = Project(tmp_path_factory.mktemp("simulated"), "http://127.0.0.1:9")
    project.config = {"training": {"max_epochs": 2}}
    project.write_fields(FIELDS)
    project.write_config()
    project.run("results/simulated/tables/sources.csv", "results/simulated/figures/statistics.svg")
    return project


def test_fields_hold_stars_and_galaxies(simulated: Project):
    counts = pd.read_csv(simulated.folder / "results/simulated/tables/sources.csv")
    counts = counts[counts["field"] != "all"]
    assert len(counts) == 3 and (counts["stars"] > 100).all() and (counts["galaxies"] > 50).all()


def test_truth_stands_beside_the_label(simulated: Project):
    sources = pd.read_parquet(simulated.folder / f"results/simulated/sources/catalog/{TEST}.parquet")
    known = sources[sources["truth"].notna()]
    assert len(known) > 0.9 * len(sources)
    bright = known[known["model_mag_r"] < 20]
    assert (bright["label"] == bright["truth"]).mean() > 0.9
    assert (known["label"] != known["truth"]).any()  # measured, not copied


def test_what_is_simulated_says_so(simulated: Project):
    tables = simulated.folder / "results/simulated"
    assert set(pd.read_csv(tables / "tables/sources.csv")["sky"]) == {"simulated sky, seed 1"}
    assert "simulated sky" in (tables / "figures/statistics.svg").read_text()


def test_nothing_is_made_again(simulated: Project):
    assert simulated.planned("results/simulated/tables/sources.csv") == {}


def test_another_seed_is_another_sky(simulated: Project):
    """Under the same name it is refused; under another name all of it is simulated."""
    second = {"origin": "simulator", "seed": 2, "fields": "config/fields.tsv"}
    with simulated.configured(skies={"simulated": second}):
        done = simulated.snakemake("-n")
    assert done.returncode != 0
    assert "holds files of the simulator, seed 1, but the configuration asks for the simulator, seed 2" in done.stdout
    with simulated.configured(sky="second", skies={"second": second}):
        plan = simulated.planned("results/second/tables/sources.csv")
    assert plan["simulate_field"] == plan["align_field"] == plan["measure_field"] == 3


def test_default_configuration_plans_the_report(tmp_path: Path):
    """Ten fields and one to classify, four experiments and eight augmentations of two; no archive in sight."""
    command = [sys.executable, "-m", "snakemake", "-s", str(ROOT / "Snakefile"), "-n", "-d", str(tmp_path)]
    environment = os.environ | {"PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}
    plan = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    assert "download_field" not in plan
    jobs = dict(re.findall(r"^(\w+) +(\d+)$", plan, re.M))
    assert (jobs["simulate_field"], jobs["align_field"], jobs["train_network"]) == ("11", "11", "20")


def test_a_simulated_field_passes_as_one_of_the_archive(simulated: Project, tmp_path: Path):
    """Served over HTTP in the archive's layout, a simulated frame is downloaded and verified like a real one."""
    source = simulated.folder / "resources/simulated/frames/301"
    layout = tmp_path / "archive/eboss/photoObj/frames/301/8162/6"
    layout.mkdir(parents=True)
    for path in sorted(source.glob("frame-*-0080.fits.bz2")):
        (layout / path.name).write_bytes(path.read_bytes())
    folder = tmp_path / "project"
    folder.mkdir()
    with ArchiveServer(tmp_path / "archive") as server:
        project = Project(folder, server.url)
        project.config |= {"training_sets": {"small": ["301-8162-6-174"]}}
        project.write_fields(FIELDS)
        (folder / "made.yaml").write_text(yaml.safe_dump(project.config))
        project.run("resources/made/frames/301/frame-r-008162-6-0080.fits.bz2")
