"""Fetch one catalogue, the stars or galaxies of a camcol, from the archive; verify it and record its SHA-256.

Makes ``calibObj-….fits.gz`` and, beside it, ``calibObj-….fits.gz.sha256``, from a URL.
"""

import json
from functools import partial
from pathlib import Path
from typing import Annotated

from typer import Option

from stargal.archive.addresses import address
from stargal.archive.origin import record_origin
from stargal.archive.transfer import obtain
from stargal.archive.verify import verify_catalog
from stargal.io import cli


def main(
    catalog: Annotated[Path, Option(help="where to have the catalogue")],
    base: Annotated[str, Option(help="URL of the archive: https, http or file")],
    template: Annotated[str, Option(help="path of a catalogue below it")],
    rerun: Annotated[int, Option()],
    run: Annotated[int, Option()],
    camcol: Annotated[int, Option(help="1 to 6")],
    kind: Annotated[str, Option(help="star or gal")],
    origin: Annotated[str, Option(help="JSON: the record of the sky")],
    timeout: Annotated[float, Option(help="seconds to wait for an answer or for data")] = 60,
    attempts: Annotated[int, Option(help="requests at most")] = 6,
) -> None:
    """Have a verified catalogue at CATALOG; fetch it only if nothing is there."""
    record_origin(catalog.parents[2], json.loads(origin))
    url = address(base, template, rerun=rerun, run=run, camcol=camcol, kind=kind)
    verify = partial(verify_catalog, run=run, camcol=camcol, kind=kind)
    obtain(url, catalog, verify, timeout=timeout, attempts=attempts)


if __name__ == "__main__":
    cli.run(main)
