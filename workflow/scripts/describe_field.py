"""Compute the statistics of a field used to compare the simulated and the real sky.

Reads the frames of a field, simulated or real. Writes results/{sky}/realism/{simulated|real}/{field}.csv.
"""

from pathlib import Path
from typing import Annotated

from threadpoolctl import threadpool_limits
from typer import Option

from stargal.evaluation.realism import describe_field
from stargal.imaging.frames import read_frame
from stargal.io import cli
from stargal.io.tables import write_csv
from stargal.survey.fields import Field


def main(
    sky: Annotated[str, Option(help="Name of the sky, recorded in the output.")],
    frames: Annotated[list[Path], Option(help="Frames, in the order of the bands.")],
    field: Annotated[str, Option(help="rerun-run-camcol-field")],
    bands: Annotated[str, Option(help="Order of the frames, for example ugriz.")],
    description: Annotated[Path, Option(help="Output: statistics.")],
) -> None:
    """Describe a field."""
    opened = {band: read_frame(path) for band, path in zip(bands, frames, strict=True)}
    with threadpool_limits(1):  # the order of sums, and so their last bits, depends on the threads
        described = describe_field(opened, Field.parse(field).camcol)
    write_csv(described, description, sky)


if __name__ == "__main__":
    cli.run(main)
