"""List the SHA-256 of everything the run made.

Reads the records of cubes and patches, and all other files; writes results/{sky}/manifest.sha256, sorted by path.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from stargal.io import cli
from stargal.io.files import replaced
from stargal.io.manifest import list_digests
from stargal.survey.fields import parse_fields


def main(
    files: Annotated[list[Path], Argument(help="Files of no one field.")],
    folder: Annotated[Path, Option(help="Where the paths in the manifest start.")],
    recorded: Annotated[list[str], Option(help="FIELDS=PATH with {field} in it: files whose record is believed.")],
    of_fields: Annotated[list[str], Option(help="FIELDS=PATH with {field} in it: files to read.")],
    manifest: Annotated[Path, Option(help="Where to write the manifest.")],
) -> None:
    """Write the manifest."""
    listed = list_digests(folder, paths_of(recorded), [*paths_of(of_fields), *files])
    with replaced(manifest) as partial:
        partial.write_text(listed)


def paths_of(groups: list[str]) -> Iterator[Path]:
    """A path for each field of each group."""
    for group in groups:
        fields, _, path = group.partition("=")
        yield from (Path(path.format(field=field.name)) for field in parse_fields(fields))


if __name__ == "__main__":
    cli.run(main)
