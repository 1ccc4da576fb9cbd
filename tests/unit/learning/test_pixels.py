"""The released classifier on pixels of one's own."""

import json

import numpy as np
import pytest

from configurations import ROOT, default_config
from stargal.errors import StargalError
from stargal.learning.pixels import FOLDERS, RELEASED, Classifier, open_classifier

SIGMA = 0.03
"""Noise of the made image, nanomaggies per pixel."""

PIXELS = np.arange(37) - 18


def blob(width: float, x: float = 0.0, y: float = 0.0) -> np.ndarray:
    """A Gaussian of unit flux, its centre off the middle pixel by `x` and `y`."""
    image = np.exp(-((PIXELS[:, None] - y) ** 2 + (PIXELS - x) ** 2) / (2 * width**2))
    return image / image.sum()


@pytest.fixture(scope="module")
def made():
    """An image with 6 stars and 6 wide blobs of 100 nanomaggies, the PSF, and the columns and rows of them."""
    image = np.random.default_rng(1).normal(0, SIGMA, (5, 220, 620)).astype(np.float32)
    places = [(50.3 + 100 * number, row) for row in (60.0, 160.0) for number in range(6)]
    for x, y in places:
        column, row = round(x), round(y)
        width = 1.4 if row == 60 else 3.5
        image[:, row - 18 : row + 19, column - 18 : column + 19] += 100 * blob(width, x - column, y - row)
    psf = np.repeat(blob(1.4)[None], 5, axis=0).astype(np.float32)
    return image, psf, *np.array(places).T


@pytest.fixture(scope="module")
def released() -> Classifier:
    return open_classifier()


def test_stars_and_wide_sources_are_told_apart(made, released):
    star = released.at(*made)
    assert star.shape == (12,) and (star[:6] > 0.95).all() and (star[6:] < 0.05).all()


def test_the_psf_of_a_cube_gives_the_same_as_one_image(made, released):
    image, psf, x, y = made
    along = np.zeros((5, 5, 37, 37), np.float32)
    along[:, 0] = psf
    np.testing.assert_array_equal(released.at(image, along, x, y), released.at(image, psf, x, y))


def test_one_position_need_be_no_list(made, released):
    image, psf, x, y = made
    np.testing.assert_array_equal(released.at(image.astype(">f4"), psf, x[0], y[0]), released.at(*made)[:1])


def test_the_released_classifier_is_the_default_of_the_workflow(released):
    assert ROOT / default_config()["classify"]["classifier"] == FOLDERS[1] / RELEASED
    assert released.description["experiment"] == RELEASED and released.takes_psf


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"image": np.zeros((4, 50, 50))}, "image: shape (4, 50, 50); expected the 5 bands ugriz first"),
        ({"image": np.zeros((50, 50))}, "image: shape (50, 50)"),
        ({"psf": np.zeros((5, 36, 36))}, "psf: shape (5, 1, 36, 36); expected (bands, side, side)"),
        ({"psf": np.zeros((3, 37, 37))}, "psf: shape (3, 1, 37, 37)"),
        ({"psf": np.zeros((5, 6, 37, 37))}, "a PSF has at most 5 terms"),
        ({"psf": np.full((5, 37, 37), np.nan)}, "psf: too few stars to measure the PSF of band 1, 2, 3, 4, 5"),
        ({"x": [900]}, "source 0 at column 900, row 60 is outside the image"),
    ],
)
def test_what_cannot_be_classified_is_refused_on_one_line(made, released, change, said):
    image, psf, _, _ = made
    given = {"image": image, "psf": psf, "x": [50], "y": [60]} | change
    with pytest.raises(StargalError) as refused:
        released.at(**given)
    assert said in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("patches", "psf", "said"),
    [
        (np.zeros((2, 25, 25)), None, "patches: shape (2, 25, 25); expected (n, 25, 25, 5)"),
        (np.zeros((2, 25, 25, 5)), None, "psf: missing"),
        (np.zeros((2, 25, 25, 5)), np.zeros((3, 25, 25, 5)), "psf: 3 for 2 patches"),
        (np.zeros((2, 25, 25, 5)), np.full((2, 25, 25, 5), np.inf), "psf: not finite"),
    ],
)
def test_patches_and_their_psf_must_fit(released, patches, psf, said):
    with pytest.raises(StargalError, match=said.replace("(", r"\(").replace(")", r"\)")):
        released.probability(patches, psf)


def test_a_folder_without_a_classifier_is_refused(tmp_path):
    with pytest.raises(StargalError, match=r"model.onnx: no such file; name the folder of a published classifier"):
        open_classifier(tmp_path)


def test_a_folder_is_opened_by_its_name(tmp_path, released):
    for name in ("model.onnx", "classifier.json"):
        (tmp_path / name).write_bytes((FOLDERS[1] / RELEASED / name).read_bytes())
    assert open_classifier(str(tmp_path)).description == released.description
    description = json.loads((tmp_path / "classifier.json").read_text())
    (tmp_path / "classifier.json").write_text(json.dumps(description | {"onnx_sha256": "0"}))
    with pytest.raises(StargalError, match="not the model that"):
        open_classifier(tmp_path)
