import numpy as np
import pytest
from scipy import stats
from scipy.spatial import cKDTree

from stargal.simulation import sky
from stargal.survey.labels import GALAXY, STAR
from stargal.survey.matching import ARCSEC, unit_vectors

NORTH_POLE = (192.86, 27.13)


def density_of(sources, label, low, high):
    """Number of sources of a class per square degree between two r magnitudes."""
    cells = len(np.unique(sources["truth_id"] >> 20))
    r = 22.5 - 2.5 * np.log10(sources["flux"][:, 2])
    return ((sources["label"] == label) & (r >= low) & (r < high)).sum(), cells * sky.CELL_AREA


def test_a_source_is_the_same_in_every_circle():
    small = sky.sources_within(150.0, 20.0, 0.05, seed=3)
    large = sky.sources_within(150.1, 20.05, 0.3, seed=3)
    shared = large[np.isin(large["truth_id"], small["truth_id"])]
    np.testing.assert_array_equal(shared, small)


def test_sources_lie_in_the_circle_and_differ_with_the_seed():
    here = sky.sources_within(0.0, 0.0, 0.2, seed=1)
    other = sky.sources_within(0.0, 0.0, 0.2, seed=2)
    assert not np.array_equal(here["ra"], other["ra"])
    assert len(np.unique(here["truth_id"])) == len(here)
    ra = (here["ra"] + 180) % 360 - 180
    # Every part of the circle is covered, and no source is far outside.
    assert np.hypot(ra, here["dec"]).max() < 0.5
    inside = np.hypot(ra, here["dec"]) < 0.2
    expected = inside.sum() / 4
    quadrants = np.histogram2d(ra[inside], here["dec"][inside], bins=[[-1, 0, 1]] * 2)[0]
    assert np.abs(quadrants - expected).max() < 5 * np.sqrt(expected)


def test_cells_are_evenly_filled():
    grid = sky.cell_positions(1_000_000, *np.meshgrid(np.linspace(0, 1, 3), np.linspace(0, 1, 3)))
    across = np.ptp(grid[0]) * np.cos(np.radians(grid[1].mean())), np.ptp(grid[1])
    assert across == pytest.approx((0.16, 0.16), abs=0.07)


@pytest.mark.parametrize(("low", "high"), [(17.0, 20.0), (20.0, 21.0), (21.0, 22.0), (22.0, 24.0)])
def test_galaxies_are_as_many_as_counted(low, high):
    sources = sky.sources_within(*NORTH_POLE, 0.5, seed=5)
    dimmed = sky.extinction(*NORTH_POLE)[2]
    number, area = density_of(sources, GALAXY, low, high)
    grid = np.linspace(low - dimmed, high - dimmed, 401)
    expected = np.trapezoid(sky.galaxy_counts(grid), grid) * area
    assert abs(number - expected) < 4 * np.sqrt(expected)


@pytest.mark.parametrize("latitude", [30.0, 60.0, 89.0])
def test_stars_are_as_many_as_the_galaxy_has(latitude):
    # Along the meridian of longitude 123 deg, declination and latitude decrease together from the pole.
    ra, dec = 192.85948, 27.12825 + (90 - latitude)
    assert sky.galactic(ra, dec)[1] == pytest.approx(latitude, abs=0.01)
    sources = sky.sources_within(ra, dec, 0.4, seed=2)
    apparent = sky.MAGNITUDES[:, None] + sky.MODULI
    dimmed = sky.extinction(ra, dec)[2]
    number, area = density_of(sources, STAR, 16.0, 21.0)
    within = (apparent > 16.0 - dimmed) & (apparent < 21.0 - dimmed)
    expected = sky.expected_stars(ra, dec)[:, within].sum() * area
    grid = np.linspace(16.0 - dimmed, 21.0 - dimmed, 401)
    expected += np.trapezoid(sky.quasar_counts(grid), grid) * area
    assert number == pytest.approx(expected, rel=0.06, abs=4 * np.sqrt(expected))


def test_quasars_are_as_many_as_counted():
    quasars = np.concatenate([sky.draw_quasars(np.random.default_rng(seed)) for seed in range(300)])
    area = 300 * sky.CELL_AREA
    r = 22.5 - 2.5 * np.log10(quasars["flux"][:, 2])
    for low, high in ((15.5, 19), (19, 20.5), (20.5, 22)):
        grid = np.linspace(low, high, 301)
        expected = np.trapezoid(sky.quasar_counts(grid), grid) * area
        assert abs(((r > low) & (r < high)).sum() - expected) < 4 * np.sqrt(expected) + 0.02 * expected
    # Within a factor of 1.5 of the sweep of run 4510: 60 point sources bluer than u - g = 0.6 per square degree.
    ug = 2.5 * np.log10(quasars["flux"][:, 1] / quasars["flux"][:, 0])
    assert 40 < ((r < 20.5) & (ug < 0.6)).sum() / area < 65
    assert (quasars["label"] == STAR).all()


