"""Networks as ONNX files."""

import os
import subprocess
import sys

import numpy as np
import pytest

from stargal.learning import architectures
from stargal.learning.network_files import save_onnx
from stargal.learning.predict import predict
from stargal.learning.published import open_onnx
from stargal.learning.threads import use_one_thread

use_one_thread()  # before anything is computed

SETTINGS = {
    "regularized": {"dropout": 0.1, "l2": 0.0},
    "psf_aware": {
        "shows": ["residual", "psf"],
        "tells": ["signal", "width", "colours"],
        "core": 4.0,
        "model_error": 0.05,
        "filters": [8, 16],
        "dense": 16,
        "dropout": 0.1,
        "l2": 0.0,
    },
}


def build(architecture):
    return architectures.build(architecture, size=15, sky_sigma=[0.1] * 5, seed=1, **SETTINGS[architecture])


@pytest.mark.parametrize("architecture", SETTINGS)
def test_onnx_gives_the_probabilities_of_keras(architecture, tmp_path):
    network = build(architecture)
    save_onnx(network, tmp_path / "model.onnx")
    random = np.random.default_rng(1)
    patches = random.normal(0, 1, (40, 15, 15, 5)).astype(np.float32)
    patches[0], patches[1, :, :7] = np.nan, np.nan
    psf = np.abs(random.normal(0, 0.005, patches.shape)).astype(np.float32)
    inputs = [patches, psf][: len(network.inputs)]
    found = open_onnx(tmp_path / "model.onnx")(*inputs)
    np.testing.assert_allclose(found[:, 0], predict(network, *inputs), atol=1e-5)


def test_the_bytes_depend_on_the_network_alone(tmp_path):
    """The exporter numbers values by the addresses of objects, which differ between processes."""
    code = "import sys; from pathlib import Path; import test_network_files as tests;"
    code += "tests.save_onnx(tests.build('psf_aware'), Path(sys.argv[1]))"
    surroundings = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    for name in ("one", "another"):
        subprocess.run([sys.executable, "-c", code, tmp_path / name], check=True, capture_output=True, env=surroundings)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "another").read_bytes()
