"""Check every file against its recorded SHA-256.

Reads all files below some folders; prints one line for each file that is missing, changed or unknown.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Annotated

from typer import Option

from stargal.errors import StargalError
from stargal.io import cli
from stargal.io.manifest import verify


def main(folders: Annotated[str, Option(help="JSON: list of folders.")]) -> None:
    """Verify all files."""
    count: Counter[str] = Counter()
    faults = 0
    for fault in verify(map(Path, json.loads(folders)), count):
        print(fault, flush=True)
        faults += 1
    print(f"{count['files']} files of {count['bytes'] / 1e6:.1f} MB are as recorded")
    if faults:
        raise StargalError(f"{faults} files are not as recorded: see the lines above for what to do with each")


if __name__ == "__main__":
    cli.run(main)