def test_white_dwarfs_have_their_local_density_and_are_blue():
    grid = np.linspace(9, 16, 701)
    assert np.trapezoid(np.interp(grid, *sky.DWARF_LUMINOSITY), grid) == pytest.approx(4.6, rel=0.05)
    draws = [sky.draw_white_dwarfs(np.random.default_rng(seed), *NORTH_POLE) for seed in range(300)]
    flux = np.concatenate(draws)["flux"]
    r = 22.5 - 2.5 * np.log10(flux[:, 2])
    bright = r < 20.5
    # The sweep of run 4510 has 7 point sources bluer than g - r = -0.2 per square degree with r < 20.5.
    gr = 2.5 * np.log10(flux[:, 2] / flux[:, 1])
    assert 3 < (bright & (gr < -0.2)).sum() / (300 * sky.CELL_AREA) < 14
    assert np.median(gr[bright]) < 0.1


def test_stars_grow_towards_the_plane():
    numbers = [sky.expected_stars(192.85948, 27.12825 + 90 - latitude).sum() for latitude in (20, 40, 60, 89)]
    assert (np.diff(numbers) < 0).all()


def test_star_counts_of_a_real_run():
    # SDSS run 4510, fields 11-41 (b = 79 deg): stars of the real sweep per field and magnitude.
    expected = sky.expected_stars(199.6, 36.7)
    apparent = sky.MAGNITUDES[:, None] + sky.MODULI + sky.extinction(199.6, 36.7)[2]
    area = 0.2253 * 0.1497
    for low, counted in ((16, 4.96), (17, 6.67), (18, 9.97), (19, 16.29), (20, 23.43)):
        model = expected[:, (apparent >= low) & (apparent < low + 1)].sum() * area
        assert 1 / 1.5 < model / counted < 1.5


def test_stars_lie_on_the_locus():
    sources = sky.sources_within(*NORTH_POLE, 0.6, seed=4)
    # Without quasars and the bluest sources, which are white dwarfs.
    stars = (sources["label"] == STAR) & (sources["redshift"] == 0)
    flux = sources["flux"][stars & (sources["flux"][:, 2] > 1.1 * sources["flux"][:, 1])]
    u, g, r, i, z = (22.5 - 2.5 * np.log10(flux)).T
    # Medians of stars in SDSS run 4510 (dereddened psf magnitudes) by g - i.
    for gi, gr, ri, iz in (
        (0.5, 0.38, 0.13, 0.04),
        (1.1, 0.79, 0.29, 0.16),
        (1.9, 1.31, 0.60, 0.34),
        (2.5, 1.41, 1.10, 0.59),
    ):
        near = np.abs(g - i - gi) < 0.1
        assert near.sum() > 20
        found = [np.median(color[near]) for color in (g - r, r - i, i - z)]
        np.testing.assert_allclose(found, (gr, ri, iz), atol=0.06)
    assert (u - g).min() > 0


def test_galaxies_have_plausible_shapes():
    galaxies = sky.draw_galaxies(np.random.default_rng(0))
    for _ in range(20):
        galaxies = np.concatenate([galaxies, sky.draw_galaxies(np.random.default_rng(len(galaxies)))])
    r = 22.5 - 2.5 * np.log10(galaxies["flux"][:, 2])
    size = np.where(galaxies["bulge_fraction"] > 0.5, galaxies["bulge_radius"], galaxies["disk_radius"])
    medians = [np.median(size[(r > low) & (r < low + 1)]) for low in (19, 20, 21, 22)]
    assert (np.diff(medians) < 0).all()
    assert 0.5 < medians[1] < 1.5
    for name in ("bulge_fraction", "clump_fraction", "axis_ratio", "bulge_axis_ratio"):
        assert ((galaxies[name] >= 0) & (galaxies[name] <= 1)).all()
    assert galaxies["axis_ratio"].min() > 0.08
    assert np.isfinite(galaxies["flux"]).all()
    # Bulge-dominated galaxies are redder: the two types differ in colour.
    gr = 2.5 * np.log10(galaxies["flux"][:, 2] / galaxies["flux"][:, 1])
    low_z = galaxies["redshift"] < 0.4
    early = galaxies["bulge_fraction"] > 0.9
    assert stats.ks_2samp(gr[low_z & early], gr[low_z & ~early]).pvalue < 1e-6


