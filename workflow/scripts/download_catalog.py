"""Download the star or galaxy catalogue of a camcol from the archive, verify it and record its SHA-256.

Writes resources/{sky}/catalogs/{rerun}/calibObj-{run}-{camcol}-{kind}.fits.gz and its .sha256.
"""

import json
from functools import partial
from pathlib import Path
from typing import Annotated

from typer import Option

from stargal.archive.addresses import address
from stargal.archive.origin import origin_of_downloads
from stargal.archive.transfer import obtain
from stargal.archive.verify import verify_catalog
from stargal.io import cli


def main(
    catalog: Annotated[Path, Option(help="Where to write the catalogue.")],
    base: Annotated[str, Option(help="URL of the archive: https, http or file.")],
    template: Annotated[str, Option(help="Path of a catalogue below the URL.")],
    rerun: Annotated[int, Option()],
    run: Annotated[int, Option()],
    camcol: Annotated[int, Option(help="1 to 6")],
    kind: Annotated[str, Option(help="star or gal")],
    origin: Annotated[str, Option(help="JSON: origin of the files of the sky.")],
    timeout: Annotated[float, Option(help="Seconds to wait for a response or for data.")] = 60,
    attempts: Annotated[int, Option(help="Maximum number of requests.")] = 6,
) -> None:
    """Download the catalogue if it is missing; check it otherwise."""
    url = address(base, template, rerun=rerun, run=run, camcol=camcol, kind=kind)
    verify = partial(verify_catalog, run=run, camcol=camcol, kind=kind)
    with origin_of_downloads(catalog.parents[2], json.loads(origin)):
        obtain(url, catalog, verify, timeout=timeout, attempts=attempts)


if __name__ == "__main__":
    cli.run(main)
