"""Fetch one frame, a band of a field, from the archive; verify it and record its SHA-256.

Makes ``frame-….fits.bz2`` and, beside it, ``frame-….fits.bz2.sha256``, from a URL.
"""

from functools import partial
from pathlib import Path
from typing import Annotated

from typer import Option

from stargal import archive, cli
from stargal.survey import Field


def main(
    output: Path,
    base: Annotated[str, Option(help="URL of the archive: https, http or file")],
    template: Annotated[str, Option(help="path of a frame below it")],
    field: Annotated[str, Option(help="rerun-run-camcol-field")],
    band: Annotated[str, Option(help="u, g, r, i or z")],
    timeout: Annotated[float, Option(help="seconds to wait for an answer or for data")] = 60,
    attempts: Annotated[int, Option(help="requests at most")] = 6,
) -> None:
    """Have a verified frame at OUTPUT; fetch it only if nothing is there."""
    wanted = Field.parse(field)
    url = archive.address(
        base,
        template,
        rerun=wanted.rerun,
        run=wanted.run,
        camcol=wanted.camcol,
        field=wanted.field,
        band=band,
    )
    verify = partial(archive.verify_frame, field=wanted, band=band)
    archive.obtain(url, output, verify, timeout=timeout, attempts=attempts)


if __name__ == "__main__":
    cli.run(main)
