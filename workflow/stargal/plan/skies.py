"""The skies of a run: where the files of each come from, and which of its fields are in which bucket."""

import csv
import functools
import itertools
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from dataclasses import field as attribute
from pathlib import Path
from typing import Any

from stargal.errors import StargalError
from stargal.plan.schema import first_fault, validator_of
from stargal.survey.fields import PIXEL_ARCSEC, ROWS, STEP_ROWS, Field, format_fields

BUCKETS = ("train", "validation", "test")

TABLE_PARTS = ("truth", "classifiers")
"""Keys of a sky that name tables: of independent classes, and of what other classifiers say."""

HEADER = ["rerun", "run", "camcol", "field", "bucket"]
"""Columns of a table of fields."""


@dataclass(frozen=True)
class Sky:
    """A sky: its origin and its fields.

    Attributes
    ----------
    name : str
        Name in `skies`; its files lie below ``results/{name}`` and ``resources/{name}``.
    origin : str
        archive or simulator.
    source : dict
        What decides the content of its files: ``seed`` of a simulator, ``url`` and ``release`` of an archive.
    buckets : dict
        Bucket of each field, in the order of the table.
    tables : list of dict
        Tables of independent classes and of other classifiers: ``part`` (truth or classifiers), ``name``, ``table``
        (its path) and the columns.
    """

    name: str
    origin: str
    source: dict[str, Any]
    buckets: dict[Field, str]
    tables: list[dict[str, Any]] = attribute(default_factory=list)

    @property
    def simulated(self) -> bool:
        """Whether its files are simulated."""
        return self.origin == "simulator"

    @property
    def label(self) -> str:
        """What every table and figure says of it."""
        return f"simulated sky, seed {self.source['seed']}" if self.simulated else f"SDSS imaging ({self.name})"

    @property
    def record(self) -> dict[str, Any]:
        """The content of its ``origin.json``."""
        return {"origin": self.origin, **self.source}

    def fields(self, *buckets: str) -> list[Field]:
        """Fields of some buckets, of all without an argument, in ascending order."""
        return sorted(field for field, bucket in self.buckets.items() if bucket in (buckets or BUCKETS))

    def neighbours(self, field: Field) -> list[int]:
        """Numbers of the fields of the sky that share rows with a field."""
        beside = (Field(field.rerun, field.run, field.camcol, field.field + step) for step in (-1, 1))
        return [other.field for other in beside if other in self.buckets]

    def texts(self) -> dict[str, str]:
        """Return the fields of each bucket, as `format_fields` writes them."""
        return {bucket: format_fields(self.fields(bucket)) for bucket in BUCKETS}

    def listed(self, fields: Iterable[Field]) -> list[Field]:
        """Return those of some fields that are in a bucket."""
        return [field for field in fields if field in self.buckets]

    def camcol(self, rerun: int, run: int, camcol: int) -> list[Field]:
        """Fields of one camcol."""
        return [one for one in self.fields() if (one.rerun, one.run, one.camcol) == (rerun, run, camcol)]


def resolve_skies(config: Mapping[str, Any], root: Path, schema: Path) -> dict[str, Sky]:
    """Resolve the skies of a checked configuration, with their tables of fields.

    Parameters
    ----------
    config : mapping
        A checked configuration.
    root : path
        Where tables of fields are looked for that are not in the working directory.
    schema : path
        JSON schema of a row of such a table.

    Raises
    ------
    StargalError
        As in `read_fields`.
    """
    skies = {}
    for name, block in config["skies"].items():
        if block is None:
            continue
        if block["origin"] == "simulator":
            source = {"seed": block["seed"]}
        else:
            source = {key: block.get(key, config["archive"][key]) for key in ("url", "release")}
        table = block.get("fields")
        buckets = read_fields(in_folder_or(root, table), schema) if table else {}
        skies[name] = Sky(name, block["origin"], source, buckets, resolve_tables(name, block, root))
    return skies


def resolve_tables(name: str, block: Mapping[str, Any], root: Path) -> list[dict[str, Any]]:
    """Resolve the tables of classes and of classifiers that a sky names, in the order of the configuration.

    Raises
    ------
    StargalError
        If a file does not exist.
    """
    tables = []
    for part in TABLE_PARTS:
        for key, columns in (block.get(part) or {}).items():
            if columns is None:
                continue
            path = in_folder_or(root, columns["table"])
            if not path.exists():
                raise StargalError(
                    f"config: skies.{name}.{part}.{key}.table: no such file: {columns['table']}; name a CSV, FITS or "
                    "Parquet file in the working directory or beside the Snakefile"
                )
            tables.append({**columns, "part": part, "name": key, "table": str(path)})
    return tables


def in_folder_or(root: Path, path: str) -> Path:
    """Resolve a path of the configuration: in the working directory if it exists there, else below `root`."""
    here = Path(path).expanduser()
    return here if here.exists() or here.is_absolute() else Path(os.path.relpath(root / path))


