"""Address of a file below the base URL of an archive."""

import os
from pathlib import Path
from urllib.request import url2pathname

from stargal.errors import StargalError


def base_url(text: str, key: str = "archive.url") -> str:
    """Expand environment variables and ``~`` in the archive URL of the configuration; return a folder as file:// URL.

    The download job expands the variables, so the workflow can be planned without them, and run where all files are
    present. `key` of the configuration is named in an error.

    Raises
    ------
    StargalError
        If a variable is not set.
    """
    url = os.path.expandvars(text)
    if url.startswith("~"):
        url = str(Path(url).expanduser())
    if "$" in url:
        raise StargalError(
            f"config: {key}: {url}: this environment variable is not set: set it to a URL or folder with the "
            "archive's layout, or use the SDSS archive with --configfile config/sdss.yaml"
        )
    return url.rstrip("/") if "://" in url else Path(url).resolve().as_uri()


def check_base(text: str, key: str, files: Path) -> None:
    """Check at planning that an archive in a folder is there, unless the files of the sky are.

    Parameters
    ----------
    text : str
        URL or folder, as in the configuration.
    key : str
        Key of the configuration that names it.
    files : path
        Folder of the frames of the sky. If it holds any, nothing is checked: all may be there.

    Raises
    ------
    StargalError
        If there is no such folder, or a variable in it is not set.
    """
    if any(path.is_file() for path in files.rglob("*")):
        return
    url = base_url(text, key)
    if url.startswith("file://") and not (folder := folder_of(url)).is_dir():
        raise StargalError(f"config: {key}: {folder}: no such folder; name the folder that holds the archive")


def local_archive(text: str) -> Path | None:
    """Return the folder of an archive on this machine; None for one on a server, or if a variable is not set."""
    try:
        url = base_url(text)
    except StargalError:
        return None
    return folder_of(url) if url.startswith("file://") else None


def folder_of(url: str) -> Path:
    """Return the path of a file:// URL."""
    return Path(url2pathname(url.removeprefix("file://").removeprefix("localhost")))


def address(base: str, template: str, **keys: int | str) -> str:
    """Return the URL of a file: the base URL of the archive and the completed template of its release.

    Examples
    --------
    >>> address("https://data.sdss.org/sas/dr17", "sweeps/{rerun}/calibObj-{run:06d}-{camcol}-{kind}.fits.gz",
    ...         rerun=301, run=8162, camcol=6, kind="star")
    'https://data.sdss.org/sas/dr17/sweeps/301/calibObj-008162-6-star.fits.gz'

    Raises
    ------
    StargalError
        If the template contains a name that is not in `keys`, or the base contains a variable that is not set.
    """
    try:
        return f"{base_url(base)}/{template.format(**keys)}"
    except (KeyError, IndexError, ValueError, AttributeError):
        raise StargalError(
            f"config: archive.releases: template {template!r}: cannot be filled in, allowed are "
            + ", ".join(f"{{{key}}}" for key in keys)
        ) from None
