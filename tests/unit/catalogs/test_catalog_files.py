"""Catalogues as astropy, STILTS, pandas and pyarrow find them: units, UCDs, descriptions, nulls, checksums."""

import csv
import shutil
import subprocess
import warnings

import numpy as np
import pandas as pd
import pyarrow.dataset
import pyarrow.parquet as pq
import pytest
from astropy import units
from astropy.io import fits
from astropy.io.fits.scripts import fitscheck
from astropy.io.votable.ucd import check_ucd
from astropy.table import Table

from stargal.catalogs.columns import COLUMN, COLUMNS, flag_cards
from stargal.catalogs.field import tabulate_catalog
from stargal.catalogs.files import write_fits_catalog, write_parquet_catalog
from stargal.survey.fields import Field

FIELD = Field(301, 5112, 4, 345)
PROVENANCE = {
    "SKY": ("made sky", "of the frames"),
    "FRAMEURL": ("https://data.sdss.org/sas/dr18/prior-surveys/sdss4-dr17-eboss/photoObj/frames/301/5112/4", ""),
    "SHA_R": ("0" * 64, ""),
    "MJD-OBS": (53387.5, "UTC"),
    "SIMULATE": (True, "no photon of it is real"),
}


def classified() -> pd.DataFrame:
    """Four classified sources; the last has no flux in u, and the first a negative one in r."""
    n = 4
    table = pd.DataFrame(
        {
            "id": [f"{FIELD.name}-{number}" for number in range(1, n + 1)],
            "ra": 10 + np.arange(n) / 60,
            "dec": 1.0,
            "x": [0.0, 100.2, 200.0, 300.0],
            "y": [0.0, 700.0, 700.0, 1480.0],
            "primary": [False, True, True, True],
            "photo_type": np.int16(6),
            "flags": np.int32(1 << 28),
            "edge_distance": np.float32(3),
            "position_error": np.float32(0.05),
            "class": ["star", "galaxy", "unclassified", "star"],
            "unlike_training": np.int16(4),
            **dict.fromkeys(("probability_star", "probability_unadapted", "prior_star"), np.float32(0.9)),
            **dict.fromkeys(("probability_scatter", "snr", "snr_r", "no_data"), np.float32(0.5)),
            **{f"{kind}_flux_{band}": np.float32([-0.1, 2, 3, 4]) for kind in ("psf", "model") for band in "ugriz"},
            **{f"{kind}_flux_error_{band}": np.float32(0.1) for kind in ("psf", "model") for band in "ugriz"},
        }
    )
    table.loc[n - 1, ["psf_flux_u", "psf_flux_error_u"]] = np.nan
    return table


def survey() -> pd.DataFrame:
    """Two sources of the survey: one is the second of ours, one lies 30 arcsec from the third."""
    table = pd.DataFrame({"ra": 10 + np.array([1.001 / 60, 2.5 / 60]), "dec": 1.0})
    table["objid"] = pd.array([1237661382772195474, 1], dtype="Int64")
    return table.assign(**{f"extinction_{band}": np.float32([0.1, 0.2]) for band in "ugriz"})


@pytest.fixture(scope="module")
def catalog():
    return tabulate_catalog(classified(), FIELD, survey())


@pytest.fixture(scope="module")
def fits_file(catalog, tmp_path_factory):
    path = tmp_path_factory.mktemp("catalog") / "catalog.fits"
    write_fits_catalog(catalog, path, PROVENANCE)
    return path


@pytest.fixture(scope="module")
def parquet_file(catalog, tmp_path_factory):
    path = tmp_path_factory.mktemp("catalog") / "catalog.parquet"
    write_parquet_catalog(catalog, path, PROVENANCE)
    return path


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.name)
def test_columns_have_a_known_ucd_a_unit_that_astropy_reads_and_a_description(column):
    assert check_ucd(column.ucd, check_controlled_vocabulary=True)
    assert units.Unit(column.unit) is not None and column.description and column.description.isascii()


def test_the_bits_of_the_flags_have_names_in_the_header():
    cards = flag_cards()
    assert cards["FLAG18"][0] == "SATURATED" and cards["UNLIKE04"] == ("crowded", "unlike_training, value 16")
    assert all(len(key) <= 8 for key in cards)


def test_columns_have_names_of_their_own_and_are_those_of_a_catalogue(catalog):
    assert len(COLUMN) == len(COLUMNS) and list(catalog) == list(COLUMN)
    lower = [column.name.lower() for column in COLUMNS]  # FITS and SQL do not tell them apart by case
    assert len(set(lower)) == len(lower)


