"""Fields that cover a place."""

import numpy as np
import pytest

from stargal.errors import StargalError
from stargal.imaging.astrometry import AsTrans
from stargal.simulation.tracks import fields_of_tracks
from stargal.survey.field_list import COLUMNS, covering, trim_list
from stargal.survey.geometry import great_circle


def test_great_circles_are_those_of_the_astrometry():
    solution = AsTrans(95.0, 32.5, (0.0, 1.0, 0.0, 0.0, 0.0, 1.0), (0.0,) * 4, (0.0,) * 4)
    mu, nu = np.array([100.0, 185.0, 250.0]), np.array([-1.0, 0.0, 1.2])
    ra, dec = solution.to_sky(nu - 0.5, mu - 0.5)  # columns are nu, rows are mu
    np.testing.assert_allclose(great_circle(ra, dec, 95.0, 32.5), [mu, nu], atol=1e-9)


def listed(mu, nu=0.0):
    """Fields of 0.15 by 0.2 deg on the equator, one for each longitude of its middle."""
    mu = np.asarray(mu, float)
    columns = {"RERUN": ["301"] * len(mu), "RUN": 94, "CAMCOL": 1, "FIELD": np.arange(len(mu)) + 11, "NODE": 95.0}
    columns |= {"INCL": 0.0, "MU_START": mu - 0.075, "MU_END": mu + 0.075, "NU_START": nu - 0.1, "NU_END": nu + 0.1}
    return trim_list({name: np.broadcast_to(value, len(mu)) for name, value in columns.items()})


def test_fields_cover_a_place_the_nearest_first():
    fields = listed([359.95, 0.05, 0.2, 10.0])
    assert covering(fields, 0.01, 0.0, 0)["field"].to_list() == [12, 11]
    assert covering(fields, 0.01, 0.0, 0.12)["field"].to_list() == [12, 11, 13]
    assert covering(fields, 0.01, 0.11, 0).empty and len(covering(fields, 0.01, 0.11, 0.02)) == 2
    assert covering(fields, 10.0, 0.0, 0)["distance"].to_list() == pytest.approx([0.0])


def test_another_table_is_refused():
    with pytest.raises(StargalError, match="not the survey's list of fields: RUN"):
        trim_list({"RERUN": np.array(["301"])})


def test_tracks_lead_to_the_fields_of_their_runs():
    """Middles of real frames, from their astrometry."""
    fields = fields_of_tracks()
    assert list(fields) == list(COLUMNS)
    for ra, dec, run, camcol, field in ((229.53795, 42.76323, 3918, 3, 213), (8.02684, 15.92977, 1035, 6, 17)):
        nearest = covering(fields, ra, dec, 0).iloc[0]
        assert (nearest["run"], nearest["camcol"], nearest["field"]) == (run, camcol, field)
        assert nearest["distance"] < 0.01
