"""Buckets that share sky, and statistics of their sources."""

import numpy as np
import pandas as pd
import pytest

from made_archive import projection
from stargal.dataset.buckets import check_buckets
from stargal.dataset.statistics import bin_sources, count_sources
from stargal.errors import StargalError
from stargal.imaging.astrometry import Tan, footprint
from stargal.survey.fields import Field


def corners(number: int, run: int = 1000):
    return footprint(Tan(projection(Field(301, run, 1, number), "r")))


def test_gap_is_in_arcsec():
    table = check_buckets({"a": corners(100), "b": corners(102)}, {"a": "train", "b": "test"})
    # The fields are two steps apart: 2 x 1361 rows minus the 1489 of a frame.
    assert table["gap"].to_list() == pytest.approx([(2 * 1361 - 1489) * 1.1e-4 * 3600] * 2, abs=0.2)
    assert table["nearest"].to_list() == ["b", "a"] and table["nearest_bucket"].to_list() == ["test", "train"]


def test_shared_sky_is_refused_with_its_size():
    footprints = {"a": corners(100), "b": corners(101), "c": corners(140)}
    with pytest.raises(StargalError, match=r"fields a \(train\) and b \(test\) share 811 x 51 arcsec"):
        check_buckets(footprints, {"a": "train", "b": "test", "c": "validation"})


def test_same_sky_in_one_bucket_is_fine():
    table = check_buckets({"a": corners(100), "b": corners(101)}, {"a": "train", "b": "train"})
    assert table["gap"].isna().all() and table["nearest"].to_list() == ["", ""]


def test_far_fields_across_the_sky():
    table = check_buckets({"a": corners(100), "b": corners(100, run=1090)}, {"a": "train", "b": "test"})
    assert table["gap"][0] == pytest.approx(90 * 3600, rel=0.01)


def test_fields_across_zero_hours():
    first = np.array([[359.9, 0.0], [0.1, 0.0], [0.1, 0.1], [359.9, 0.1]])
    with pytest.raises(StargalError, match="share 360 x 180 arcsec"):
        check_buckets({"a": first, "b": first + np.array([0.1, 0.05])}, {"a": "train", "b": "test"})


def test_statistics_count_everything():
    sources = {
        "a": pd.DataFrame(
            {
                "label": [1, 1, 0],
                "model_mag_r": [18.2, np.nan, 21.0],
                "fwhm": [1.1, 1.3, 2.0],
                "edge_distance": [5.0, 90, 80],
            }
        ),
        "b": pd.DataFrame({"label": [0], "model_mag_r": [30.0], "fwhm": [np.nan], "edge_distance": [12.4]}),
    }
    buckets = {"a": "train", "b": "test"}
    counts = count_sources(sources, buckets, 25).set_index(["bucket", "field"])
    assert counts.loc[("train", "a"), "stars"] == 2 and counts.loc[("train", "all"), "galaxies"] == 1
    assert counts.loc[("train", "a"), "edge_fraction"] == pytest.approx(1 / 3)
    assert counts.loc[("test", "all"), "edge_fraction"] == 1.0
    bins = bin_sources(sources, buckets, "model_mag_r", np.array([18.0, 20.0, 22.0]))
    totals = bins.groupby(["bucket", "class"])["count"].sum()
    assert totals.to_dict() == {("test", "galaxy"): 1, ("train", "galaxy"): 1, ("train", "star"): 2}
    assert bins.loc[bins["low"].isna(), "count"].sum() == 2
