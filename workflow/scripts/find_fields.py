"""List the fields of the survey that cover a place; `make fields`.

Keeps what it needs of the survey's list of fields in resources/field_list.parquet.
"""

import logging
from pathlib import Path
from typing import Annotated

import pandas as pd
import yaml
from astropy.io import fits
from typer import Option

from stargal.archive.addresses import address
from stargal.archive.transfer import obtain
from stargal.errors import StargalError
from stargal.io import cli
from stargal.io.files import whole
from stargal.io.tables import read_table
from stargal.plan.paths import FIELD_LIST
from stargal.simulation.tracks import fields_of_tracks
from stargal.survey.field_list import FILE, covering, trim_list
from stargal.survey.fields import Field

CHECKOUT = Path(__file__).parents[2]


def read_list(archive: str, template: str, timeout: float, attempts: int) -> pd.DataFrame:
    """Return the survey's list of fields: the one that is kept, else from the archive (0.5 GB), and keep it."""
    kept = Path(FIELD_LIST)
    if kept.exists():
        return read_table(kept)
    file = kept.with_name(Path(FILE).name)
    print(f"fetching the survey's list of fields, 0.5 GB, once; kept in {FIELD_LIST}", flush=True)
    below = template.partition("photoObj/")[0]
    obtain(address(archive, below + FILE), file, _verify, timeout=timeout, attempts=attempts)
    with fits.open(file) as hdus:
        listed = trim_list({name.upper(): hdus[1].data[name] for name in hdus[1].columns.names})
    with whole(kept) as partial:
        listed.to_parquet(partial, index=False)
    file.unlink()
    file.with_name(f"{file.name}.sha256").unlink()
    return listed


def _verify(path: Path) -> None:
    """Check that a file is a whole list of fields."""
    try:
        with fits.open(path) as hdus:
            trim_list({name.upper(): hdus[1].data[name][:1] for name in hdus[1].columns.names})
    except (OSError, IndexError, AttributeError, ValueError, TypeError) as error:
        raise StargalError(f"not the survey's list of fields ({error})") from None


def main(
    ra: Annotated[float, Option(min=0, max=360, help="Right ascension, deg.")],
    dec: Annotated[float, Option(min=-90, max=90, help="Declination, deg.")],
    radius: Annotated[float, Option(min=0, max=600, help="Radius of a circle around the place, arcmin.")] = 0,
    archive: Annotated[str, Option(help="URL or folder of the archive.")] = "",
) -> None:
    """List fields."""
    settings = yaml.safe_load((CHECKOUT / "config/config.yaml").read_text())["archive"]
    template = settings["releases"][settings["release"]]["frame"]
    try:
        listed = read_list(archive or settings["url"], template, settings["timeout"], settings["attempts"])
    except StargalError as error:
        logging.warning("no list of the survey's fields: %s", str(error).partition("; ")[0])
        listed = fields_of_tracks()
        runs = ", ".join(map(str, sorted(listed["run"].unique())))
        print(f"from the tracks of the runs that stargal knows, {runs}; other runs may cover the place, too")
    found = covering(listed, ra, dec, radius / 60)
    if found.empty:
        raise StargalError(f"no field of them is within {radius:g} arcmin of ra {ra:g}, dec {dec:g}; widen RADIUS")
    for row in found.itertuples():
        field = Field(int(row.rerun), int(row.run), int(row.camcol), int(row.field))
        print(f"{field.name}  middle {60 * row.distance:.1f} arcmin away")


if __name__ == "__main__":
    cli.run(main)
