import bz2
import io
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from stargal.archive.verify import verify_frame
from stargal.imaging import frames
from stargal.imaging.astrometry import map_pixels
from stargal.imaging.stars import measure_stars, sky_noise
from stargal.simulation import render, sky
from stargal.simulation.camera import NIGHTS, Scan, field_center, track_of
from stargal.simulation.exposures import (
    SimulatedFrame,
    Window,
    compress_floats,
    draw_sources,
    fill_wells,
    frame_bytes,
    simulate_frame,
    sources_of,
    truth_of,
)
from stargal.survey.fields import BANDS, COLUMNS, PIXEL_ARCSEC, ROWS, STEP_ROWS, Field
from stargal.survey.labels import STAR

FIELD = Field(301, 8162, 6, 120)
NEXT = replace(FIELD, field=121)
SEED = 1
SMALL = Window((600, 760), (900, 1100))


def job(band):
    """Bytes of a small frame, made only from its name."""
    return simulate_frame(FIELD, band, SEED, window=SMALL).image.tobytes()


def test_the_same_bytes_in_any_order_and_number_of_processes():
    alone = [job(band) for band in "rg"]
    backwards = [job(band) for band in "gr"][::-1]
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        together = list(pool.map(job, "rg"))
    assert alone == backwards == together


def test_another_seed_is_another_sky():
    assert job("r") != simulate_frame(FIELD, "r", SEED + 1, window=SMALL).image.tobytes()


def test_a_window_is_a_part_of_the_frame():
    whole = Window((560, 800), (860, 1140))
    around = simulate_frame(FIELD, "r", SEED, window=whole).image[40:200, 40:240]
    part = simulate_frame(FIELD, "r", SEED, window=SMALL).image
    assert (around == part).mean() > 0.99


@pytest.mark.parametrize("band", ["u", "r", "g"])
def test_neighbouring_fields_agree_in_the_rows_they_share(band):
    columns = (300, 600)
    upper = simulate_frame(FIELD, band, SEED, window=Window((STEP_ROWS, ROWS), columns))
    lower = simulate_frame(NEXT, band, SEED, window=Window((0, ROWS - STEP_ROWS), columns))
    # Rounding of counts differs in a few pixels.
    assert (upper.image == lower.image).mean() > 0.98
    count = float(upper.calibration.mean())
    assert np.abs(upper.image - lower.image).max() < max(1.5 * count, 2e-3 * upper.image.max())


def test_neighbouring_fields_have_the_same_sources_at_the_same_place():
    tables = [truth_of(field, SEED, sources_of(field, SEED)) for field in (FIELD, NEXT)]
    common, first, second = np.intersect1d(tables[0]["truth_id"], tables[1]["truth_id"], return_indices=True)
    assert len(common) > 300
    np.testing.assert_allclose(tables[0]["x"][first], tables[1]["x"][second], atol=1e-6)
    np.testing.assert_allclose(tables[0]["y"][first] - STEP_ROWS, tables[1]["y"][second], atol=1e-6)
    for name in ("ra", "flux_r", "label", "axis_ratio"):
        np.testing.assert_array_equal(tables[0][name][first], tables[1][name][second])
    # All sources in the shared rows of one field are in the other.
    shared = (tables[0]["y"] > STEP_ROWS) & (tables[0]["y"] < ROWS) & (np.abs(tables[0]["x"] - 1000) < 900)
    assert np.isin(tables[0]["truth_id"][shared], common).all()


@pytest.mark.parametrize("band", BANDS)
def test_recorded_astrometry_agrees_between_neighbours_and_with_the_truth(band):
    scan = Scan(SEED, FIELD.run, FIELD.camcol, band)
    x, y = np.meshgrid(np.linspace(0, COLUMNS - 1, 9), np.linspace(0, ROWS - 1, 9))
    solution = scan.astrometry(FIELD.field)
    ra, dec = solution.to_sky(x, y)
    true_x, true_y = scan.to_pixel(FIELD.field, ra, dec)
    # Unrecorded offsets are small but not zero.
    assert 0 < np.abs(true_x - x).max() < 0.7
    assert 0 < np.abs(true_y - y).max() < 0.7
    other_x, other_y = scan.astrometry(NEXT.field).to_pixel(*solution.to_sky(x[0], np.full(9, 1425.0)))
    np.testing.assert_allclose(other_x, x[0], atol=0.05)
    np.testing.assert_allclose(other_y, 1425.0 - STEP_ROWS, atol=0.05)


