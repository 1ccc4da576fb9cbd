"""Selection of sources: footprint, neighbours, flags, magnitude limit, and invalid catalogues."""

import itertools

import numpy as np
import pandas as pd
import pytest
from astropy.table import Table
from numpy.lib import recfunctions

from made_archive import catalog_bytes, catalog_path, catalog_table, make_header, make_image, make_sources, projection
from stargal.dataset.sources import read_catalog, select_sources
from stargal.errors import StargalError
from stargal.imaging.astrometry import Tan
from stargal.imaging.cube import Cube, make_cube_header
from stargal.survey.fields import COLUMNS, ROWS, STEP_ROWS, Field

FIELD = Field(301, 1000, 1, 100)


@pytest.fixture(scope="module")
def sources():
    return make_sources(FIELD)


@pytest.fixture(scope="module")
def cube(sources):
    image = np.zeros((5, ROWS, COLUMNS), dtype=np.float32)
    image[2] = make_image(sources, "r")
    header = make_cube_header(make_header(FIELD, "r"), FIELD, "ugriz", {})
    noise = np.full(5, 0.026, dtype=np.float32)
    return Cube("ugriz", image, image, noise, noise, noise, Table(), header, Tan(projection(FIELD, "r")))


@pytest.fixture
def catalogs(sources):
    return {"star": catalog_table(FIELD, sources, 1), "gal": catalog_table(FIELD, sources, 0)}


def test_every_source_appears_once_at_its_position(cube, catalogs, sources):
    table = select_sources(catalogs, cube, FIELD)
    assert len(table) == len(sources.x) and table["id"].is_unique
    order = table["id"].str.split("-").str[4].astype(int).to_numpy() - 1
    np.testing.assert_allclose(table["x"], sources.x[order], atol=1e-6)
    np.testing.assert_allclose(table["y"], sources.y[order], atol=1e-6)
    np.testing.assert_array_equal(table["label"], sources.label[order])
    np.testing.assert_allclose(table["model_mag_r"], 22.5 - 2.5 * np.log10(sources.flux[order]), atol=1e-4)
    assert table.loc[table["label"] == 1, "fwhm"].median() == pytest.approx(1.3 * 2.355 * 0.396, rel=0.02)
    assert table.loc[table["label"] == 0, "fwhm"].median() == pytest.approx(2.4 * 2.355 * 0.396, rel=0.03)
    edge = np.minimum.reduce([sources.x + 0.5, 2047.5 - sources.x, sources.y + 0.5, 1488.5 - sources.y])
    np.testing.assert_allclose(table["edge_distance"], edge[order], rtol=1e-5)


def test_label_follows_the_type(cube, catalogs):
    catalogs["star"]["OBJC_TYPE"][:3] = 3
    catalogs["gal"]["OBJC_TYPE"][:2] = 0  # unknown
    table = select_sources(catalogs, cube, FIELD)
    assert (table["label"] == 0).sum() == 60 + 3 - 2
    assert set(table["photo_type"]) == {3, 6}


def test_truth_is_kept_beside_the_label(cube, catalogs):
    """From TRUE_TYPE, if the catalogue has it; a false detection has none."""
    assert select_sources(catalogs, cube, FIELD)["truth"].isna().all()
    for kind, rows in catalogs.items():
        truth = np.where(np.arange(len(rows)) < 4, 3, 6 if kind == "star" else 0)
        catalogs[kind] = recfunctions.append_fields(rows, "TRUE_TYPE", truth, usemask=False)
    table = select_sources(catalogs, cube, FIELD)
    assert table["truth"].isna().sum() == 56 and (table["truth"] == 0).sum() == 8 and (table["truth"] == 1).sum() == 56


def test_overlap_rows_belong_to_one_field(cube, catalogs):
    """Sources of field 101 in the shared rows are selected unless field 101 is used."""
    rows = catalogs["star"][:2].copy()
    rows["FIELD"] = 101
    rows["RA"], rows["DEC"] = cube.astrometry.to_sky([500.0, 600.0], [STEP_ROWS + 80.0, STEP_ROWS + 200.0])
    catalogs["star"] = np.concatenate([catalogs["star"], rows])
    alone = select_sources(catalogs, cube, FIELD)
    beside = select_sources(catalogs, cube, FIELD, neighbours=[101])
    assert len(alone) == len(beside) + 1  # the other lies outside the frame
    assert alone["id"].str.startswith("301-1000-1-101-").sum() == 1