def test_extinction_grows_towards_the_plane():
    faint, strong = sky.extinction(*NORTH_POLE), sky.extinction(192.86, 90.0)
    assert (strong > faint).all()
    assert (np.diff(faint) < 0).all()


def pairs_within(ra, dec, low, high):
    """Number of pairs of positions (deg) between two separations (arcsec)."""
    tree = cKDTree(unit_vectors(ra, dec))
    within = tree.count_neighbors(tree, np.array([low, high]) * ARCSEC)
    return (within[1] - within[0]) / 2


def test_galaxies_cluster_as_counted():
    # Fitted to pairs in real frames: w of about 0.8 at 10 arcsec for r = 20 to 21, less at larger separations.
    inside, area = [], np.pi * 0.8**2
    for seed in (1, 2):
        sources = sky.sources_within(180.0, 30.0, 0.8, seed)
        r = 22.5 - 2.5 * np.log10(sources["flux"][:, 2])
        near = np.hypot((sources["ra"] - 180) * np.cos(np.radians(30.0)), sources["dec"] - 30) < 0.8
        inside.append(sources[near & (sources["label"] == GALAXY) & (r > 20) & (r < 21)])
    excess = []
    for low, high in ((5, 15), (15, 60), (300, 600)):
        counted = sum(pairs_within(some["ra"], some["dec"], low, high) for some in inside)
        annulus = np.pi * (high**2 - low**2) / 3600**2
        expected = sum(len(some) ** 2 / 2 * annulus / area for some in inside)
        excess.append(counted / expected - 1)
    assert 0.5 < excess[0] < 1.2
    assert 0.1 < excess[1] < 0.5
    # Groups are smaller; pairs across the edge of the circle are missing.
    assert abs(excess[2]) < 0.15


def test_stars_have_companions_as_counted():
    # The real sweep of run 4510 (b = 79 deg) has 17 pairs among its 1938 stars of r < 21 between 1.5 and 4 arcsec. By
    # chance there would be 7.
    sources = sky.sources_within(*NORTH_POLE, 2.0, seed=6)
    r = 22.5 - 2.5 * np.log10(sources["flux"][:, 2])
    stars = sources[(sources["label"] == STAR) & (r > 15) & (r < 21)]
    density = len(stars) / (len(np.unique(sources["truth_id"] >> 20)) * sky.CELL_AREA)
    chance = len(stars) / 2 * density * np.pi * (4**2 - 1.5**2) / 3600**2
    excess = (pairs_within(stars["ra"], stars["dec"], 1.5, 4) - chance) / len(stars)
    assert 0.0025 < excess < 0.0085


def test_companions_share_distance_and_component_with_their_star():
    stars = sky.draw_stars(np.random.default_rng(2), 280.0, 40.0)
    placed = stars.sources.copy()
    placed["ra"], placed["dec"] = np.linspace(10, 60, len(placed)), 20.0
    companions = sky.draw_companions(np.random.default_rng(3), stars, placed)
    assert len(companions) > 20
    separation = np.hypot(
        (companions["ra"][:, None] - placed["ra"]) * np.cos(np.radians(20)), companions["dec"][:, None] - placed["dec"]
    )
    primary = separation.argmin(axis=1)
    nearest = separation.min(axis=1) * 3600
    assert (nearest < sky.COMPANION_FARTHEST + 0.01).all()
    # No companion is brighter than the star, within the scatter of the steps.
    assert (companions["flux"][:, 2] <= placed["flux"][primary, 2] * 1.001).mean() > 0.95


def test_groups_move_galaxies_and_change_nothing_else():
    galaxies = sky.draw_galaxies(np.random.default_rng(1))
    galaxies["ra"], galaxies["dec"] = np.random.default_rng(2).uniform(0, 0.1, (2, len(galaxies)))
    moved = galaxies.copy()
    sky.gather_groups(np.random.default_rng(3), moved)
    for name in galaxies.dtype.names:
        if name not in ("ra", "dec"):
            np.testing.assert_array_equal(galaxies[name], moved[name])
    away = (galaxies["ra"] != moved["ra"]) | (galaxies["dec"] != moved["dec"])
    # The first of each group stays where it is.
    assert away.mean() == pytest.approx(sky.GROUP_FRACTION * (1 - 1 / sky.GROUP_SIZE), abs=0.05)
    # A member is close to a galaxy of nearly the same redshift.
    assert np.hypot(galaxies["ra"], galaxies["dec"]).max() < 0.15 + sky.GROUP_RADIUS / 3600
