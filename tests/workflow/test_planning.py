"""Plans of many fields: a target starts what it needs, whatever the size of the table of fields."""

import pytest

from conftest import Project
from stargal.survey.fields import Field

FIRST = "301-001000-1-0011"
BUCKETS = {1: "train", 2: "train", 3: "train", 4: "train", 5: "validation", 6: "test"}


@pytest.fixture
def many(tmp_path) -> Project:
    """A project of 948 fields, none of them there."""
    project = Project(tmp_path, "http://localhost")
    project.config |= {"training_sets": {"small": ["301-1000-1-11"]}, "classify": {"fields": ["301-1000-6-11"]}}
    project.write_config()
    keys = [(camcol, number) for camcol in BUCKETS for number in range(11, 169)]
    project.write_fields({Field(301, 1000, camcol, number): BUCKETS[camcol] for camcol, number in keys})
    return project


def test_a_cube_needs_its_field_alone(many: Project):
    plan = many.planned(f"results/made/aligned/{FIRST}.fits")
    assert plan == {"download_field": 1, "align_field": 1}
    assert f"Aligning the bands of field {FIRST}" in (many.folder / "plan.log").read_text()


def test_a_job_over_all_fields_has_a_short_command(many: Project):
    """A pattern, and the fields as ranges, however many there are."""
    plan = many.plan("results/made/sets/catalog/15/large.csv", "-p", "--quiet", "host", "reason")
    (command,) = [line.strip() for line in plan.splitlines() if "scripts/list_set.py" in line]
    assert len(command) < 1000 and "301-1000-1:11-168 301-1000-2:11-168" in command


def test_the_whole_run_is_planned(many: Project):
    plan = many.planned("--quiet", "host", "reason")
    assert plan["align_field"] == plan["select_sources"] == plan["extract_patches"] == 948
    assert plan["download_catalog"] == 12 and plan["train_network"] == 5
