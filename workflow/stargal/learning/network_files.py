"""Networks in and out of ``.keras`` files.

A saved network needs nothing of this library: ``keras.models.load_model("model.keras")`` alone classifies patches.
"""

import json
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import keras

from stargal.io.files import intact, whole
from stargal.io.tables import unusable

DATE = "1980-01-01@00:00:00"
"""Date in every saved network, instead of the time of saving."""


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
