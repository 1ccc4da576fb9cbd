"""Classified fields: what a catalogue says of each source, in files, and beside the survey's own catalogue."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from stargal.errors import StargalError
from stargal.evaluation.catalogs import catalog_table, compare_catalogs, count_catalog
from stargal.imaging.cube import Cube
from stargal.imaging.psf import PSF_HALF, TERMS
from stargal.learning import apply
from stargal.learning.likeness import UNLIKE
from stargal.survey.fields import COLUMNS, ROWS

RANGES = {
    "fwhm": [[1.0, 1.6]] * 5,
    "noise": [[0.05, 0.2]] * 5,
    "magnitude": [15.0, 21.0],
    "no_data": 0.1,
    "neighbours": 1,
    "saturated": False,
}
CLASSIFIER = {
    "experiment": "made",
    "sky": "made sky",
    "bands": "ugriz",
    "size": 5,
    "inputs": ["nanomaggies"],
    "calibration": {"slope": 1.0, "offset": 0.0},
    "prior": {"magnitude": [20], "star": [0.5], "overall": 0.5},
    "ranges": RANGES,
}


def made_psf() -> np.ndarray:
    pixels = np.arange(-PSF_HALF, PSF_HALF + 1)
    images = np.zeros((5, TERMS, 2 * PSF_HALF + 1, 2 * PSF_HALF + 1), np.float32)
    images[:, 0] = np.exp(-(pixels**2 + pixels[:, None] ** 2) / (2 * 1.4**2)) / (2 * np.pi * 1.4**2)
    return images


def made_cube(bands="ugriz", image=None, fwhm=1.3) -> Cube:
    """Every pixel of r holds its column and 10; the rest is nothing."""
    if image is None:
        image = np.zeros((5, ROWS, COLUMNS), np.float32)
        image[2] = np.arange(COLUMNS) + 10
    noise, widths = np.full((2, 5), [[0.1], [fwhm]], np.float32)
    return Cube(bands, image, None, noise, widths, made_psf(), None, None, None)  # type: ignore[arg-type]


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
    """A star left of column 150, judged by the middle pixel in r; two networks that agree, and one that does not."""
    probability = np.where(patches[:, 2, 2, 2] < 160, 0.95, 0.3).astype(np.float32)
    return np.stack([probability, *[logit(probability)] * 2, np.zeros_like(probability)], axis=1)


def made_catalog(prior="training") -> pd.DataFrame:
    return apply.classify_sources(made_detections(), made_cube(), CLASSIFIER, by_column, prior)


def test_sources_are_classified_and_their_limits_said():
    catalog = made_catalog()
    np.testing.assert_allclose(catalog["probability_star"], [0.95, 0.95, 0.3, 0.3], rtol=1e-5)
    np.testing.assert_allclose(catalog["probability_unadapted"], [0.95, 0.95, 0.3, 0.3])
    np.testing.assert_allclose(catalog["probability_scatter"], np.array([0.45, 0.45, 0.2, 0.2]) / 3**0.5, rtol=1e-5)
    assert list(catalog["class"]) == ["star", "star", "galaxy", "galaxy"]
    assert list(catalog["unlike_training"]) == [UNLIKE["missing"], 0, UNLIKE["magnitude"], UNLIKE["magnitude"]]
    np.testing.assert_allclose(catalog["no_data"], [16 / 25, 0, 0, 0])
    expected = {"sources": 3, "stars": 1, "galaxies": 2, "unclassified": 0, "uncertain": 2, "unlike_training": 2}
    assert count_catalog(catalog) == expected


@pytest.mark.parametrize("prior", [0.9, {"magnitude": [15, 22], "star": [0.9, 0.9]}])
def test_the_share_of_stars_can_be_given(prior):
    catalog = made_catalog(prior)
    np.testing.assert_allclose(catalog["prior_star"], 0.9, rtol=1e-6)
    np.testing.assert_allclose(
        catalog["probability_star"], expit(logit([0.95, 0.95, 0.3, 0.3]) + logit(0.9)), rtol=1e-5
    )


def test_the_share_of_stars_is_found_in_the_field():
    """Three in four of many sources look like galaxies."""
    rows = made_detections().iloc[[1, 2, 2, 2] * 100].reset_index(drop=True)
    catalog = apply.classify_sources(rows.assign(model_mag_r=20), made_cube(), CLASSIFIER, by_column)
    assert (catalog["prior_star"] < 0.4).all() and (catalog["probability_star"] < [0.93, 0.25, 0.25, 0.25] * 100).all()


def blank(count=2000, light=0.0, seed=0):
    """Positions on a sky of noise, each with a point source of a flux (nanomaggies) in all bands."""
    random = np.random.default_rng(seed)
    image = random.normal(0, 0.1, (5, ROWS, COLUMNS)).astype(np.float32)
    x, y = random.uniform(20, COLUMNS - 20, count), random.uniform(20, ROWS - 20, count)
    if light:
        x, y = np.meshgrid(np.arange(30.0, COLUMNS - 30, 40), np.arange(30.0, ROWS - 30, 40))
        x, y = x.ravel(), y.ravel()
        stamp = made_psf()[0, 0] * light
        for column, row in zip(x.astype(int), y.astype(int), strict=True):
            image[:, row - PSF_HALF : row + PSF_HALF + 1, column - PSF_HALF : column + PSF_HALF + 1] += stamp
    detected = pd.DataFrame({"x": x, "y": y, "model_mag_r": np.nan, "flags": 0})
    detected["model_mag_r"] = 22.5 - 2.5 * np.log10(light) if light else random.uniform(22, 26, len(x))
    return detected, image


def sure(patches):
    return np.tile(np.float32([1 - 1e-6, 14, 14]), (len(patches), 1))


@pytest.mark.parametrize("prior", ["field", "training"])
def test_blank_sky_has_no_class(prior):
    """However sure the network is."""
    detected, image = blank()
    catalog = apply.classify_sources(detected, made_cube(image=image), CLASSIFIER, sure, prior)
    assert (~catalog["probability_star"].between(0.1, 0.9)).mean() <= 0.02
    assert (catalog["class"] == "unclassified").mean() > 0.999


def test_what_the_network_says_counts_with_the_light():
    means, classes = [], []
    for light in (0.3, 1.2, 2.0, 2.8, 4.0):
        detected, image = blank(light=light)
        catalog = apply.classify_sources(detected, made_cube(image=image), CLASSIFIER, sure, "training")
        means.append(catalog["probability_star"].mean())
        classes.append((catalog["class"] == "star").mean())
        one_band = light / (0.1 * 1.4 * np.sqrt(4 * np.pi))
        assert catalog["snr"].median() == pytest.approx(np.hypot(one_band * 5**0.5, 2), rel=0.1)
    assert np.all(np.diff(means) >= 0) and means[0] < 0.62 and means[-1] > 0.99
    assert classes[0] < 0.01 and classes[-1] > 0.99


def test_without_light_in_r_there_is_no_class():
    detected, image = blank(light=8.0)
    image[2] = np.random.default_rng(1).normal(0, 0.1, image[2].shape)
    catalog = apply.classify_sources(detected, made_cube(image=image), CLASSIFIER, sure, "training")
    assert (catalog["snr"] > 7).all() and (catalog["class"] == "unclassified").mean() > 0.99


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("prior", ["field", "training"])
def test_what_is_no_number_is_no_class(wrong, prior):
    """Neither the probability nor the logit of one network; the other sources are classified as without it."""
    detected, image = blank(light=8.0)

    def broken(patches):
        outputs = by_column(patches)
        outputs[0, 0], outputs[1, 2] = wrong, wrong
        return outputs

    catalog = apply.classify_sources(detected, made_cube(image=image), CLASSIFIER, broken, prior)
    assert list(catalog["class"][:2]) == ["unclassified"] * 2 and np.isnan(catalog["probability_unadapted"][:2]).all()
    assert catalog[["probability_star", "prior_star", "probability_scatter"]].notna().all().all()
    good = apply.classify_sources(detected, made_cube(image=image), CLASSIFIER, by_column, prior)
    assert (catalog["class"] == good["class"])[2:].all() and (good["class"] != "unclassified").mean() > 0.9


def test_a_field_unlike_the_training_set_is_flagged():
    catalog = apply.classify_sources(made_detections(), made_cube(fwhm=0.5), CLASSIFIER, by_column)
    assert (catalog["unlike_training"] & UNLIKE["seeing"] > 0).all()
    catalog = apply.classify_sources(made_detections(), made_cube(fwhm=np.nan), CLASSIFIER, by_column)
    assert (catalog["unlike_training"] & UNLIKE["seeing"] > 0).all()


def test_the_psf_at_each_source_is_given_to_a_classifier_that_takes_it():
    def predict(patches, psf):
        assert patches.shape == psf.shape
        np.testing.assert_allclose(psf[:, 2, 2, 2], 1 / (2 * np.pi * 1.4**2), rtol=0.05)
        return by_column(patches)

    takes = CLASSIFIER | {"inputs": ["nanomaggies", "psf"]}
    assert len(apply.classify_sources(made_detections(), made_cube(), takes, predict)) == 4


def test_a_field_without_sources_has_an_empty_catalogue():
    catalog = apply.classify_sources(made_detections().iloc[:0], made_cube(), CLASSIFIER, by_column)
    assert len(catalog) == 0 and "probability_star" in catalog


def test_other_bands_are_refused():
    with pytest.raises(StargalError, match="cube has bands zirgu, the classifier takes ugriz"):
        apply.classify_sources(made_detections(), made_cube("zirgu"), CLASSIFIER, by_column)


def test_a_catalogue_beside_the_surveys():
    """One source is 0.2 pixels off, one 4 pixels and so not found, one unlabelled; a faint one does not score."""
    sources = pd.DataFrame({"x": [100.0, 204, 300, 50, 0], "y": [700.0, 700, 1480, 50, 0], "label": np.int8(1)})
    sources["model_mag_r"] = [20.0, 20, 20, 20, 22.4]
    sources["truth"] = pd.array([1, 1, 1, pd.NA, 0], dtype="Int8")
    found = compare_catalogs(made_catalog(), sources, "truth", resamples=10)
    assert found["catalogued"] == 4 and found["found"] == pytest.approx(3 / 4) and found["compared"] == 2
    assert found["accuracy"] == pytest.approx(0.5)
    assert found["log_loss"] == pytest.approx(-(np.log(0.95) + np.log(0.3)) / 2, rel=1e-5)


def test_the_table_holds_the_fields_of_the_buckets_first():
    sources = pd.DataFrame({"x": [100.0], "y": [700.0], "label": np.int8(1), "truth": pd.NA, "model_mag_r": 20.0})
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
        *("field", "bucket", "sources", "stars", "galaxies", "unclassified", "uncertain"),
        *("unlike_training", "catalogued", "found", "compared"),
        *(f"{name}{end}" for name in ("roc_auc", "accuracy", "mcc") for end in ("", "_low", "_high")),
        *("log_loss", "calibration_error"),
    ]


def test_a_prior_comes_as_text():
    assert [apply.parse_prior(text) for text in ("field", "training", "0.3")] == ["field", "training", 0.3]
    assert apply.parse_prior('{"magnitude": [20], "star": [0.5]}') == {"magnitude": [20], "star": [0.5]}
