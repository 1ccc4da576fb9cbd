"""Describe a field in the numbers by which a simulated and the real sky are compared.

Reads the frames of a field, simulated or real; writes results/{sky}/realism/{simulated|real}/{field}.csv.
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
    sky: Annotated[str, Option(help="Name of the sky, said on the output.")],
    frames: Annotated[list[Path], Option(help="The frames, in the order of the bands.")],
    field: Annotated[str, Option(help="rerun-run-camcol-field")],
    bands: Annotated[str, Option(help="Order of the frames, for example ugriz.")],
    description: Annotated[Path, Option(help="Where to write the numbers.")],
) -> None:
    """Describe a field."""
    opened = {band: read_frame(path) for band, path in zip(bands, frames, strict=True)}
    with threadpool_limits(1):  # on more threads sums come in another order, and other bits
        described = describe_field(opened, Field.parse(field).camcol)
    write_csv(described, description, sky)


if __name__ == "__main__":
    cli.run(main)
