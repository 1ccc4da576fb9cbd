"""Columns of a catalogue and its files, as the programs of astronomers read them."""

import subprocess
import sys
from pathlib import Path
from shutil import which

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from astropy.io.votable.ucd import check_ucd
from astropy.table import Table
from pyarrow import parquet

from stargal.learning.catalog import COLUMNS, arrange_catalog, write_catalog, write_parquet
from stargal.survey.fields import BANDS
from stargal.survey.magnitudes import SOFTENING, asinh_magnitude, magnitude

PROVENANCE = {"SKY": ("made sky", "where the frames come from"), "CLASSSHA": ("f" * 64, "")}


def classified() -> pd.DataFrame:
    """Three classified sources; the last has a negative flux in g and no error in u."""
    table = pd.DataFrame(
        {
            "id": [f"301-1000-1-100-{number}" for number in (1, 2, 3)],
            **{name: np.array([10.0, 20, 30]) for name in ("ra", "dec", "x", "y")},
            "primary": [False, True, True],
            "photo_type": np.int16(6),
            "flags": np.int32(4),
            "class": ["star", "galaxy", "unclassified"],
            "unlike_training": np.int16(0),
        }
    )
    for kind in ("psf", "model"):
        for band in BANDS:
            table[f"{kind}_flux_{band}"] = np.array([100, 1, -0.5 if band == "g" else 0.2], np.float32)
            table[f"{kind}_flux_error_{band}"] = np.array([0.1, 0.1, np.nan if band == "u" else 0.1], np.float32)
            table[f"{kind}_mag_{band}"] = magnitude(table[f"{kind}_flux_{band}"].to_numpy())
    rest = [name for name in COLUMNS if name not in table and "_mag_error_" not in name]
    return table.assign(**{name: np.array([0.5, np.nan, 0.25], np.float32) for name in rest})


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("catalog")
    table = arrange_catalog(classified())
    for name in ("one", "two"):
        write_catalog(table, folder / f"{name}.fits", PROVENANCE)
        write_parquet(table, folder / f"{name}.parquet", PROVENANCE)
    return folder


def test_the_same_catalogue_gives_the_same_bytes(written: Path):
    for kind in ("fits", "parquet"):
        assert (written / f"one.{kind}").read_bytes() == (written / f"two.{kind}").read_bytes()


def test_magnitudes_are_asinh_and_finite_where_the_flux_is():
    given = classified()
    table = arrange_catalog(given)
    assert list(table) == list(COLUMNS)
    assert table["psf_mag_r"][0] == pytest.approx(given["psf_mag_r"][0], abs=1e-4) == pytest.approx(17.5, abs=1e-4)
    assert table["psf_mag_error_r"][0] == pytest.approx(2.5 / np.log(10) * 1e-3, rel=1e-3)
    assert np.isnan(given["psf_mag_g"][2]) and table["psf_mag_g"][2] > -2.5 * np.log10(SOFTENING["g"])
    assert np.isnan(table["psf_mag_error_u"][2]) and np.isfinite(table["psf_mag_u"][2])


@pytest.mark.parametrize(("band", "faintest"), [("u", 24.63), ("g", 25.11), ("r", 24.80), ("i", 24.36), ("z", 22.83)])
def test_no_flux_has_the_magnitude_that_sdss_gives(band: str, faintest: float):
    """Table of https://www.sdss4.org/dr17/algorithms/magnitudes/."""
    nothing = np.zeros(1, np.float32)
    assert asinh_magnitude(nothing, nothing, band)[0][0] == pytest.approx(faintest, abs=0.01)


def test_units_ucds_and_descriptions_in_astropy(written: Path):
    assert all(check_ucd(one.ucd, check_controlled_vocabulary=True) for one in COLUMNS.values())
    with fits.open(written / "one.fits", checksum=True) as hdus:
        hdus.verify("exception")
        header = hdus["SOURCES"].header
        names = [header[f"TTYPE{number}"] for number in range(1, len(COLUMNS) + 1)]
        assert names == list(COLUMNS)
        for number, one in enumerate(COLUMNS.values(), 1):
            assert (header[f"TUCD{number}"], header[f"TCOMM{number}"]) == (one.ucd, one.description)
            assert header.get(f"TUNIT{number}", "") == one.unit
        assert header["SKY"] == "made sky" and header["FLAG18"] == "SATURATED" and header["UNLIKE04"] == "crowded"
        assert {"CHECKSUM", "DATASUM"} <= set(header) and {"CHECKSUM", "DATASUM"} <= set(hdus[0].header)
    table = Table.read(written / "one.fits")
    assert table["ra"].unit == "deg" and table["psf_mag_r"].unit == "mag" and len(table) == 3
    assert list(table["class"]) == ["star", "galaxy", "unclassified"] and list(table["primary"]) == [False, True, True]


def test_fitscheck_passes(written: Path):
    command = [Path(sys.executable).with_name("fitscheck"), written / "one.fits"]
    assert subprocess.run(command, check=False).returncode == 0


def test_units_ucds_and_descriptions_in_stilts(written: Path):
    if which("stilts") is None:
        pytest.skip("stilts is not installed: apt-get install stilts")
    command = ["stilts", "tpipe", f"in={written / 'one.fits'}", "cmd=meta Name Units UCD Description", "ofmt=csv"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    lines = [line for line in said.splitlines() if line.split(",")[0] in COLUMNS]
    assert len(lines) == len(COLUMNS)
    for (name, one), line in zip(COLUMNS.items(), lines, strict=True):
        assert line.startswith(f"{name},{one.unit},{one.ucd},") and one.description in line


def test_fitsio_reads_it(written: Path):
    fitsio = pytest.importorskip("fitsio")
    rows = fitsio.read(str(written / "one.fits"), ext="SOURCES")
    assert [str(word).strip() for word in rows["class"]] == ["star", "galaxy", "unclassified"]
    assert list(rows["primary"]) == [False, True, True]


def test_parquet_has_nulls_and_the_metadata_of_its_columns(written: Path):
    table = parquet.read_table(written / "one.parquet")
    assert table["snr"].null_count == 1 and table["psf_mag_error_u"].null_count == 1
    for name, one in COLUMNS.items():
        words = {key.decode(): word.decode() for key, word in table.schema.field(name).metadata.items()}
        assert words["ucd"] == one.ucd and words["description"] == one.description
        assert words.get("unit", "") == one.unit
    assert table.schema.metadata[b"SKY"] == b"made sky"
    pd.testing.assert_frame_equal(pd.read_parquet(written / "one.parquet"), arrange_catalog(classified()))
