"""Record the origin of the files of a sky and refuse to mix origins.

``resources/{sky}/origin.json`` records the archive and release, or the simulator's seed, of the frames and catalogues
beside it. Without it, simulated frames could pass as real ones, or frames of one archive as those of another.

The Snakefile imports this module, so it imports only the standard library.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stargal.errors import StargalError
from stargal.io.files import ORIGIN


def check_origin(folder: Path, origin: Mapping[str, Any]) -> None:
    """Check that the files of a sky have the origin given in the configuration.

    Parameters
    ----------
    folder : path
        ``resources/{sky}``; may be missing.
    origin : mapping
        ``origin`` (archive or simulator), with ``url`` and ``release`` for an archive, ``seed`` for a simulator.

    Raises
    ------
    StargalError
        If the folder holds files of another origin, recorded or evident from its subfolders, or the record is not JSON.
    """
    record = folder / ORIGIN
    try:
        held = json.loads(record.read_text())
    except FileNotFoundError:
        if not (folder / "frames").exists() or (folder / "truth").exists() == (origin["origin"] == "simulator"):
            return
        held = {"origin": "simulator" if (folder / "truth").exists() else "archive"}
    except ValueError:
        raise StargalError(f"{record}: not JSON; restore it, or move {folder} away and run again") from None
    if held != dict(origin):
        raise StargalError(
            f"{folder}: holds files of {_described(held)}, but the configuration asks for {_described(origin)}: give "
            f"the sky another name in `skies`, or, if only the address of the same archive has changed, remove {record}"
        )


def record_origin(folder: Path, origin: Mapping[str, Any]) -> None:
    """Record the origin of the files of a sky unless it is recorded already.

    Several jobs may call this at once: each writes its own temporary file and renames it.

    Raises
    ------
    StargalError
        As in `check_origin`.
    """
    check_origin(folder, origin)
    record = folder / ORIGIN
    if not record.exists():
        folder.mkdir(parents=True, exist_ok=True)
        partial = folder / f".{ORIGIN}.{os.getpid()}.partial"
        partial.write_text(json.dumps(dict(origin), indent=1, sort_keys=True) + "\n")
        partial.replace(record)


def _described(origin: Mapping[str, Any]) -> str:
    """Describe an origin in words."""
    if origin["origin"] == "simulator":
        return f"the simulator, seed {origin['seed']}" if "seed" in origin else "a simulator"
    return f"the archive {origin['url']}, release {origin['release']}" if "url" in origin else "an archive"
