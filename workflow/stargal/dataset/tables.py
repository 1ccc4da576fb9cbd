"""Make tables of the data set: alignment, footprints and source counts."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from stargal.dataset.buckets import check_buckets
from stargal.dataset.statistics import MAGNITUDE_EDGES, SIZE_EDGES, bin_sources, count_sources
from stargal.survey.fields import REFERENCE


def alignment_table(summaries: Sequence[Mapping[str, Any]], *, fields: Sequence[str]) -> pd.DataFrame:
    """Tabulate the alignment of fields.

    Parameters
    ----------
    summaries : sequence of mapping
        One per field, as returned by `stargal.imaging.align.describe_alignment`.
    fields : sequence of str
        Names of the fields.

    Returns
    -------
    DataFrame
        One row per field and band: ``field`` and the entries of the summary for the band.
    """
    return pd.DataFrame(
        [{"field": name} | band for name, summary in zip(fields, summaries, strict=True) for band in summary["bands"]]
    )


def footprint_table(
    summaries: Sequence[Mapping[str, Any]], *, fields: Sequence[str], buckets: Mapping[str, str]
) -> pd.DataFrame:
    """Tabulate the position of each field and its distance from the other buckets.

    Parameters
    ----------
    summaries, fields
        As in `alignment_table`.
    buckets : mapping of str
        Bucket of each field.

    Returns
    -------
    DataFrame
        As returned by `stargal.dataset.buckets.check_buckets`.

    Raises
    ------
    StargalError
        If two buckets share sky.
    """
    footprints = {name: summary["footprint"] for name, summary in zip(fields, summaries, strict=True)}
    ordered = {field: buckets[field] for field in sorted(fields, key=lambda field: (_ORDER[buckets[field]], field))}
    return check_buckets({field: footprints[field] for field in ordered}, ordered)


_ORDER = {"train": 0, "validation": 1, "test": 2}


def source_tables(
    sources: Sequence[pd.DataFrame], *, fields: Sequence[str], buckets: Mapping[str, str], size: int
) -> dict[str, pd.DataFrame]:
    """Count sources by field, magnitude and size.

    Parameters
    ----------
    sources : sequence of DataFrame
        The sources of each field.
    fields, buckets
        As in `footprint_table`.
    size : int
        Side of a patch, pixels.

    Returns
    -------
    dict of DataFrame
        ``counts`` by field and bucket; ``magnitudes`` and ``sizes`` by bin, bucket and class.
    """
    tables = dict(zip(fields, sources, strict=True))
    return {
        "counts": count_sources(tables, buckets, size),
        "magnitudes": bin_sources(tables, buckets, f"model_mag_{REFERENCE}", MAGNITUDE_EDGES),
        "sizes": bin_sources(tables, buckets, "fwhm", SIZE_EDGES),
    }
