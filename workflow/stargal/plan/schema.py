"""Check values against a JSON schema, and say the fault in one phrase."""

import functools
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match


@functools.cache
def validator_of(schema: Path) -> Draft202012Validator:
    """Read a schema once: every job of a cluster begins with these checks."""
    return Draft202012Validator(yaml.safe_load(schema.read_text()))


def first_fault(instance: Any, validator: Draft202012Validator) -> tuple[list[Any], str] | None:
    """Return the keys of the most telling violation of a schema, and what was found and what is allowed."""
    error = best_match(validator.iter_errors(instance))
    if error is None:
        return None
    while error.parent is not None:  # of several alternatives, say them all
        error = error.parent
    keys = list(error.absolute_path)
    found, rule, limit = error.instance, error.validator, error.validator_value
    if rule == "additionalProperties":
        allowed = list(error.schema.get("properties", {}))
        unknown = sorted(set(found) - set(allowed), key=str)
        return [*keys, unknown[0]], f"unknown key, allowed are {', '.join(allowed)}"
    if rule == "required":
        missing = next(key for key in limit if key not in found)
        return [*keys, missing], "missing"
    allowed_text = {
        "enum": lambda: "one of " + ", ".join(map(str, limit)),
        "type": lambda: " or ".join([limit] if isinstance(limit, str) else limit),
        "minimum": lambda: f"{limit} or more",
        "maximum": lambda: f"{limit} or less",
        "exclusiveMinimum": lambda: f"more than {limit}",
        "exclusiveMaximum": lambda: f"less than {limit}",
        "multipleOf": lambda: f"a multiple of {limit}",
    }.get(str(rule), lambda: error.message)()
    return keys, f"found {found!r}, allowed: {error.schema.get('allowed', allowed_text)}"
