"""What a dry run of a finished project plans after an edit: all that depends on it, and nothing else.

The jobs of the project, their inputs and their code come from Snakemake's own summary. An edit names the jobs that it
touches; those that follow from their outputs are added.
"""

import json
import os
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from conftest import FIELDS, ROOT, SPARE, Project
from made_archive import catalog_bytes, catalog_table, frame_bytes, make_image, make_sources
from stargal.plan.code import code_of
from stargal.survey.fields import Field

LIBRARY = ROOT / "workflow/stargal"


@dataclass(frozen=True)
class Job:
    """A job of the finished project: its rule, files, and the files of its code."""

    rule: str
    inputs: frozenset[str]
    outputs: frozenset[str]
    code: frozenset[Path]


@pytest.fixture(scope="module")
def jobs(project: Project) -> list[Job]:
    """All jobs of rule all. Downloads have no code: an edit of it fetches nothing again."""
    lines = [line.split("\t") for line in project.plan("--detailed-summary").splitlines() if line.count("\t") == 7]
    outputs: dict[tuple[str, str], set[str]] = {}
    rows = {}
    for output, _, rule, log, inputs, command, *_ in lines[1:]:
        outputs.setdefault((rule, log), set()).add(output)
        rows[rule, log] = inputs.split(","), command
    found = []
    for (rule, log), (inputs, command) in rows.items():
        (script,) = re.findall(r"workflow/scripts/(\w+)\.py", command)
        modules = tuple(re.findall(r"--call=([\w.]+):", command))
        code = () if rule.startswith("download_") else code_of(script, modules)
        found.append(Job(rule, frozenset(inputs), frozenset(outputs[rule, log]), frozenset(code)))
    return found


def after(jobs: list[Job], touched: Callable[[Job], bool]) -> dict[str, int]:
    """Jobs by rule: those that an edit touches, and all that follow from their outputs."""
    todo = {job for job in jobs if touched(job)}
    found: set[Job] = set()
    while todo:
        found |= todo
        made = {path for job in todo for path in job.outputs}
        todo = {job for job in jobs if job.inputs & made} - found
    return dict(Counter(job.rule for job in found))


def rules(*names: str) -> Callable[[Job], bool]:
    """All jobs of some rules."""
    return lambda job: job.rule in names


def reads(path: str) -> Callable[[Job], bool]:
    """The jobs that read a file."""
    return lambda job: path in job.inputs


def makes(path: str) -> Callable[[Job], bool]:
    """The job that makes a file."""
    return lambda job: path in job.outputs


# Nothing to do -------------------------------------------------------------------------------------------------------


def test_every_file_is_fetched_once(project: Project, made, server):
    """Five frames a field and two catalogues, a request each; a forced rerun of the rules asks for nothing."""
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


ALIGN = "workflow/rules/align.smk"


@pytest.mark.parametrize(
    "old, new",
    [
        ("    threads: 1", "    threads: 2"),
        ('log_of("align_field"', 'log_of("aligning"'),
        ("**asks(600, 10)", "**asks(900, 20)"),
        ('"Aligning the bands', '"Aligning all bands'),
        ("rule align_field:", "# A comment.\nrule align_field:"),
    ],
    ids=["threads", "log", "resources", "message", "comment"],
)
def test_nothing_to_do_after_an_edit_of_how_a_rule_runs(project: Project, old, new):
    text = (project.folder / ALIGN).read_text()
    assert text.count(old) == 1
    with project.edited(ALIGN, text.replace(old, new).encode()):
        assert project.planned() == {}


@pytest.mark.parametrize("path", ["profiles/default/config.v9+.yaml", "envs/environment.yaml", "README.md"])
def test_nothing_to_do_after_a_comment_elsewhere(project: Project, path):
    with project.edited(path, line="# a comment"):
        assert project.planned() == {}


# Files ---------------------------------------------------------------------------------------------------------------

FRAME = "resources/made/frames/301/frame-g-001000-1-0110.fits.bz2"
CATALOG = "resources/made/catalogs/301/calibObj-001000-1-star.fits.gz"
ALONE = Field(301, 1000, 1, 110)
"""A field of the larger training set, of no figure of one field, and not classified."""


@pytest.mark.parametrize("path", [FRAME, CATALOG])
def test_a_download_with_other_bytes(project: Project, jobs: list[Job], path):
    """The same bytes at another time start nothing."""
    content = (project.folder / path).read_bytes()
    with project.edited(path, content):
        assert project.planned() == {}
    if path == FRAME:
        content = frame_bytes(ALONE, "g", make_image(make_sources(ALONE), "g", seed=9))
    else:
        content = catalog_bytes(catalog_table(ALONE, make_sources(ALONE, seed=9), 1))
    with project.edited(path, content):
        planned = project.planned()
    assert planned == after(jobs, reads(path))
    assert (planned.get("align_field"), planned["select_sources"]) == ((1, 1) if path == FRAME else (None, 4))


