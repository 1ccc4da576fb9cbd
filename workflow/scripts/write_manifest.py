"""Write the manifest: the SHA-256 of all results of the run.

Reads the records of cubes and patches, and all other files; writes results/{sky}/manifest.sha256, sorted by path.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from typer import Option

from stargal.io import cli
from stargal.io.files import replaced
from stargal.io.manifest import list_digests
from stargal.survey.fields import parse_fields


def main(
    files: Annotated[list[Path], Option(help="Files that do not belong to a field.")],
    recorded_files: Annotated[str, Option(help="JSON: FIELDS=PATH of files listed by their record.")],
    field_files: Annotated[str, Option(help="JSON: FIELDS=PATH of files to read and check.")],
    manifest: Annotated[Path, Option(help="Where to write the manifest; its paths are relative to its folder.")],
) -> None:
    """Write the manifest."""

    def paths(groups: str) -> Iterator[Path]:
        for group in json.loads(groups):
            fields, _, path = group.partition("=")
            yield from (manifest.parent / path.replace("{field}", one.name) for one in parse_fields(fields))

    listed = list_digests(manifest.parent, paths(recorded_files), [*paths(field_files), *files])
    with replaced(manifest) as partial:
        partial.write_text(listed)


if __name__ == "__main__":
    cli.run(main)