def test_no_source_is_in_two_adjacent_fields_and_none_is_lost():
    """Three adjacent fields, whose catalogue assigns sources of the shared rows to either field."""
    fields = [Field(301, 1000, 1, number) for number in (100, 101, 102)]
    rows = np.concatenate([catalog_table(field, make_sources(field), 1) for field in fields])
    shared = []
    for lower, upper in itertools.pairwise(fields):
        for owner in (lower, upper):
            found = rows[:12].copy()
            found["FIELD"], found["ID"] = owner.field, 1000 + 100 * len(shared) + np.arange(12)
            place = Tan(projection(lower, "r")).to_sky(150.0 * np.arange(12) + 100 + 10 * len(shared), [1420.0] * 12)
            found["RA"], found["DEC"] = place
            shared.append(found)
    rows = np.concatenate([rows, *shared])
    assert len(set(zip(rows["FIELD"], rows["ID"], strict=True))) == len(rows)
    image = np.zeros((5, ROWS, COLUMNS), dtype=np.float32)
    noise = np.full(5, 0.026, dtype=np.float32)
    tables = []
    for field in fields:
        header = make_cube_header(make_header(field, "r"), field, "ugriz", {})
        cube = Cube("ugriz", image, image, noise, noise, noise, Table(), header, Tan(projection(field, "r")))
        near = rows[np.abs(rows["FIELD"] - field.field) <= 1]
        beside = [other.field for other in fields if abs(other.field - field.field) == 1]
        tables.append(select_sources({"star": near}, cube, field, neighbours=beside))
        alone = select_sources({"star": near}, cube, field)
        assert len(alone) > len(tables[-1])  # sources that would appear twice
    together = pd.concat(tables)
    assert together["id"].is_unique and len(together) == len(rows)
    assert not together.duplicated(["ra", "dec"]).any()


def test_only_run_primary(cube, catalogs):
    catalogs["gal"]["RESOLVE_STATUS"][:5] = 256
    assert len(select_sources(catalogs, cube, FIELD)) == 115


def test_magnitude_limit_is_common(cube, catalogs):
    catalogs["gal"]["MODELFLUX"][0] = -1.0
    table = select_sources(catalogs, cube, FIELD, magnitude_limit=20.0)
    assert 0 < len(table) < 120 and table["model_mag_r"].max() <= 20.0


def test_flags_are_rejected_and_must_exist(cube, catalogs):
    catalogs["star"]["OBJC_FLAGS"][:7] = 1 << 18
    catalogs["gal"]["OBJC_FLAGS"][:3] = 1 << 2
    assert len(select_sources(catalogs, cube, FIELD, reject_flags=["SATURATED"])) == 113
    assert len(select_sources(catalogs, cube, FIELD, reject_flags=["SATURATED", "EDGE"])) == 110
    without = {kind: recfunctions.drop_fields(rows, "OBJC_FLAGS", usemask=False) for kind, rows in catalogs.items()}
    assert select_sources(without, cube, FIELD)["flags"].isna().all()
    with pytest.raises(StargalError, match="asks for EDGE, but the catalogue has no OBJC_FLAGS"):
        select_sources(without, cube, FIELD, reject_flags=["EDGE"])


def test_sources_outside_the_frame_only(cube, catalogs):
    for rows in catalogs.values():
        rows["RA"] += 5.0
    with pytest.raises(StargalError, match="none of the 120 catalogued sources of fields 99 to 101 lies in the frame"):
        select_sources(catalogs, cube, FIELD)


def written(tmp_path, content: bytes):
    path = catalog_path(tmp_path, FIELD, "star")
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return path


def test_catalog_is_read_for_the_field_and_its_neighbours(tmp_path, catalogs):
    rows = np.concatenate([catalogs["star"]] * 3)
    rows["FIELD"][:60], rows["FIELD"][60:120] = 99, 98
    read = read_catalog(written(tmp_path, catalog_bytes(rows)), FIELD)
    assert set(read["FIELD"]) == {99, 100} and read["RA"].dtype.isnative


def test_catalog_without_a_column(tmp_path, catalogs):
    rows = recfunctions.drop_fields(catalogs["star"], ["RA", "MODELFLUX"], usemask=False)
    with pytest.raises(StargalError, match="columns missing: RA, MODELFLUX"):
        read_catalog(written(tmp_path, catalog_bytes(rows)), FIELD)


def test_catalog_without_rows(tmp_path, catalogs):
    with pytest.raises(StargalError, match="has no rows"):
        read_catalog(written(tmp_path, catalog_bytes(catalogs["star"][:0])), FIELD)


def test_catalog_of_another_camcol(tmp_path, catalogs):
    catalogs["star"]["CAMCOL"] = 3
    with pytest.raises(StargalError, match="column CAMCOL holds 3, the name says 1"):
        read_catalog(written(tmp_path, catalog_bytes(catalogs["star"])), FIELD)


@pytest.mark.parametrize(
    "cut, said", [(slice(0, 0), "an empty file"), (slice(0, 900), "cut short"), (slice(0, -200), "cut short")]
)
def test_cut_catalog(tmp_path, catalogs, cut, said):
    content = catalog_bytes(catalogs["star"])
    with pytest.raises(StargalError, match=f"{said}.*: remove it to fetch it again"):
        read_catalog(written(tmp_path, content[cut]), FIELD)
