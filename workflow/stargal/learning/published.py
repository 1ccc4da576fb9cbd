"""The published classifier as catalogues use it: classifier.json, and model.onnx without Keras."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from stargal.errors import StargalError
from stargal.io.files import intact, sha256
from stargal.io.tables import read_json, unusable

NEEDED = ("experiment", "sky", "bands", "size", "inputs", "calibration", "prior", "ranges", "onnx_sha256")
"""Keys of classifier.json that catalogues need."""

CHUNK = 512
"""Patches computed at a time; bounds the memory."""

Predict = Callable[..., NDArray[np.float32]]


def read_classifier(model: Path, description: Path) -> dict[str, Any]:
    """Read the classifier.json of a model.

    Parameters
    ----------
    model, description : paths
        model.onnx and classifier.json of the classifier.

    Raises
    ------
    StargalError
        If it lacks one of `NEEDED`, or describes another model.
    """
    read = read_json(description)
    missing = [key for key in NEEDED if not isinstance(read, dict) or key not in read]
    if missing:
        raise StargalError(f"{description}: no {', '.join(missing)}: is it the classifier.json of a classifier?")
    if read["onnx_sha256"] != sha256(model):
        raise StargalError(f"{model}: not the model that {description} describes; take both from one classifier")
    return read


def open_onnx(path: Path) -> Predict:
    """Open a classifier's model.onnx: one thread, in a fixed order, so that equal inputs give equal bits.

    Returns
    -------
    callable
        From patches, float32 ``(n, size, size, bands)`` in nanomaggies, and the PSF at each source if the classifier
        takes it, to float32 ``(n, 1 + networks)``: the calibrated probability of a star, and the logit of each network.

    Raises
    ------
    StargalError
        If the file does not hold a model.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.use_deterministic_compute = True
    options.enable_cpu_mem_arena = False  # it keeps twice the memory that a chunk needs
    try:
        session = onnxruntime.InferenceSession(str(intact(path)), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime has a class of its own for each fault
        raise unusable(path, f"not a model ({str(error).splitlines()[0]})") from None
    names = [each.name for each in session.get_inputs()]
    outputs = session.get_outputs()[0].shape[1]

    def predict(*inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        starts = range(0, len(inputs[0]), CHUNK)
        chunks = (dict(zip(names, (part[at : at + CHUNK] for part in inputs), strict=True)) for at in starts)
        return np.concatenate([np.empty((0, outputs), np.float32), *(session.run(None, one)[0] for one in chunks)])

    return predict