@pytest.mark.parametrize(
    "path", ["workflow/report/roc.rst", "workflow/report/page.html", "workflow/report/published.csv"]
)
def test_a_caption_or_another_file_of_the_repository(project: Project, jobs: list[Job], path):
    with project.edited(path, line="more" if path.endswith(".rst") else ""):
        planned = project.planned()
    assert planned == after(jobs, reads(path))
    assert planned.keys() >= {"write_page", "write_manifest"} and "train_network" not in planned


def of_library() -> Iterator[Path]:
    """The modules of the library and the data files beside them."""
    return (path for path in sorted(LIBRARY.rglob("*")) if path.is_file() and "__pycache__" not in path.parts)


def test_an_edit_of_code_runs_what_holds_it(project: Project, jobs: list[Job]):
    """A comment in each file of the library: exactly the jobs whose code holds it, and what follows.

    Files that the same jobs hold are edited together: that each of them counts is tested with the digest of code.
    """
    together: dict[frozenset[str], list[Path]] = {}
    for path in of_library():
        together.setdefault(frozenset(job.rule for job in jobs if path in job.code), []).append(path)
    assert len(together) > 30 and frozenset() in together
    wrong = {}
    for holders, paths in together.items():
        with ExitStack() as edits:
            for path in paths:
                edits.enter_context(project.edited(str(path.relative_to(ROOT)), line="# a comment"))
            planned = project.planned()
        expected = after(jobs, rules(*holders))
        if planned != expected:
            wrong[", ".join(path.stem for path in paths)] = (planned, expected)
    assert wrong == {}


@pytest.mark.parametrize("script", ["align_field", "download_field", "train_network", "tabulate"])
def test_an_edit_of_a_script(project: Project, jobs: list[Job], script):
    path = ROOT / f"workflow/scripts/{script}.py"
    with project.edited(str(path.relative_to(ROOT)), line="# a comment"):
        assert project.planned() == after(jobs, lambda job: path in job.code)


# Configuration -------------------------------------------------------------------------------------------------------

PER_SIZE = ("extract_patches", "tabulate_sources", "tabulate_architecture", "plot_patches", "render_patches")

SETTINGS = {
    "align.refine": ({"align": {"refine": False}}, rules("align_field")),
    "sources.magnitude_limit": ({"sources": {"magnitude_limit": 21.0}}, rules("select_sources")),
    "patches.size": ({"patches": {"size": 17}}, rules(*PER_SIZE)),
    "bands": (
        {"bands": ["i", "r", "g", "z", "u"]},
        rules("align_field", "detect_sources", "plot_patches", "publish_classifier"),
    ),
    "an experiment's model": (
        {"experiments": {"base_small": {"model": "regularized"}}},
        makes("results/made/models/base_small/seed1/model.keras"),
    ),
    "models.base.learning_rate": (
        {"models": {"base": {"learning_rate": 0.004}}},
        lambda job: (
            (job.rule == "tabulate_architecture" and any("base" in path for path in job.outputs))
            or "results/made/models/base_small/seed1/model.keras" in job.outputs
        ),
    ),
    "training.max_epochs": ({"training": {"max_epochs": 3}}, rules("train_network")),
    "seeds": ({"seeds": [2]}, rules("train_network", "score_baselines")),
    "evaluation.resamples": (
        {"evaluation": {"resamples": 200}},
        rules("score_network", "score_baselines", "tabulate_calibration", "tabulate_catalogs"),
    ),
    "report.best": ({"report": {"best": "base_small"}}, rules("publish_classifier", "write_page")),
    "archive, all but the address": (
        {
            "archive": {
                "url": None,
                "timeout": 1,
                "attempts": 9,
                "releases": {"dr17": {"frame": "{run}{camcol}{field}{band}"}},
            }
        },
        rules(),
    ),
    "a set, a model and a sky that nothing uses": (
        {
            "training_sets": {"small": ["301-1000-1-100"], "third": ["301-1000-1-110"]},
            "models": {"third": {"architecture": "base", "learning_rate": 0.1}},
            "skies": {"third": {"origin": "simulator", "seed": 3}},
        },
        rules(),
    ),
}
"""What is edited: the sections of the configuration, and the jobs that it touches."""


@pytest.mark.parametrize("what", SETTINGS)
def test_an_edit_of_the_configuration(project: Project, jobs: list[Job], what):
    sections, touched = SETTINGS[what]
    merged = {
        key: {**project.config.get(key, {}), **{name: value for name, value in section.items() if value is not None}}
        if isinstance(section, dict)
        else section
        for key, section in sections.items()
    }
    with project.configured(**merged):
        assert project.planned() == after(jobs, touched)


