"""Detection of sources without a catalogue."""

import numpy as np
import pytest
import sep

from made_archive import frame_path
from made_sky import Drawn, make_frame
from stargal.errors import StargalError
from stargal.imaging.frames import read_frame
from stargal.photometry.planes import extract
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
    assert table["id"].is_unique and table["id"][0] == "301-1000-3-50-1"
    assert list(table["primary"]) == list(table["y"] + 0.5 >= 64)
    assert not table.isna()[["ra", "dec", "psf_mag_r", "flags", "edge_distance"]].any(axis=None)


def test_crowded_and_nebulous_fields_do_not_fill_the_buffers():
    """More pixels and more branches of one isophote than sep holds by default; the result is as with larger ones."""
    rng = np.random.default_rng(1)
    image = rng.normal(0, 1, (700, 700)).astype(np.float32) + 20
    rows, columns = np.mgrid[10:690:9, 10:690:9].reshape(2, -1)
    for dy, dx in np.ndindex(3, 3):
        image[rows + dy - 1, columns + dx - 1] += 200 / (1 + dx**2 + dy**2)
    found = extract(image, 5.0, minarea=1, deblend_nthresh=32, deblend_cont=0.0001, clean=False)
    assert len(found) > 100
    with pytest.raises(Exception, match="internal pixel buffer full"):
        sep.set_extract_pixstack(300_000)
        sep.extract(image, 5.0, minarea=1)


def test_more_sources_than_can_be_separated_are_told(monkeypatch):
    def full(*_, **__):
        raise Exception("object deblending overflow: limit of 1024 sub-objects reached")

    monkeypatch.setattr(sep, "extract", full)
    with pytest.raises(StargalError, match=r"too many sources to separate .*exclude this field"):
        extract(np.zeros((20, 20), np.float32), 5.0)


def test_the_orion_nebula_gives_a_catalogue(mirror):
    field = Field(301, 6073, 4, 63)
    table = detect_sources({band: read_frame(frame_path(mirror, field, band)) for band in "ugriz"}, field)
    assert len(table) > 400 and table["id"].is_unique
    assert np.isfinite(table[["x", "y", "ra", "dec"]]).all(axis=None)
