"""What SDSS imaging is: bands, frames, fields and their names.

The Snakefile imports this module, so it stays with the standard library.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from stargal.errors import StargalError

BANDS = ("u", "g", "r", "i", "z")
"""The five filters, by wavelength; axis 0 of a cube unless the config orders them otherwise."""

REFERENCE = "r"
"""The band whose pixel grid every cube is on (SDSS positions are r positions, Pier et al. 2003)."""

ROWS, COLUMNS = 1489, 2048
"""Pixels of a frame (axis 0, axis 1)."""

STEP_ROWS = 1361
"""Rows from one field of a camcol to the next; the other 128 rows of a frame are shared with its neighbours."""

TRIM = (ROWS - STEP_ROWS) // 2
"""Rows at each end of a frame that belong to the neighbouring fields."""

PIXEL_ARCSEC = 0.396
"""Side of a pixel, arcsec."""

FRAME_LAG = {"r": 0, "i": 2, "u": 4, "z": 6, "g": 8}
"""How many frames later than r a band sees the same sky: header FRAME = field + lag.

The sky drifts over the five rows of the camera in the order r i u z g (Gunn et al. 1998, AJ 116, 3040);
checked on genuine frames.
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
        """Read a name, zero-padded or not.

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
    """How many fields farther along the camcol than its frame the field is that a source belongs to: -1, 0 or 1.

    A field owns the rows `TRIM` to ROWS - `TRIM` of its r frame (ROWC, from a pixel's edge), its neighbours the rest.

    Parameters
    ----------
    y : float or array
        On the r frame, 0-based pixels.
    """
    return (y + 0.5 - TRIM) // STEP_ROWS


def format_fields(fields: Iterable[Field]) -> str:
    """Write a set of fields short enough for a command line: ``301-8162-6:80,103,111-114 ...``."""
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
    """Read what `format_fields` wrote, in ascending order.

    Raises
    ------
    StargalError
        If `text` is not of that form.
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
