"""The catalogue of a sky: each source once, as pyarrow, pandas, hats and LSDB find it."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.dataset
import pyarrow.parquet as pq
import pytest
from astropy.io.votable.ucd import check_ucd
from hypothesis import given
from hypothesis import strategies as st

from stargal.catalogs.columns import COLUMN, COLUMNS
from stargal.catalogs.files import write_parquet_catalog
from stargal.catalogs.hats import HEALPIX, ORDER, healpix_index, lowest_order, pixels_of
from stargal.catalogs.sky import catalog_sky, own_sources, unique_sources
from stargal.io.files import record_of, sha256
from stargal.survey.fields import Field

ONE, TWO, THREE = Field(40, 4192, 4, 300), Field(40, 6377, 4, 399), Field(301, 8162, 6, 80)
ARCSEC = 1 / 3600


def sources(*rows: tuple[Field, float, float, float]) -> pd.DataFrame:
    """Sources by field, ra, dec (deg), and distance from the edge (pixels)."""
    fields, ra, dec, edge = zip(*rows, strict=True)
    keys = pd.DataFrame([vars(field) for field in fields])
    return keys.assign(ra=ra, dec=dec, edge_distance=np.float32(edge))


def kept(*rows: tuple[Field, float, float, float]) -> list[bool]:
    return unique_sources(sources(*rows)).tolist()


def test_of_two_detections_the_one_farther_from_its_edge_is_kept():
    near = 0.9 * ARCSEC
    assert kept((ONE, 10, 1, 100), (TWO, 10 + near, 1, 300)) == [False, True]
    assert kept((ONE, 10, 1, 300), (TWO, 10, 1 + near, 100)) == [True, False]
    assert kept((ONE, 10, 1, 100), (TWO, 10 + 1.1 * ARCSEC, 1, 300)) == [True, True]


def test_of_equal_distances_the_lower_field_comes_first():
    assert kept((TWO, 10, 1, 50), (THREE, 10, 1, 50), (ONE, 10, 1, 50)) == [False, False, True]


def test_neighbours_in_one_field_are_kept():
    near = 0.5 * ARCSEC
    assert kept((ONE, 10, 1, 100), (ONE, 10 + near, 1, 200)) == [True, True]
    # Both remove the detection between them that the other field has; that one removes both if it is the better one.
    assert kept((ONE, 10, 1, 100), (ONE, 10 + near, 1, 200), (TWO, 10 + near / 2, 1, 90)) == [True, True, False]
    assert kept((ONE, 10, 1, 100), (ONE, 10 + near, 1, 200), (TWO, 10 + near / 2, 1, 300)) == [False, False, True]


def test_the_ends_of_a_chain_are_both_kept():
    """The first removes the second, which then cannot remove the third, 1.6 arcsec from the first."""
    step = 0.8 * ARCSEC
    assert kept((ONE, 10, 1, 300), (TWO, 10, 1 + step, 200), (THREE, 10, 1 + 2 * step, 100)) == [True, False, True]
    assert kept((ONE, 10, 1, 200), (TWO, 10, 1 + step, 300), (THREE, 10, 1 + 2 * step, 100)) == [False, True, False]


def test_sources_match_across_the_seam_and_at_the_poles():
    assert kept((ONE, 359.9999, 0, 100), (TWO, 0.0001, 0, 200)) == [False, True]
    assert kept((ONE, 12, 90 - 0.3 * ARCSEC, 100), (TWO, 192, 90 - 0.3 * ARCSEC, 200)) == [False, True]
    assert kept((ONE, 12, -90 + 0.6 * ARCSEC, 100), (TWO, 192, -90 + 0.6 * ARCSEC, 200)) == [True, True]
    # An arcsecond of the sky is two of right ascension at 60 degrees.
    assert kept((ONE, 10, 60, 100), (TWO, 10 + 1.9 * ARCSEC, 60, 200)) == [False, True]


def test_rows_of_a_neighbour_are_left_to_it_if_it_is_there():
    own = pd.DataFrame([vars(ONE)] * 4).assign(y=[5.0, 100.0, 1480.0, 1420.0])
    assert own_sources(own).all()
    following = pd.DataFrame([vars(ONE) | {"field": ONE.field + 1}] * 2).assign(y=[30.0, 200.0])
    assert own_sources(pd.concat([own, following])).tolist() == [True, True, False, True, False, True]
    assert own_sources(own.iloc[:0]).tolist() == []
    other = following.assign(camcol=5)
    assert own_sources(pd.concat([own, other])).all()


def test_no_source_and_one_source():
    assert unique_sources(sources((ONE, 1, 1, 1)).iloc[:0]).tolist() == [] and kept((ONE, 1, 1, 1)) == [True]


@given(st.integers(0, 2**32 - 1))
def test_what_is_left_is_separate_covers_all_and_does_not_depend_on_the_order(seed: int):
    rng = np.random.default_rng(seed)
    n = 60
    fields = [(ONE, TWO, THREE)[number] for number in rng.integers(3, size=n)]
    ra, dec = 10 + 6 * ARCSEC * rng.random(n), 6 * ARCSEC * rng.random(n)
    table = sources(*zip(fields, ra, dec, rng.integers(1, 6, n), strict=True))
    keep = unique_sources(table)
    apart = np.hypot(ra[:, None] - ra, dec[:, None] - dec) / ARCSEC
    other = table["run"].to_numpy()[:, None] != table["run"].to_numpy()
    duplicate = (apart <= 1) & other
    assert not duplicate[np.ix_(keep, keep)].any()
    better = table["edge_distance"].to_numpy() >= table["edge_distance"].to_numpy()[:, None]
    assert (duplicate & better)[:, keep].any(axis=1)[~keep].all()  # each is gone because a better one is there
    shuffled = rng.permutation(n)
    np.testing.assert_array_equal(unique_sources(table.iloc[shuffled]), keep[shuffled])


def field_catalog(folder: Path, field: Field, ra: np.ndarray, dec: np.ndarray, edge: float) -> Path:
    """A catalogue of a field, in which every third source is not primary, and every second has no objID."""
    number = np.arange(len(ra))
    table = pd.DataFrame({one.name: pd.Series(0, number, dtype=float) for one in COLUMNS})
    table = table.astype({one.name: one.dtype if one.null is None else "Int64" for one in COLUMNS})
    table = table.assign(**{key: pd.Series(value, number, COLUMN[key].dtype) for key, value in vars(field).items()})
    table["id"] = pd.Series(
        [f"{field.rerun}-{field.run}-{field.camcol}-{field.field}-{one + 1}" for one in number], dtype=str
    )
    table["class"] = pd.Series("star", number, dtype=str)
    table["ra"], table["dec"], table["edge_distance"] = ra % 360, dec, np.float32(edge)
    table["primary"] = number % 3 != 0
    table["objID"] = table["objID"].mask(number % 2 == 0, 1237661382772195474 + number)
    table.loc[number % 2 == 1, "objID"] = pd.NA
    table["psfFlux_u"] = table["psfFlux_u"].mask(number == 5)
    said = {"SKY": ("made sky", "of the frames"), "FIELD": (field.name, ""), "CLASSFR": ("stargal_1", "")}
    write_parquet_catalog(table, path := folder / f"{field.name}.parquet", said)
    return path


@pytest.fixture(scope="module")
def catalogs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two fields that show the same 300 sources at the seam of right ascension, and a third, far from them."""
    folder, rng = tmp_path_factory.mktemp("fields"), np.random.default_rng(4)
    ra, dec = rng.uniform(-0.1, 0.1, 300), rng.uniform(-0.1, 0.1, 300)
    return [
        field_catalog(folder, ONE, ra, dec, 100),
        field_catalog(folder, TWO, ra + 0.1 * ARCSEC, dec, 200),
        field_catalog(folder, THREE, ra + 230, dec + 42, 50),
    ]


