"""What a dry run plans after an edit: none too many, none too few."""

import os
import shutil

import pytest

from conftest import FIELDS, SPARE, Project
from made_archive import frame_bytes, make_image, make_sources
from stargal.survey import Field

SCORES = {"plot_confusion": 1, "plot_magnitude": 1, "plot_reliability": 1, "plot_roc": 1, "tabulate_scores": 1}
"""What follows any change of a prediction."""

STATISTICS = {"tabulate_sources": 1, "plot_statistics": 1}
ALIGNMENT = {"tabulate_alignment": 1, "check_buckets": 1, "plot_alignment": 1}


def trained(models: int) -> dict[str, int]:
    """Jobs that train so many models anew, and what follows."""
    return {"train_model": models, "predict": models, "evaluate_model": models, "plot_training": 1} | SCORES


def test_every_file_is_fetched_once(project: Project, server):
    """Five frames a field and two catalogues, a request each; a forced rerun of all rules asks for nothing."""
    files = [request.path for request in server.asked_for(".fits")]
    assert len(files) == len(set(files)) == 5 * len(FIELDS) + 2
    project.run("--forcerun", "download_frame", "download_catalog", "--until", "download_frame", "download_catalog")
    assert len(server.asked_for(".fits")) == len(files)


def test_nothing_to_do_after_a_full_run(project: Project):
    assert project.planned() == {}


@pytest.mark.parametrize("folder", ["resources", "workflow", "config", "envs", "results/made/aligned"])
def test_nothing_to_do_after_a_touch(project: Project, folder):
    for path in sorted((project.folder / folder).rglob("*")):
        if path.is_file():
            path.touch()
    assert project.planned() == {}


def test_changed_frame_rebuilds_its_field_and_the_training(project: Project):
    """A frame of the larger training set only: the other field, the small set and its models stay."""
    field = Field(301, 1000, 1, 110)
    frame = f"resources/made/frames/301/frame-g-001000-1-{field.field:04d}.fits.bz2"
    other = frame_bytes(field, "g", make_image(make_sources(field), "g", seed=9))
    with project.edited(frame, other):
        assert project.planned() == {
            "align_field": 1,
            "select_sources": 1,
            "extract_patches": 1,
            "score_baselines": 1,
            **ALIGNMENT,
            **STATISTICS,
            **trained(1),
        }


def test_frame_replaced_by_the_same_bytes(project: Project):
    frame = "resources/made/frames/301/frame-g-001000-1-0110.fits.bz2"
    with project.edited(frame, (project.folder / frame).read_bytes()):
        assert project.planned() == {}


def test_changed_learning_rate_trains_that_model(project: Project):
    with project.configured(models={"base": {"learning_rate": 0.002}}):
        assert project.planned() == trained(1)


def test_added_field_makes_its_own_chain(project: Project):
    with project.edited("config/fields.tsv", line=f"301\t1000\t1\t{SPARE.field}\ttrain"):
        planned = project.planned()
    assert planned == {
        "download_frame": 5,
        "align_field": 1,
        "select_sources": 1,
        "extract_patches": 1,
        "score_baselines": 1,
        **ALIGNMENT,
        **STATISTICS,
        **trained(1),
    }


def test_neighbouring_field_changes_its_neighbour(project: Project):
    """Field 111 shares rows with 110: which sources 110 has depends on it."""
    with project.edited("config/fields.tsv", line="301\t1000\t1\t111\ttrain"):
        planned = project.planned()
    assert planned["select_sources"] == planned["extract_patches"] == 2
    assert planned["align_field"] == 1


def test_other_magnitude_limit_leaves_the_cubes(project: Project):
    with project.configured(sources={"magnitude_limit": 21.0}):
        planned = project.planned()
    assert planned["select_sources"] == planned["extract_patches"] == len(FIELDS)
    assert "align_field" not in planned


def test_settings_of_the_archive_rebuild_nothing(project: Project):
    with project.configured(archive={"url": "https://example.org", "attempts": 9, "timeout": 1, "connections": 1}):
        assert project.planned() == {}


@pytest.mark.parametrize(
    "module, first, unaffected",
    [
        ("resample", "align_field", {"download_frame", "download_catalog"}),
        ("sources", "select_sources", {"align_field", "tabulate_alignment", "check_buckets"}),
        ("buckets", "check_buckets", {"align_field", "extract_patches", "train_model"}),
        ("statistics", "tabulate_sources", {"select_sources", "train_model", "tabulate_alignment"}),
        ("models", "train_model", {"extract_patches", "tabulate_sources", "score_baselines"}),
        ("metrics", "evaluate_model", {"extract_patches", "train_model", "predict"}),
        ("pictures", "plot_cutouts", {"align_field", "extract_patches", "train_model", "plot_roc"}),
        ("archive", None, {"download_frame", "download_catalog", "align_field"}),
    ],
)
def test_changed_module_rebuilds_its_stage_and_what_follows(project: Project, module, first, unaffected):
    with project.edited(f"workflow/stargal/{module}.py", line="CHANGED = True"):
        planned = project.planned()
    assert first is None or first in planned
    assert not unaffected & set(planned)


def test_changed_script_rebuilds_its_rule(project: Project):
    with project.edited("workflow/scripts/plot_roc.py", line="# another comment"):
        assert project.planned() == {"plot_roc": 1}


def test_style_rebuilds_the_figures(project: Project):
    with project.edited("workflow/stargal/stargal.mplstyle", line="font.size: 9"):
        planned = project.planned()
    assert planned and all(rule.startswith("plot_") for rule in planned)


def test_rerun_gives_the_same_bytes(project: Project, server, tmp_path):
    """All but the downloads, made again in another folder."""
    folder = tmp_path / "another/place"
    folder.mkdir(parents=True)
    again = Project(folder, server.url)
    shutil.copytree(project.folder / "resources", folder / "resources", copy_function=os.link)
    asked = len(server.requests)
    again.run()
    assert len(server.requests) == asked
    assert again.result("manifest.sha256").read_text() == project.result("manifest.sha256").read_text()


def test_another_working_directory(project: Project, tmp_path):
    """snakemake -d elsewhere: the workflow finds its own files, results go there."""
    arguments = ["-s", str(project.folder / "Snakefile"), "-d", str(tmp_path), "-n"]
    arguments += ["--configfile", str(project.folder / "made.yaml")]
    done = project.snakemake(*arguments)
    assert done.returncode == 0, done.stdout
    assert "align_field" in done.stdout
