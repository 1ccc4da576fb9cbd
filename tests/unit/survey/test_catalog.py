"""Catalogues as they come: what is read rightly, and what is refused on one line."""

import io

import numpy as np
import pytest
from astropy.io import fits
from numpy.lib import recfunctions

from made_archive import catalog_table, make_sources
from stargal.errors import StargalError
from stargal.survey.catalog import object_ids, parse_catalog
from stargal.survey.fields import Field
from stargal.survey.magnitudes import magnitude

FIELD = Field(301, 1000, 1, 100)


@pytest.fixture
def rows():
    return catalog_table(FIELD, make_sources(FIELD), 1)


def packed(rows: np.ndarray) -> bytes:
    stream = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU(rows)]).writeto(stream)
    return stream.getvalue()


def refused(rows: np.ndarray, said: str) -> None:
    with pytest.raises(StargalError, match=said) as caught:
        parse_catalog(packed(rows), 1000, 1, "star")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("case", [str.lower, str.title, str.upper])
def test_case_of_column_names_does_not_matter(rows, case):
    renamed = rows.copy()
    renamed.dtype.names = tuple(case(name) for name in rows.dtype.names)
    read, expected = (parse_catalog(packed(one), 1000, 1, "star") for one in (renamed, rows))
    assert "OBJC_FLAGS" in read.dtype.names
    np.testing.assert_array_equal(read, expected)


def test_the_same_sky_twice_in_a_catalogue_counts_once(rows):
    """A file that was joined to itself, or to a part of itself."""
    for joined in (np.concatenate([rows, rows]), np.concatenate([rows, rows[10:20]])):
        read = parse_catalog(packed(joined), 1000, 1, "star")
        np.testing.assert_array_equal(read["ID"], rows["ID"])


def test_two_sources_with_one_number_are_refused(rows):
    rows["ID"][7] = rows["ID"][3]
    refused(rows, r"rows 4 and 8 are both source \d+ of field 100, at different positions")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("RA", np.nan, "row 3: RA is nan; expected degrees"),
        ("RA", 1e9, "row 3: RA is 1000000000.0; expected degrees"),
        ("DEC", -91.0, "row 3: DEC is -91.0; expected degrees"),
        ("RUN", 94, "column RUN holds 94, the name says 1000"),
    ],
)
def test_values_that_are_no_positions_are_refused(rows, name, value, said):
    rows[name][2] = value
    refused(rows, said)


@pytest.mark.parametrize(("name", "kind"), [("RA", "S5"), ("PSFFLUX", "f4"), ("ID", "S3"), ("FIELD", ("i4", (2,)))])
def test_columns_of_another_form_are_refused(rows, name, kind):
    other = recfunctions.drop_fields(rows, name, usemask=False)
    column = np.zeros(len(rows), [(name, *(kind if isinstance(kind, tuple) else (kind,)))])
    refused(recfunctions.merge_arrays([other, column], flatten=True), f"column {name} holds .*; expected numbers of")


def test_fluxes_that_are_no_numbers_have_no_magnitude(rows):
    rows["MODELFLUX"][0] = [np.nan, np.inf, -np.inf, -9999, 0]
    read = parse_catalog(packed(rows), 1000, 1, "star")
    assert np.isnan(magnitude(read["MODELFLUX"][0])).all()
    np.testing.assert_allclose(magnitude(read["MODELFLUX"][1]), 22.5 - 2.5 * np.log10(rows["MODELFLUX"][1]), rtol=1e-6)


def test_object_ids_are_those_of_the_survey():
    """An objID of its database, and none for a rerun of an earlier release."""
    found = object_ids(Field(301, 3704, 3, 90), np.array([91]), np.array([146]))
    assert found.tolist() == [1237661382772195474]
    assert object_ids(Field(40, 3704, 3, 90), np.array([91]), np.array([146])).isna().all()
