"""Our classifier beside others: on real sky with STARGAL_MIRROR and SExtractor, and what a plan of it asks for."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from test_mirror import ROOT, snakemake

from conftest import Project

OVERLAY = {
    "training": {"max_epochs": 20},
    "skies": {
        "mirror": {
            "truth": {"spectra": {"table": "spectra.csv", "ra": "RA", "dec": "DEC", "class": "CLASS"}},
            "classifiers": {"theirs": {"table": "theirs.parquet", "star": "p"}},
        }
    },
}
FIELDS = ("301-003918-3-0213", "301-004510-4-0030")


@pytest.fixture(scope="module")
def compared(mirror: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `snakemake peers` on the mirror, and tables made of its own labels."""
    if not (shutil.which("source-extractor") and shutil.which("psfex")):
        pytest.skip("source-extractor or psfex is not installed")
    folder = tmp_path_factory.mktemp("peers")
    configs = ["--configfile", str(ROOT / "tests/mirror.yaml")]
    snakemake(folder, *[f"results/mirror/sources/catalog/{field}.parquet" for field in FIELDS], *configs)
    sources = pd.concat(
        [pd.read_parquet(folder / f"results/mirror/sources/catalog/{field}.parquet") for field in FIELDS]
    )
    words = np.where(sources["label"] == 1, "STAR", "GALAXY")
    spectra = pd.DataFrame({"RA": sources["ra"], "DEC": sources["dec"], "CLASS": words})[::2]
    spectra.to_csv(folder / "spectra.csv", index=False)
    given = pd.DataFrame({"ra": sources["ra"], "dec": sources["dec"], "p": 0.1 + 0.8 * sources["label"]})[::3]
    given.to_parquet(folder / "theirs.parquet")
    (folder / "overlay.yaml").write_text(yaml.safe_dump(OVERLAY))
    snakemake(folder, "peers", "results/mirror/tables/independent_scores.csv", *configs, "overlay.yaml")
    return folder


def test_all_are_in_one_table_on_the_same_sources(compared: Path):
    table = pd.read_csv(compared / "results/mirror/tables/peers_scores.csv")
    bright = table[(table["magnitudes"] == "r < 22") & (table["bucket"] == "test") & (table["against"] == "photo")]
    every = bright[bright["sample"] == "all"].set_index("classifier")
    outside = {"photo", "concentration", "class_star", "spread_model", "forest", "classifier"}
    assert set(every.index) == outside | {"base_small", "regularized_small", "regularized_large"}
    assert len(set(every["sources"])) == 1 and every["sources"].iloc[0] > 400
    assert (every.loc[["photo", "spread_model", "forest"], "accuracy"] > 0.88).all()
    assert (every["roc_auc"] > 0.9).all() and (every["missing"] <= 10).all()
    assert set(bright["sample"]) == {"all", "theirs"}


def test_tables_of_classes_and_classifiers_are_scored(compared: Path):
    """The tables are of photo's own labels: one agrees with them, and the other is always right."""
    table = pd.read_csv(compared / "results/mirror/tables/independent_scores.csv")
    assert not set(table["classifier"]) & {"forest", "class_star", "spread_model"}
    test = table[(table["bucket"] == "test") & (table["magnitudes"] == "all")]
    theirs = test[test["classifier"] == "theirs"]
    assert set(theirs["against"]) == {"photo", "spectra"} and set(theirs["sample"]) == {"theirs"}
    assert (theirs["accuracy"] == 1).all()
    sizes = test.groupby(["against", "sample"])["sources"].max()
    assert sizes["spectra", "all"] == pytest.approx(sizes["photo", "all"] / 2, abs=15)


def test_the_page_shows_tables_and_figures(compared: Path):
    page = (compared / "results/mirror/peers.html").read_text()
    assert "Peers: scores beside other classifiers" in page and "Kim &amp; Brunner" in page


def test_a_class_that_is_not_understood_is_one_line(compared: Path):
    spectra = compared / "spectra.csv"
    before = spectra.read_text()
    try:
        spectra.write_text(before.replace("STAR", "BLAZAR", 1))
        with pytest.raises(AssertionError) as failed:
            snakemake(
                compared, "results/mirror/tables/independent_scores.csv",
                "--configfile", str(ROOT / "tests/mirror.yaml"), "overlay.yaml",
            )  # fmt: skip
    finally:
        spectra.write_text(before)
    lines = (line.strip() for line in str(failed.value).splitlines())
    said = {line for line in lines if line.startswith("error: ")}
    assert len(said) == 1 and "spectra.csv: line " in (line := said.pop())
    assert "column CLASS: found 'BLAZAR'" in line and "skies.mirror.truth.spectra.values" in line


def test_a_run_asks_for_no_peers_unless_told(tmp_path: Path):
    """The default has none; a table of a sky adds what needs no other program."""
    project = Project(tmp_path, "http://localhost")
    peers = {"match_field", "run_extractor", "grow_forest", "gather_scores", "tabulate_peers"}
    assert not peers & set(project.planned())
    (project.folder / "spectra.csv").write_text("ra,dec,class\n10,0,STAR\n")
    made = {"made": {**project.config["skies"]["made"], "truth": {"spectra": {"table": "spectra.csv"}}}}
    with project.configured(skies=made):
        planned = project.planned()
    assert planned["match_field"] == 2 and planned["gather_scores"] == 1 and planned["plot_trade"] == 1
    assert "run_extractor" not in planned and "grow_forest" not in planned
    asked = project.planned("peers")
    assert asked["run_extractor"] == 2 and asked["grow_forest"] == 1 and asked["match_field"] == 4
