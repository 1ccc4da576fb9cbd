"""Bands, frames and fields of SDSS imaging, and the names of fields.

The Snakefile imports this module, so it uses only the standard library.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from stargal.errors import StargalError

BANDS = ("u", "g", "r", "i", "z")
"""The five filters in order of wavelength; the order of axis 0 of a cube unless the configuration changes it."""

REFERENCE = "r"
"""The band that defines the pixel grid of every cube (SDSS positions are r positions, Pier et al. 2003)."""

ROWS, COLUMNS = 1489, 2048
"""Shape of a frame, pixels (axis 0, axis 1)."""

STEP_ROWS = 1361
"""Rows between consecutive fields of a camcol; a frame shares its other 128 rows with its neighbours."""

TRIM = (ROWS - STEP_ROWS) // 2
"""Rows at each end of a frame that belong to the neighbouring fields."""

PIXEL_ARCSEC = 0.396
"""Pixel size, arcsec."""

FRAME_LAG = {"r": 0, "i": 2, "u": 4, "z": 6, "g": 8}
"""Number of frames by which each band lags r on the same sky: header FRAME = field + lag.

The sky drifts across the five rows of the camera in the order r i u z g (Gunn et al. 1998, AJ 116, 3040).
Verified on real frames.
"""

_NAME = re.compile(r"(\d+)-(\d+)-(\d)-(\d+)")


@dataclass(frozen=True, order=True)
class Field:
    """One field of the survey, the unit of work: five frames of 1489 x 2048 pixels of the same sky."""

    rerun: int
    run: int
    camcol: int
    field: int

    @property
    def name(self) -> str:
        """The field's name in paths, for example ``301-008162-6-0080``."""
        return f"{self.rerun}-{self.run:06d}-{self.camcol}-{self.field:04d}"

    @classmethod
    def parse(cls, name: str) -> "Field":
        """Parse a field name, zero-padded or not.

        Raises
        ------
        StargalError
            If `name` is not ``rerun-run-camcol-field``.
        """
        match = _NAME.fullmatch(name)
        if match is None:
            raise StargalError(f"field {name!r}: expected rerun-run-camcol-field, for example 301-8162-6-80")
        return cls(*(int(part) for part in match.groups()))


def fields_ahead(y: Any) -> Any:
    """Return the offset from a frame's field to the field that owns a position: -1, 0 or 1.

    A field owns rows `TRIM` to ROWS - `TRIM` of its r frame (ROWC, counted from the pixel edge); its neighbours own
    the rest.

    Parameters
    ----------
    y : float or array
        Row on the r frame, 0-based pixels.
    """
    return (y + 0.5 - TRIM) // STEP_ROWS


def format_fields(fields: Iterable[Field]) -> str:
    """Format a set of fields compactly, for a command line: ``301-8162-6:80,103,111-114 ...``."""
    groups = []
    for (rerun, run, camcol), members in groupby(sorted(set(fields)), lambda f: (f.rerun, f.run, f.camcol)):
        ranges: list[list[int]] = []
        for number in (f.field for f in members):
            if ranges and number == ranges[-1][1] + 1:
                ranges[-1][1] = number
            else:
                ranges.append([number, number])
        numbers = ",".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges)
        groups.append(f"{rerun}-{run}-{camcol}:{numbers}")
    return " ".join(groups)


def parse_fields(text: str) -> list[Field]:
    """Parse the output of `format_fields` into fields in ascending order.

    Raises
    ------
    StargalError
        If `text` does not have that form.
    """
    fields: set[Field] = set()
    for group in text.split():
        camcol, _, numbers = group.partition(":")
        for part in numbers.split(","):
            first, _, last = part.partition("-")
            try:
                span = range(int(first), int(last or first) + 1)
            except ValueError:
                raise StargalError(f"fields {group!r}: expected rerun-run-camcol:field,first-last,...") from None
            fields.update(Field.parse(f"{camcol}-{number}") for number in span)
    return sorted(fields)
