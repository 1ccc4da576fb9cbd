"""Download the frames of a field from the archive, verify them and record their SHA-256.

Writes resources/{sky}/frames/{rerun}/frame-{band}-….fits.bz2, one file per band, and its .sha256.
"""

import json
from functools import partial
from pathlib import Path
from typing import Annotated

from typer import Option

from stargal.archive.addresses import address
from stargal.archive.origin import origin_of_downloads
from stargal.archive.transfer import obtain_all
from stargal.archive.verify import verify_frame
from stargal.io import cli
from stargal.survey.fields import Field


def main(
    frames: Annotated[list[Path], Option(help="Where to write the frames, in the order of the bands.")],
    base: Annotated[str, Option(help="URL of the archive: https, http or file.")],
    template: Annotated[str, Option(help="Path of a frame below the URL.")],
    field: Annotated[str, Option(help="rerun-run-camcol-field")],
    bands: Annotated[str, Option(help="Bands of the frames, in their order, for example ugriz.")],
    origin: Annotated[str, Option(help="JSON: origin of the files of the sky.")],
    timeout: Annotated[float, Option(help="Seconds to wait for a response or for data.")] = 60,
    attempts: Annotated[int, Option(help="Maximum number of requests per frame.")] = 6,
) -> None:
    """Download the frames that are missing; check the others."""
    wanted = Field.parse(field)
    keys = {"rerun": wanted.rerun, "run": wanted.run, "camcol": wanted.camcol, "field": wanted.field}
    files = [
        (
            address(base, template, **keys, band=band),
            frame,
            partial(verify_frame, field=wanted, band=band),
        )
        for band, frame in zip(bands, frames, strict=True)
    ]
    with origin_of_downloads(frames[0].parents[2], json.loads(origin)):
        obtain_all(files, timeout=timeout, attempts=attempts)


if __name__ == "__main__":
    cli.run(main)
