"""Count sources by field, bucket, class, magnitude and size."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from stargal.survey.fields import REFERENCE
from stargal.survey.labels import CLASSES

MAGNITUDE_EDGES = np.arange(13.0, 25.1, 0.5)
"""Bins of r model magnitude."""

SIZE_EDGES = np.arange(0.4, 5.1, 0.2)
"""Bins of the full width at half maximum in r, arcsec."""


def count_sources(sources: Mapping[str, pd.DataFrame], buckets: Mapping[str, str], size: int) -> pd.DataFrame:
    """Count the sources of each field and bucket.

    Parameters
    ----------
    sources : mapping of DataFrame
        The sources of each field.
    buckets : mapping of str
        Bucket of each field.
    size : int
        Side of a patch, pixels.

    Returns
    -------
    DataFrame
        One row per field, and one per bucket with field ``all``: bucket, field, stars, galaxies, star_fraction,
        edge_fraction (fraction of patches that extend beyond the frame), r_median (r model magnitude), fwhm_star,
        fwhm_galaxy (medians in r, arcsec).
    """
    table = join_sources(sources, buckets)
    rows = [
        _count(str(bucket), str(field), part, size)
        for (bucket, field), part in table.groupby(["bucket", "field"], sort=True)
    ]
    rows += [_count(str(bucket), "all", part, size) for bucket, part in table.groupby("bucket", sort=True)]
    return pd.DataFrame(rows)


def bin_sources(
    sources: Mapping[str, pd.DataFrame], buckets: Mapping[str, str], column: str, edges: np.ndarray
) -> pd.DataFrame:
    """Compute the histogram of a column by bucket and class.

    Returns
    -------
    DataFrame
        One row per bin: bucket, class, low, high, count. The last row of each bucket and class has no edges and counts
        the sources outside the bins or without a value.
    """
    rows = []
    for (bucket, label), part in join_sources(sources, buckets).groupby(["bucket", "label"], sort=True):
        counts, _ = np.histogram(part[column].dropna(), edges)
        lows, highs = [*edges[:-1], np.nan], [*edges[1:], np.nan]
        counted = [*counts, len(part) - counts.sum()]
        rows += [
            {"bucket": bucket, "class": CLASSES[int(str(label))], "low": low, "high": high, "count": int(count)}
            for low, high, count in zip(lows, highs, counted, strict=True)
        ]
    return pd.DataFrame(rows)


def join_sources(sources: Mapping[str, pd.DataFrame], buckets: Mapping[str, str]) -> pd.DataFrame:
    """Join the sources of all fields in one table with their field and bucket."""
    return pd.concat(
        [table.assign(field=field, bucket=buckets[field]) for field, table in sources.items()], ignore_index=True
    )


def _count(bucket: str, field: str, part: pd.DataFrame, size: int) -> dict[str, object]:
    """Return one row of `count_sources`."""
    star = part["label"] == 1
    return {
        "bucket": bucket,
        "field": field,
        "stars": int(star.sum()),
        "galaxies": int((~star).sum()),
        "star_fraction": star.mean(),
        "edge_fraction": (part["edge_distance"] < size / 2).mean(),
        "r_median": part[f"model_mag_{REFERENCE}"].median(),
        "fwhm_star": part.loc[star, "fwhm"].median(),
        "fwhm_galaxy": part.loc[~star, "fwhm"].median(),
    }
