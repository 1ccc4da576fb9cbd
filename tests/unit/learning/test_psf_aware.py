"""The architecture that takes the PSF tells what the patch alone cannot."""

import json

import numpy as np
import pandas as pd
import pytest

from stargal.dataset.sets import FieldFiles
from stargal.imaging.psf import PSF_HALF, TERMS
from stargal.learning import architectures
from stargal.learning.network_files import load, save, takes_psf
from stargal.learning.predict import predict, predict_set
from stargal.learning.threads import use_one_thread
from stargal.learning.train import fit
from stargal.learning.training_data import augmentation_of, open_set
from stargal.survey.fields import Field

use_one_thread()  # before anything is computed

SIZE, COUNT, NOISE = 15, 240, [0.1] * 5
SETTINGS = {
    "shows": ["residual"],
    "tells": ["signal", "width"],
    "core": 4.0,
    "model_error": 0.05,
    "filters": [8, 16],
    "dense": 16,
    "dropout": 0.0,
    "l2": 0.0,
}


def gaussian(sigma, x, y, half):
    pixels = np.arange(-half, half + 1)
    return np.exp(-((pixels - x) ** 2 + (pixels[:, None] - y) ** 2) / (2 * sigma**2)) / (2 * np.pi * sigma**2)


def write_field(folder, number, psf_sigma, random):
    """Stars as wide as the PSF and galaxies 1.4 times as wide."""
    field = Field(301, 1000, 1, number)
    one = FieldFiles(field, *(folder / f"{number}.{kind}" for kind in ("parquet", "npy", "json", "psf.npy")))
    label = (np.arange(COUNT) % 2).astype(np.int8)
    x, y = random.uniform(20, 2000, (2, COUNT))
    width = np.where(label == 1, psf_sigma, 1.4 * psf_sigma)
    flux = random.uniform(20, 60, COUNT)
    shapes = [
        scale * gaussian(sigma, dx, dy, SIZE // 2)
        for sigma, scale, dx, dy in zip(width, flux, x - np.rint(x), y - np.rint(y), strict=True)
    ]
    patches = np.repeat(np.array(shapes)[..., None], 5, axis=3) + random.normal(0, 0.1, (COUNT, SIZE, SIZE, 5))
    pd.DataFrame({"x": x, "y": y, "label": label}).to_parquet(one.sources)
    np.save(one.patches, patches.astype(np.float32))
    images = np.zeros((5, TERMS, 2 * PSF_HALF + 1, 2 * PSF_HALF + 1), np.float32)
    images[:, 0] = gaussian(psf_sigma, 0, 0, PSF_HALF)
    np.save(one.psf, images)
    one.summary.write_text(json.dumps({"bands": [{"band": band, "fwhm": 1.3, "noise": 0.1} for band in "ugriz"]}))
    return one


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    """Nights of which one's stars are as wide as another's galaxies."""
    folder, random = tmp_path_factory.mktemp("nights"), np.random.default_rng(1)
    training = [write_field(folder, 10 * k, sigma, random) for k, sigma in enumerate([1.0, 1.2, 1.4, 1.7, 2.0])]
    validation = [write_field(folder, 100 + 10 * k, sigma, random) for k, sigma in enumerate([1.1, 1.55])]
    return training, validation


def trained(sets, architecture, settings):
    with_psf = architecture == architectures.PSF_AWARE
    training, validation = (open_set(fields, with_psf=with_psf) for fields in sets)
    network = architectures.build(architecture, size=SIZE, sky_sigma=NOISE, seed=1, **settings)
    augment = augmentation_of(
        training,
        {"rotations": True, "reflections": True},
        classes=(0, 1),
        noise=NOISE,
        seeing=np.full((len(sets[0]), 5), 1.3),
        seed=1,
    )
    history = fit(
        network,
        training,
        validation,
        learning_rate=0.003,
        batch_size=64,
        max_epochs=12,
        max_patches=None,
        patience=12,
        seed=1,
        augment=augment,
    )
    return network, validation, history["val_accuracy"].max()


def test_with_the_psf_a_network_tells_what_the_patch_alone_cannot(sets, tmp_path):
    network, validation, accuracy = trained(sets, architectures.PSF_AWARE, SETTINGS)
    *_, alone = trained(sets, "base", {})
    assert accuracy > 0.97 and accuracy > alone + 0.03
    save(network, tmp_path / "model.keras")
    again = load(tmp_path / "model.keras")
    assert takes_psf(again)
    np.testing.assert_array_equal(predict_set(again, validation), predict_set(network, validation))


@pytest.mark.parametrize("shows", [[], ["psf"], ["residual", "psf"]])
@pytest.mark.parametrize("tells", [[], ["signal", "width", "colours"]])
def test_missing_pixels_and_missing_light_give_a_probability(shows, tells):
    network = architectures.build(
        architectures.PSF_AWARE, size=SIZE, sky_sigma=NOISE, seed=1, **SETTINGS | {"shows": shows, "tells": tells}
    )
    psf = np.repeat(gaussian(1.4, 0, 0, SIZE // 2)[None, ..., None], 5, axis=3).astype(np.float32)
    patches = np.zeros((4, SIZE, SIZE, 5), np.float32)
    patches[1] = np.nan
    patches[2, :, :, 3] = np.nan
    patches[3] = 1e4 * psf
    found = predict(network, patches, np.repeat(psf, 4, axis=0))
    assert np.isfinite(found).all() and ((found > 0) & (found < 1)).all()