@functools.cache
def read_fields(path: Path, schema: Path) -> dict[Field, str]:
    """Read the table of fields: tab-separated, a header ``rerun run camcol field bucket``, a row a field.

    Returns
    -------
    dict
        The bucket of each field, in the order of the table.

    Raises
    ------
    StargalError
        Naming file and line, if a value is not allowed, a field is listed twice (in one bucket or two), or two buckets
        share sky within a run.
    """
    if not path.is_file():
        fault = "not a file" if path.exists() else "no such file"
        raise StargalError(f"{path}: {fault}; config key `fields` of the sky names its table of fields")
    numbered = [(number, line) for number, line in enumerate(_lines(path), start=1) if not line.startswith("#")]
    rows = [
        (number, cells if any(cells[len(HEADER) :]) else cells[: len(HEADER)])  # a program may leave a tab at the end
        for number, line in numbered
        if (cells := [cell.strip() for cell in next(csv.reader([line], delimiter="\t"), [])])
    ]
    header = rows[0][1] if rows else []
    if header != HEADER:
        raise StargalError(f"{path}: header: found {header}, expected {HEADER}, tab-separated")
    validator = validator_of(schema)
    buckets: dict[Field, str] = {}
    line_of: dict[Field, int] = {}
    for number, cells in rows[1:]:
        where = f"{path}: line {number}"
        if len(cells) != len(HEADER):
            raise StargalError(f"{where}: found {len(cells)} columns, expected {len(HEADER)}, tab-separated")
        typed = {key: int(cell) if cell.isdigit() else cell for key, cell in zip(HEADER, cells, strict=True)}
        wrong = first_fault(typed, validator)
        if wrong:
            keys, said = wrong
            raise StargalError(f"{where}: {'.'.join(map(str, keys)) or 'row'}: {said}")
        field = Field(*(int(typed[key]) for key in HEADER[:4]))
        bucket = str(typed["bucket"])
        if field in buckets:
            same = buckets[field] == bucket
            raise StargalError(
                f"{where}: field {field.name} is listed twice, first in line {line_of[field]}"
                + ("" if same else f" in bucket {buckets[field]}, here in {bucket}; a field is in one bucket")
            )
        buckets[field], line_of[field] = bucket, number
    _refuse_shared_rows(path, buckets, line_of)
    return buckets


def _lines(path: Path) -> list[str]:
    """Read the lines of a text file in UTF-8, with or without a byte-order mark."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:  # as in UTF-16 without a byte-order mark
        raise StargalError(f"{path}: not UTF-8 text; save the table of fields as UTF-8")
    return text.splitlines()


def require_buckets(sky: Sky, path: str, buckets: tuple[str, ...]) -> None:
    """Require that a sky has fields in some buckets.

    Raises
    ------
    StargalError
        Naming the table and the empty bucket.
    """
    for bucket in buckets:
        if bucket not in sky.buckets.values():
            raise StargalError(f"{path}: bucket {bucket} is empty; each of {', '.join(buckets)} needs a field")


def resolve_training_set(name: str, members: str | int | list[str], buckets: Mapping[Field, str]) -> list[Field]:
    """Resolve a training set: ``all`` of bucket train, so many from the top of the table, or the listed names.

    Raises
    ------
    StargalError
        If a listed field is not in bucket train.
    """
    train = [field for field, bucket in buckets.items() if bucket == "train"]
    if members == "all":
        return sorted(train)
    if isinstance(members, int):
        return sorted(train[:members])
    fields = [Field.parse(member) for member in members]
    for field in fields:
        if field not in train:
            raise StargalError(
                f"config: training_sets.{name}: field {field.name} is not in bucket train "
                f"(bucket: {buckets.get(field, 'none, the table of fields lacks it')})"
            )
    return sorted(set(fields))


def _refuse_shared_rows(path: Path, buckets: Mapping[Field, str], line_of: Mapping[Field, int]) -> None:
    """Refuse a field in two reruns, and neighbours along a camcol, which share 128 rows, in different buckets."""
    by_place = sorted(buckets, key=lambda f: (f.run, f.camcol, f.field, f.rerun))
    for first, second in itertools.pairwise(by_place):
        step = second.field - first.field
        same_camcol = (first.run, first.camcol) == (second.run, second.camcol)
        if same_camcol and step == 0:
            raise StargalError(
                f"{path}: lines {line_of[first]} and {line_of[second]}: fields {first.name} and {second.name} are the "
                f"same sky in two reruns, and share {ROWS} rows of it; keep one of them"
            )
        if same_camcol and step == 1 and buckets[first] != buckets[second]:
            shared = ROWS - step * STEP_ROWS
            raise StargalError(
                f"{path}: lines {line_of[first]} and {line_of[second]}: fields {first.name} ({buckets[first]}) and "
                f"{second.name} ({buckets[second]}) share {shared} rows of sky ({shared * PIXEL_ARCSEC:.1f} arcsec); "
                "put them in one bucket or leave one out"
            )
