"""The library and the test builders on the path, wherever pytest is started."""

import os
import sys
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "workflow"), str(ROOT / "tests")]

settings.register_profile("faults", max_examples=1000)


@pytest.fixture(scope="session")
def mirror() -> Path:
    """A mirror of real SDSS imaging, named by STARGAL_MIRROR."""
    if "STARGAL_MIRROR" not in os.environ:
        pytest.skip("STARGAL_MIRROR does not name a mirror of real SDSS files")
    return Path(os.environ["STARGAL_MIRROR"])
