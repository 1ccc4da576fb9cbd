"""Whether a source is like those of the training set: ranges of what matters, and flags beyond them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from stargal.dataset.patches import read_patches
from stargal.dataset.sets import FieldFiles
from stargal.io.tables import read_json, read_table
from stargal.survey.catalog import SATURATED

UNLIKE = {"seeing": 1, "noise": 2, "magnitude": 4, "missing": 8, "crowded": 16, "saturated": 32}
"""Bits of ``unlike_training``."""

TAIL = 0.005
"""Share of the training sources beyond each end of a range."""

MARGIN = {"fwhm": 0.15, "noise": 0.3}
"""Width added to the ranges of seeing and noise at each end, as a fraction: a training set has few nights, and the
noise differs by 20 % between camera columns."""

NEIGHBOUR_MAGNITUDE = 22.0
"""Neighbours are counted to this r magnitude, to which catalogues and detections are both complete."""


def neighbours(x: ArrayLike, y: ArrayLike, magnitude: ArrayLike, size: int) -> NDArray[np.int64]:
    """Number of other sources of r < `NEIGHBOUR_MAGNITUDE` within half a patch of each source."""
    places = np.stack([np.asarray(x, float), np.asarray(y, float)], axis=1)
    bright = np.asarray(magnitude, float) < NEIGHBOUR_MAGNITUDE
    if not bright.any():
        return np.zeros(len(places), np.int64)
    near = cKDTree(places[bright]).query_ball_point(places, size / 2, return_length=True)
    return np.asarray(near, np.int64) - bright


def training_ranges(fields: Sequence[FieldFiles], size: int) -> dict[str, Any]:
    """Return the ranges of a training set, as `unlike_training` takes them.

    Parameters
    ----------
    fields : sequence of FieldFiles
    size : int
        Side of the patches, pixels.

    Returns
    -------
    dict
        ``fwhm`` (arcsec) and ``noise`` (nanomaggies per pixel): lowest and highest of each band over the fields, and
        `MARGIN`. ``magnitude``: the middle 99 % of the r model magnitudes. ``no_data``: share of a patch without data,
        ``neighbours``: see `neighbours`; 0.5 % of the sources have more. ``saturated``: whether more than 0.5 % of
        the sources are saturated.
    """
    bands = [read_json(one.summary)["bands"] for one in fields]
    found: dict[str, Any] = {}
    for name in MARGIN:
        values = np.array([[band[name] for band in field] for field in bands], float)
        low, high = np.nanmin(values, axis=0), np.nanmax(values, axis=0)
        found[name] = np.round(np.stack([low * (1 - MARGIN[name]), high * (1 + MARGIN[name])], axis=1), 5).tolist()
    tables = [read_table(one.sources, ["x", "y", "model_mag_r", "flags"]) for one in fields]
    missing = [
        np.isnan(read_patches(one.patches, len(table))).mean(axis=(1, 2, 3))
        for one, table in zip(fields, tables, strict=True)
    ]
    near = [neighbours(table["x"], table["y"], table["model_mag_r"], size) for table in tables]
    sources = pd.concat(tables)
    return found | {
        "magnitude": [round(float(end), 2) for end in sources["model_mag_r"].quantile([TAIL, 1 - TAIL])],
        "no_data": round(float(np.quantile(np.concatenate(missing), 1 - TAIL)), 4),
        "neighbours": int(np.ceil(np.quantile(np.concatenate(near), 1 - TAIL))),
        "saturated": bool(((sources["flags"].fillna(0).astype(int) & SATURATED) > 0).mean() > TAIL),
    }


def unlike_training(
    sources: pd.DataFrame,
    no_data: NDArray[Any],
    fwhm: NDArray[Any],
    noise: NDArray[Any],
    size: int,
    ranges: Mapping[str, Any],
) -> NDArray[np.int16]:
    """Bits of `UNLIKE` of the sources of a field: in what they are unlike the training set; 0 if in nothing.

    Parameters
    ----------
    sources : DataFrame
        ``x, y, model_mag_r, flags``.
    no_data : float array, (n,)
        Share of each patch without data.
    fwhm, noise : float arrays, (bands,)
        Of the field, as in its cube. A FWHM that could not be measured is out of range.
    size : int
        Side of the patches, pixels.
    ranges : mapping
        As `training_ranges` gives them.
    """

    def out_of(name: str, values: NDArray[Any]) -> bool:
        low, high = np.array(ranges[name], float).T
        return not bool(np.all((values >= low) & (values <= high)))

    magnitude = sources["model_mag_r"]
    unlike = {
        "seeing": out_of("fwhm", fwhm),
        "noise": out_of("noise", noise),
        "magnitude": ~magnitude.between(*ranges["magnitude"]).to_numpy(),
        "missing": no_data > ranges["no_data"],
        "crowded": neighbours(sources["x"], sources["y"], magnitude, size) > ranges["neighbours"],
        "saturated": ((sources["flags"] & SATURATED) > 0).to_numpy() & (not ranges["saturated"]),
    }
    bits = sum(np.where(unlike[name], bit, 0) for name, bit in UNLIKE.items())
    return np.broadcast_to(bits, len(sources)).astype(np.int16)
