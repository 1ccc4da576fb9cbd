"""The environment of all jobs: what a user has set for other work does not change a result.

Libraries read settings from files in the home folder and from environment variables: image axes and the number of
epochs (keras), the types of columns (pandas), warnings as errors (Python). Jobs run without these variables, and with
the settings in ``workflow/settings``.
"""

import atexit
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

PREFIXES = (
    *("ASTROPY_", "BOKEH_", "KERAS_", "MATPLOTLIB", "MKL_CBWR", "MKL_DEBUG", "MPL", "NPY_", "NUMEXPR_", "NUMPY_"),
    *("OPENBLAS_CORETYPE", "ORT_", "PANDAS_", "PYTHON", "SKLEARN_", "TF_", "XLA_"),
)
"""Beginnings of the names of variables with which libraries are set up."""

KEPT = frozenset(
    {
        # where Python and its packages are
        *("PYTHONHOME", "PYTHONPATH", "PYTHONPLATLIBDIR", "PYTHONPYCACHEPREFIX"),
        "PYTHONUNBUFFERED",
        "MPLCONFIGDIR",  # the cache of fonts; figures ignore the matplotlibrc beside it
        *("TF_CPP_MIN_LOG_LEVEL", "TF_FORCE_GPU_ALLOW_GROWTH", "TF_GPU_ALLOCATOR"),
    }
)
"""Variables with these beginnings that change no result.

Without bytecode (PYTHONDONTWRITEBYTECODE), each job would compile what it imports: `catalog_field` would take 3.0 s of
CPU to start, instead of 1.3 s.
"""


def job_environment(workflow: Path, given: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of jobs.

    Parameters
    ----------
    workflow : path
        Folder ``workflow`` of the checkout.
    given : mapping
        The environment of the user.

    Returns
    -------
    dict of str
        The interpreter that runs Snakemake comes first in PATH, the library of this checkout in PYTHONPATH.
    """
    environment = {name: value for name, value in given.items() if name in KEPT or not name.startswith(PREFIXES)}
    settings = workflow.resolve() / "settings"
    return environment | {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), given.get("PATH", os.defpath)]),
        "PYTHONPATH": os.pathsep.join(filter(None, [str(workflow), given.get("PYTHONPATH")])),
        "PYTHONUTF8": "1",  # text files are UTF-8, whatever the locale
        "ASTROPY_CONFIG_DIR": str(settings / "astropy"),
        "KERAS_BACKEND": "tensorflow",
        "KERAS_HOME": str(settings / "keras"),
        "MPLBACKEND": "agg",
        "TF_CPP_MIN_LOG_LEVEL": given.get("TF_CPP_MIN_LOG_LEVEL", "2"),
        "TF_ENABLE_ONEDNN_OPTS": "1",
    }


def share_folder() -> None:
    """Create a folder that the jobs of a run share, named by the environment variable STARGAL_RUN.

    It is removed when this process ends. The Snakemake of a job inherits the folder and creates none.
    """
    if "STARGAL_RUN" in os.environ:
        return
    folder = tempfile.TemporaryDirectory(prefix="stargal-")
    atexit.register(folder.cleanup)
    os.environ["STARGAL_RUN"] = folder.name
