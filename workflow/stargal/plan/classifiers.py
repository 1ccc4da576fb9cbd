"""The published classifier that catalogues are made with."""

import hashlib
import json
import os
from pathlib import Path

from stargal.errors import StargalError

FILES = ("model.onnx", "classifier.json")
"""What classification needs of a classifier's folder."""


def find_classifier(given: str | None, checkout: Path, bands: str) -> str | None:
    """Folder of the classifier that a user names, from the working directory; None for the one of this run.

    A folder that is not in the working directory is looked for in the checkout.

    Raises
    ------
    StargalError
        If there is no such folder, it does not hold a classifier, its files do not belong together, or the classifier
        takes the bands in another order than `bands`.
    """
    if given is None:
        return None
    folder = Path(given).expanduser()
    if not folder.is_dir():
        folder = Path(os.path.relpath(checkout / folder))
    for name in FILES:
        if not (folder / name).is_file():
            raise StargalError(
                f"classify.classifier: no {name} in {given}: name the folder of a published classifier, or null for "
                "the one of this run"
            )
    model, description = (folder / name for name in FILES)
    try:
        described = json.loads(description.read_text(encoding="utf-8"))
        taken, digest = described["bands"], described["onnx_sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        raise StargalError(
            f"classify.classifier: {description} describes no classifier: publish it again, or name another folder"
        ) from None
    if hashlib.sha256(model.read_bytes()).hexdigest() != digest:
        raise StargalError(
            f"classify.classifier: {model} is not the model that {description} describes; take both from one classifier"
        )
    if taken != bands:
        raise StargalError(
            f"classify.classifier: {folder} takes bands {taken}, but `bands` of the configuration has {bands}; set it "
            f"to [{', '.join(str(taken))}]"
        )
    return str(folder)
