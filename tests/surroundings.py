"""A small training, a classification and a figure, to compare their bytes. Argument: folder of the outputs."""

import sys
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from stargal.catalogs.files import write_fits_catalog, write_parquet_catalog
from stargal.imaging.cube import Cube
from stargal.learning import apply, architectures, train
from stargal.learning.network_files import load, save
from stargal.learning.predict import predict
from stargal.learning.threads import use_one_thread
from stargal.learning.training_data import open_patches
from stargal.report.figures.training import training
from stargal.report.style import save as save_figure
from stargal.report.style import style
from stargal.survey.fields import COLUMNS, ROWS


def two_outputs(model, patches):
    """The probability of a network and its logit, as the published model gives them."""
    probability = np.clip(predict(model, patches), 1e-6, 1 - 1e-6)
    return np.stack([probability, np.log(probability / (1 - probability))], axis=1)


def main(folder: Path) -> None:
    """Write network.keras, catalog.fits, catalog.parquet and figure.svg."""
    use_one_thread()
    random = np.random.default_rng(0)
    labels = (np.arange(200) % 2).astype(np.int8)
    radius2 = (np.arange(15) - 7) ** 2 + (np.arange(15)[:, None] - 7) ** 2
    light = np.exp(-radius2 / np.where(labels == 1, 2, 8)[:, None, None]) * random.uniform(2, 20, (200, 1, 1))
    patches = (light[..., None] + random.normal(0, 0.1, (200, 15, 15, 5))).astype(np.float32)
    np.save(folder / "patches.npy", patches)
    pd.DataFrame({"label": labels}).to_parquet(folder / "patches.parquet")
    data = open_patches([folder / "patches.npy"], [folder / "patches.parquet"])
    network = architectures.build("base", size=15, sky_sigma=[0.1] * 5, seed=1)
    settings = {"learning_rate": 0.01, "batch_size": 50, "max_epochs": 3, "max_patches": None, "patience": 3}
    history = train.fit(network, data, data, seed=1, **settings)
    save(network, folder / "network.keras")
    image = random.normal(0, 0.1, (5, ROWS, COLUMNS)).astype(np.float32)
    pixels = np.arange(-18, 19)
    psf = np.zeros((5, 5, 37, 37), np.float32)
    psf[:, 0] = np.exp(-(pixels**2 + pixels[:, None] ** 2) / 4) / (4 * np.pi)
    x, y = np.full(20, 300.0), np.arange(20) * 60.0 + 100
    for row in y.astype(int):
        image[:, row - 18 : row + 19, 282:319] += 20 * psf[:, 0]
    width, noise = np.full((2, 5), [[1.3], [0.1]], np.float32)
    cube = Cube("ugriz", image, None, noise, width, psf, None, None, None)  # type: ignore[arg-type]
    detected = pd.DataFrame({"id": [f"é-{k}" for k in range(20)], "x": x, "y": y, "model_mag_r": 19.0, "flags": 0})
    ranges = {"fwhm": [[1, 2]] * 5, "noise": [[0, 1]] * 5, "magnitude": [15, 22], "no_data": 0, "neighbours": 1}
    classifier = {
        "bands": "ugriz",
        "size": 15,
        "inputs": ["nanomaggies"],
        "calibration": {"slope": 1.0, "offset": 0.0},
        "prior": {"magnitude": [20], "star": [0.5], "overall": 0.5},
        "ranges": ranges | {"saturated": False},
    }
    answer = partial(two_outputs, load(folder / "network.keras"))
    catalog = apply.classify_sources(detected, cube, classifier, answer)
    catalog.to_parquet(folder / "catalog.parquet", index=False)
    described = catalog.drop(columns=["id", "model_mag_r"])
    write_fits_catalog(described, folder / "catalog.fits", {"SKY": ("made", "")})
    write_parquet_catalog(described, folder / "described.parquet", {"SKY": ("made", "")})
    with style():
        save_figure(training([history], experiments=["made"], seeds=[1]), folder / "figure.svg", "made sky")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