def test_the_address_of_the_archive_starts_nothing(project: Project):
    """Files of another archive are refused, unless the user says that it is the same by removing the record."""
    origin = {"origin": "archive", "url": project.config["archive"]["url"], "release": "dr17"}
    project.origin.write_text(json.dumps(origin))
    with project.configured(archive={"url": "https://example.org"}):
        refused = project.snakemake("--dry-run")
        project.origin.unlink()
        assert refused.returncode != 0
        assert "holds files of the archive" in refused.stdout
        assert project.planned() == {}


ONCE = ("catalog_sky", "tabulate_catalogs", "write_page", "render_picture", "write_catalog_page", "write_manifest")


def test_one_more_field_to_classify(project: Project):
    with project.configured(classify={"classifier": None, "fields": ["301-1000-1-100", "301-1000-1-130"]}):
        assert project.planned() == {"detect_sources": 1, "classify_field": 1} | dict.fromkeys(ONCE, 1)


def test_one_more_seed(project: Project, jobs: list[Job]):
    """The networks of the first are kept; what shows all seeds is made again."""
    one = after(jobs, rules("train_network"))
    with project.configured(seeds=[1, 2]):
        assert project.planned() == one


def test_one_more_training_field(project: Project, jobs: list[Job]):
    """A download, a cube, sources and patches of it; the networks of the set that it is in; all that shows them."""
    row = f"301\t1000\t1\t{SPARE.field}\ttrain"
    with project.edited("config/fields.tsv", line=row):
        planned = project.planned()
    like_it = after(jobs, makes(f"results/made/aligned/{ALONE.name}.fits"))
    assert planned == like_it | {"download_field": 1}
    assert planned["align_field"] == planned["list_set"] == 1 and planned["train_network"] == 2


def test_a_field_moved_to_another_bucket(project: Project):
    """No patch is cut; what reads a set that has changed is made again."""
    table = (project.folder / "config/fields.tsv").read_bytes()
    with project.edited("config/fields.tsv", table.replace(b"110\ttrain", b"110\ttest")):
        planned = project.planned()
    assert not planned.keys() & {"download_field", "align_field", "select_sources", "extract_patches"}
    assert planned["list_set"] == 2 and planned["train_network"] == 5 and planned["score_baselines"] == 2


# What is asked for ---------------------------------------------------------------------------------------------------


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
    """Five sizes, eleven architectures, 26 settings, three training sets, three auxiliary inputs, beside the base."""
    names = ("patch_size", "architecture", "tuning", "learning_curve", "auxiliary")
    planned = project.planned(*(f"results/made/tables/{name}.csv" for name in names))
    assert planned["train_network"] == 5 + 11 + 26 + 3 + 3
    assert planned["tabulate_comparison"] == 5


def test_four_classes_are_told_apart_when_asked_for(project: Project):
    """Patches of four fields in three sets; no other network, and nothing where the configuration has none."""
    once = ["train_network", "score_network", "tabulate_classes", "plot_classes"]
    planned = project.planned("results/made/figures/classes.svg")
    assert planned == {"place_patches": 4, "extract_patches": 4, "list_set": 3} | dict.fromkeys(once, 1)
    with project.configured(experiments={"four_classes": None}):
        assert not set(project.planned("study")) & {"place_patches", "tabulate_classes", "plot_classes"}


def test_rerun_gives_the_same_bytes(project: Project, server, tmp_path):
    """A network and its scores, made again in another folder from the same files; `make same-bytes` has the whole."""
    folder = tmp_path / "another/place"
    folder.mkdir(parents=True)
    again = Project(folder, server.url)
    shutil.copytree(project.folder / "resources/made", folder / "resources/made", copy_function=os.link)
    asked = len(server.requests)
    again.run("results/made/models/base_small/seed1/metrics.json", "results/made/tables/sources.csv")
    assert len(server.requests) == asked
    files = [path.relative_to(folder) for path in folder.glob("results/made/**/*") if path.is_file()]
    assert {"model.keras", "predictions.parquet", "301-001000-1-0100.npy"} <= {path.name for path in files}
    assert not [path for path in files if (folder / path).read_bytes() != (project.folder / path).read_bytes()]


def test_another_working_directory(project: Project, tmp_path):
    """With snakemake -d the workflow finds its own files, and results go there."""
    arguments = ["-s", str(project.folder / "Snakefile"), "-d", str(tmp_path), "-n"]
    arguments += ["--configfile", str(project.folder / "made.yaml")]
    done = project.snakemake(*arguments)
    assert done.returncode == 0, done.stdout
    assert "align_field" in done.stdout
