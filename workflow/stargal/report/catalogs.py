"""What the page of the catalogues shows: sources of the viewer, colours, and number counts.

The columns of a catalogue that the page uses are named here and nowhere else in this package.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stargal.learning.likeness import UNLIKE
from stargal.survey.catalog import FLAG_BITS
from stargal.survey.fields import BANDS, COLUMNS, PIXEL_ARCSEC, REFERENCE, STEP_ROWS
from stargal.survey.labels import CLASSES, GALAXY, STAR, UNCERTAIN, UNCLASSIFIED
from stargal.survey.magnitudes import magnitude

KINDS = (CLASSES[STAR], CLASSES[GALAXY], UNCLASSIFIED)
"""Classes of a catalogue, in the order of legends and columns."""

MAGNITUDES = {band: f"modelMag_{band}" for band in BANDS}
"""Columns of the model magnitudes, whose differences are colours: all bands have the same aperture."""

COUNTED = f"modelFlux_{REFERENCE}"
"""Column of the number counts: near zero flux, asinh magnitudes crowd into one bin."""

USED = [
    *("id", "ra", "dec", "x", "y", "primary", "class", "flags", "unlike_training"),
    *("probability_star", "probability_scatter", "snr"),
    *(COUNTED, *MAGNITUDES.values()),
]
"""Columns that the page uses."""

COMPLETE = {"u": 22.0, "g": 22.2, "r": 22.2, "i": 21.3, "z": 20.5}
"""Magnitudes to which SDSS detects 95 % of the point sources (York et al. 2000; sdss4.org/dr17/scope)."""

FIELD_AREA = STEP_ROWS * COLUMNS * (PIXEL_ARCSEC / 3600) ** 2
"""Sky of the rows that a field owns, square degrees."""

BIN = 0.5
"""Width of the bins of the number counts, mag."""

EDGES = np.arange(12, 25 + BIN / 2, BIN)
"""Edges of these bins, r model magnitude."""

DIAGRAMS = {
    "magnitude": (("g", "r"), ("r",)),
    "ug": (("u", "g"), ("g", "r")),
    "gr": (("g", "r"), ("r", "i")),
}
"""Horizontal and vertical axis of each diagram: a colour by its two bands, or a magnitude by its band."""

POINTS = 6000
"""Sources drawn in the diagrams, over all fields; more are thinned out evenly."""

VIEWED_SOURCES = 3000
"""Sources that a viewer shows at most, the brightest: each needs about 120 bytes of the page."""

_SILENT = ("BINNED1", "CHILD")
"""Flags that need no word: nearly all sources have BINNED1, and all parts of a blend are CHILD."""


def viewer_table(catalog: pd.DataFrame) -> pd.DataFrame:
    """Table of the sources of a classified field, for the viewer.

    Parameters
    ----------
    catalog : DataFrame
        Columns `USED`.

    Returns
    -------
    DataFrame
        The `VIEWED_SOURCES` brightest in r: id, ra, dec, x, y, class, primary, model magnitudes, probability, scatter,
        snr, uncertain, flagged (unlike the training set) and notes, see `flag_words`; numbers are rounded for display.
    """
    if len(catalog) > VIEWED_SOURCES:
        brightest = catalog[MAGNITUDES[REFERENCE]].argsort(kind="stable")[:VIEWED_SOURCES]
        catalog = catalog.iloc[np.sort(brightest)]
    catalog = catalog.reset_index(drop=True)
    numbers = {
        "x": 1,
        "y": 1,
        "probability": 3,
        "scatter": 3,
        "snr": 1,
        **dict.fromkeys(MAGNITUDES.values(), 2),
    }
    return (
        catalog[["id", "ra", "dec", "x", "y", "class", "primary", *MAGNITUDES.values()]]
        .assign(
            probability=catalog["probability_star"],
            scatter=catalog["probability_scatter"],
            snr=catalog["snr"],
            uncertain=catalog["probability_star"].between(*UNCERTAIN),
            flagged=catalog["unlike_training"] != 0,
            notes=flag_words(catalog),
        )
        .astype(dict.fromkeys(numbers, np.float32))
        .round(numbers | {"ra": 6, "dec": 6})
        .rename(columns={column: f"model_mag_{band}" for band, column in MAGNITUDES.items()})
    )


def flag_words(catalog: pd.DataFrame) -> NDArray[np.object_]:
    """Words of the flags of each source: in what it is unlike the training set, then photometric flags.

    Parameters
    ----------
    catalog : DataFrame
        ``unlike_training`` and ``flags``.

    Returns
    -------
    ndarray of str
        For example ``unlike training: crowded; EDGE, SATURATED``; empty without a flag.
    """
    names = {name: 1 << bit for name, bit in FLAG_BITS.items() if name not in _SILENT}
    bits = np.stack([catalog["unlike_training"].to_numpy(int), catalog["flags"].to_numpy(int) & sum(names.values())], 1)
    found, which = np.unique(bits, axis=0, return_inverse=True)
    words = []
    for unlike, flags in found:
        parts = [
            ", ".join(name for name, bit in given.items() if value & bit)
            for given, value in ((UNLIKE, unlike), (names, flags))
        ]
        words.append("; ".join(part for part in (parts[0] and f"unlike training: {parts[0]}", parts[1]) if part))
    return np.array(words, dtype=object)[which.ravel()]


def along(catalog: pd.DataFrame, bands: Sequence[str]) -> NDArray[np.float64]:
    """Return the magnitude in a band, or the colour of two bands, of each source; NaN where a magnitude is missing."""
    first, *rest = (catalog[MAGNITUDES[band]].to_numpy(float) for band in bands)
    return first - rest[0] if rest else first


@dataclass
class Sources:
    """Sources of several catalogues, field by field: number counts, and what the diagrams draw.

    Memory does not grow with the fields: of each, only its counts and its share of the points is kept.

    Parameters
    ----------
    fields : int
        Number of catalogues to come.
    """

    fields: int
    counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros((len(KINDS), len(EDGES) - 1), np.int64))
    classes: Counter[str] = field(default_factory=Counter)
    kept: list[pd.DataFrame] = field(default_factory=list)

    def add(self, catalog: pd.DataFrame) -> None:
        """Count the primary sources of a catalogue, and keep some of them for the diagrams.

        Parameters
        ----------
        catalog : DataFrame
            ``primary``, ``class``, the model magnitudes, and the model flux in r.
        """
        own = catalog[catalog["primary"]]
        self.classes.update(own["class"])
        light = magnitude(own[COUNTED].to_numpy(float))
        for row, kind in enumerate(KINDS):
            self.counts[row] += np.histogram(light[(own["class"] == kind).to_numpy()], EDGES)[0]
        share = max(POINTS // self.fields, 1)
        if len(own) > share:
            own = own.iloc[np.linspace(0, len(own) - 1, share).round().astype(int)]
        self.kept.append(own[["class", *MAGNITUDES.values()]])

    def total(self) -> dict[str, int]:
        """Number of primary sources of each class."""
        return {kind: self.classes[kind] for kind in KINDS}

    def drawn(self) -> int:
        """Number of sources that are kept for the diagrams."""
        return sum(map(len, self.kept))

    def diagram(self, name: str) -> dict[str, tuple[NDArray[np.float32], NDArray[np.float32]]]:
        """Horizontal and vertical position of the stars and galaxies in one of `DIAGRAMS`, by class.

        Sources fainter than `COMPLETE` in a band of the diagram are left out.
        """
        axes = DIAGRAMS[name]
        table = pd.concat(self.kept)
        bright = np.all([table[MAGNITUDES[band]] < COMPLETE[band] for band in {*axes[0], *axes[1]}], axis=0)
        table = table[bright]
        parts = {kind: table[table["class"] == kind] for kind in (CLASSES[GALAXY], CLASSES[STAR])}
        return {
            kind: tuple(along(part, bands).round(3).astype(np.float32) for bands in axes)  # type: ignore[misc]
            for kind, part in parts.items()
        }

    def number_counts(self) -> pd.DataFrame:
        """Number counts of the primary sources.

        Returns
        -------
        DataFrame
            A row per bin of r model magnitude, from the first to the last with a source: ``low``, ``high``; the number
            of each class by its name; and its density by ``density_`` and its name, per magnitude and square degree.
            Sources without a positive flux are in no bin.
        """
        table = pd.DataFrame({"low": EDGES[:-1], "high": EDGES[1:]} | dict(zip(KINDS, self.counts, strict=True)))
        for kind in KINDS:
            table[f"density_{kind}"] = table[kind] / (BIN * FIELD_AREA * self.fields)
        (filled,) = np.nonzero(self.counts.any(axis=0))
        return table.iloc[filled.min() : filled.max() + 1] if len(filled) else table.iloc[:0]


def unwrap(footprints: Mapping[str, Sequence[Sequence[float]]]) -> dict[str, NDArray[np.float64]]:
    """Corners of fields with right ascensions that do not jump at 0 h.

    Parameters
    ----------
    footprints : mapping
        Corners of each field: RA and Dec, deg.

    Returns
    -------
    dict of ndarray, shape (corners, 2)
        Right ascensions lie within 180 deg of the mean direction of all corners.
    """
    corners = {name: np.asarray(one, float) for name, one in footprints.items()}
    angles = np.radians(np.concatenate([one[:, 0] for one in corners.values()]))
    centre = np.degrees(np.arctan2(np.sin(angles).mean(), np.cos(angles).mean())) % 360
    for one in corners.values():
        one[:, 0] = (one[:, 0] - centre + 180) % 360 - 180 + centre
    return corners
