"""Places of the patches of four classes: sources and empty sky, and what a patch around each shows.

What a patch shows is what the catalogue has in the circle inscribed in it. Beside the patches of the sources themselves
there are some of the sky, drawn at random where the catalogue has nothing. The circle is that large because sources of
both classes rarely lie nearer: of the patches of the simulated sky's sources 4 % show both within half a patch of 25
pixels, 0.2 % within 6 pixels (2.4 arcsec); of those of four real fields 3 % and 0.5 %.
"""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import maximum_filter
from scipy.spatial import cKDTree

from stargal.errors import StargalError
from stargal.survey.fields import ROWS, STEP_ROWS
from stargal.survey.labels import CLASSES, GALAXY, STAR, UNKNOWN

Array = NDArray[Any]

BOTH, SKY = 2, 3


NAMES = {SKY: "sky", STAR: CLASSES[STAR], GALAXY: CLASSES[GALAXY], BOTH: "both"}
"""Name of each class, in the order of tables and figures; a star is 1 and a galaxy 0, as everywhere."""


DRAWS = 100
"""Positions drawn for each patch of sky that is wanted. Where so many give too few, hardly another one would fit."""


def what_is_shown(x: ArrayLike, y: ArrayLike, catalogued: pd.DataFrame, radius: float) -> NDArray[np.int8]:
    """The class of patches, by the catalogued sources whose centres lie near theirs.

    Parameters
    ----------
    x, y : array_like, shape (n,)
        Centres of the patches, 0-based pixel positions.
    catalogued : DataFrame
        All sources of the frame: ``x``, ``y`` and ``label`` (1 star, 0 galaxy, `UNKNOWN`).
    radius : float
        How far from the centre a source counts, pixels; one just so far does.

    Returns
    -------
    int8 array, (n,)
        `SKY` with no source so near, 1 with stars alone, 0 with galaxies alone, `BOTH` with both; `UNKNOWN` with a
        source whose label is not known.
    """
    centres = np.column_stack([x, y])
    star, galaxy, unknown = (
        _distance(centres, catalogued[catalogued["label"] == label]) <= radius for label in (STAR, GALAXY, UNKNOWN)
    )
    return np.select([unknown, star & galaxy, star, galaxy], [UNKNOWN, BOTH, STAR, GALAXY], SKY).astype(np.int8)


def _distance(centres: Array, sources: pd.DataFrame) -> NDArray[np.float64]:
    """From each position to the nearest source, pixels; infinite where there is none."""
    return cKDTree(sources[["x", "y"]].to_numpy(float)).query(centres)[0]


def place_patches(
    sources: pd.DataFrame,
    catalogued: pd.DataFrame,
    mask: NDArray[np.uint8],
    *,
    size: int,
    random: np.random.Generator,
) -> pd.DataFrame:
    """Where the patches of a field lie, and what they show: those of its sources, and about as many of sky.

    Patches are centred on pixels, and show what lies within half their size. Those with a source of unknown label are
    left out. There are as many patches of sky as of the most frequent other class, or as many as find room.

    Parameters
    ----------
    sources : DataFrame
        The sources of the field: ``id``, ``x``, ``y``.
    catalogued : DataFrame
        All sources of the frame, those that other fields are given and the config leaves out among them: ``x``, ``y``
        and ``label`` (1 star, 0 galaxy, `UNKNOWN`).
    mask : ndarray, uint8, shape (bands, rows, columns)
        Of the cube.
    size : int
        Side of the patches, pixels.
    random : Generator
        Where the sky is drawn from.

    Returns
    -------
    DataFrame
        A row a patch: id (of the source, missing for sky), x, y (of its central pixel, float64), label (a key of
        `NAMES`, int8).
    """
    placed = sources[["id", "x", "y"]].round({"x": 0, "y": 0})
    placed["label"] = what_is_shown(placed["x"], placed["y"], catalogued, size / 2)
    placed = placed[placed["label"].isin(list(NAMES))]
    most = int(placed["label"].value_counts().max()) if len(placed) else 0
    x, y = place_sky(mask, catalogued, most, size=size, random=random)
    sky = pd.DataFrame({"id": pd.Series([None] * len(x), dtype=placed["id"].dtype), "x": x, "y": y})
    return pd.concat([placed, sky.assign(label=np.int8(SKY))], ignore_index=True)


def place_sky(
    mask: NDArray[np.uint8], catalogued: pd.DataFrame, count: int, *, size: int, random: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Centres of patches that show sky alone, as far as the catalogue knows.

    Every pixel of such a patch has data in every band and none is saturated; no catalogued source lies in the circle
    inscribed in it; no two share a pixel; and they lie in the rows that no neighbouring field has.

    Parameters
    ----------
    mask, size, random
        As for `place_patches`.
    catalogued : DataFrame
        All sources of the frame: ``x``, ``y``.
    count : int
        How many are wanted; fewer are given where no more find room among `DRAWS` times as many positions.

    Returns
    -------
    x, y : float64 arrays
        Whole pixels.
    """
    flagged = maximum_filter((mask != 0).any(axis=0), size=size, mode="constant", cval=1)
    margin = (ROWS - STEP_ROWS) // 2
    flagged[:margin] = flagged[ROWS - margin :] = True
    drawn = random.permutation(np.flatnonzero(~flagged))[: DRAWS * count]
    row, column = np.unravel_index(drawn, flagged.shape)
    clear = _distance(np.column_stack([column, row]), catalogued) > size / 2
    chosen: list[tuple[int, int]] = []
    for y, x in zip(row[clear], column[clear], strict=True):
        if len(chosen) < count and not flagged[y, x]:
            chosen.append((x, y))
            flagged[max(y - size + 1, 0) : y + size, max(x - size + 1, 0) : x + size] = True
    x, y = np.array(chosen, float).reshape(-1, 2).T
    return x, y


def require_all_classes(name: str, labels: Array) -> None:
    """Refuse patches that do not show all four.

    Raises
    ------
    StargalError
        Naming the set and the missing class.
    """
    for label, word in NAMES.items():
        if not np.any(labels == label):
            raise StargalError(
                f"{name}: no patch that shows {word} among {len(labels)}; add fields to it, or name an experiment with "
                "larger patches in `classes` of the config"
            )
