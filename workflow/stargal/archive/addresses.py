"""Address of a file below the base URL of an archive."""

import os
from pathlib import Path

from stargal.errors import StargalError


def base_url(text: str) -> str:
    """The base URL of an archive from the config: environment variables filled in, a folder as file://.

    They are filled in by the job that downloads, so that the workflow can be planned, and run on files that are
    there, without them.

    Raises
    ------
    StargalError
        If a variable is not set.
    """
    url = os.path.expandvars(text)
    if "$" in url:
        raise StargalError(
            f"config: archive.url: {url}: this environment variable is not set: set it to a URL or folder with the "
            "archive's layout, or take the SDSS archive with --configfile config/sdss.yaml"
        )
    return url.rstrip("/") if "://" in url else Path(url).resolve().as_uri()


def address(base: str, template: str, **keys: int | str) -> str:
    """The URL of a file: the archive's base, then the template of its release filled in.

    Examples
    --------
    >>> address("https://data.sdss.org/sas/dr17", "sweeps/{rerun}/calibObj-{run:06d}-{camcol}-{kind}.fits.gz",
    ...         rerun=301, run=8162, camcol=6, kind="star")
    'https://data.sdss.org/sas/dr17/sweeps/301/calibObj-008162-6-star.fits.gz'

    Raises
    ------
    StargalError
        If the template asks for something that is not in `keys`, or the base for a variable that is not set.
    """
    try:
        return f"{base_url(base)}/{template.format(**keys)}"
    except (KeyError, IndexError, ValueError, AttributeError):
        raise StargalError(
            f"config: archive.releases: template {template!r}: cannot be filled in, allowed are "
            + ", ".join(f"{{{key}}}" for key in keys)
        ) from None
