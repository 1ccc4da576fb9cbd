"""The generated documentation is that of the schema and of the imports."""

import pytest
import yaml

from configurations import default_config
from stargal.plan import documentation
from stargal.plan.code import code_of
from stargal.plan.experiments import named_experiments


@pytest.fixture(scope="module")
def schema():
    return yaml.safe_load((documentation.ROOT / "workflow/schemas/config.schema.yaml").read_text())


@pytest.mark.parametrize("name", ["config/README.md", "docs/reference/rebuilds.md"])
def test_generated_documents_are_current(name):
    path = documentation.ROOT / name
    assert path.read_text() == documentation.documents()[path], f"{name} is stale: run `make docs`"


def properties(node, path=""):
    """All properties of a schema with their paths, those of its definitions, too."""
    for name, child in {**node.get("$defs", {}), **node.get("properties", {})}.items():
        yield from ([(f"{path}.{name}", child)] if name in node.get("properties", {}) else [])
        yield from properties(child, f"{path}.{name}")
    if isinstance(node.get("additionalProperties"), dict):
        yield from properties(node["additionalProperties"], f"{path}.{{name}}")


def test_every_property_is_described(schema):
    assert [path for path, node in properties(schema) if not node.get("description", "").endswith(".")] == []


def test_every_property_says_what_an_edit_rebuilds(schema):
    """A section need not: the properties in it do."""

    def said(node):
        below = node.get("additionalProperties")
        sections = "properties" in node or (isinstance(below, dict) and "rebuilds" in below)
        return "rebuilds" in node or sections

    assert [path for path, node in properties(schema) if not said(node)] == []


def test_texts_of_the_schema_are_whole(schema):
    """In flow style, a comma ends a text without quotes, and the rest of it becomes a key without a value."""

    def empty(node, path):
        children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
        return ([path] if node is None else []) + [
            found for key, child in children for found in empty(child, f"{path}.{key}")
        ]

    assert empty(schema, "") == []


def test_defaults_of_experiments_are_those_of_the_schema(schema):
    config = default_config()
    config["experiments"] = {"plain": {"model": "base", "training_set": "small"}}
    settings = named_experiments(config)["plain"].settings
    keys = schema["properties"]["experiments"]["additionalProperties"]["properties"]
    defaults = {name: node["default"] for name, node in keys.items() if "default" in node}
    assert {name: settings[name] for name in defaults} == defaults


def test_every_key_of_the_default_is_in_the_table(schema):
    names = {key.name for key in documentation.keys_of(schema, {})}
    assert {"align.refine", "seeds", "skies.{name}.origin", "models.{name}.l2", "comparisons.{name}.vary"} <= names
    assert {name.partition(".")[0] for name in names} == set(default_config())


def test_jobs_are_found_with_their_modules():
    jobs = documentation.jobs_of(documentation.ROOT / "workflow/rules")
    assert jobs["align_field"] == ("align_field", ())
    assert jobs["plot_roc"] == ("plot", ("stargal.report.figures.scores",))
    assert jobs["tabulate_comparison"] == ("tabulate", ("stargal.evaluation.comparisons",))
    for job in jobs.values():
        assert all(path.exists() for path in code_of(*job)), job


def row_of(node, config):
    """Write the row of one key, `size`."""
    schema = {"properties": {"size": node | {"description": "Side.", "rebuilds": "patches"}}}
    return documentation.configuration_table(schema, config).splitlines()[2]


@pytest.mark.parametrize(
    "node, config, cells",
    [
        ({"type": "integer", "minimum": 1}, {"size": 25}, "whole number, 1 or more | `25`"),
        ({"type": ["number", "null"], "exclusiveMinimum": 0}, {"size": None}, "number or null, above 0 | `null`"),
        ({"type": "number", "minimum": 0, "exclusiveMaximum": 1}, {}, "number, 0 to below 1 | "),
        ({"type": "boolean", "default": False}, {}, "yes or no | `false`"),
        ({"enum": ["r", "g"]}, {"size": "g"}, "`r`, `g` | `g`"),
        ({"type": "array", "allowed": "a list"}, {"size": [1, 2]}, "a list | `[1, 2]`"),
    ],
)
def test_a_row_shows_what_a_key_takes_and_its_default(node, config, cells):
    assert row_of(node, config) == f"| `size` | {cells} | Side. | patches |"


def test_names_of_blocks_are_their_default():
    named = {"type": "object", "description": "A set.", "rebuilds": "sets"}
    schema = {"properties": {"sets": {"description": "Sets.", "additionalProperties": named}}}
    table = documentation.configuration_table(schema, {"sets": {"small": {}, "large": {}}})
    assert table.splitlines()[2:] == ["| `sets.{name}` | block | `small`, `large` | A set. | sets |"]


def test_the_page_lists_all_modules_that_jobs_run(schema):
    rules = documentation.ROOT / "workflow/rules"
    page = documentation.rebuilds_page(schema, default_config(), rules)
    jobs = {name: job for name, job in documentation.jobs_of(rules).items() if not name.startswith("download_")}
    code = {path for job in jobs.values() for path in code_of(*job)}
    for path in documentation.LIBRARY.rglob("*"):
        if path.suffix in (".py", ".mplstyle") and path.name != "__init__.py":
            listed = f"| `{path.relative_to(documentation.LIBRARY).as_posix()}` |" in page
            assert listed == (path in code), path
    assert "| `imaging/align.py` | `align_field`, `catalog_field` |" in page
    assert "| `errors.py` | every job |" in page
