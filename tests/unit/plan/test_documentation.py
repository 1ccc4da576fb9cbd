"""The generated documentation is that of the schema and of the imports."""

import pytest
import yaml

from stargal.plan import documentation
from stargal.plan.code import code_of


@pytest.fixture(scope="module")
def schema():
    return yaml.safe_load((documentation.ROOT / "workflow/schemas/config.schema.yaml").read_text())


@pytest.mark.parametrize("name", ["config/README.md", "docs/REBUILDS.md"])
def test_generated_documents_are_current(name):
    path = documentation.ROOT / name
    assert path.read_text() == documentation.documents()[path], f"{name} is stale: run `make docs`"


def test_every_key_is_documented(schema):
    def missing(node, path):
        leaf = not node.get("properties") and not isinstance(node.get("additionalProperties"), dict)
        documented = "rebuilds" in node and node["description"].endswith(".")
        own = [path] if leaf and path and not documented else []
        children = list((node.get("properties") or {}).items())
        if isinstance(node.get("additionalProperties"), dict):
            children.append(("*", node["additionalProperties"]))
        return own + [found for name, child in children for found in missing(child, f"{path}.{name}")]

    assert missing(schema, "") == []


def test_every_key_of_the_default_is_in_the_table(schema):
    names = {key.name for key in documentation.keys_of(schema, {})}
    config = yaml.safe_load((documentation.ROOT / "config/config.yaml").read_text())
    assert {"align.refine", "seeds", "skies.{name}.origin", "models.{name}.l2"} <= names
    assert {name.partition(".")[0] for name in names} == set(config)


def test_jobs_are_found_with_their_modules():
    jobs = documentation.jobs_of(documentation.ROOT / "workflow/rules")
    assert jobs["align_field"] == ("align_field", ())
    assert jobs["plot_roc"] == ("plot", ("stargal.report.figures.scores",))
    assert jobs["tabulate_comparison"] == ("tabulate", ("stargal.evaluation.comparisons",))
    for job in jobs.values():
        assert all(path.exists() for path in code_of(*job)), job


def test_a_default_is_shown_as_yaml():
    table = documentation.configuration_table(
        {"properties": {"size": {"type": "integer", "minimum": 1, "description": "Side.", "rebuilds": "patches"}}},
        {"size": 25},
    )
    assert table.splitlines()[2] == "| `size` | whole number, 1 or more | `25` | Side. | patches |"
