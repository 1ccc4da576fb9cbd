"""Statistical constants."""

import math

FWHM_PER_SIGMA = 2 * math.sqrt(2 * math.log(2))
"""Ratio of the full width at half maximum of a Gaussian to its standard deviation."""

MAD_TO_SIGMA = 1.4826
"""Ratio of the standard deviation of a normal distribution to its median absolute deviation, 1 / Phi^-1(3/4)."""
