"""Artificial patches: as the patches they are learned from, of the same class, and the same for the same seed."""

import numpy as np
import pytest

from stargal import mixture
from stargal.errors import StargalError
from stargal.mixture import SOFTENING, fit_mixture, replaced

SKY = np.array([0.04, 0.013, 0.025, 0.037, 0.15])
