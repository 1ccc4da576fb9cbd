"""Detection of sources without a catalogue."""

import numpy as np
import pytest

from made_sky import Drawn, make_frame
from stargal.photometry.sources import detect_sources
from stargal.survey.fields import Field

FIELD = Field(301, 1000, 3, 50)


@pytest.fixture(scope="module")
def found():
    rng = np.random.default_rng(5)
    places = [(60 + 70 * column, 60 + 65 * row) for row, column in np.ndindex(6, 9)]
    drawn = [
        Drawn(x + rng.uniform(-8, 8), y + rng.uniform(-8, 8), 10 ** rng.uniform(1.2, 2), 4.0 if index % 5 == 0 else 0.0)
        for index, (x, y) in enumerate(places)
    ]
    return drawn, detect_sources({band: make_frame(drawn, band) for band in "ugriz"}, FIELD)


def test_every_source_is_found_once_where_it_is(found):
    drawn, table = found
    assert len(table) == len(drawn)
    for source in drawn:
        distance = np.hypot(table["x"] - source.x, table["y"] - source.y)
        nearest = table.loc[distance.idxmin()]
        assert distance.min() < 0.2
        assert nearest["model_mag_r"] == pytest.approx(22.5 - 2.5 * np.log10(source.flux), abs=0.15)
        assert nearest["photo_type"] == (3 if source.radius else 6)


def test_ids_are_unique_and_rows_give_the_field(found):
    _, table = found
    assert table["id"].is_unique and table["id"][0] == "1000-3-50-1"
    assert list(table["primary"]) == list(table["y"] + 0.5 >= 64)
    assert not table.isna()[["ra", "dec", "psf_mag_r", "flags", "edge_distance"]].any(axis=None)
