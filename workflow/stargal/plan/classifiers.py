"""The published classifier that catalogues are made with."""

import json
import os
from pathlib import Path

from stargal.errors import StargalError

FILES = ("model.onnx", "classifier.json")
"""What classification needs of a classifier's folder."""


def find_classifier(given: str | None, checkout: Path) -> str | None:
    """Folder of the classifier that a user names, from the working directory; None for the one of this run.

    A folder that is not in the working directory is looked for in the checkout.

    Raises
    ------
    StargalError
        If there is no such folder, or it does not hold a classifier.
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
    try:
        described = isinstance(json.loads((folder / "classifier.json").read_text()), dict)
    except (OSError, ValueError):
        described = False
    if not described:
        raise StargalError(f"{folder / 'classifier.json'} describes no classifier: publish it again")
    return str(folder)
