"""The released classifier in the oldest keras that its card names."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from conftest import ROOT
from stargal.learning.network_files import OLDEST_KERAS

FOLDER = ROOT / "resources/classifiers" / yaml.safe_load((ROOT / "config/release.yaml").read_text())["report"]["best"]
CODE = """
import sys, keras, numpy as np
random = np.random.default_rng(1)
patches = random.normal(0, 1, (8, 25, 25, 5)).astype("float32")
psf = np.abs(random.normal(0, 0.005, patches.shape)).astype("float32")
model = keras.models.load_model(sys.argv[1])
print(keras.__version__, *model.predict([patches, psf], verbose=0)[:, 0].round(4))
"""


def probabilities(*before: Path) -> tuple[str, list[float]]:
    """Version of keras, and what the classifier gives with it."""
    surroundings = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, before))}
    command = [sys.executable, "-c", CODE, FOLDER / "model.keras"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=surroundings)
    version, *values = done.stdout.split()[-9:]
    return version, [float(value) for value in values]


@pytest.mark.long
def test_it_opens_in_the_oldest_version_that_the_card_names(tmp_path):
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", tmp_path]
    if subprocess.run([*install, f"keras=={OLDEST_KERAS}"], capture_output=True).returncode:
        pytest.skip(f"keras {OLDEST_KERAS} cannot be downloaded")
    version, old = probabilities(tmp_path)
    _, new = probabilities()
    assert version == OLDEST_KERAS
    assert old == pytest.approx(new, abs=1e-3)