def written(catalogs: list[Path], folder: Path) -> Path:
    catalog_sky(name="made", sky="made sky", catalogs=catalogs, folder=folder, most=70)
    return folder


@pytest.fixture(scope="module")
def table(catalogs: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(catalogs, tmp_path_factory.mktemp("sky") / "hats")


@pytest.fixture(scope="module")
def expected(catalogs: list[Path]) -> pd.DataFrame:
    """The sources of the second field, which is better than the first, and of the third. No neighbour is listed."""
    return pd.concat([pd.read_parquet(path) for path in catalogs[1:]]).set_index("id").sort_index()


def test_pandas_reads_every_source_once_with_its_values_types_and_provenance(table: Path, expected: pd.DataFrame):
    found = pd.read_parquet(table / "dataset", partitioning=None)
    assert list(found) == [HEALPIX.name, *COLUMN] and found["id"].is_unique
    assert found.attrs == {"SKY": "made sky", "CLASSFR": "stargal_1"}  # the fields differ in FIELD
    index = healpix_index(found["ra"].to_numpy(), found["dec"].to_numpy())
    np.testing.assert_array_equal(found[HEALPIX.name], index)
    pd.testing.assert_frame_equal(found.drop(columns=HEALPIX.name).set_index("id").sort_index(), expected)


def test_pixels_hold_their_rows_in_order(table: Path):
    with (table / "partition_info.csv").open() as stream:
        parts = list(csv.DictReader(stream))
    files = {
        table
        / f"dataset/Norder={one['Norder']}/Dir={int(one['Npix']) // 10000 * 10000}/Npix={one['Npix']}.parquet": one
        for one in parts
    }
    assert set(files) == set((table / "dataset").rglob("*.parquet")) and len(files) > 6
    for path, one in files.items():
        index = pq.read_table(path)[HEALPIX.name].to_numpy()
        assert np.all(np.diff(index) >= 0) and len(index) == int(one["num_rows"]) <= 70
        assert set(pixels_of(index, int(one["Norder"])).tolist()) == {int(one["Npix"])}
    said = dict(line.split("=", 1) for line in (table / "hats.properties").read_text().splitlines()[1:])
    assert int(said["hats_nrows"]) == sum(int(one["num_rows"]) for one in parts) == 600
    assert {one["Norder"] for one in parts} == {said["hats_order"]} and said["obs_title"].endswith(": made sky")
    assert (table / "properties").read_bytes() == (table / "hats.properties").read_bytes()


def test_every_file_says_unit_ucd_and_description_of_every_column(table: Path):
    dataset = table / "dataset"
    for path in [dataset / "_common_metadata", dataset / "_metadata", *dataset.rglob("*.parquet")]:
        schema = pq.read_schema(path)
        for column in (HEALPIX, *COLUMNS):
            said = {key.decode(): value.decode() for key, value in schema.field(column.name).metadata.items()}
            assert said.items() >= {("unit", column.unit), ("ucd", column.ucd), ("description", column.description)}
        assert b"<DESCRIPTION>" in schema.metadata[b"IVOA.VOTable-Parquet.content"]
    assert check_ucd(HEALPIX.ucd, check_controlled_vocabulary=True)


def test_pyarrow_finds_rows_without_opening_all_files(table: Path):
    dataset = pyarrow.dataset.parquet_dataset(table / "dataset/_metadata")
    assert dataset.count_rows() == pyarrow.dataset.dataset(table / "dataset").count_rows() == 600
    found = dataset.to_table()
    assert found["objID"].null_count == 300 and found["psfFlux_u"].null_count == 2
    here = pyarrow.dataset.field(HEALPIX.name) == found[HEALPIX.name][0].as_py()
    read = [group for fragment in dataset.get_fragments() for group in fragment.split_by_row_group(here)]
    assert len(read) == 1 < len(list(dataset.get_fragments()))


def test_bytes_repeat_and_are_recorded(table: Path, catalogs: list[Path], tmp_path: Path):
    again = written(catalogs, tmp_path / "hats")
    assert record_of(again).read_bytes() == record_of(table).read_bytes()
    for line in record_of(table).read_text().splitlines():
        digest, name = line.split()
        assert sha256(again.parent / name) == digest
    assert {path.suffix for path in table.rglob("*") if path.is_file()} == {".parquet", ".properties", ".csv", ""}


OPEN = """
import json, sys
import hats, lsdb
from hats.io.validation import is_valid_catalog

opened, cat = hats.read_hats(sys.argv[1]), lsdb.open_catalog(sys.argv[1])
rows = cat.compute()
cone = cat.cone_search(ra=0, dec=0, radius_arcsec=180).compute()
twice = cat.crossmatch(cat, radius_arcsec=0.01, suffixes=("", "_2"), suffix_method="overlapping_columns").compute()
print(json.dumps({
    "valid": is_valid_catalog(sys.argv[1], strict=True), "rows": opened.catalog_info.total_rows,
    "unit": opened.schema.field("psfMag_r").metadata[b"unit"].decode(), "name": cat.name, "index": rows.index.name,
    "id": sorted(rows["id"].tolist()), "cone": sorted(cone["id"].tolist()), "objID": str(rows["objID"].dtype),
    "nulls": int(rows["objID"].isna().sum()), "same": int((twice["id"] == twice["id_2"]).sum()),
    "index_agrees": int((rows.index == hats.pixel_math.spatial_index.compute_spatial_index(rows["ra"].to_numpy(float),
                        rows["dec"].to_numpy(float))).sum()),
}))
"""
"""What hats and LSDB say of a catalogue, in a process of their own: they set options of pandas and dask."""


def test_hats_and_lsdb_open_it(table: Path, expected: pd.DataFrame):
    command = [sys.executable, "-W", "ignore", "-c", OPEN, str(table)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    said = json.loads(done.stdout)
    distance = np.hypot((expected["ra"] + 180) % 360 - 180, expected["dec"])
    assert said["id"] == list(expected.index) and said["cone"] == sorted(expected.index[distance < 180 * ARCSEC])
    assert said["valid"] and said["rows"] == said["same"] == 600 and said["index_agrees"] >= 599  # rounding
    assert said["unit"] == "mag" and said["name"] == "made" and said["index"] == HEALPIX.name
    assert said["objID"].startswith("int64") and said["nulls"] == 300


@pytest.mark.parametrize("rows", [0, 1])
def test_fields_without_sources(tmp_path: Path, rows: int):
    ra = np.full(1 + rows, 1.0)
    path = field_catalog(tmp_path, ONE, ra, ra, 10)
    write_parquet_catalog(pd.read_parquet(path).iloc[:rows], path, {"SKY": ("made sky", "")})
    folder = written([path], tmp_path / "hats")
    assert pyarrow.dataset.parquet_dataset(folder / "dataset/_metadata").count_rows() == rows
    assert f"hats_nrows={rows}\n" in (folder / "hats.properties").read_text()


def test_the_lowest_order_with_few_enough_rows():
    ra = np.linspace(0, 359, 1000)
    index = np.sort(healpix_index(ra, np.zeros(1000)))
    assert lowest_order(index, 1000) == 0 and lowest_order(index[:0], 10) == 0
    order = lowest_order(index, 10)
    assert np.bincount(pixels_of(index, order)).max() <= 10 < np.bincount(pixels_of(index, order - 1)).max()
    assert lowest_order(np.repeat(index[:1], 20), 10) == ORDER
