"""Ranges of the training set, and flags of what lies beyond them."""

import json

import numpy as np
import pandas as pd
import pytest

from stargal.dataset.sets import FieldFiles
from stargal.learning.likeness import UNLIKE, neighbours, training_ranges, unlike_training
from stargal.survey.catalog import SATURATED
from stargal.survey.fields import Field


@pytest.fixture
def ranges(tmp_path):
    """Two fields of 400 sources far from each other; one in a hundred patches is partly empty."""
    fields = []
    for number, fwhm in ((10, 1.2), (20, 1.5)):
        one = FieldFiles(
            Field(301, 1000, 1, number), *(tmp_path / f"{number}{end}" for end in (".parquet", ".npy", ".json", ".psf"))
        )
        sources = pd.DataFrame(
            {"x": np.arange(400) * 5.0, "y": 100.0, "model_mag_r": np.linspace(15, 22.5, 400), "flags": 0}
        )
        sources.to_parquet(one.sources)
        patches = np.zeros((400, 5, 5, 5), np.float32)
        patches[::100, :, :2] = np.nan
        np.save(one.patches, patches)
        one.summary.write_text(json.dumps({"bands": [{"fwhm": fwhm, "noise": 0.1}] * 5}))
        fields.append(one)
    return training_ranges(fields, 5)


def sources(**changes):
    return pd.DataFrame({"x": [100.0, 200.0], "y": 100.0, "model_mag_r": 20.0, "flags": 0} | changes)


def test_the_ranges_are_those_of_the_training_set(ranges):
    assert ranges["fwhm"] == [pytest.approx([1.02, 1.725])] * 5 and ranges["noise"] == [pytest.approx([0.07, 0.13])] * 5
    assert ranges["magnitude"] == [pytest.approx(15.04, abs=0.01), pytest.approx(22.46, abs=0.01)]
    assert ranges["no_data"] == 0.4 and ranges["neighbours"] == 0 and ranges["saturated"] is False


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("seeing", {"fwhm": 0.62}),  # as stars of 1.3 arcsec on pixels twice as large
        ("seeing", {"fwhm": np.nan}),
        ("noise", {"noise": 0.3}),
        ("magnitude", {"model_mag_r": 23.0}),
        ("magnitude", {"model_mag_r": np.nan}),
        ("missing", {"no_data": 0.5}),
        ("crowded", {"x": [100.0, 101.0]}),
        ("saturated", {"flags": SATURATED}),
        (None, {}),
    ],
)
def test_each_range_has_a_flag_of_its_own(ranges, name, changes):
    given = {"no_data": 0.0, "fwhm": 1.3, "noise": 0.1} | changes
    no_data, fwhm, noise = (given.pop(key) for key in ("no_data", "fwhm", "noise"))
    found = unlike_training(
        sources(**given), np.full(2, no_data), np.array([1.3] * 4 + [fwhm]), np.array([0.1] * 4 + [noise]), 5, ranges
    )
    assert found.tolist() == [UNLIKE.get(name, 0)] * 2


def test_neighbours_are_bright_and_near():
    magnitude = [20, 20, 23, np.nan, 20]
    assert neighbours([0, 3, 4, 4, 50], [0, 0, 0, 0, 0], magnitude, 9).tolist() == [1, 1, 2, 2, 0]
