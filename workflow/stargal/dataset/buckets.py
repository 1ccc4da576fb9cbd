"""Check that no two buckets share sky."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree
from shapely import Polygon

from stargal.errors import StargalError
from stargal.survey.matching import unit_vectors

Array = NDArray[np.floating[Any]]

ARCSEC = 3600.0

NEAR = 2.0
"""Fields closer than this, deg, are compared as polygons on the tangent plane, which distorts them by about 1e-3."""

DIAGONAL = 0.29
"""Diagonal of a field, deg: the centres of overlapping fields are closer than this."""


def check_buckets(footprints: Mapping[str, ArrayLike], buckets: Mapping[str, str]) -> pd.DataFrame:
    """Compute the position of each field and its distance from the nearest field of another bucket.

    Neighbours along a camcol are known from their numbers. Overlaps of different runs, and of neighbouring camcols of
    two strips, are only found by position.

    Parameters
    ----------
    footprints : mapping of array_like, shape (4, 2)
        Corners of each field, [ra, dec] in deg, in order along the outline.
    buckets : mapping of str
        Bucket of each field.

    Returns
    -------
    DataFrame
        One row per field: field, bucket, ra, dec (of the centre, deg), nearest (nearest field of another bucket),
        nearest_bucket, gap (between the two, arcsec).

    Raises
    ------
    StargalError
        If fields of two buckets share sky. The message names them and gives the size of the overlap.
    """
    names = sorted(footprints)
    corners = np.array([footprints[name] for name in names], dtype=float)
    vectors = unit_vectors(*np.moveaxis(corners, -1, 0))
    centres = vectors.mean(axis=1)
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    ra = np.mod(np.degrees(np.arctan2(centres[:, 1], centres[:, 0])), 360.0)
    dec = np.degrees(np.arcsin(centres[:, 2]))
    bucket = np.array([buckets[name] for name in names])
    nearest = np.full(len(names), -1)
    for kind in np.unique(bucket):
        own, other = np.flatnonzero(bucket == kind), np.flatnonzero(bucket != kind)
        if len(other) == 0:
            continue
        tree = cKDTree(centres[other])
        nearest[own] = other[tree.query(centres[own])[1]]
        reach = 2 * np.sin(np.radians(DIAGONAL) / 2)
        for first, candidates in zip(own, tree.query_ball_point(centres[own], reach), strict=True):
            for second in other[candidates]:
                if first < second:
                    _refuse_overlap(names, bucket, corners, int(first), int(second))
    return pd.DataFrame(
        {
            "field": names,
            "bucket": bucket,
            "ra": ra.round(6),
            "dec": dec.round(6),
            "nearest": [names[index] if index >= 0 else "" for index in nearest],
            "nearest_bucket": [bucket[index] if index >= 0 else "" for index in nearest],
            "gap": [_gap(corners, first, index) if index >= 0 else np.nan for first, index in enumerate(nearest)],
        }
    )


def _refuse_overlap(names: Sequence[str], bucket: Array, corners: Array, first: int, second: int) -> None:
    """Raise if two fields share sky."""
    shared = Polygon(_project(corners, first, second)[0]).intersection(Polygon(_project(corners, first, second)[1]))
    if shared.area == 0:
        return
    outline = np.array(shared.minimum_rotated_rectangle.exterior.coords)
    sides = sorted(np.linalg.norm(np.diff(outline[:3], axis=0), axis=1) * ARCSEC)
    raise StargalError(
        f"fields {names[first]} ({bucket[first]}) and {names[second]} ({bucket[second]}) share {sides[1]:.0f} x "
        f"{sides[0]:.0f} arcsec of sky: put them in one bucket of the table of fields, or remove one"
    )


def _gap(corners: Array, first: int, second: int) -> float:
    """Distance between the edges of two fields, arcsec; between their nearest corners if they are far apart."""
    one, two = unit_vectors(*np.moveaxis(corners[first], -1, 0)), unit_vectors(*np.moveaxis(corners[second], -1, 0))
    chord = np.linalg.norm(one[:, None] - two[None], axis=2).min()
    apart = np.degrees(2 * np.arcsin(chord / 2))
    if apart < NEAR:
        polygons = _project(corners, first, second)
        apart = Polygon(polygons[0]).distance(Polygon(polygons[1]))
    return float(np.round(apart * ARCSEC, 1))


def _project(corners: Array, first: int, second: int) -> tuple[Array, Array]:
    """Corners of two fields on the tangent plane at the first, deg."""
    vectors = unit_vectors(*np.moveaxis(corners[[first, second]], -1, 0))
    up = vectors[0].mean(axis=0)
    up /= np.linalg.norm(up)
    east = np.cross([0.0, 0.0, 1.0], up)
    east /= np.linalg.norm(east)
    north = np.cross(up, east)
    plane = np.stack([vectors @ east, vectors @ north], axis=-1) / (vectors @ up)[..., None]
    return np.degrees(plane[0]), np.degrees(plane[1])
