"""Fetch the frames of a field from the archive; verify them and record their SHA-256.

Makes ``frame-….fits.bz2``, a file a band, and beside each ``frame-….fits.bz2.sha256``, from URLs.
"""

import json
from functools import partial
from pathlib import Path
from typing import Annotated

from typer import Option

from stargal.archive.addresses import address
from stargal.archive.origin import record_origin
from stargal.archive.transfer import obtain_all
from stargal.archive.verify import verify_frame
from stargal.io import cli
from stargal.survey.fields import Field


def main(
    frames: Annotated[list[Path], Option(help="where to have the frames, in the order of the bands")],
    base: Annotated[str, Option(help="URL of the archive: https, http or file")],
    template: Annotated[str, Option(help="path of a frame below it")],
    field: Annotated[str, Option(help="rerun-run-camcol-field")],
    bands: Annotated[str, Option(help="bands of FRAMES, in their order, for example ugriz")],
    origin: Annotated[str, Option(help="JSON: the record of the sky")],
    timeout: Annotated[float, Option(help="seconds to wait for an answer or for data")] = 60,
    attempts: Annotated[int, Option(help="requests at most for a frame")] = 6,
) -> None:
    """Have verified FRAMES; fetch those that are not there."""
    record_origin(frames[0].parents[2], json.loads(origin))
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
    obtain_all(files, timeout=timeout, attempts=attempts)


if __name__ == "__main__":
    cli.run(main)
