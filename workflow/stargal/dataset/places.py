"""Place patches of four classes (sky, star, galaxy, both) and label them.

The label of a patch depends on the catalogued sources within its inscribed circle. Patches are centred on sources or,
for sky, on random positions without catalogued sources. A smaller circle would leave too few patches of the class both:
around the sources of the simulated sky 4 % of the circles with a radius of 12.5 pixels contain both classes, but 0.2 %
of those with 6 pixels (2.4 arcsec); in four real fields 3 % and 0.5 %.
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
"""Name of each class, in the order of tables and figures; star and galaxy have the labels of `CLASSES`."""

DRAWS = 100
"""Random positions tried per requested patch of sky; a field that is full after so many has hardly any space left."""


def what_is_shown(x: ArrayLike, y: ArrayLike, catalogued: pd.DataFrame, radius: float) -> NDArray[np.int8]:
    """Return the class of patches from the catalogued sources near their centres.

    Parameters
    ----------
    x, y : array_like, shape (n,)
        Centres of the patches, 0-based pixel positions.
    catalogued : DataFrame
        All sources of the frame: ``x``, ``y`` and ``label`` (1 star, 0 galaxy, `UNKNOWN`).
    radius : float
        Largest distance of a source from the centre, inclusive, pixels.

    Returns
    -------
    int8 array, (n,)
        `SKY` without a source within the radius, `STAR` with stars only, `GALAXY` with galaxies only, `BOTH` with both;
        `UNKNOWN` if the label of any source is not known.
    """
    centres = np.column_stack([x, y])
    star, galaxy, unknown = (
        _distance(centres, catalogued[catalogued["label"] == label]) <= radius for label in (STAR, GALAXY, UNKNOWN)
    )
    return np.select([unknown, star & galaxy, star, galaxy], [UNKNOWN, BOTH, STAR, GALAXY], SKY).astype(np.int8)


def _distance(centres: Array, sources: pd.DataFrame) -> NDArray[np.float64]:
    """Distance from each position to the nearest source, pixels; infinite without sources."""
    return cKDTree(sources[["x", "y"]].to_numpy(float)).query(centres)[0]


def place_patches(
    sources: pd.DataFrame,
    catalogued: pd.DataFrame,
    mask: NDArray[np.uint8],
    *,
    size: int,
    random: np.random.Generator,
) -> pd.DataFrame:
    """Place and label the patches of a field: one per source, and patches of sky.

    Patches are centred on pixels. Those that show a source of unknown label are excluded. There are as many patches of
    sky as of the most frequent other class, or fewer if the field has no space for them.

    Parameters
    ----------
    sources : DataFrame
        The sources of the field: ``id``, ``x``, ``y``.
    catalogued : DataFrame
        All sources of the frame, including those that belong to other fields or are excluded by the configuration:
        ``x``, ``y`` and ``label`` (1 star, 0 galaxy, `UNKNOWN`).
    mask : ndarray, uint8, shape (bands, rows, columns)
        Mask of the cube.
    size : int
        Side of the patches, pixels.
    random : Generator
        Random generator for the positions of sky.

    Returns
    -------
    DataFrame
        One row per patch: id (of the source, missing for sky), x, y (central pixel, float64), label (a key of `NAMES`,
        int8).
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
    """Draw the centres of patches that show only sky, according to the catalogue.

    Every pixel of such a patch has data in every band and is not saturated. Its inscribed circle contains no catalogued
    source. No two of these patches overlap. Their centres lie in the rows that no neighbouring field shares.

    Parameters
    ----------
    mask, size, random
        As for `place_patches`.
    catalogued : DataFrame
        All sources of the frame: ``x``, ``y``.
    count : int
        Number of patches; fewer are returned if no more fit among `DRAWS` times as many random positions.

    Returns
    -------
    x, y : float64 arrays
        Centres, whole pixels.
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
    """Raise unless the labels include all four classes.

    Raises
    ------
    StargalError
        If a class is missing. The message names the set and the class.
    """
    for label, word in NAMES.items():
        if not np.any(labels == label):
            raise StargalError(
                f"{name}: no patch that shows {word} among {len(labels)}; add fields to it, or choose an experiment "
                "with larger patches in `classes` of the configuration"
            )
