"""Record where the files of a sky came from, and refuse to mix origins.

``resources/{sky}/origin.json`` says which archive and release, or which simulator and seed, the frames and catalogues
beside it came from. Without it, simulated frames could pass as real ones, or those of one archive as another's.

The Snakefile imports this module, so it stays with the standard library.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stargal.errors import StargalError
from stargal.io.files import ORIGIN


def check_origin(folder: Path, origin: Mapping[str, Any]) -> None:
    """Check that the files of a sky are of the origin that the configuration gives it.

    Parameters
    ----------
    folder : path
        ``resources/{sky}``; it need not exist.
    origin : mapping
        ``origin`` (archive or simulator), and ``url`` and ``release`` of an archive or ``seed`` of a simulator.

    Raises
    ------
    StargalError
        If the folder holds files of another origin, or files of a simulator without a record.
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
    """Record the origin of a sky's files, unless it is recorded already.

    Several jobs may do this at once: each writes a file of its own and renames it.

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
