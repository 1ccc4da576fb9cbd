"""Networks in and out of ``.keras`` files.

A saved network needs nothing of this library: ``keras.models.load_model("model.keras")`` alone classifies patches.
"""

import json
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np

from stargal.io.files import intact, whole
from stargal.io.tables import unusable

DATE = "1980-01-01@00:00:00"
"""Date in every saved network, instead of the time of saving."""


OLDEST_KERAS = "3.13.0"
"""The oldest keras that opens the files: earlier ones refuse the names of operations."""

NEW = ("input_axes", "output_axes")
"""Arguments of initializers that keras before 3.15 refuses; they are left out where they have no value."""


def save(model: keras.Model, path: Path) -> None:
    """Write a ``.keras`` file whose bytes depend on the network alone.

    Keras writes the time of saving into the metadata and onto the members of the archive, the settings of training
    into the configuration, and identifies shared objects by their address in memory. Here the time is constant, the
    settings of training are left out, and shared objects are numbered.
    """
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder, "dated.keras"), include_optimizer=False)
        with zipfile.ZipFile(Path(folder, "dated.keras")) as dated:
            members = {name: dated.read(name) for name in sorted(dated.namelist())}
    members["metadata.json"] = json.dumps(json.loads(members["metadata.json"]) | {"date_saved": DATE}).encode()
    config = json.loads(members["config.json"])
    config.pop("compile_config", None)
    members["config.json"] = json.dumps(_numbered(config, {})).encode()
    with whole(path) as partial, zipfile.ZipFile(partial, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content)  # the default time of a ZipInfo is the start of 1980


def _numbered(node: Any, numbers: dict[int, int]) -> Any:
    """A configuration with its shared objects numbered in the order in which they appear."""
    if isinstance(node, list):
        return [_numbered(item, numbers) for item in node]
    if isinstance(node, dict):
        return {
            key: numbers.setdefault(item, len(numbers)) if key == "shared_object_id" else _numbered(item, numbers)
            for key, item in node.items()
            if item is not None or key not in NEW
        }
    return node


def takes_psf(model: keras.Model) -> bool:
    """Return whether a network takes the PSF at each source as its second input."""
    return "psf" in [each.name for each in model.inputs]


def load(path: Path) -> keras.Model:
    """Read a saved network.

    Raises
    ------
    StargalError
        If the file does not hold one.
    """
    try:
        return keras.models.load_model(intact(path))
    except (OSError, ValueError, KeyError) as error:
        raise unusable(path, str(error).splitlines()[0]) from None


def save_onnx(model: keras.Model, path: Path) -> None:
    """Write a network as ONNX, for onnxruntime and other programs without keras.

    Inputs have the names of the network's, and the output is ``star``. The bytes depend on the network alone.
    """
    import onnx  # noqa: PLC0415  # only publishing needs it

    inputs = [np.zeros((1, *each.shape[1:]), np.float32) for each in model.inputs]
    model(inputs if len(inputs) > 1 else inputs[0])  # keras asks for a call
    with tempfile.TemporaryDirectory() as folder:
        model.export(Path(folder, "model.onnx"), format="onnx", verbose=False)
        exported = onnx.load(Path(folder, "model.onnx"))
    graph = exported.graph
    (output,) = graph.output
    # The exporter's order of nodes and numbers of values change from run to run.
    nodes = _in_order(output.name, {name: node for node in graph.node for name in node.output})
    del graph.node[:]
    graph.node.extend(nodes)
    names = {each.name: each.name for each in graph.input} | {output.name: "star"}
    for node in graph.node:
        node.input[:] = [names.setdefault(name, f"value_{len(names)}") if name else "" for name in node.input]
        node.output[:] = [names.setdefault(name, f"value_{len(names)}") for name in node.output]
        node.name = node.output[0]
    for constant in graph.initializer:
        constant.name = names[constant.name]
    constants = sorted(graph.initializer, key=lambda constant: constant.name)
    del graph.initializer[:], graph.value_info[:]
    graph.initializer.extend(constants)
    output.name = "star"
    for value in (*graph.input, output):
        value.type.tensor_type.shape.dim[0].dim_param = "sources"
    onnx.checker.check_model(exported)
    with whole(path) as partial:
        partial.write_bytes(exported.SerializeToString(deterministic=True))


def _in_order(name: str, nodes: dict[str, Any]) -> list[Any]:
    """The nodes that a value depends on, each after those that its inputs depend on; takes them out of `nodes`."""
    node = nodes.pop(name, None)
    if node is None:
        return []
    return [*(each for needed in node.input for each in _in_order(needed, nodes)), node]
