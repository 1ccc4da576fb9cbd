"""The published classifier as catalogues use it, and what a catalogue needs to be imported."""

import json
import subprocess
import sys

import numpy as np
import onnx
import pytest
from onnx import helper

from configurations import ROOT
from stargal.errors import StargalError
from stargal.io.files import sha256
from stargal.learning.published import CHUNK, NEEDED, open_onnx, read_classifier

HEAVY = ("tensorflow", "keras", "sklearn", "matplotlib", "onnx", "tf2onnx", "bokeh", "reproject")
"""What classification does without."""


@pytest.fixture
def model(tmp_path):
    """A model whose output is the mean of the patch, then that of the PSF."""
    shape = ["sources", 3, 3, 5]
    inputs = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape) for name in ("nanomaggies", "psf")]
    nodes = [
        helper.make_node("ReduceMean", [name, "axes"], [f"{name}_mean"], keepdims=0) for name in ("nanomaggies", "psf")
    ]
    nodes += [
        helper.make_node("Unsqueeze", [f"{name}_mean", "one"], [f"{name}_column"]) for name in ("nanomaggies", "psf")
    ]
    nodes.append(helper.make_node("Concat", ["nanomaggies_column", "psf_column"], ["star"], axis=1))
    output = helper.make_tensor_value_info("star", onnx.TensorProto.FLOAT, ["sources", 2])
    constants = [
        helper.make_tensor("axes", onnx.TensorProto.INT64, [3], [1, 2, 3]),
        helper.make_tensor("one", onnx.TensorProto.INT64, [1], [1]),
    ]
    graph = helper.make_graph(nodes, "made", inputs, [output], constants)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    path = tmp_path / "model.onnx"
    onnx.save(made, path)
    return path


@pytest.mark.parametrize("count", [0, 1, CHUNK + 1])
def test_a_model_takes_patches_and_psf_in_chunks(model, count):
    patches, psf = np.random.default_rng(0).normal(0, 1, (2, count, 3, 3, 5)).astype(np.float32)
    found = open_onnx(model)(patches, psf)
    assert found.shape == (count, 2) and found.dtype == np.float32
    np.testing.assert_allclose(found, np.stack([one.mean(axis=(1, 2, 3)) for one in (patches, psf)], axis=1), atol=1e-6)


def test_a_file_without_a_model_is_refused(tmp_path):
    (tmp_path / "model.onnx").write_text("no model")
    with pytest.raises(StargalError, match="not a model"):
        open_onnx(tmp_path / "model.onnx")


@pytest.mark.parametrize(
    ("change", "said"),
    [({"onnx_sha256": "0" * 64}, "not the model that"), ({"size": None}, "no size: is it the classifier.json")],
)
def test_a_classifier_must_be_whole(tmp_path, change, said):
    model = tmp_path / "model.onnx"
    model.write_bytes(b"weights")
    description = tmp_path / "classifier.json"
    right = dict.fromkeys(NEEDED, 1) | {"onnx_sha256": sha256(model)}
    description.write_text(json.dumps(right))
    assert read_classifier(model, description) == right
    wrong = {key: value for key, value in (right | change).items() if value is not None}
    description.write_text(json.dumps(wrong))
    with pytest.raises(StargalError, match=said):
        read_classifier(model, description)


@pytest.mark.parametrize("script", ["download_field", "align_field", "detect_sources", "classify_field"])
def test_the_way_to_a_catalogue_needs_no_tensorflow(script):
    code = f"import sys, {script}; print(*[name for name in {HEAVY} if name in sys.modules])"
    folders = [str(ROOT / "workflow/scripts"), str(ROOT / "workflow")]
    command = [sys.executable, "-c", f"import sys; sys.path[:0] = {folders}; {code}"]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout.split() == []
