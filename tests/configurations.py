"""The default configuration and tables of fields, for tests of what the rules plan."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
DEFAULT = ROOT / "config/config.yaml"
CONFIG_SCHEMA = ROOT / "workflow/schemas/config.schema.yaml"
FIELDS_SCHEMA = ROOT / "workflow/schemas/fields.schema.yaml"

HEADER = "rerun\trun\tcamcol\tfield\tbucket"
ROWS = ["301\t8162\t6\t174\ttrain", "301\t8162\t6\t120\tvalidation", "301\t8162\t6\t80\ttest"]
"""A field per bucket."""


def default_config() -> dict[str, Any]:
    """Return the default configuration, to be changed at will."""
    return yaml.safe_load(DEFAULT.read_text())


def write_table(path: Path, rows: Iterable[str]) -> Path:
    """Write a table of fields."""
    path.write_text("\n".join([HEADER, *rows]) + "\n")
    return path
