"""Files of one origin never pass as another's: a run is refused on one line, before any job."""

import json

import pytest

from conftest import Project

HERE = {"origin": "archive", "fields": "config/fields.tsv"}
ELSEWHERE = HERE | {"url": "https://example.org"}
SIMULATED = {"origin": "simulator", "seed": 1, "fields": "config/fields.tsv"}


def refused(project: Project, *targets: str) -> str:
    """Return the line that says why nothing is planned; a run does not start either."""
    said = []
    for arguments in (["-n"], []):
        done = project.snakemake(*arguments, *targets)
        assert done.returncode != 0 and "Traceback" not in done.stdout
        assert "rule " not in done.stdout and "Job stats" not in done.stdout
        lines = [line for line in done.stdout.splitlines() if "holds files of" in line or "made.yaml: " in line]
        assert len(lines) == 1, done.stdout
        said += lines
    assert said[0] == said[1]
    return said[0]


@pytest.fixture
def recorded(project: Project, server):
    """The finished project with the record of its origin."""
    origin = {"origin": "archive", "url": server.url, "release": "dr17"}
    project.origin.write_text(json.dumps(origin))
    assert project.planned() == {}
    yield project
    project.origin.unlink()


def test_a_run_records_the_origin_of_its_files(made, server):
    origin = json.loads((made[0] / "resources/made/origin.json").read_text())
    assert origin["origin"] == "archive" and origin["release"] == "dr17" and origin["url"].startswith("http")


@pytest.mark.parametrize(
    "sky, asked",
    [
        (SIMULATED, "the simulator, seed 1"),
        (ELSEWHERE, "the archive https://example.org, release dr17"),
        (HERE | {"release": "dr18"}, "release dr18"),
    ],
    ids=["simulator", "address", "release"],
)
def test_another_origin_under_the_same_name(recorded: Project, sky, asked):
    with recorded.configured(skies={"made": sky}):
        line = refused(recorded)
    assert "resources/made: holds files of the archive http" in line and asked in line.partition("asks for ")[2]
    assert "give the sky another name in `skies`" in line


def test_another_address_of_all_archives(recorded: Project):
    """A sky without an address of its own has that of the section `archive`."""
    with recorded.configured(archive={"url": "https://example.org"}):
        assert "asks for the archive https://example.org, release dr17" in refused(recorded)


def test_the_same_archive_at_another_address(recorded: Project):
    """The user says so by removing the record; nothing is fetched again."""
    with recorded.configured(skies={"made": ELSEWHERE}):
        line = refused(recorded)
        assert f"remove {recorded.origin.relative_to(recorded.folder)}" in line
        record = recorded.origin.read_bytes()
        recorded.origin.unlink()
        assert recorded.planned() == {}
        recorded.origin.write_bytes(record)


def test_files_without_a_record(recorded: Project):
    """Those of an archive are told from those of a simulator by what lies beside them."""
    recorded.origin.unlink()
    with recorded.configured(skies={"made": SIMULATED}):
        line = refused(recorded)
    assert "holds files of the archive, but the configuration asks for the simulator, seed 1" in line
    recorded.origin.touch()


@pytest.mark.parametrize(
    "sections, expected",
    [
        (
            {"sky": "hers", "archive": {"url": "https://example.org"}},
            "sky: found 'hers', allowed are the names in skies",
        ),
        ({"skies": {"made": {"fields": "config/fields.tsv"}}}, "skies.made.origin: missing"),
        (
            {"skies": {"made": SIMULATED | {"url": "https://example.org"}}},
            "found 'url', allowed: origin, seed, fields, truth and",
        ),
        ({"skies": {"made": HERE | {"seed": 1}}}, "found 'seed', allowed: origin, url, release, fields, truth and"),
    ],
    ids=["no-sky", "no-origin", "address-of-a-simulator", "seed-of-an-archive"],
)
def test_an_origin_half_given(project: Project, sections, expected):
    with project.configured(**sections):
        assert expected in refused(project)
