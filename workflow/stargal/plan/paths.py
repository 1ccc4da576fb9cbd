"""Paths of everything that the workflow makes, each spelled once, with its wildcards in braces.

``{sky}`` keeps the files of skies apart, ``{field}`` is ``301-008162-6-0080``. ``{positions}`` says where the patches
of a field lie: on the sources of the survey's ``catalog``, on our own ``detections``, or on ``places25``, sources and
empty sky for patches of 25 pixels.
"""

import re
from collections.abc import Iterable
from typing import Any

from stargal.survey.fields import Field

RESOURCES = "resources/{sky}"
RESULTS = "results/{sky}"

FIELD_LIST = "resources/field_list.parquet"  # kept by `make fields`
FRAME = f"{RESOURCES}/frames/{{rerun}}/frame-{{band}}-{{run}}-{{camcol}}-{{number}}.fits.bz2"
CATALOG = f"{RESOURCES}/catalogs/{{rerun}}/calibObj-{{run}}-{{camcol}}-{{kind}}.fits.gz"
TRUTH = f"{RESOURCES}/truth/{{field}}.parquet"
MEASURED = f"{RESOURCES}/measured/{{field}}.parquet"

CUBE = f"{RESULTS}/aligned/{{field}}.fits"
ALIGNMENT = f"{RESULTS}/aligned/{{field}}.json"
PSF = f"{RESULTS}/aligned/{{field}}.psf.npy"
SOURCES = f"{RESULTS}/sources/{{positions}}/{{field}}.parquet"
PATCHES = f"{RESULTS}/patches/{{positions}}/{{size}}/{{field}}.npy"
SET = f"{RESULTS}/sets/{{positions}}/{{size}}/{{set}}.csv"
MODEL = f"{RESULTS}/models/{{experiment}}/seed{{seed}}"
BASELINES = f"{RESULTS}/baselines/{{training_set}}"
TABLES = f"{RESULTS}/tables"
TIMINGS = f"{RESULTS}/timings/{{comparison}}.csv"
FIGURES = f"{RESULTS}/figures"
REALISM = f"{RESULTS}/realism"
CLASSIFIER = f"{RESULTS}/classifier"
RELEASED = "resources/classifiers"
FIELD_CATALOG = f"{RESULTS}/catalogs/{{field}}"
SKY_CATALOG = f"{RESULTS}/catalogs/hats"  # a folder; its record is beside it
VIEWER = f"{RESULTS}/viewer/{{field}}"
PAGE = f"{RESULTS}/report.html"
CATALOG_PAGE = f"{RESULTS}/catalogs.html"
STUDY = f"{RESULTS}/study.html"
MANIFEST = f"{RESULTS}/manifest.sha256"
PEERS = f"{RESULTS}/peers"
MATCHED = f"{PEERS}/matched/{{field}}.parquet"
EXTRACTED = f"{PEERS}/extractor/{{field}}.parquet"
FOREST = f"{PEERS}/forest.parquet"
GATHERED = f"{PEERS}/{{scope}}.parquet"
PEERS_PAGE = f"{RESULTS}/peers.html"

WILDCARDS = {
    "rerun": r"\d+",
    "run": r"\d{6}",
    "camcol": r"[1-6]",
    "number": r"\d{4}",
    "band": r"[ugriz]",
    "kind": r"star|gal",
    "field": r"\d+-\d{6}-[1-6]-\d{4}",
    "positions": r"catalog|detections|places\d+",
    "size": r"\d+",
    "seed": r"\d+",
    "scope": r"independent|peers",
}
"""Regular expression of each wildcard that does not depend on the configuration."""

OF_FIELD = "{rerun}-{run}-{camcol}-{number}"
"""The name of a field in the wildcards of its frames."""


def fill(pattern: str, **wildcards: Any) -> str:
    """Fill in some wildcards of a path and leave the others open."""
    for name, value in wildcards.items():
        pattern = pattern.replace(f"{{{name}}}", str(value))
    return pattern


def one_of(names: Iterable[str]) -> str:
    """Return the constraint of a wildcard to some names; to nothing without a name."""
    return "|".join(map(re.escape, names)) or "(?!)"


def archive_keys(field: Field) -> dict[str, Any]:
    """Return the wildcards of a field's files in the archive."""
    return {
        "rerun": field.rerun,
        "run": f"{field.run:06d}",
        "camcol": field.camcol,
        "number": f"{field.field:04d}",
    }
