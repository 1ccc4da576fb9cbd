"""Match the detections of a field to the survey's sources and to tables of classes from elsewhere.

Reads the detections, the sources where the field is in a bucket, and the tables; writes
results/{sky}/peers/matched/{field}.parquet.
"""

import json
import logging
from pathlib import Path
from typing import Annotated

from typer import Option

from stargal.dataset.crossmatch import match_field, read_positions
from stargal.io import cli
from stargal.io.files import whole
from stargal.io.tables import read_table
from stargal.survey.matching import MATCH_ARCSEC


def main(
    detections: Annotated[Path, Option(help="Detections of the field.")],
    sky: Annotated[str, Option(help="Name of the sky, for messages.")],
    matched: Annotated[Path, Option(help="Output: table of matched detections.")],
    sources: Annotated[list[Path], Option(help="The survey's sources of the field, if any.")] = [],  # noqa: B006
    tables: Annotated[list[Path], Option(help="Tables of classes, then of classifiers; repeat.")] = [],  # noqa: B006
    columns: Annotated[str, Option(help="JSON: of each table its part, name and columns, in order.")] = "[]",
) -> None:
    """Match the detections of a field."""
    parts: dict[str, dict[str, tuple]] = {"truth": {}, "classifiers": {}}  # type: ignore[type-arg]
    for path, block in zip(tables, json.loads(columns), strict=True):
        content = read_positions(path, block, f"skies.{sky}.{block['part']}.{block['name']}")
        parts[block["part"]][block["name"]] = content, block.get("radius", MATCH_ARCSEC)
    survey = read_table(sources[0]) if sources else None
    table = match_field(read_table(detections), survey, parts["truth"], parts["classifiers"])
    with whole(matched) as partial:
        table.to_parquet(partial, index=False)
    found = table.drop(columns=["ra", "dec", "photo_type"]).notna().sum()
    logging.info("%d detections, %s", len(table), ", ".join(f"{name}: {count}" for name, count in found.items()))


if __name__ == "__main__":
    cli.run(main)
