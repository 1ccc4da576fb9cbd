"""Verify that a downloaded file is the whole frame or catalogue that its name says.

The readers are those of the jobs that use the files, so that no file is accepted here and refused later. Layout of the
files: https://www.sdss4.org/dr17/imaging/images/ and
https://data.sdss.org/datamodel/files/PHOTO_SWEEP/RERUN/calibObj.html

The readers are imported when there is a file to read. A job that cannot reach the archive ends sooner without them.
"""

from pathlib import Path
from typing import Any

from stargal.errors import StargalError
from stargal.survey.fields import FRAME_LAG, Field


def verify_frame(path: Path, field: Field, band: str) -> None:
    """Check that a file is the complete frame of a field and band.

    Parameters
    ----------
    path : path
        FITS, bz2-compressed.
    field : Field
        The expected field.
    band : str
        The expected band: u, g, r, i or z.

    Raises
    ------
    StargalError
        If it is not. The message describes the fault but does not name the file; the caller does.
    """
    from stargal.survey.files import unpack  # noqa: PLC0415  # see above

    check_frame(unpack(path, "bz2"), field, band)


def check_frame(data: bytes, field: Field, band: str) -> None:
    """Check FITS data as `verify_frame` checks a file."""
    from stargal.imaging.frames import parse_frame  # noqa: PLC0415  # see above
    from stargal.survey.files import opened_fits  # noqa: PLC0415

    with opened_fits(data) as hdus:
        header = hdus[0].header
        expected: dict[str, int | str] = {
            "RUN": field.run,
            "CAMCOL": field.camcol,
            "RERUN": field.rerun,
            "FILTER": band,
            # FRAME counts along the strip; a band that observes the same sky later than r has a higher number.
            "FRAME": field.field + FRAME_LAG[band],
        }
        _compare({key: header.get(key) for key in expected}, expected)
        if len(hdus) > 3 and hasattr(hdus[3], "columns") and len(hdus[3].data):
            names = {name.upper(): name for name in hdus[3].columns.names}
            if "FIELD" in names:
                _compare({"FIELD": hdus[3].data[names["FIELD"]][0]}, {"FIELD": field.field})
    parse_frame(data)


def verify_catalog(path: Path, run: int, camcol: int, kind: str) -> None:
    """Check that a file is the complete catalogue of a run and camcol.

    Parameters
    ----------
    path : path
        FITS, gzip-compressed.
    run, camcol : int
        The expected run and camcol of every source.
    kind : str
        star or gal.

    Raises
    ------
    StargalError
        If it is not. The message describes the fault but does not name the file; the caller does.
    """
    from stargal.survey.catalog import parse_catalog  # noqa: PLC0415  # see above
    from stargal.survey.files import unpack  # noqa: PLC0415

    parse_catalog(unpack(path, "gzip"), run, camcol, kind)


def _compare(found: dict[str, Any], expected: dict[str, int | str]) -> None:
    """Compare header values with those in the file name; RERUN is a padded string in the header, others are numbers."""
    wrong = [key for key in expected if str(found[key]).strip() != str(expected[key])]
    if wrong:
        holds = ", ".join(f"{key} {str(found[key]).strip()}" for key in wrong)
        says = ", ".join(f"{key} {expected[key]}" for key in wrong)
        raise StargalError(f"another file's content: it holds {holds}, the name says {says}")