def test_what_the_survey_says_is_that_of_the_same_and_of_the_nearest_source(catalog):
    assert catalog["objID"].isna().tolist() == [True, False, True, True]
    assert catalog["objID"][1] == 1237661382772195474
    np.testing.assert_allclose(catalog["extinction_r"], [np.nan, 0.1, 0.2, 0.2])  # the first is 60.05 arcsec off
    alone = tabulate_catalog(classified(), FIELD)
    assert alone["objID"].isna().all() and alone["extinction_r"].isna().all()
    assert list(alone.dtypes) == list(catalog.dtypes)


def test_a_catalogue_without_sources_has_all_columns(tmp_path):
    empty = tabulate_catalog(classified().iloc[:0], FIELD, survey())
    write_fits_catalog(empty, tmp_path / "empty.fits", PROVENANCE)
    write_parquet_catalog(empty, tmp_path / "empty.parquet", PROVENANCE)
    assert fits.getdata(tmp_path / "empty.fits").names == list(pd.read_parquet(tmp_path / "empty.parquet"))


def test_files_repeat_byte_for_byte(catalog, fits_file, parquet_file, tmp_path):
    for written, write in ((fits_file, write_fits_catalog), (parquet_file, write_parquet_catalog)):
        write(catalog, tmp_path / written.name, PROVENANCE)
        assert (tmp_path / written.name).read_bytes() == written.read_bytes()


def test_astropy_reads_units_nulls_and_checksums(fits_file, catalog):
    assert fitscheck.main([str(fits_file)]) == 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # such as a wrong checksum
        with fits.open(fits_file, checksum=True) as hdus:
            assert all({"CHECKSUM", "DATASUM"} <= set(one.header) for one in hdus)
            header, found = hdus["SOURCES"].header, hdus["SOURCES"].columns
    for number, column in enumerate(COLUMNS, start=1):
        assert header[f"TTYPE{number}"] == column.name and header[f"TUCD{number}"] == column.ucd
        assert header[f"TCOMM{number}"] == column.description
        assert found[column.name].unit == (column.unit or None)
        assert found[column.name].disp == (column.display or None)
    for key, (value, _) in PROVENANCE.items():
        assert header[key] == value
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", units.UnitsWarning)  # FITS has no nanomaggy; its name stays
        table = Table.read(fits_file)
    assert table["ra"].unit == "deg" and table["psfMag_r"].unit == "mag" and str(table["psfFlux_r"].unit) == "nanomaggy"
    assert table["objID"].mask.tolist() == [True, False, True, True]
    assert np.isnan(np.ma.filled(table["psfFlux_u"], np.nan)[3]) and table["psfFlux_r"][0] == np.float32(-0.1)
    assert table["class"].tolist() == catalog["class"].tolist()
    assert table["primary"].tolist() == [False, True, True, True]


def test_fitsio_reads_the_rows(fits_file):
    fitsio = pytest.importorskip("fitsio")
    rows = fitsio.read(str(fits_file), ext="SOURCES")
    assert [str(word).strip() for word in rows["class"]] == ["star", "galaxy", "unclassified", "star"]
    assert list(rows["primary"]) == [False, True, True, True]


def test_stilts_shows_unit_ucd_and_description_of_every_column(fits_file):
    if not shutil.which("stilts"):
        pytest.skip("stilts is not installed (Debian: stilts)")
    command = ["stilts", "tpipe", f"in={fits_file}", "cmd=meta Name Units UCD Description", "ofmt=csv"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rows = list(csv.DictReader(done.stdout.splitlines()))
    said = [(row["Name"], row["Units"], row["UCD"], row["Description"]) for row in rows]
    assert said == [(one.name, one.unit, one.ucd, one.description) for one in COLUMNS]


def test_pandas_reads_types_nulls_and_provenance(parquet_file, catalog):
    table = pd.read_parquet(parquet_file)
    pd.testing.assert_frame_equal(table, catalog)
    assert table.attrs["SKY"] == "made sky" and table["objID"][1] == 1237661382772195474


def test_pyarrow_reads_the_metadata_of_the_columns(parquet_file):
    schema = pyarrow.dataset.dataset(parquet_file).schema
    for column in COLUMNS:
        said = {key.decode(): value.decode() for key, value in schema.field(column.name).metadata.items()}
        assert said["unit"] == column.unit and said["ucd"] == column.ucd and said["description"] == column.description
    assert schema.metadata[b"SHA_R"] == b"0" * 64
    table = pq.read_table(parquet_file)
    assert table["objID"].null_count == 3 and table["psfFlux_u"].null_count == 1


@pytest.mark.filterwarnings("ignore")
def test_astropy_reads_descriptions_and_ucds_of_parquet(parquet_file):
    table = Table.read(parquet_file, format="parquet.votable")
    assert table.colnames == list(COLUMN)
    for column in COLUMNS:
        found = table[column.name]
        assert found.description == column.description and found.meta["ucd"] == column.ucd
        assert str(found.unit or "") == str(units.Unit(column.unit)) or str(found.unit) == column.unit
