"""What a dry run prints: the jobs of a plan, or their number where they would be thousands."""

from conftest import Project
from stargal.survey.fields import Field

CUBE = "results/made/aligned/301-001000-1-0011.fits"
TITLE = "Aligning the bands of field 301-001000-1-0011"


def plan_of_a_cube(project: Project, fields: int, *arguments: str) -> str:
    """What a dry run says in a project of so many fields; it starts a download and an alignment, whatever it prints."""
    runs = [(1000 + number // 600, 1 + number % 6, 11 + number % 600 // 6) for number in range(fields)]
    bucket = {5: "validation", 6: "test"}
    project.write_fields({Field(301, *key): bucket.get(key[1], "train") for key in runs})
    assert project.planned(CUBE, *arguments) == {"download_field": 1, "align_field": 1}
    return (project.folder / "plan.log").read_text()


def test_a_first_plan_of_many_fields_is_counted(tmp_path):
    project = Project(tmp_path, "http://localhost")
    project.config["training_sets"] = {"small": ["301-1000-1-11"]}
    project.write_config()
    assert TITLE in plan_of_a_cube(project, 500)
    counted = plan_of_a_cube(project, 501)
    assert TITLE not in counted and "501 fields: jobs are counted; add -p to list them" in counted
    for asked in (["-p"], ["--quiet", "host"]):
        listed = plan_of_a_cube(project, 501, *asked)
        assert TITLE in listed and "jobs are counted" not in listed
    project.result("manifest.sha256").parent.mkdir(parents=True)
    project.result("manifest.sha256").touch()
    assert TITLE in plan_of_a_cube(project, 501)
