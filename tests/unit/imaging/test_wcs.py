"""Astrometry compared with its inverse, the frame headers and the catalogue positions."""

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from made_archive import frame_path, projection
from stargal.imaging.astrometry import AsTrans, Mapping, Tan, footprint, map_pixels
from stargal.imaging.frames import read_frame
from stargal.survey.fields import BANDS, COLUMNS, ROWS, Field

SOLUTION = AsTrans(
    node=95.0,
    incl=52.5,
    affine=(215.91, 1.0999e-4, 3.3e-8, -0.2193, 4.5e-9, 1.0994e-4),
    drow=(0.035, -1.4e-4, 1.4e-7, -3.9e-11),
    dcol=(-0.081, 4.7e-4, -6e-7, 2e-10),
)
REAL = [Field(301, 3918, 3, 213), Field(301, 4510, 4, 30), Field(301, 1035, 6, 17)]


@pytest.fixture
def pixels():
    rng = np.random.default_rng(1)
    return rng.uniform(0, COLUMNS - 1, 500), rng.uniform(0, ROWS - 1, 500)


def test_astrans_round_trip(pixels):
    x, y = pixels
    back_x, back_y = SOLUTION.to_pixel(*SOLUTION.to_sky(x, y))
    np.testing.assert_allclose(back_x, x, atol=1e-7)
    np.testing.assert_allclose(back_y, y, atol=1e-7)


def test_astrans_allows_full_turns(pixels):
    """Positions are the same if `a` exceeds 360 deg."""
    a, *rest = SOLUTION.affine
    turned = AsTrans(SOLUTION.node, SOLUTION.incl, (a + 360, *rest), SOLUTION.drow, SOLUTION.dcol)
    np.testing.assert_allclose(turned.to_pixel(*SOLUTION.to_sky(*pixels)), pixels, atol=1e-6)


def test_astrans_on_the_equator():
    """With node and inclination zero, mu and nu are right ascension and declination."""
    flat = AsTrans(0.0, 0.0, (10.0, 1e-4, 0.0, 0.5, 0.0, 1e-4), (0, 0, 0, 0), (0, 0, 0, 0))
    ra, dec = flat.to_sky(99.5, 199.5)
    assert ra == pytest.approx(10.0 + 200e-4)
    assert dec == pytest.approx(0.5 + 100e-4)


def test_astrans_table_round_trip():
    assert AsTrans.from_row(SOLUTION.as_row()) == SOLUTION


def test_mapping_follows_the_astrometry(pixels):
    other = AsTrans(95.0, 52.5, (215.9109, 1.1e-4, 3e-8, -0.2196, 4e-9, 1.0995e-4), (0, 2e-4, 0, 0), (0, 0, 1e-7, 0))
    mapping = map_pixels(SOLUTION, other)
    x, y = pixels
    expected_x, expected_y = other.to_pixel(*SOLUTION.to_sky(x, y))
    dx, dy = mapping.shift(x, y)
    np.testing.assert_allclose(x + dx, expected_x, atol=1e-4)
    np.testing.assert_allclose(y + dy, expected_y, atol=1e-4)
    grid_x, grid_y = mapping.shift_grid(x[:7], y[:3])
    np.testing.assert_allclose(grid_x[2, 5], mapping.shift(x[5], y[2])[0])
    np.testing.assert_allclose(grid_y[2, 5], mapping.shift(x[5], y[2])[1])


def test_refined_adds():
    one = np.zeros((6, 4))
    one[0, 0] = 0.25
    mapping = Mapping(one, one).refined(one, -one)
    assert mapping.shift(3.0, 4.0) == (0.5, 0.0)


def test_footprint_of_tan():
    corners = footprint(Tan(projection(Field(301, 1000, 1, 100), "r")))
    assert corners.shape == (4, 2)
    assert np.ptp(corners[:, 1]) == pytest.approx(ROWS * 1.1e-4, rel=1e-4)
    assert np.ptp(corners[:, 0]) == pytest.approx(COLUMNS * 1.1e-4, rel=1e-4)


@pytest.mark.parametrize("field", REAL, ids=lambda field: field.name)
def test_astrans_agrees_with_the_header(mirror, field):
    """The TAN header agrees with asTrans at its reference pixel; elsewhere it omits the distortion."""
    for band in BANDS:
        frame = read_frame(frame_path(mirror, field, band))
        assert isinstance(frame.astrometry, AsTrans)
        ra, dec = frame.astrometry.to_sky(frame.header["CRPIX1"] - 1, frame.header["CRPIX2"] - 1)
        dra = (ra - frame.header["CRVAL1"]) * np.cos(np.radians(dec))
        assert np.hypot(dra, dec - frame.header["CRVAL2"]) * 3600 < 0.012
        # The derivatives there equal the CD matrix to within 3e-4, the slope of the distortion.
        steps = np.array([1.0, -1.0, 0.0, 0.0]), np.array([0.0, 0.0, 1.0, -1.0])
        x, y = frame.header["CRPIX1"] - 1 + steps[0], frame.header["CRPIX2"] - 1 + steps[1]
        ras, decs = frame.astrometry.to_sky(x, y)
        ras = ras * np.cos(np.radians(dec))
        slopes = [(ras[0] - ras[1]) / 2, (ras[2] - ras[3]) / 2, (decs[0] - decs[1]) / 2, (decs[2] - decs[3]) / 2]
        cd = [frame.header[key] for key in ("CD1_1", "CD1_2", "CD2_1", "CD2_2")]
        np.testing.assert_allclose(slopes, cd, atol=6e-4 * np.abs(cd).max())
        tan = Tan(WCS(frame.header, fix=False))
        ra, dec = frame.astrometry.to_sky(1023.5, np.array([300.0, 1200.0]))
        tan_x, tan_y = tan.to_pixel(ra, dec)
        step = np.hypot(np.diff(tan_x), np.diff(tan_y))
        assert step == pytest.approx(900, abs=0.05)


def test_astrans_agrees_with_the_catalogue(mirror):
    """Compare with the pixel positions of photo, ROWC and COLC, in a real star catalogue, in all bands."""
    field = Field(301, 4510, 4, 30)
    rows = fits.getdata(mirror / "eboss/sweeps/dr13_final/301/calibObj-004510-4-star.fits.gz")
    rows = rows[(rows["FIELD"] == field.field) & (rows["PSFFLUX"][:, 2] > 20)]
    assert len(rows) > 20
    for index, band in enumerate(BANDS):
        x, y = read_frame(frame_path(mirror, field, band)).astrometry.to_pixel(rows["RA"], rows["DEC"])
        assert np.median(x + 0.5 - rows["COLC"][:, index]) == pytest.approx(0, abs=0.04)
        assert np.median(y + 0.5 - rows["ROWC"][:, index]) == pytest.approx(0, abs=0.04)
