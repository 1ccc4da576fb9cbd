"""Call library functions with the content of files, as the scripts for tables and figures do."""

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
    """Call ``package.module:function`` with the content of files and with settings as keyword arguments.

    Parameters
    ----------
    call : str
        The function, ``package.module:function``.
    inputs : iterable of str
        ``name=path``, or ``name[]=path`` once for each item of a list. ``name[]=`` with ``{field}`` in the path stands
        for the files of all fields.
    settings : mapping
        Further keyword arguments; they override ``fields`` and ``buckets``.
    buckets : mapping of str
        Fields of each bucket in the format of `stargal.survey.fields.format_fields`, for paths with ``{field}``. If the
        function has parameters ``fields`` or ``buckets``, it gets the names of the fields in ascending order, or the
        bucket of each field.

    Returns
    -------
    object
        The return value of the function.
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
            arguments[key] = []  # a list of no files
    return function(**arguments)


def named_paths(words: Iterable[str]) -> dict[str, list[str]]:
    """Group ``name=path`` words by name."""
    paths: dict[str, list[str]] = {}
    for word in words:
        name, _, path = word.partition("=")
        paths.setdefault(name, []).append(path)
    return paths


def read_file(path: Path) -> Any:
    """Read a file by its suffix: a table, JSON, a memory-mapped array, a dict of arrays; return other paths unread.

    Raises
    ------
    StargalError
        If the file differs from its record or does not have the format of its suffix.
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