@pytest.mark.parametrize("field", [FIELD, Field(301, 745, 1, 11), Field(301, 3918, 3, 213), Field(40, 7771, 4, 500)])
@pytest.mark.parametrize("band", BANDS)
def test_round_trip_of_the_astrometry(field, band):
    solution = Scan(SEED, field.run, field.camcol, band).astrometry(field.field)
    rng = np.random.default_rng(0)
    x, y = rng.uniform(-50, COLUMNS + 50, 200), rng.uniform(-50, ROWS + 50, 200)
    ra, dec = solution.to_sky(x, y)
    there = solution.to_sky(*solution.to_pixel(ra, dec))
    apart = np.hypot((there[0] - ra) * np.cos(np.radians(dec)), there[1] - dec) * 3600
    assert apart.max() < 1e-3


@pytest.mark.parametrize("run", NIGHTS)
def test_a_known_night_has_its_seeing_and_sky(run):
    night = NIGHTS[run]
    for index, band in enumerate(BANDS):
        scan = Scan(SEED, run, 3, band)
        assert scan.fwhm(1023.5, STEP_ROWS * night.field + ROWS / 2) * PIXEL_ARCSEC == pytest.approx(night.fwhm[index])
        assert scan.sky(np.array([0.0]), np.array([1023.5])) == pytest.approx(night.sky[index], rel=0.05)
        assert scan.calibration.mean() == pytest.approx(night.nmgy[index], rel=0.01)


def test_wings_keep_their_brightness_under_any_seeing():
    for band in BANDS:
        shares = np.array([render.shares_of(band, fwhm) for fwhm in (0.95, 1.3, 1.7)])
        np.testing.assert_allclose(shares.sum(axis=1), 1)
        np.testing.assert_allclose(shares[:, 2] * (0.95, 1.3, 1.7), render.SHARES[band][2] * 1.3)


def test_bands_are_shifted_as_in_the_survey():
    solutions = {band: Scan(SEED, FIELD.run, FIELD.camcol, band).astrometry(FIELD.field) for band in BANDS}
    for band, (low, high) in {"i": (1, 4), "u": (3, 10), "z": (5, 9), "g": (8, 14)}.items():
        dx, dy = map_pixels(solutions["r"], solutions[band]).shift(1023.5, 744.0)
        assert low < dy < high
        assert -4 < dx < 8


def test_the_header_leaves_the_distortion_out():
    frame = simulate_frame(FIELD, "u", SEED, window=SMALL)
    header = frame.header.copy()
    header.rename_keyword("RADECSYS", "RADESYS")
    wcs = WCS(header)
    middle = frame.astrometry.to_pixel(*wcs.all_pix2world(1024.0, 744.0, 0))
    np.testing.assert_allclose(middle, (1024.0, 744.0), atol=0.005)
    x = np.linspace(0, COLUMNS - 1, 33)
    off = np.hypot(*(np.array(frame.astrometry.to_pixel(*wcs.all_pix2world(x, 744 + 0 * x, 0))) - [x, 744 + 0 * x]))
    assert 0.03 < off.max() < 0.6


def test_strips_interleave_and_camcols_overlap():
    # A camera column of the southern strip lies between two of the northern strip and overlaps both by a few columns.
    assert track_of(8162).stripe == track_of(8163).stripe
    north = [Scan(SEED, 8162, camcol, "r").astrometry(120) for camcol in (3, 4)]
    south = Scan(SEED, 8163, 4, "r").astrometry(120)
    edges = [south.to_pixel(*solution.to_sky(x, 744.0))[0] for solution, x in zip(north, (2047.0, 0.0), strict=True)]
    assert 60 < edges[0] < 260
    assert 60 < COLUMNS - edges[1] < 260
    seen = [
        sources_of(Field(301, run, camcol, 120), SEED)["truth_id"] for run, camcol in ((8162, 3), (8162, 4), (8163, 4))
    ]
    assert len(np.intersect1d(seen[0], seen[2])) > 50
    assert len(np.intersect1d(seen[1], seen[2])) > 50


def test_another_run_sees_the_same_sky_through_other_air():
    again = replace(FIELD, run=FIELD.run + 20)
    first, second = (truth_of(field, SEED, sources_of(field, SEED)) for field in (FIELD, again))
    common = np.intersect1d(first["truth_id"], second["truth_id"])
    assert len(common) > 0.9 * len(first["truth_id"])
    one, two = (Scan(SEED, field.run, field.camcol, "r") for field in (FIELD, again))
    assert abs(one.fwhm(1000, 0) - two.fwhm(1000, 0)) > 0.01


