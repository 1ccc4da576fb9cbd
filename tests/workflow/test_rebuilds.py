"""What a dry run plans after an edit: none too many, none too few. The edits are in edits.py."""

import os
import shutil

import pandas as pd
import pytest
from edits import EDITS, JOBS, MODULES, Edit, as_markdown

from conftest import FIELDS, ROOT, Project


def test_every_file_is_fetched_once(project: Project, made, server):
    """Five frames a field and two catalogues, a request each; a forced rerun of all rules asks for nothing."""
    files = [path for path in made[1] if ".fits" in path]
    before = len(server.requests)
    assert len(files) == len(set(files)) == 5 * len(FIELDS) + 2
    project.run("--forcerun", "download_field", "download_catalog", "--until", "download_field", "download_catalog")
    assert len(server.requests) == before


def test_nothing_to_do_after_a_full_run(project: Project):
    assert project.planned() == {}


@pytest.mark.parametrize("folder", ["resources", "workflow", "config", "envs", "results/made/aligned"])
def test_nothing_to_do_after_a_touch(project: Project, folder):
    for path in sorted((project.folder / folder).rglob("*")):
        if path.is_file():
            path.touch()
    assert project.planned() == {}


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.what)
def test_an_edit_makes_anew_what_depends_on_it(project: Project, edit: Edit):
    with edit.make(project):
        assert project.planned() == edit.runs


def test_the_table_is_complete(project: Project):
    """All jobs of the project, and a row for each module of the library."""
    assert project.planned("--forceall") == JOBS
    assert set(MODULES) == {path.stem for path in (ROOT / "workflow/stargal").glob("*.py")}


def test_the_documentation_holds_the_table():
    """After a change: PYTHONPATH=workflow:tests/workflow:tests python -c 'import edits; print(edits.as_markdown())'."""
    assert as_markdown() in (ROOT / "docs/REBUILDS.md").read_text()


def test_seconds_are_read_from_what_training_left(project: Project):
    """No network is trained for them: the benchmarks of the run are inputs like any other."""
    timings = "results/made/timings/augmentation_small.csv"
    assert project.planned(timings) == {"tabulate_timings": 1}
    try:
        project.run(timings)
        table = pd.read_csv(project.folder / timings)
        assert project.planned() == {}
    finally:
        shutil.rmtree(project.result("timings"))
    scores = [f"{score}{end}" for score in ("val_loss", "val_accuracy", "test_mcc") for end in ("", "_sd")]
    costs = ["epochs_trained", "seconds", "seconds_per_epoch", "max_rss_mb"]
    assert list(table) == ["sky", "experiment", "augmentation", "parameters", *scores, *costs]
    assert table["experiment"].tolist() == ["regularized_small", "augmentation_small-blur_seeing"]
    assert (table["parameters"] > 10_000).all() and (table["epochs_trained"] == 2).all()
    assert (table[["seconds", "seconds_per_epoch", "max_rss_mb"]] > 0).all(axis=None)


def test_studies_are_made_when_asked_for(project: Project):
    """Five sizes, eleven architectures, 26 settings, three training sets, three inputs more, beside the base."""
    names = ("patch_size", "architecture", "tuning", "learning_curve", "auxiliary")
    studies = [f"results/made/tables/{name}.csv" for name in names]
    planned = project.planned(*studies)
    assert planned["train_model"] == planned["predict"] == 5 + 11 + 26 + 3 + 3
    assert planned["compare_experiments"] == 5


def test_four_classes_are_told_apart_when_asked_for(project: Project):
    """Patches of four fields in three sets; no other network, and nothing where the configuration has none."""
    once = ["train_classes", "predict_classes", "tabulate_classes", "plot_classes"]
    planned = project.planned("results/made/figures/classes.svg")
    assert planned == {"place_patches": 4, "extract_placed": 4, "list_placed": 3} | dict.fromkeys(once, 1)
    with project.configured(classes=None):
        assert not set(project.planned("study")) & {*planned}


def test_rerun_gives_the_same_bytes(project: Project, server, tmp_path):
    """What a network comes from, it and its scores, made again in another folder; `make same-bytes` has the whole."""
    folder = tmp_path / "another/place"
    folder.mkdir(parents=True)
    again = Project(folder, server.url)
    shutil.copytree(project.folder / "resources", folder / "resources", copy_function=os.link)
    asked = len(server.requests)
    again.run("results/made/models/base_small/seed1/metrics.json", "results/made/tables/sources.csv")
    assert len(server.requests) == asked
    files = [path.relative_to(folder) for path in folder.glob("results/made/**/*") if path.is_file()]
    assert {"model.keras", "predictions.parquet", "301-001000-1-0100.npy"} <= {path.name for path in files}
    assert not [path for path in files if (folder / path).read_bytes() != (project.folder / path).read_bytes()]


def test_another_working_directory(project: Project, tmp_path):
    """snakemake -d elsewhere: the workflow finds its own files, results go there."""
    arguments = ["-s", str(project.folder / "Snakefile"), "-d", str(tmp_path), "-n"]
    arguments += ["--configfile", str(project.folder / "made.yaml")]
    done = project.snakemake(*arguments)
    assert done.returncode == 0, done.stdout
    assert "align_field" in done.stdout
