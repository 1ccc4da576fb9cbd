"""Edits of a finished project, and what must run after each: the table behind test_rebuilds.py and docs/REBUILDS.md.

`JOBS` and `AFTER` say once more, by hand, what the rules say: how many jobs each has in the project of conftest.py, and
which rules read what a rule makes. An edit names the rules it touches; those that follow are added, with all their
jobs unless said otherwise. To add a stage, add its rules to both; to add an edit, a line to `EDITS`.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from conftest import SPARE, Project
from made_archive import catalog_bytes, catalog_table, frame_bytes, make_image, make_sources
from stargal.survey.fields import Field

JOBS = {
    "download_field": 4,
    "download_catalog": 2,
    "align_field": 4,
    "tabulate_alignment": 1,
    "plot_alignment": 1,
    "check_buckets": 1,
    "select_sources": 4,
    "extract_patches": 4,
    "list_set": 4,
    "tabulate_sources": 1,
    "plot_statistics": 1,
    "plot_cutouts": 3,
    "plot_patches": 3,
    "train_model": 4,
    "tabulate_architecture": 2,
    "plot_training": 1,
    "predict": 4,
    "evaluate_model": 3,
    "score_baselines": 2,
    "tabulate_scores": 1,
    "plot_roc": 1,
    "plot_reliability": 1,
    "plot_confusion": 1,
    "plot_magnitude": 1,
    "plot_completeness": 1,
    "plot_augmentations": 1,
    "compare_experiments": 1,
    "plot_comparison": 1,
    "publish_model": 1,
    "tabulate_calibration": 1,
    "plot_calibration": 1,
    "write_card": 1,
    "detect_sources": 1,
    "classify_field": 1,
    "tabulate_catalogs": 1,
    "render_field": 1,
    "write_report": 1,
    "write_manifest": 1,
}
"""Jobs of a full run: four fields of one camcol in three buckets, three experiments on two training sets, and one more
that is compared; one field is classified."""

AFTER = {
    "align_field": [
        *["tabulate_alignment", "check_buckets", "select_sources", "extract_patches", "list_set"],
        *["plot_cutouts", "plot_augmentations", "render_field", "classify_field"],
    ],
    "tabulate_alignment": ["plot_alignment"],
    "check_buckets": ["tabulate_scores", "compare_experiments", "tabulate_calibration"],
    "select_sources": [
        *["extract_patches", "tabulate_sources", "list_set", "score_baselines"],
        *["plot_cutouts", "plot_patches", "plot_augmentations", "tabulate_catalogs"],
    ],
    "extract_patches": ["list_set", "plot_patches", "plot_augmentations", "render_field"],
    "list_set": ["train_model", "predict", "publish_model"],
    "tabulate_sources": ["plot_statistics"],
    "train_model": ["predict", "plot_training", "compare_experiments", "publish_model"],
    "predict": ["evaluate_model", "plot_roc", "plot_reliability", "compare_experiments", "publish_model"],
    "evaluate_model": ["tabulate_scores"],
    "score_baselines": ["tabulate_scores", "plot_roc"],
    "tabulate_scores": ["plot_confusion", "plot_magnitude", "plot_completeness"],
    "compare_experiments": ["plot_comparison"],
    "publish_model": ["tabulate_calibration", "plot_calibration", "write_card", "classify_field"],
    "tabulate_calibration": ["write_card"],
    "detect_sources": ["classify_field"],
    "classify_field": ["tabulate_catalogs"],
}
ON_THE_PAGE = [rule for rule in JOBS if rule.startswith(("plot_", "tabulate_", "check_", "compare_", "render_"))]
AFTER |= {rule: [*AFTER.get(rule, []), "write_report"] for rule in [*ON_THE_PAGE, "predict", "select_sources"]}
AFTER |= {
    rule: [*AFTER.get(rule, []), "write_manifest"] for rule in JOBS if not rule.startswith(("download_", "write_m"))
}
"""Rules that read what a rule makes. (Downloads are never made anew.)"""

FIGURES = [rule for rule in JOBS if rule.startswith("plot_")]
TABLES = ["tabulate_alignment", "check_buckets", "tabulate_sources"]
SCORING = ["evaluate_model", "score_baselines", "tabulate_scores", "compare_experiments", "tabulate_calibration"]
LEARNING = ["train_model", "predict"]
OVER_FIELDS = [*TABLES, "list_set", *LEARNING, "score_baselines"]
READ_CUBES = ["extract_patches", "select_sources", "plot_cutouts", "render_field"]
OF_THE_SKY = ["plot_alignment", "plot_cutouts", "plot_patches", "plot_statistics", "plot_augmentations"]
OF_SCORES = ["plot_confusion", "plot_magnitude", "plot_reliability", "plot_roc", "plot_training"]
OF_SCORES += ["plot_completeness", "plot_comparison", "plot_calibration"]
OF_TABLES = [rule for rule in OF_SCORES if rule != "plot_comparison"]
MADE = [rule for rule in JOBS if not rule.startswith("download_")]

MODULES: dict[str, list[str]] = {
    "__init__": [],
    "align": ["align_field", "detect_sources"],
    "archive": [],
    "augment": ["train_model", "plot_augmentations"],
    "auxiliary": LEARNING,
    "baselines": ["score_baselines", "tabulate_scores"],
    "buckets": ["check_buckets", "train_model"],
    "calibration": ["publish_model", "tabulate_calibration"],
    "camera": ["detect_sources"],
    "catalog": [],
    "classes": [],
    "classify": ["classify_field", "tabulate_catalogs"],
    "cli": MADE,
    "comparisons": ["compare_experiments"],
    "config": [],
    "cube": ["align_field", "detect_sources", *READ_CUBES],
    "detect": ["detect_sources"],
    "errors": MADE,
    "examples": ["train_model"],
    "explain": [],
    "files": MADE,
    "frames": ["align_field", "plot_cutouts", "detect_sources"],
    "labels": [
        *["select_sources", "detect_sources", "tabulate_sources", *LEARNING, *SCORING],
        *[*OF_SCORES, "plot_augmentations", "render_field", "write_report"],
    ],
    "lean": [*LEARNING, "tabulate_architecture"],
    "look": FIGURES,
    "manifest": ["write_manifest"],
    "metrics": [*SCORING, *OF_SCORES, "publish_model", "classify_field", "tabulate_catalogs"],
    "mixture": ["train_model", "plot_augmentations"],
    "models": [*LEARNING, "tabulate_architecture"],
    "patches": ["extract_patches", *LEARNING, "plot_patches", "plot_augmentations"],
    "photo": ["detect_sources"],
    "pictures": [*OF_THE_SKY, "render_field"],
    "plots": OF_SCORES,
    "profiles": ["detect_sources"],
    "psf": ["detect_sources"],
    "publish": ["publish_model"],
    "realism": [],
    "render": [],
    "report": ["write_report"],
    "resample": ["align_field", "detect_sources"],
    "sets": ["list_set", *LEARNING],
    "simulate": [],
    "sky": [],
    "sources": ["select_sources", "detect_sources"],
    "stars": ["align_field", "select_sources", "detect_sources"],
    "statistics": ["tabulate_sources"],
    "survey": [
        "align_field",
        "detect_sources",
        *OVER_FIELDS,
        *READ_CUBES,
        *OF_THE_SKY,
        "write_report",
        "write_manifest",
    ],
    "tables": [
        *[*OVER_FIELDS, "extract_patches", "plot_cutouts", *SCORING, *OF_THE_SKY, *OF_TABLES],
        *["tabulate_architecture", "write_report"],
    ],
    "train": LEARNING,
    "viewer": ["render_field", "write_report"],
    "wcs": ["align_field", "detect_sources", *READ_CUBES],
}
"""Rules that run a module of the library, on the sky of an archive; downloads are confirmed, not made anew."""


@dataclass(frozen=True)
class Edit:
    """An edit, how to make it, the rules it touches, and the jobs that must run."""

    what: str
    make: Callable[[Project], AbstractContextManager[None]]
    touches: list[str]
    runs: dict[str, int]


def following(rules: list[str]) -> set[str]:
    """The rules, and all that follow from them."""
    found = set(rules)
    for rule in rules:
        found |= following(AFTER.get(rule, []))
    return found


def edit(what: str, make: Callable[[Project], AbstractContextManager[None]], *touches: str, **jobs: int) -> Edit:
    """An edit that touches some rules; `jobs` where not all jobs of a rule that follows run."""
    runs = {rule: JOBS[rule] for rule in following(list(touches))} | jobs
    return Edit(what, make, list(touches), {rule: count for rule, count in runs.items() if count})


def config(what: str, *touches: str, sections: dict[str, object], **jobs: int) -> Edit:
    """An edit of the configuration."""
    return edit(f"config: {what}", lambda project: project.configured(**sections), *touches, **jobs)


def line(path: str, *touches: str, text: str = "# a comment", **jobs: int) -> Edit:
    """A line more in a file."""
    return edit(f"`{text}` added to {path}", lambda project: project.edited(path, line=text), *touches, **jobs)


def fields(what: str, change: Callable[[bytes], bytes], *touches: str, **jobs: int) -> Edit:
    """An edit of the table of fields."""

    def make(project: Project) -> AbstractContextManager[None]:
        path = "config/fields.tsv"
        return project.edited(path, change((project.folder / path).read_bytes()))

    return edit(f"fields.tsv: {what}", make, *touches, **jobs)


def swapped(path: str, bytes_of: Callable[[bytes], bytes]) -> Callable[[Project], AbstractContextManager[None]]:
    """Replace a file by other bytes."""
    return lambda project: project.edited(path, bytes_of((project.folder / path).read_bytes()))


def models(count: int, compared: int = 0) -> dict[str, int]:
    """So many models that are scored, and so many that are only compared."""
    return {"train_model": count + compared, "predict": count + compared, "evaluate_model": count}


FRAME = "resources/made/frames/301/frame-g-001000-1-0110.fits.bz2"
CATALOG = "resources/made/catalogs/301/calibObj-001000-1-star.fits.gz"
ALONE = Field(301, 1000, 1, 110)
OF_ONE_FIELD = {"align_field": 1, "select_sources": 1, "extract_patches": 1, "list_set": 1}
"""A field of the larger training set, and of no picture."""
OF_LARGE = models(1) | {"score_baselines": 1}
"""The one model that learns from the larger set, and the baselines of that set."""
NO_PICTURE = {"plot_cutouts": 0, "plot_patches": 0, "plot_augmentations": 0, "render_field": 0}


NOT_PUBLISHED = dict.fromkeys(
    ["publish_model", "tabulate_calibration", "plot_calibration", "write_card", "classify_field", "tabulate_catalogs"],
    0,
)
"""The classifier is the network that learns from the larger set."""
NOT_COMPARED = {"compare_experiments": 0, "plot_comparison": 0}
"""The comparison is of the regularized network on the smaller set."""


def other_frame(_: bytes) -> bytes:
    """Field 110 in g with other noise."""
    return frame_bytes(ALONE, "g", make_image(make_sources(ALONE), "g", seed=9))


def other_catalog(_: bytes) -> bytes:
    """A star catalogue with other sources."""
    return catalog_bytes(catalog_table(ALONE, make_sources(ALONE, seed=9), 1))


def row(number: int, bucket: str) -> bytes:
    """A row of the table of fields."""
    return f"301\t1000\t1\t{number}\t{bucket}\n".encode()


EDITS = [
    config("sky", *JOBS, sections={"sky": "another"}),
    config(
        "archive.url, timeout, attempts, connections",
        sections={"archive": {"url": "https://example.org", "timeout": 1, "attempts": 9, "connections": 1}},
    ),
    config("archive.release", sections={"archive": {"release": "dr18"}}),
    config(
        "archive.releases",
        sections={"archive": {"releases": {"dr17": {"frame": "elsewhere/{run}/{camcol}/{field}/{band}"}}}},
    ),
    config("fields, a table of the same rows", sections={"fields": "./config/fields.tsv"}),
    config(
        "bands in another order",
        "align_field",
        "plot_patches",
        "detect_sources",
        "publish_model",
        sections={"bands": ["i", "r", "g", "z", "u"]},
    ),
    config("align.method", "align_field", sections={"align": {"method": "interp", "refine": False}}),
    config("align.refine", "align_field", sections={"align": {"refine": False}}),
    config("sources.magnitude_limit", "select_sources", sections={"sources": {"magnitude_limit": 21.0}}),
    config("sources.reject_flags", "select_sources", sections={"sources": {"reject_flags": ["EDGE"]}}),
    config(
        "patches.size",
        "extract_patches",
        "tabulate_sources",
        "tabulate_architecture",
        sections={"patches": {"size": 17}},
    ),
    config(
        "training_sets.small",
        *["list_set", "score_baselines"],
        sections={"training_sets": {"small": ["301-1000-1-110"]}},
        list_set=1,
        **models(2, 1),
        **NOT_PUBLISHED,
        score_baselines=1,
    ),
    config(
        "training_sets, one that nothing uses",
        sections={"training_sets": {"small": ["301-1000-1-100"], "third": ["301-1000-1-110"]}},
    ),
    config(
        "models.base.learning_rate",
        "train_model",
        sections={"models": {"base": {"learning_rate": 0.004}}},
        **models(1),
        **NOT_COMPARED,
        **NOT_PUBLISHED,
    ),
    config(
        "models.base.architecture",
        *["train_model", "tabulate_architecture"],
        sections={"models": {"base": {"architecture": "regularized", "dropout": 0.1, "l2": 0.001}}},
        **models(1),
        **NOT_COMPARED,
        **NOT_PUBLISHED,
        tabulate_architecture=1,
    ),
    config(
        "models.regularized.dropout",
        *["train_model", "tabulate_architecture"],
        sections={"models": {"regularized": {"dropout": 0.4}}},
        **models(2, 1),
        tabulate_architecture=1,
    ),
    config(
        "models.regularized.l2",
        *["train_model", "tabulate_architecture"],
        sections={"models": {"regularized": {"l2": 0.01}}},
        **models(2, 1),
        tabulate_architecture=1,
    ),
    config("training.batch_size", "train_model", sections={"training": {"max_epochs": 2, "batch_size": 32}}),
    config("training.max_epochs", "train_model", sections={"training": {"max_epochs": 3}}),
    config("training.patience", "train_model", sections={"training": {"max_epochs": 2, "patience": 3}}),
    config(
        "experiments, one more",
        "train_model",
        sections={"experiments": {"base_large": {"model": "base", "training_set": "large"}}},
        **models(1),
        **NOT_COMPARED,
        **NOT_PUBLISHED,
    ),
    config(
        "experiments.regularized_large.patch_size",
        *["train_model", "extract_patches"],
        sections={"experiments": {"regularized_large": {"patch_size": 17}}},
        list_set=3,
        **models(1),
        **NOT_COMPARED,
        plot_patches=0,
        plot_augmentations=0,
    ),
    config(
        "experiments.regularized_small.auxiliary",
        "train_model",
        sections={"experiments": {"regularized_small": {"auxiliary": ["psf_fwhm"]}}},
        **models(1, 1),
        **NOT_PUBLISHED,
    ),
    config("seeds, one more", "train_model", sections={"seeds": [1, 2]}),
    config("seeds, another first", "train_model", "score_baselines", sections={"seeds": [2]}),
    config(
        "evaluation.resamples",
        *["evaluate_model", "score_baselines", "tabulate_calibration", "tabulate_catalogs"],
        sections={"evaluation": {"resamples": 200}},
    ),
    config(
        "evaluation.magnitude_edges",
        *["evaluate_model", "score_baselines"],
        sections={"evaluation": {"resamples": 100, "magnitude_edges": [14, 20, 23]}},
    ),
    config("report.best", *["publish_model", "write_report"], sections={"report": {"best": "base_small"}}),
    config(
        "classify.fields, one more",
        "detect_sources",
        sections={"classify": {"fields": ["301-1000-1-100", "301-1000-1-130"]}},
    ),
    config("realism.fields", sections={"realism": {"fields": ["301-4510-4-30"]}}),
    fields("a comment", lambda table: table + b"# a comment\n"),
    fields(
        "a training field added",
        lambda table: table + row(SPARE.field, "train"),
        *["download_field", "align_field"],
        download_field=1,
        **OF_ONE_FIELD,
        **OF_LARGE,
        **NO_PICTURE,
    ),
    fields(
        "a validation field added",
        lambda table: table + row(SPARE.field, "validation"),
        *["download_field", "align_field"],
        download_field=1,
        **OF_ONE_FIELD,
        **NO_PICTURE,
    ),
    fields(
        "a neighbour of a training field added",
        lambda table: table + row(111, "train"),
        *["download_field", "align_field"],
        download_field=1,
        align_field=1,
        select_sources=2,
        extract_patches=2,
        list_set=1,
        **OF_LARGE,
        **NO_PICTURE,
    ),
    fields(
        "a training field removed",
        lambda table: table.replace(row(110, "train"), b""),
        *[*TABLES, "list_set", "score_baselines"],
        list_set=1,
        **OF_LARGE,
    ),
    fields(
        "a field moved from train to test",
        lambda table: table.replace(row(110, "train"), row(110, "test")),
        *["check_buckets", "tabulate_sources", "list_set", "score_baselines"],
        *["plot_cutouts", "plot_patches", "render_field"],
        list_set=2,
        train_model=1,
        plot_cutouts=1,
        plot_patches=1,
    ),
    edit("a frame replaced by the same bytes", swapped(FRAME, bytes)),
    edit(
        "a frame replaced by other bytes",
        swapped(FRAME, other_frame),
        "align_field",
        **OF_ONE_FIELD,
        **OF_LARGE,
        **NO_PICTURE,
    ),
    edit("a catalogue replaced by the same bytes", swapped(CATALOG, bytes)),
    edit("a catalogue replaced by other bytes", swapped(CATALOG, other_catalog), "select_sources"),
    line("workflow/scripts/download_field.py"),
    line("workflow/scripts/align_field.py", "align_field"),
    line("workflow/scripts/select_sources.py", "select_sources"),
    line("workflow/scripts/extract_patches.py", "extract_patches"),
    line("workflow/scripts/list_set.py", "list_set"),
    line("workflow/scripts/train_model.py", "train_model"),
    line("workflow/scripts/tabulate_scores.py", "tabulate_scores"),
    line("workflow/scripts/plot_roc.py", "plot_roc"),
    *[line(f"workflow/stargal/{name}.py", *rules, text="CHANGED = True") for name, rules in MODULES.items()],
    line("workflow/stargal/report/stargal.mplstyle", *FIGURES, text="font.size: 9"),
    line("workflow/rules/align.smk"),
    line("workflow/schemas/config.schema.yaml"),
    line("workflow/report/roc.rst", "write_report", text="More."),
    line("workflow/report/page.html", "write_report", text="<!-- more -->"),
    line("workflow/report/corrections.rst", "write_report", text="More."),
    line("profiles/default/config.yaml"),
    line("envs/cpu.txt", text="numpy==1.0"),
    line("envs/environment.yaml"),
    line("README.md", text="More."),
    line("config/README.md", text="More."),
]


def as_markdown() -> str:
    """The table for people: each edit, the rules it touches, and whether others follow."""
    rows = []
    for one in EDITS:
        direct = ", ".join(f"`{rule}`" for rule in one.touches if rule in one.runs)
        if set(one.touches) >= set(MADE):
            direct = "everything" + ("" if "download_field" in one.touches else " but the downloads")
        more = len(set(one.runs) - set(one.touches))
        follows = f"{more} more" if more else ""
        rows.append(f"| {one.what} | {direct or 'nothing'} | {follows} | {sum(one.runs.values())} |\n")
    return "| edit | made anew | rules that follow | jobs |\n|---|---|---|---|\n" + "".join(rows)
