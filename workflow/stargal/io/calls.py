"""Call a function of the library with the content of files: what the families of tables and figures share."""

import importlib
import inspect
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from stargal.io.files import intact
from stargal.io.tables import read_csv, read_json, read_table
from stargal.survey.fields import parse_fields


def call_with_files(call: str, inputs: Iterable[str], settings: Mapping[str, Any], buckets: Mapping[str, str]) -> Any:
    """Call ``package.module:function`` with the content of files by name, and with settings.

    Parameters
    ----------
    call : str
        The function.
    inputs : iterable of str
        ``name=path``, or ``name[]=path`` once for each item of a list; ``name[]=`` and a path with ``{field}`` in it
        stands for the files of all fields.
    settings : mapping
        Further arguments.
    buckets : mapping of str
        The fields of each bucket, as `stargal.survey.fields.format_fields` writes them, for paths with ``{field}``. The
        function also gets ``fields``, their names in ascending order, and ``buckets``, the bucket of each, if it has
        such parameters.

    Returns
    -------
    object
        What the function returns.
    """
    module, _, name = call.partition(":")
    function = getattr(importlib.import_module(module), name)
    parameters = inspect.signature(function).parameters
    bucket_of = {field.name: bucket for bucket, text in buckets.items() for field in parse_fields(text)}
    fields = sorted(bucket_of)
    arguments: dict[str, Any] = {}
    for key, paths in named_paths(inputs).items():
        if "{field}" in paths[0]:
            paths = [paths[0].replace("{field}", field) for field in fields]
        content = [read_file(Path(path)) for path in paths]
        arguments[key.removesuffix("[]")] = content if key.endswith("[]") else content[0]
    arguments |= {key: value for key, value in (("fields", fields), ("buckets", bucket_of)) if key in parameters}
    arguments |= settings
    for key, parameter in parameters.items():
        if key not in arguments and parameter.default is inspect.Parameter.empty:
            arguments[key] = []  # a list without files
    return function(**arguments)


def named_paths(words: Iterable[str]) -> dict[str, list[str]]:
    """Collect ``name=path`` by name."""
    paths: dict[str, list[str]] = {}
    for word in words:
        name, _, path = word.partition("=")
        paths.setdefault(name, []).append(path)
    return paths


def read_file(path: Path) -> Any:
    """Read a file by its suffix: a table, JSON, an array (mapped into memory), arrays by name, or else the path itself.

    Raises
    ------
    StargalError
        If its bytes are not those recorded, or it is not what its suffix says.
    """
    match path.suffix:
        case ".parquet":
            return read_table(path)
        case ".csv":
            return read_csv(path)
        case ".tsv":
            return pd.read_csv(path, sep="\t")
        case ".json":
            return read_json(path)
        case ".npy":
            return np.load(intact(path), mmap_mode="r")
        case ".npz":
            with np.load(intact(path)) as arrays:
                return dict(arrays)
        case _:
            return path
