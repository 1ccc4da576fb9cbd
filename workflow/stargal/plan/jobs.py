"""The command line of a job, from the names that its rule gives to inputs, outputs and settings.

Input ``cube`` of a rule becomes ``--cube PATH``, a list the option once for each path, setting ``size`` ``--size 25``.
So a name is spelled twice, in the rule and in the signature of the script.
"""

import json
import re
import shlex
from collections.abc import Iterable, Mapping
from typing import Any

_FIELD = re.compile(r"\d+-\d{6}-[1-6]-\d{4}")


def options(settings: Mapping[str, Any]) -> str:
    """Write settings as options of a script, quoted for a shell.

    None and an empty text are left out, true and false are ``--name`` and ``--no-name``, lists and dictionaries JSON.
    """
    words = []
    for key, value in settings.items():
        name = key.replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{name}" if value else f"--no-{name}")
        elif isinstance(value, list | dict):
            words.append(f"--{name}={json.dumps(value)}")
        elif value is not None and value != "":
            words.append(f"--{name}={value}")
    return shlex.join(words)


def file_options(files: Iterable[tuple[str, Any]], of_fields: Iterable[str] = (), named: str = "") -> str:
    """Write the named files of a job as options of its script, quoted for a shell.

    Parameters
    ----------
    files : iterable of (name, path or list of paths)
        Those whose name begins with ``record`` are left out: nothing reads them but the workflow.
    of_fields : iterable of str
        Names of files that there is one of for each field: instead of thousands of paths, a pattern with ``{field}``.
    named : str
        Name of one option for all files: ``--input cube=PATH`` rather than ``--cube PATH``, and
        ``--input names[]=PATH`` for an item of a list.
    """
    words = []
    for key, value in files:
        if key.startswith("record"):
            continue
        paths = [value] if isinstance(value, str) else list(value)
        if key in of_fields:
            paths = [pattern_of(path) for path in paths[:1]]
        name = f"--{named}={key}{'' if isinstance(value, str) else '[]'}" if named else f"--{key.replace('_', '-')}"
        words += [f"{name}={path}" for path in paths]
    return shlex.join(words)


def pattern_of(path: str) -> str:
    """Replace the name of a field in a path by ``{field}``."""
    return _FIELD.sub("{field}", path)