@pytest.fixture(scope="module")
def empty_field():
    """A frame that contains only stars of 30 to 1500 nanomaggies, arranged in rows."""
    number = 24
    sources = np.zeros(number, sky.SOURCE)
    sources["label"] = STAR
    sources["truth_id"] = np.arange(number)
    sources["flux"] = np.geomspace(30, 1500, number)[:, None]
    scan = Scan(SEED, FIELD.run, FIELD.camcol, "r")
    window = Window((400, 640), (500, 1100))
    x, y = 550 + 90.0 * (np.arange(number) % 6), 430 + 60.0 * (np.arange(number) // 6)
    solution = scan.astrometry(FIELD.field)
    true_x, true_y = scan.to_pixel(FIELD.field, *solution.to_sky(x, y))
    sources["ra"], sources["dec"] = solution.to_sky(2 * x - true_x, 2 * y - true_y)
    return sources, window, x, y


@pytest.mark.parametrize("band", ["g", "r", "z"])
def test_flux_of_isolated_stars(empty_field, band):
    sources, window, _, _ = empty_field
    scan = Scan(SEED, FIELD.run, FIELD.camcol, band)
    frame = simulate_frame(FIELD, band, SEED, sources, window)
    x, y = scan.to_pixel(FIELD.field, sources["ra"], sources["dec"])
    x, y = x - window.columns[0], y - window.rows[0]
    sigma = sky_noise(frame.image)
    stars = measure_stars(frame.image, x, y, sigma)
    assert stars.ok.all()
    aperture = 7.0
    rows, columns = np.mgrid[: window.shape[0], : window.shape[1]]
    light = draw_sources(scan, FIELD, sources[:1], window) / sources["flux"][0, 0]
    inside = light[np.hypot(columns - x[0], rows - y[0]) < aperture].sum()
    assert 0.85 < inside < 1.0
    electrons = sources["flux"][:, 0] / scan.calibration.mean() * scan.gain
    error = np.sqrt(electrons) / electrons + np.sqrt(np.pi) * aperture * sigma / sources["flux"][:, 0]
    # Neighbours' wings, the residual sky and the truncated mantissa add a few thousandths.
    assert (np.abs(stars.flux / sources["flux"][:, 0] / inside - 1) < 4 * error + 0.01).all()
    centred = np.hypot(stars.x - x, stars.y - y)
    assert (centred < 5 / stars.snr + 0.02).all()


def test_noise_is_that_of_gain_and_dark_current(empty_field):
    _, window, _, _ = empty_field
    for band in BANDS:
        scan = Scan(SEED, FIELD.run, FIELD.camcol, band)
        frame = simulate_frame(FIELD, band, SEED, np.zeros(0, sky.SOURCE), window)
        expected = float(scan.calibration.mean()) * scan.sky_sigma
        assert sky_noise(frame.image) == pytest.approx(expected, rel=0.03)
        # White noise, except for the small residual sky.
        image = frame.image - frame.image.mean()
        assert abs((image[:, 1:] * image[:, :-1]).mean() / image.var()) < 0.03


def test_pixels_are_whole_counts():
    frame = simulate_frame(FIELD, "r", SEED, window=SMALL)
    x = np.arange(*SMALL.columns)
    y = np.arange(*SMALL.rows)
    below = (y + 0.5) / 8 + 0.5
    across = (x + 0.5) / 8 - 0.5
    lines = np.array([np.interp(across, np.arange(256), line) for line in frame.sky])
    recorded = np.array([np.interp(below, np.arange(192), column) for column in lines.T]).T
    counts = frame.image / frame.calibration[slice(*SMALL.columns)] + recorded
    faint = np.abs(frame.image) < 0.2
    assert np.abs(counts - np.rint(counts))[faint].max() < 0.05
    assert (frame.image.view(np.uint32) & 0x3FFF == 0).all()


def test_compress_floats_keeps_ten_digits():
    values = np.array([1.0, -3.14159, 1e-4, 12345.678])
    np.testing.assert_allclose(compress_floats(values), values, rtol=2**-9)


def test_full_wells_bleed_along_the_column():
    counts = np.full((40, 11), 100.0)
    counts[20, 5] = 1000.0
    before = counts.copy()
    fill_wells(counts, 300.0)
    assert counts.max() <= 300.0
    changed = np.argwhere(counts != before)
    # The trail is seven pixels long: 700 counts fill 2 x 2 pixels by 200. It is interpolated with its neighbours.
    assert set(changed[:, 1]) <= {4, 5, 6}
    assert changed[:, 0].min() >= 17
    assert changed[:, 0].max() <= 23
    untouched = np.full((5, 5), 10.0)
    fill_wells(untouched, 300.0)
    assert (untouched == 10.0).all()


@pytest.mark.parametrize(("flux", "low", "high"), [(4e5, 0.99, 1.01), (1e6, 0.35, 0.75), (8e6, 0.08, 0.3)])
def test_saturated_stars_lose_their_cores_as_real_ones_do(flux, low, high):
    # Real frames: light within 8 pixels relative to the brightness at 10 pixels, over that of unsaturated stars. It
    # is 0.4 to 0.75 for stars of up to twice the flux that saturates, and 0.15 to 0.2 for ten times that flux.
    counts, distance = np.full((301, 301), 120.0), np.hypot(*(np.indices((301, 301)) - 150))
    blur = render.Blur.of_fwhm(render.shares_of("r", 1.2), np.array([3.0]), np.array([0.02, 0.01]), 0.1)
    render.add_stars(counts, np.array([150.0]), np.array([150.0]), np.array([flux]), blur, 0.1)
    before = counts.copy()
    fill_wells(counts, 45_000.0)
    core = distance < 8
    assert low < counts[core].sum() / before[core].sum() < high
    assert counts.max() <= 45_000.0
    # The brightness rises to the edge of the core and then stays within a factor of four.
    ring = (distance > 9) & (np.abs(np.indices((301, 301))[1] - 150) > 7)
    np.testing.assert_array_equal(counts[ring], before[ring])
    if high < 0.9:
        middle = counts[150, 148:153]
        assert middle.max() / middle.min() < 4


def psf_pieces(galsim, width, shares):
    """The PSF of `stargal.simulation.render` in GalSim."""
    return galsim.Add(
        galsim.Gaussian(sigma=render.INNER * width, flux=shares[0]),
        galsim.Gaussian(sigma=render.OUTER * width, flux=shares[1]),
        galsim.Moffat(beta=1.5, scale_radius=render.WINGS * width, flux=shares[2]),
    )


@pytest.mark.parametrize("bulge", [0.0, 0.3, 1.0])
def test_galaxies_are_drawn_as_galsim_draws_them(bulge):
    galsim = pytest.importorskip("galsim")
    width, ratio, angle = 1.3, 0.5, 0.6
    blur = render.Blur(render.SHARES["r"], np.array([width]), np.zeros(2), 0.0)
    one = np.ones(1)
    shapes = render.Galaxies(
        bulge * one, 0 * one, 4.0 * one, 2.0 * one, ratio * one, 0.8 * one, angle * one, np.zeros(1, int)
    )
    image = np.zeros((101, 101))
    render.add_galaxies(image, np.array([50.3]), np.array([49.6]), np.array([100.0]), shapes, blur)
    shear = galsim.Shear(q=ratio, beta=angle * galsim.radians)
    # GalSim conserves the area of an ellipse: multiply radii along the major axis by the root of the axis ratio.
    disk = galsim.Exponential(half_light_radius=4.0 * np.sqrt(ratio), flux=1 - bulge).shear(shear)
    bulge_radius = 2.0 * np.sqrt(0.8)
    round_bulge = galsim.DeVaucouleurs(half_light_radius=bulge_radius, trunc=7.6 * bulge_radius, flux_untruncated=True)
    inclined = round_bulge.withFlux(bulge or 1.0).shear(galsim.Shear(q=0.8, beta=angle * galsim.radians))
    galaxy = {0.0: disk, 1.0: inclined}.get(bulge, disk + inclined)
    precise = galsim.GSParams(folding_threshold=1e-3, maximum_fft_size=16384)
    both = galsim.Convolve([100 * galaxy, psf_pieces(galsim, width, blur.shares)], gsparams=precise)
    drawn = both.drawImage(nx=101, ny=101, scale=1.0, method="no_pixel", offset=(0.3, -0.4)).array
    assert np.abs(image - drawn).max() < 0.01 * drawn.max()
    assert image.sum() == pytest.approx(drawn.sum(), rel=0.02)


def test_stars_are_drawn_as_galsim_draws_them():
    galsim = pytest.importorskip("galsim")
    blur = render.Blur(render.SHARES["r"], np.array([1.3]), np.zeros(2), 0.0)
    image = np.zeros((81, 81))
    render.add_stars(image, np.array([40.3]), np.array([39.6]), np.array([100.0]), blur, 2e-4)  # too faint for spikes
    precise = galsim.GSParams(folding_threshold=1e-3, maximum_fft_size=16384)
    psf = psf_pieces(galsim, 1.3, blur.shares).withGSParams(precise)
    drawn = (100 * psf).drawImage(nx=81, ny=81, scale=1.0, method="no_pixel", offset=(0.3, -0.4)).array
    assert np.abs(image - drawn)[10:-10, 10:-10].max() < 2e-3 * drawn.max()


def test_the_ellipticity_of_the_psf_is_the_same_in_both_ways_of_drawing():
    blur = render.Blur(render.SHARES["r"], np.array([1.3]), np.array([-0.1, 0.05]), 0.0)
    point = render.Galaxies(
        *(np.zeros(1) for _ in range(4)), *(np.ones(1) for _ in range(2)), np.zeros(1), np.zeros(1, int)
    )
    images = np.zeros((2, 81, 81))
    where = np.array([40.3]), np.array([39.6]), np.array([1.0])
    render.add_stars(images[0], *where, blur, 1e-6)
    render.add_galaxies(images[1], *where, point, blur)
    # The power law extends beyond the Nyquist frequency of the pixels.
    assert np.abs(images[0] - images[1]).max() < 1.5e-2 * images[0].max()


def test_fwhm_is_what_is_asked_for():
    fwhm = 3.3
    blur = render.Blur.of_fwhm(render.shares_of("r", fwhm * PIXEL_ARCSEC), np.array([fwhm]), np.zeros(2), 0.0)
    image = np.zeros((61, 61))
    render.add_stars(image, np.array([30.0]), np.array([30.0]), np.array([1000.0]), blur, 1e-3)
    measured = measure_stars(image.astype(np.float32), np.array([30.0]), np.array([30.0]), 0.01)
    assert 2.3548 * measured.sigma[0] == pytest.approx(fwhm, rel=0.03)


@pytest.fixture(scope="module")
def whole_frame(tmp_path_factory):
    """A complete r frame with few sources, on disk."""
    sources = sources_of(FIELD, SEED, SMALL)
    frame = simulate_frame(FIELD, "r", SEED, sources)
    path = tmp_path_factory.mktemp("frames") / "frame-r-008162-6-0120.fits.bz2"
    path.write_bytes(frame_bytes(frame))
    return path, frame


def test_the_archive_stage_accepts_a_frame(whole_frame):
    path, frame = whole_frame
    verify_frame(path, FIELD, "r")
    read = frames.read_frame(path)
    np.testing.assert_array_equal(read.image, frame.image)
    assert read.band == "r"
    assert read.astrometry == frame.astrometry


def test_a_frame_has_the_four_hdus_of_a_real_one(whole_frame):
    path, _ = whole_frame
    with fits.open(io.BytesIO(bz2.decompress(path.read_bytes()))) as hdus:
        assert hdus[0].data.shape == (ROWS, COLUMNS)
        assert hdus[1].data.shape == (COLUMNS,)
        assert hdus[2].data["ALLSKY"].shape == (1, 192, 256)
        assert hdus[2].data["XINTERP"].shape == (1, COLUMNS)
        assert hdus[2].data["YINTERP"].shape == (1, ROWS)
        assert len(hdus[3].columns) == 31
        assert hdus[3].data["FIELD"][0] == FIELD.field
        assert hdus[3].data["RERUN"][0] == "301"


def test_a_frame_is_marked_as_simulated(whole_frame):
    _, frame = whole_frame
    assert frame.header["SIMULATE"] is True
    assert frame.header["SIMSEED"] == SEED
    assert frame.header["ORIGIN"] == "SIMULATED"
    assert "SIMULATED" in str(frame.header["HISTORY"])
    assert frame.header["NMGY"] == pytest.approx(float(frame.calibration.mean()), rel=0.1)


def test_frames_compress_like_real_ones(whole_frame):
    path, _ = whole_frame
    assert 2.5e6 < path.stat().st_size < 4.5e6


def test_truth_has_a_row_for_every_source_of_the_frame():
    sources = sources_of(FIELD, SEED)
    truth = truth_of(FIELD, SEED, sources)
    assert len({len(column) for column in truth.values()}) == 1
    assert len(np.unique(truth["truth_id"])) == len(truth["truth_id"])
    on_frame = (np.abs(truth["x"] - 1023.5) < 1024) & (np.abs(truth["y"] - 744) < 744.5)
    assert 1000 < on_frame.sum() < len(on_frame)
    assert set(truth["label"]) == {0, 1}
    center = field_center(FIELD)
    assert np.hypot((truth["ra"] - center[0]) * np.cos(np.radians(center[1])), truth["dec"] - center[1]).max() < 0.25
    assert isinstance(simulate_frame(FIELD, "z", SEED, sources, SMALL), SimulatedFrame)
