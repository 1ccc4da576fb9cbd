"""Fields of the real runs whose tracks the simulator knows, where the survey's own list is not at hand."""

import numpy as np
import pandas as pd

from stargal.simulation.camera import COLUMN_SPACING, NIGHTS, ROW_DEGREES, STRIP_OFFSET
from stargal.survey.fields import COLUMNS, ROWS, STEP_ROWS

RERUN = 301
"""Processing of all imaging since the eighth data release."""

NUMBERS = np.arange(11, 1000)
"""Numbers of fields; how long a run is, its track does not say."""


def fields_of_tracks() -> pd.DataFrame:
    """Return the fields along the tracks, with the columns of `stargal.survey.field_list`; good to 10 arcsec."""
    parts = []
    for run, night in NIGHTS.items():
        track = night.track
        start = track.start + ROW_DEGREES * STEP_ROWS * NUMBERS
        for camcol in range(1, 7):
            middle = (camcol - 3.5) * COLUMN_SPACING + (STRIP_OFFSET if track.strip == "N" else -STRIP_OFFSET)
            columns = {
                "rerun": RERUN,
                "run": run,
                "camcol": camcol,
                "field": NUMBERS,
                "node": track.node,
                "incl": track.incl,
                "mu_start": start,
                "mu_end": start + ROW_DEGREES * ROWS,
                "nu_start": middle - ROW_DEGREES * COLUMNS / 2,
                "nu_end": middle + ROW_DEGREES * COLUMNS / 2,
            }
            parts.append(pd.DataFrame(columns))
    return pd.concat(parts, ignore_index=True)
