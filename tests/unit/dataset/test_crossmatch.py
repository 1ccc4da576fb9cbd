"""Tables of classes from elsewhere: what is understood, what is refused, and to which detections they belong."""

import gzip

import numpy as np
import pandas as pd
import pytest
from astropy.table import Table

from stargal.dataset.crossmatch import match_field, read_positions
from stargal.errors import StargalError

KEY = "skies.made.truth.spectra"
TABLE = pd.DataFrame(
    {
        "RA": [10.0, 10.1, 10.2, 10.3],
        "DEC": [0.0, 0.1, 0.2, 0.3],
        "CLASS": ["STAR", "GALAXY", "QSO", ""],
        "P": [0.9, 0.2, 1, 0],
    }
)
COLUMNS = {"ra": "RA", "dec": "DEC", "class": "CLASS"}


def write(table, path):
    match path.suffixes[-1]:
        case ".csv":
            path.write_text(table.to_csv(index=False))
        case ".gz":
            with gzip.open(path, "wt") as file:
                file.write(table.to_csv(index=False))
        case ".parquet":
            table.to_parquet(path, index=False)
        case ".fits":
            Table({name: np.array(table[name].tolist()) for name in table}).write(path, overwrite=True)
    return path


def refused(path, columns=COLUMNS):
    with pytest.raises(StargalError) as caught:
        read_positions(path, columns, KEY)
    said = str(caught.value)
    assert said.startswith(str(path)) and "\n" not in said
    return said


@pytest.mark.parametrize("name", ["spectra.csv", "spectra.csv.gz", "spectra.parquet", "spectra.fits"])
def test_classes_of_sdss_are_understood_in_each_format(tmp_path, name):
    """A quasar is a star; a source without a class has no label."""
    read = read_positions(write(TABLE, tmp_path / name), COLUMNS, KEY)
    np.testing.assert_array_equal(read["value"], [1, 0, 1, np.nan])
    np.testing.assert_array_equal(read[["ra", "dec"]], TABLE[["RA", "DEC"]])


@pytest.mark.parametrize("name", ["theirs.csv", "theirs.parquet", "theirs.fits"])
def test_probabilities_are_read(tmp_path, name):
    read = read_positions(write(TABLE, tmp_path / name), {"ra": "RA", "dec": "DEC", "star": "P"}, KEY)
    np.testing.assert_array_equal(read["value"], TABLE["P"])


def test_other_classes_have_a_meaning_in_the_configuration(tmp_path):
    """Names in any case, whole numbers as such, null for no class."""
    table = pd.DataFrame({"ra": [1.0, 2, 3], "dec": 0.0, "class": [6.0, 3.0, 9.0]})
    values = {6: "star", "3": "galaxy", 9: None}
    for name in ("types.csv", "types.parquet", "types.fits"):
        read = read_positions(write(table, tmp_path / name), {"values": values}, KEY)
        np.testing.assert_array_equal(read["value"], [1, 0, np.nan])


def test_comments_before_the_header_are_lines(tmp_path):
    path = tmp_path / "spectra.csv"
    path.write_text("#Table1\n# two\nra,dec,class\n10,0,STAR\n10,0,BLAZAR\n")
    said = refused(path, {})
    assert (
        "line 5, column class: found 'BLAZAR', allowed: galaxy, qso, star; say in skies.made.truth.spectra.values"
        in said
    )


@pytest.mark.parametrize(
    "change, columns, expected",
    [
        ({"RA": 360.5}, COLUMNS, "row 3, column RA: found '360.5', allowed: degrees from 0 to 360; correct the row"),
        ({"DEC": np.nan}, COLUMNS, "row 3, column DEC: found 'nan', allowed: degrees from -90 to 90"),
        ({"CLASS": "BLAZAR"}, COLUMNS, "row 3, column CLASS: found 'BLAZAR', allowed: galaxy, qso, star; say in"),
        ({"P": 1.5}, {"ra": "RA", "dec": "DEC", "star": "P"}, "row 3, column P: found '1.5', allowed: a probability"),
        ({}, {}, "no column ra; it has RA, DEC, CLASS, P; name the columns in skies.made.truth.spectra"),
    ],
    ids=["ra", "dec", "class", "probability", "column"],
)
def test_each_fault_names_file_row_and_column(tmp_path, change, columns, expected):
    table = TABLE.copy()
    for name, value in change.items():
        table.loc[2, name] = value
    assert expected in refused(write(table, tmp_path / "spectra.parquet"), columns)


@pytest.mark.parametrize("name", ["spectra.csv", "spectra.fits", "spectra.parquet"])
def test_what_is_no_table_is_refused(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b"\0\1\2" * 1000 if name != "spectra.csv" else b"")
    assert "not a readable table" in refused(path)
    assert "its name ends in neither .csv, .fits nor .parquet" in refused(
        write(TABLE, tmp_path / "a.csv").rename(tmp_path / "a.dat")
    )


def detections():
    """Five detections, the last but one twice in the survey and not ours, the last not ours at all."""
    return pd.DataFrame(
        {
            "id": list("abcde"),
            "ra": [10.0, 10.1, 10.2, 10.3, 10.4],
            "dec": 0.0,
            "photo_type": np.int16(6),
            "psf_mag_r": np.float32(21),
            "model_mag_r": np.float32(20),
            "primary": [True, True, True, False, False],
        }
    )


def survey():
    return pd.DataFrame(
        {
            "id": ["s1", "s2", "s3"],
            "ra": [10.0, 10.3, 10.3 + 0.5 / 3600],
            "dec": 0.0,
            "label": np.array([1, 0, 1], np.int8),
            "truth": pd.array([1, pd.NA, 0], dtype="Int8"),
            "model_mag_r": np.float32([19.0, 18.0, 17.0]),
        }
    )


def test_detections_are_matched_to_the_survey_and_to_tables():
    spectra = pd.DataFrame({"ra": [10.1 + 0.9 / 3600, 10.2 + 1.5 / 3600], "dec": 0.0, "value": [0.0, 1.0]})
    theirs = pd.DataFrame({"ra": [10.0, 10.2], "dec": 0.0, "value": [0.7, np.nan]})
    table = match_field(
        detections(), survey(), {"spectra": (spectra, 1.0), "wide": (spectra, 2.0)}, {"theirs": (theirs, 1)}
    )
    assert table["id"].to_list() == list("abcd"), "e is neither ours nor the survey's"
    assert table["source"].to_list() == ["s1", "", "", "s2"]
    assert table["label"].to_list() == [1, pd.NA, pd.NA, 0]
    assert table["truth"].to_list() == [1, pd.NA, pd.NA, pd.NA]
    assert table["r"].to_list() == [19, 20, 20, 18], "the survey's magnitude where it has the source"
    assert table["against spectra"].to_list() == [pd.NA, 0, pd.NA, pd.NA]
    assert table["against wide"].to_list() == [pd.NA, 0, 1, pd.NA]
    np.testing.assert_array_equal(table["given theirs"], [0.7, np.nan, np.nan, np.nan])


def test_a_simulated_sky_has_the_truth_of_its_detections():
    table = match_field(detections().assign(truth=pd.array([0, 1, pd.NA, 1, 1], dtype="Int8")), survey(), {}, {})
    assert table["truth"].to_list() == [0, 1, pd.NA, 1]


def test_a_field_may_have_no_catalogue():
    table = match_field(detections(), None, {}, {})
    assert table["id"].to_list() == list("abc") and table["label"].isna().all() and (table["r"] == 20).all()
