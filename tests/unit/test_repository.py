"""What stands around the code says what is true: pre-commit, GitHub Actions, issue forms, badges."""

import re
import runpy
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement

from configurations import ROOT

SUPPORTED = runpy.run_path(str(ROOT / "envs/supported.py"))
PYTHONS = [f"3.{minor}" for minor in range(SUPPORTED["OLDEST"][1], SUPPORTED["NEWEST"][1] + 1)]
README = (ROOT / "README.md").read_text()


def content(path: str):
    return yaml.safe_load((ROOT / path).read_text())


def pins() -> dict[str, str]:
    """Versions of what the tests run in."""
    text = "".join((ROOT / f"envs/{name}.txt").read_text() for name in ("cpu", "dev"))
    return dict(re.findall(r"^([a-z][\w-]*)==(\S+)", text, re.M))


def test_pre_commit_has_the_tools_of_the_tests():
    (local,) = content(".pre-commit-config.yaml")["repos"]
    found = {hook["id"]: [Requirement(one) for one in hook["additional_dependencies"]] for hook in local["hooks"]}
    assert {"ruff-format", "ruff-check", "snakefmt"} <= set(found)
    for needed in found.values():
        assert [str(one.specifier) for one in needed] == [f"=={pins()[one.name]}" for one in needed]


def test_actions_run_the_test_command_on_the_supported_pythons():
    (job,) = content(".github/workflows/test.yml")["jobs"].values()
    assert job["strategy"]["matrix"]["python"] == PYTHONS
    assert [step["run"] for step in job["steps"] if "run" in step] == ["make test PYTHON=python"]
    assert all(re.search(r"@v\d+$", step["uses"]) for step in job["steps"] if "uses" in step)
    assert "make test" in README


def test_the_package_is_for_the_supported_pythons():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = [one.rpartition(" ")[2] for one in project["classifiers"] if ":: Python ::" in one]
    assert named == PYTHONS
    newest = SUPPORTED["NEWEST"][1]
    assert project["requires-python"] == f">={PYTHONS[0]},<3.{newest + 1}"
    assert project["license"] == content("CITATION.cff")["license"] == "MIT"
    assert (ROOT / "LICENSE").read_text().startswith("MIT License")


@pytest.mark.parametrize("name", ["bug", "feature"])
def test_issue_forms_ask_for_something(name):
    form = content(f".github/ISSUE_TEMPLATE/{name}.yml")
    asked = [one for one in form["body"] if one["type"] != "markdown"]
    assert form["name"] and form["description"] and any(one["validations"]["required"] for one in asked[:1])
    assert len({one["id"] for one in asked}) == len(asked)


def test_badges_are_true():
    badges = dict(re.findall(r"\[?!\[([^\]]+)\]\(https://img\.shields\.io/badge/([^)]+)\)", README))
    assert badges == {
        "Licence: MIT": "licence-MIT-blue",
        f"Python {', '.join(PYTHONS[:-1])} or {PYTHONS[-1]}": f"python-{'%20%7C%20'.join(PYTHONS)}-blue",
        f"Version {content('CITATION.cff')['version']}": f"version-{content('CITATION.cff')['version']}-blue",
    }
    assert len(re.findall(r"https://img\.shields\.io|badge", README)) == 2 * len(badges)
