"""Classified fields: what a catalogue says of each source, in files, and beside the survey's own catalogue."""

import json

import fitsio
import numpy as np
import pandas as pd
import pytest
from astropy.table import Table

from stargal.errors import StargalError
from stargal.evaluation.catalogs import catalog_table, compare_catalogs, count_catalog
from stargal.imaging.cube import Cube
from stargal.io.files import sha256
from stargal.learning import apply
from stargal.survey.fields import COLUMNS, ROWS

CLASSIFIER = {"experiment": "made", "sky": "made sky", "bands": "ugriz", "size": 5, "magnitudes": [15.0, 21.0]}


def made_cube(bands="ugriz") -> Cube:
    """Every pixel of r holds its column; the rest is nothing."""
    image = np.zeros((5, ROWS, COLUMNS), np.float32)
    image[2] = np.arange(COLUMNS)
    return Cube(bands, image, None, None, None, None, None, None, None)  # type: ignore[arg-type]


def made_detections() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": ["1000-1-100-1", "1000-1-100-2", "1000-1-100-3", "1000-1-100-4"],
            "ra": 10.0,
            "dec": 1.0,
            "x": [0.0, 100.2, 200.0, 300.0],
            "y": [0.0, 700.0, 700.0, 1480.0],
            "primary": [False, True, True, True],
            "photo_type": np.int16(6),
            "model_mag_r": np.array([18, 15.0, np.nan, 21.5], np.float32),
            "flags": np.int32(0),
            "edge_distance": np.float32(3),
        }
    )


def by_column(patches):
    """A star left of column 150, judged by the middle pixel in r."""
    return np.where(patches[:, 2, 2, 2] < 150, 0.95, 0.3).astype(np.float32)


def made_catalog() -> pd.DataFrame:
    return apply.classify_sources(made_detections(), made_cube(), CLASSIFIER, by_column)


def test_sources_are_classified_and_their_limits_said():
    catalog = made_catalog()
    np.testing.assert_allclose(catalog["probability_star"], [0.95, 0.95, 0.3, 0.3])
    assert list(catalog["class"]) == ["star", "star", "galaxy", "galaxy"]
    assert list(catalog["extrapolated"]) == [False, False, True, True]
    np.testing.assert_allclose(catalog["no_data"], [16 / 25, 0, 0, 0])
    expected = {"sources": 3, "stars": 1, "galaxies": 2, "uncertain": 2, "extrapolated": 2}
    assert count_catalog(catalog) == expected


def test_other_bands_are_refused():
    with pytest.raises(StargalError, match="cube has bands zirgu, the classifier takes ugriz"):
        apply.classify_sources(made_detections(), made_cube("zirgu"), CLASSIFIER, by_column)


def test_the_catalogue_is_a_fits_table_with_units_and_origin(tmp_path):
    for name in ("one.fits", "two.fits"):
        apply.write_catalog(made_catalog(), tmp_path / name, {"SKY": ("made sky", "where the frames come from")})
    assert (tmp_path / "one.fits").read_bytes() == (tmp_path / "two.fits").read_bytes()
    table = Table.read(tmp_path / "one.fits")
    assert table["ra"].unit == "deg" and table["model_mag_r"].unit == "mag" and table.meta["SKY"] == "made sky"
    rows = fitsio.read(str(tmp_path / "one.fits"), ext="SOURCES")
    assert [str(word).strip() for word in rows["class"]] == ["star", "star", "galaxy", "galaxy"]
    assert list(rows["primary"]) == [False, True, True, True]


def test_a_catalogue_beside_the_surveys():
    """One source found 0.2 pixels off, one 4 pixels off and so not found, one without a label that counts nowhere."""
    sources = pd.DataFrame(
        {"x": [100.0, 204.0, 300.0, 0.0], "y": [700.0, 700.0, 1480.0, 0.0], "label": np.int8(1), "truth": pd.NA}
    )
    sources["truth"] = pd.array([1, 1, 1, pd.NA], dtype="Int8")
    found = compare_catalogs(made_catalog(), sources, "truth", resamples=10)
    assert found["catalogued"] == 3 and found["found"] == pytest.approx(2 / 3)
    assert found["accuracy"] == pytest.approx(0.5)
    assert found["log_loss"] == pytest.approx(-(np.log(0.95) + np.log(0.3)) / 2, rel=1e-5)


def test_the_table_holds_the_fields_of_the_buckets_first():
    sources = pd.DataFrame({"x": [100.0], "y": [700.0], "label": np.int8(1), "truth": pd.NA})
    catalog = made_catalog()
    fields = ["c", "b", "a", "d"]
    table = catalog_table(
        [catalog, catalog.iloc[:2], catalog, catalog],
        [sources, sources],
        fields=fields,
        buckets={"b": "test", "d": "train", "elsewhere": "train"},
        labels="photo",
        resamples=10,
    )
    assert table[["field", "bucket"]].to_numpy().tolist() == [
        ["d", "train"],
        ["b", "test"],
        ["c", "none"],
        ["a", "none"],
    ]
    assert table["sources"].tolist() == [3, 1, 3, 3]
    assert table["found"].tolist()[:2] == [1, 1] and table["catalogued"].isna().tolist() == [False, False, True, True]
    assert list(table) == [
        *("field", "bucket", "sources", "stars", "galaxies", "uncertain", "extrapolated", "catalogued", "found"),
        *(f"{name}{end}" for name in ("accuracy", "mcc") for end in ("", "_low", "_high")),
        "log_loss",
    ]


@pytest.mark.parametrize(
    ("change", "said"),
    [({"model_sha256": "0" * 64}, "not the model that"), ({"size": None}, "no size: is it the classifier.json")],
)
def test_a_classifier_must_be_whole(tmp_path, change, said):
    model = tmp_path / "model.keras"
    model.write_bytes(b"weights")
    description = tmp_path / "classifier.json"
    right = CLASSIFIER | {"model_sha256": sha256(model)}
    description.write_text(json.dumps(right))
    assert apply.read_classifier(model, description) == right
    wrong = {key: value for key, value in (right | change).items() if value is not None}
    description.write_text(json.dumps(wrong))
    with pytest.raises(StargalError, match=said):
        apply.read_classifier(model, description)
