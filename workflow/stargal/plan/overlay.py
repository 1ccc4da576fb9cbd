"""The configuration overlay of `make classify`: fields, the archive and a classifier, checked before any work."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from stargal.errors import StargalError
from stargal.plan.availability import check_frames
from stargal.plan.classifiers import find_classifier
from stargal.survey.fields import Field

COLUMNS = ("rerun", "run", "camcol", "field")
"""Columns of a table of fields that name a field."""

CAMCOLS = range(1, 7)


def read_fields(text: str) -> list[Field]:
    """Read names of fields, each once and in their order.

    Parameters
    ----------
    text : str
        Names, ``301-3918-3-213`` or ``301-003918-3-0213``, with blanks, commas or line breaks in between; or ``@`` and
        a file of such names, or of a table with columns rerun, run, camcol and field, separated by tabs or commas. What
        follows ``#`` in a file is a comment.

    Raises
    ------
    StargalError
        If there is none, or one is misspelt, with the line of the file.
    """
    if not text.strip():
        raise StargalError(
            'FIELDS: name fields, for example FIELDS="301-3918-3-213 301-5112-4-345", or a file, @mine.txt'
        )
    if text.startswith("@"):
        fields = _read_file(Path(text[1:]).expanduser())
    else:
        fields = [_parse(name, "FIELDS") for name in _words(text)]
    return list(dict.fromkeys(fields))


def _read_file(path: Path) -> list[Field]:
    """Fields of a file of names, or of a table."""
    try:
        lines = [line.partition("#")[0].strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise StargalError(f"FIELDS: {path}: not a readable text file ({error}); write FIELDS=@FILE") from None
    numbered = [(number, line) for number, line in enumerate(lines, start=1) if line]
    if not numbered:
        raise StargalError(f"FIELDS: {path} holds no field; write one on each line, for example 301-3918-3-213")
    separator = "\t" if "\t" in numbered[0][1] else ","
    rows = [
        (number, [cell.strip() for cell in next(csv.reader([line], delimiter=separator))]) for number, line in numbered
    ]
    header = [cell.lower() for cell in rows[0][1]]
    if not set(COLUMNS) <= set(header):
        return [_parse(name, f"{path}, line {number}") for number, line in numbered for name in _words(line)]
    fields = []
    for number, cells in rows[1:]:
        given = dict(zip(header, cells, strict=False))
        fields.append(_parse("-".join(given.get(name, "") for name in COLUMNS), f"{path}, line {number}"))
    return fields


def _words(text: str) -> list[str]:
    return text.replace(",", " ").split()


def _parse(name: str, where: str) -> Field:
    """Parse the name of a field; the error says where it stands."""
    try:
        field = Field.parse(name)
    except StargalError as error:
        raise StargalError(f"{where}: {error}") from None
    if field.camcol not in CAMCOLS:
        raise StargalError(f"{where}: field {name!r}: camcol is {field.camcol}; allowed: 1 to 6")
    return field


def local_folder(archive: str) -> Path | None:
    """Folder of an archive on this machine; None for one on a server.

    Raises
    ------
    StargalError
        If there is no such folder.
    """
    if archive.startswith(("http://", "https://")):
        return None
    folder = Path(unquote(urlsplit(archive).path) if archive.startswith("file://") else archive).expanduser()
    if not folder.is_dir():
        raise StargalError(f"ARCHIVE: {archive}: no such folder; give a folder with the archive's layout, or its URL")
    return folder.resolve()


def overlay(
    config: Mapping[str, Any], checkout: Path, *, fields: str, sky: str, archive: str = "", classifier: str = ""
) -> dict[str, Any]:
    """Return the overlay that classifies some fields.

    Parameters
    ----------
    config : mapping
        The default configuration.
    checkout : path
        Folder that a classifier is looked for in if it is not in the working directory.
    fields : str
        See `read_fields`.
    sky : str
        Name of the sky.
    archive : str
        URL or folder; empty for the default.
    classifier : str
        Folder; empty for the default.

    Raises
    ------
    StargalError
        If a field, the archive or the classifier is not what it must be.
    """
    wanted = read_fields(fields)
    named = classifier or config["classify"]["classifier"]
    if named is None:
        raise StargalError(
            "CLASSIFIER: no classifier is released with this version; name the folder of a published one"
        )
    try:
        find_classifier(named, checkout, "".join(config["bands"]))
    except StargalError as error:
        said = str(error).replace("classify.classifier", "CLASSIFIER").removesuffix(", or null for the one of this run")
        raise StargalError(said) from None
    origin = {"origin": "archive"}
    if archive:
        folder = local_folder(archive)
        origin["url"] = archive if folder is None else str(folder)
        if folder is not None:
            release = config["archive"]["releases"][config["archive"]["release"]]
            check_frames(folder, release["frame"], wanted, config["bands"], "FIELDS")
    return {
        "sky": sky,
        "skies": {sky: origin},
        "classify": {"classifier": named, "fields": [field.name for field in wanted]},
    }
