"""The simulated sky: stars and galaxies as a deterministic function of position and seed.

The sky is divided into HEALPix cells of 0.013 square degrees. The sources of a cell are drawn from a generator seeded
with the sky seed and the cell number. A source is therefore identical in all frames, and each frame is independent.

Stars are drawn from three components of the Galaxy. Their number depends on the density along the line of sight and on
the luminosity function; their colours depend on absolute magnitude and metallicity, along the stellar locus. For
galaxies, apparent magnitude, redshift, type, absolute magnitude, size and shape are drawn in this order. Quasars and
white dwarfs are point sources like stars. Some stars have a companion, and part of the galaxies are members of groups.

References
----------
Connolly et al. 2002, ApJ 579, 42 (clustering of galaxies)
Covey et al. 2007, AJ 134, 2398 (stellar locus in ugriz)
Croom et al. 2004, MNRAS 349, 1397 (counts of quasars)
Gorski et al. 2005, ApJ 622, 759 (HEALPix)
Harris et al. 2006, AJ 131, 571 (luminosity function of white dwarfs)
Holberg & Bergeron 2006, AJ 132, 1221 (colours of white dwarfs)
Ivezic et al. 2008, ApJ 684, 287 (absolute magnitude from colour and metallicity)
Jahreiss & Wielen 1997, ESA SP-402, 675 (luminosity function near the Sun)
Juric et al. 2008, ApJ 673, 864 (disks and halo)
Raghavan et al. 2010, ApJS 190, 1 (binaries)
Richards et al. 2001, AJ 121, 2308 (colours of quasars by redshift)
Richards et al. 2005, MNRAS 360, 839 (counts of faint quasars)
Richards et al. 2006, AJ 131, 2766 (redshifts of quasars)
Ryden 2004, ApJ 601, 214 (flattening of spirals)
Schlegel, Finkbeiner & Davis 1998, ApJ 500, 525 (extinction by band)
Shen et al. 2003, MNRAS 343, 978 (sizes of galaxies), with the evolution of van der Wel et al. 2014, ApJ 788, 28
Strateva et al. 2001, AJ 122, 1861 (two types of galaxies in colour)
Yasuda et al. 2001, AJ 122, 1104, and Capak et al. 2004, AJ 127, 180 (galaxy counts, bright and faint)
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from astropy import units
from astropy.coordinates import SkyCoord
from astropy_healpix import HEALPix
from numpy.polynomial import polynomial
from numpy.typing import ArrayLike, NDArray

from stargal.survey.fields import BANDS
from stargal.survey.labels import GALAXY, STAR

Array = NDArray[np.floating[Any]]

NSIDE = 512
"""HEALPix resolution of the cells; 3.1 million cells cover the sky."""

CELL_AREA = 4 * np.pi * (180 / np.pi) ** 2 / (12 * NSIDE**2)
"""Area of a cell, square degrees."""

FAINTEST = 24.5
"""r magnitude of the faintest sources, two magnitudes fainter than the detection limit."""

STAR_BRIGHTEST, GALAXY_BRIGHTEST = 10.0, 13.0
"""r magnitude of the brightest stars and galaxies. Brighter ones are rare, and spoil the fields around them."""

SOURCE = np.dtype(
    [
        ("truth_id", "i8"),
        ("label", "i1"),
        ("ra", "f8"),
        ("dec", "f8"),
        ("flux", "f8", len(BANDS)),
        ("redshift", "f4"),
        ("bulge_fraction", "f4"),
        ("clump_fraction", "f4"),
        ("disk_radius", "f4"),
        ("bulge_radius", "f4"),
        ("axis_ratio", "f4"),
        ("bulge_axis_ratio", "f4"),
        ("position_angle", "f4"),
    ]
)
"""Properties of a source.

`label` is 1 for point sources (stars, white dwarfs, quasars), 0 for galaxies. Positions are in deg, ICRS. `flux` is in
nanomaggies, in u g r i z, above the atmosphere and after extinction. A galaxy consists of an exponential disk and a de
Vaucouleurs bulge. `bulge_fraction` is the fraction of the flux in r from the bulge, `clump_fraction` the fraction of
the disk flux from star-forming clumps. Radii are half-light radii along the major axis, arcsec (for the bulge, of the
untruncated profile). `position_angle` is the angle of the major axis from north to east, deg. All of these are zero for
point sources; quasars have a redshift.
"""

EXTINCTION = np.array([5.155, 3.793, 2.751, 2.086, 1.479])
"""Extinction in u g r i z for E(B-V) = 1 mag (Schlegel et al. 1998, table 6)."""


def sources_within(ra: float, dec: float, radius: float, seed: int) -> NDArray[Any]:
    """Return the sources in all cells that a circle touches, including some outside the circle.

    Parameters
    ----------
    ra, dec : float
        Centre, deg.
    radius : float
        Radius, deg.
    seed : int
        Seed of the sky.

    Returns
    -------
    structured ndarray of `SOURCE`
        In ascending order of the cell, so the order is the same for any circle.
    """
    grid = HEALPix(NSIDE, order="nested")
    reach = radius + GROUP_RADIUS / 3600
    cells = np.sort(grid.cone_search_lonlat(ra * units.deg, dec * units.deg, reach * units.deg))
    return np.concatenate([draw_cell(int(cell), seed) for cell in cells])


def draw_cell(cell: int, seed: int) -> NDArray[Any]:
    """Draw all sources of one cell, a structured array of `SOURCE`.

    Members of a group and companions may lie up to `GROUP_RADIUS` outside the cell.
    """
    rng = np.random.default_rng([seed, cell])
    ra, dec = cell_positions(cell, 0.5, 0.5)
    stars, galaxies = draw_stars(rng, float(ra), float(dec)), draw_galaxies(rng)
    ordinary = np.concatenate([stars.sources, galaxies])
    places = rng.uniform(size=(2, len(ordinary)))
    blue = np.concatenate([draw_quasars(rng), draw_white_dwarfs(rng, float(ra), float(dec))])
    places = np.hstack([places, rng.uniform(size=(2, len(blue)))])
    sources = np.concatenate([ordinary, blue])
    # Uniform coordinates within a HEALPix cell give a uniform density on the sky.
    sources["ra"], sources["dec"] = cell_positions(cell, *places)
    of_pairs = np.random.default_rng([seed, cell, 1])
    gather_groups(of_pairs, sources[len(stars.sources) : len(ordinary)])
    sources = np.concatenate([sources, draw_companions(of_pairs, stars, sources[: len(stars.sources)])])
    sources["truth_id"] = (cell << 20) + np.arange(len(sources))
    sources["flux"] *= 10 ** (-0.4 * extinction(float(ra), float(dec)))
    return sources


def cell_positions(cell: int, across: ArrayLike, along: ArrayLike) -> tuple[Array, Array]:
    """Right ascension and declination (deg) of points in a cell, from two cell coordinates between 0 and 1."""
    lon, lat = HEALPix(NSIDE, order="nested").healpix_to_lonlat(cell, dx=across, dy=along)
    return lon.deg, lat.deg


def extinction(ra: float, dec: float) -> Array:
    """Galactic extinction in u g r i z, mag: a plane-parallel layer of E(B-V) = 0.016 / sin(abs(b)).

    This amount of dust is typical of the map of Schlegel et al. (1998) at high latitudes; clouds are not simulated.
    """
    _, latitude = galactic(ra, dec)
    return EXTINCTION * 0.016 / np.sin(np.radians(max(abs(latitude), 5.0)))


def galactic(ra: float, dec: float) -> tuple[float, float]:
    """Galactic longitude and latitude, deg (pole at 192.85948, 27.12825; Hipparcos catalogue, vol. 1, sect. 1.5.3)."""
    alpha, delta, pole = np.radians([ra - 192.85948, dec, 27.12825])
    latitude = np.arcsin(np.sin(delta) * np.sin(pole) + np.cos(delta) * np.cos(pole) * np.cos(alpha))
    longitude = np.radians(122.93192) - np.arctan2(
        np.cos(delta) * np.sin(alpha),
        np.sin(delta) * np.cos(pole) - np.cos(delta) * np.sin(pole) * np.cos(alpha),
    )
    return float(np.degrees(longitude) % 360), float(np.degrees(latitude))


# Stars


@dataclass(frozen=True)
class Component:
    """A component of the Galaxy.

    Attributes
    ----------
    local : float
        Density near the Sun, relative to the thin disk.
    turnoff : float
        Absolute r magnitude of the brightest stars still on the main sequence.
    giant_color : float
        g - i of brighter stars.
    metallicity, metallicity_scatter : float
        Mean and standard deviation of [Fe/H].
    """

    local: float
    turnoff: float
    giant_color: float
    metallicity: float
    metallicity_scatter: float


THIN, THICK, HALO = range(3)

COMPONENTS = (
    Component(1.0, 2.0, 0.9, -0.2, 0.2),
    Component(0.055, 4.2, 0.85, -0.7, 0.2),
    Component(0.0019, 4.2, 0.7, -1.46, 0.3),
)
"""Thin disk, thick disk and halo (shapes of Juric et al. 2008, table 10; metallicities after Ivezic et al. 2008).
The local densities of thick disk and halo are less than half of theirs. They are fitted, together with the luminosity
function, to the star counts of the real sweep of run 4510 by magnitude and g - r."""

SUN_RADIUS, SUN_HEIGHT = 8000.0, 25.0
"""Galactocentric radius of the Sun and its height above the Galactic plane, pc."""

MAGNITUDES = np.arange(0.1, 16.0, 0.2)
"""Absolute r magnitudes of the table of counts, at the centres of steps."""

MODULI = np.arange(3.125, 19.6, 0.25)
"""Distance moduli of the table of counts, at the centres of steps: 42 pc to 83 kpc."""

LUMINOSITY = (
    np.array(
        [0.15, 0.3, 0.7, 1.4, 2.7, 3.3, 2.9, 2.9, 4.2, 6.9, 9.1, 9.8, 8.4, 6.6, 5.0, 4.1, 3.4],
    )
    * 1e-3
)
"""Stars per cubic parsec and magnitude near the Sun, at absolute r magnitude 0, 1 ... 16.

The values of Jahreiss & Wielen (1997) are changed by up to a quarter, to fit the counts by magnitude and g - r of the
real sweep of run 4510.
"""

LOCUS = {
    "ug": (1.0636113, -1.6267818, 4.9389572, -3.2809081, 0.8725109, -0.0828035),
    "gr": (0.4290263, -0.8852323, 2.0740616, -1.1091553, 0.2397461, -0.0183195),
    "ri": (-0.4113500, 1.8229991, -1.9989772, 1.0662075, -0.2284455, 0.0172212),
    "iz": (-0.2270331, 0.7794558, -0.7350749, 0.3727802, -0.0735412, 0.0049808),
}
"""Colours as polynomials in g - i (Covey et al. 2007, table 4)."""

LOCUS_BLUE = {"ug": 1.2, "gr": 0.76, "ri": 0.24, "iz": 0.15}
"""Slope of the colours with g - i below `LOCUS_BLUEST`, where the polynomials deviate from the stars."""

LOCUS_BLUEST, LOCUS_REDDEST = 0.5, 3.6

LOCUS_SHIFT = {
    "ug": ((0.5, 0.8, 1.6, 2.2, 3.0), (0.0, -0.06, -0.1, -0.14, -0.25)),
    "iz": ((0.5, 3.0), (0.015, 0.025)),
}
"""Correction to the colours by g - i: stars of the real sweep of run 4510 minus the polynomials."""

LOCUS_SCATTER = {"ug": (0.06, 0.1), "gr": (0.025, 0.045), "iz": (0.025, 0.035)}
"""Width of the locus for stars bluer and redder than g - i = 2, mag (fitted to the same sweep)."""


@dataclass(frozen=True)
class Stars:
    """Stars of a cell.

    Attributes
    ----------
    sources : structured ndarray of `SOURCE`
        Without positions and extinction.
    component : ndarray, int
        Index in `COMPONENTS`.
    absolute : ndarray, float64
        Absolute r magnitude.
    modulus : ndarray, float64
        Distance modulus.
    """

    sources: NDArray[Any]
    component: NDArray[np.intp]
    absolute: Array
    modulus: Array


def draw_stars(rng: np.random.Generator, ra: float, dec: float) -> Stars:
    """Draw the stars of one cell.

    Parameters
    ----------
    rng : Generator
    ra, dec : float
        Position for which the counts are computed, deg.
    """
    expected = expected_stars(ra, dec) * CELL_AREA
    cumulative = np.cumsum(expected)
    number = int(rng.poisson(cumulative[-1]))
    drawn = np.searchsorted(cumulative, rng.uniform(0, cumulative[-1], number))
    component, faintness, distance = np.unravel_index(drawn, expected.shape)
    absolute = MAGNITUDES[faintness] + rng.uniform(-0.1, 0.1, number)
    modulus = MODULI[distance] + rng.uniform(-0.125, 0.125, number)
    apparent = absolute + modulus
    colors = star_colors(rng, component, absolute)
    stars = np.zeros(number, SOURCE)
    stars["label"] = STAR
    stars["flux"] = flux_from_colors(apparent, colors)
    kept = (apparent > STAR_BRIGHTEST) & (apparent < FAINTEST)
    return Stars(stars[kept], component[kept], absolute[kept], modulus[kept])


def expected_stars(ra: float, dec: float) -> Array:
    """Return the expected number of stars per square degree in a direction, before extinction.

    Returns
    -------
    ndarray, shape (components, absolute magnitudes, distance moduli)
        Steps of `COMPONENTS`, `MAGNITUDES`, `MODULI`.
    """
    return _luminosities()[:, :, None] * _sightline(ra, dec)[:, None, :]


def _sightline(ra: float, dec: float) -> Array:
    """Cubic parsecs per square degree and step of `MODULI` times the relative density, (components, moduli)."""
    longitude, latitude = np.radians(galactic(ra, dec))
    distance = 10 ** (MODULI / 5 + 1)
    height = SUN_HEIGHT + distance * np.sin(latitude)
    flat = distance * np.cos(latitude)
    radius = np.sqrt(SUN_RADIUS**2 + flat**2 - 2 * SUN_RADIUS * flat * np.cos(longitude))
    density = np.stack([star_density(kind, radius, height) for kind in range(len(COMPONENTS))])
    # Volume of a step of the modulus: d ln(distance) = 0.2 ln(10) d modulus.
    volume = np.radians(1) ** 2 * distance**3 * 0.2 * np.log(10) * (MODULI[1] - MODULI[0])
    return np.asarray(density * volume)


def star_density(kind: int, radius: Array, height: Array) -> Array:
    """Density of a component relative to its value near the Sun, at cylindrical radius and height, pc."""
    if kind == HALO:
        return (SUN_RADIUS / np.sqrt(radius**2 + (height / 0.64) ** 2)) ** 2.77
    length, thickness = {THIN: (2600.0, 300.0), THICK: (3600.0, 900.0)}[kind]
    return np.exp((SUN_RADIUS - radius) / length + (SUN_HEIGHT - np.abs(height)) / thickness)


@cache
def _luminosities() -> Array:
    """Stars per cubic parsec and step of the absolute magnitude near the Sun, by component."""
    rows = []
    for component in COMPONENTS:
        on_sequence = np.interp(MAGNITUDES, np.arange(len(LUMINOSITY)), LUMINOSITY)
        # Giants of old populations: few, with counts that fall by 0.3 dex per magnitude towards the bright end.
        giants = 1.0e-4 * 10 ** (0.3 * (MAGNITUDES - component.turnoff))
        rows.append(component.local * np.where(component.turnoff > MAGNITUDES, giants, on_sequence))
    return np.array(rows) * (MAGNITUDES[1] - MAGNITUDES[0])


def star_colors(rng: np.random.Generator, component: NDArray[np.intp], absolute: Array) -> Array:
    """Draw colours u-g, g-r, r-i, i-z of stars, shape (n, 4), from component and absolute r magnitude."""
    parameters = np.array([(c.turnoff, c.giant_color, c.metallicity, c.metallicity_scatter) for c in COMPONENTS])
    turnoff, giant_color, metallicity, scatter = parameters[component].T
    number = len(absolute)
    metallicity = metallicity + scatter * rng.standard_normal(number)
    # Ivezic et al. 2008, equations A2, A3 and A7: M_r = M(g-i) + dM([Fe/H]).
    grid = np.linspace(0.0, LOCUS_REDDEST, 361)
    bright = polynomial.polyval(grid, (-5.06, 14.32, -12.97, 6.127, -1.267, 0.0967))
    color = np.interp(absolute - (4.50 - 1.11 * metallicity - 0.18 * metallicity**2), bright, grid)
    color = np.where(absolute < turnoff, giant_color, color) + 0.04 * rng.standard_normal(number)
    inside = np.clip(color, LOCUS_BLUEST, LOCUS_REDDEST)
    found = {}
    for name, coefficients in LOCUS.items():
        found[name] = polynomial.polyval(inside, coefficients) + LOCUS_BLUE[name] * np.minimum(color - inside, 0)
        if name in LOCUS_SHIFT:
            found[name] += np.interp(color, *LOCUS_SHIFT[name])
        if name in LOCUS_SCATTER:
            blue, red = LOCUS_SCATTER[name]
            found[name] += np.where(color < 2.0, blue, red) * rng.standard_normal(number)
    # Metal-poor stars are brighter in the ultraviolet.
    found["ug"] += np.where(color < 1.0, 0.12 * (metallicity + 0.8), 0.0)
    found["ri"] = color - found["gr"]
    return np.stack([found["ug"], found["gr"], found["ri"], found["iz"]], axis=1)


def flux_from_colors(r: Array, colors: Array) -> Array:
    """Fluxes (n, 5) in nanomaggies from r magnitudes and colours u-g, g-r, r-i, i-z."""
    ug, gr, ri, iz = colors.T
    magnitudes = np.stack([r + gr + ug, r + gr, r, r - ri, r - ri - iz], axis=1)
    return 10 ** (0.4 * (22.5 - magnitudes))


# Companions of stars

COMPANION_FRACTION = 0.44
"""Share of stars with a companion (solar-type stars, Raghavan et al. 2010; that of M dwarfs is lower)."""

COMPANION_SEPARATION = np.log10(50.0), 1.5
"""Mean and standard deviation of the logarithm of the projected separation in au.

Raghavan et al. (2010) give log10 of the period in days, 5.03 +- 2.28: a semi-major axis of 50 au for 1.5 solar masses,
and by Kepler's third law two thirds of the width.
"""

COMPANION_NEAREST, COMPANION_FARTHEST = 0.2, 10.0
"""Separations that are drawn, arcsec.

Nearer companions change the total brightness and colour only; counts and colours are fitted to stars that have them.
"""

COMPANION_FAINTEST = 16.0
"""Absolute r magnitude of the faintest companions, at the end of the main sequence."""


def draw_companions(rng: np.random.Generator, stars: Stars, placed: NDArray[Any]) -> NDArray[Any]:
    """Draw companions of stars, at positions beside them.

    Mass ratios of binaries are about uniform (Raghavan et al. 2010, figure 16). On the main sequence the absolute r
    magnitude decreases by about 11 per solar mass, so absolute magnitudes are drawn uniformly between that of the star
    and `COMPANION_FAINTEST`. Both have the same age and metallicity, that is, the same component.

    Parameters
    ----------
    rng : Generator
    stars : Stars
    placed : structured ndarray of `SOURCE`
        The same stars, with positions.

    Returns
    -------
    structured ndarray of `SOURCE`
        Without extinction.
    """
    number = len(placed)
    mean, spread = COMPANION_SEPARATION
    parsecs = 10 ** (stars.modulus / 5 + 1)
    separation = 10 ** (mean + spread * rng.standard_normal(number)) / parsecs
    absolute = rng.uniform(stars.absolute, np.maximum(stars.absolute, COMPANION_FAINTEST))
    apparent = absolute + stars.modulus
    kept = rng.uniform(size=number) < COMPANION_FRACTION
    kept &= (separation > COMPANION_NEAREST) & (separation < COMPANION_FARTHEST) & (apparent < FAINTEST)
    colors = star_colors(rng, stars.component[kept], absolute[kept])
    companions = np.zeros(kept.sum(), SOURCE)
    companions["label"] = STAR
    companions["flux"] = flux_from_colors(apparent[kept], colors)
    companions["ra"], companions["dec"] = offset_positions(rng, placed[kept], separation[kept])
    return companions


def offset_positions(rng: np.random.Generator, sources: NDArray[Any], separation: Array) -> tuple[Array, Array]:
    """Right ascension and declination (deg) at a separation (arcsec) from sources, in random directions."""
    angle = rng.uniform(0, 2 * np.pi, len(sources)) * units.rad
    centers = SkyCoord(sources["ra"], sources["dec"], unit="deg")
    places = centers.directional_offset_by(angle, separation * units.arcsec)
    return places.ra.deg, places.dec.deg


# Quasars and white dwarfs

QUASAR_BREAK, QUASAR_SLOPES, QUASAR_LEVEL = 19.1, (0.85, 0.3), 25.0
"""r magnitude of the break of the counts of quasars, their logarithmic slopes per magnitude before and after it, and
twice the counts at the break, per square degree and magnitude.

The counts flatten gradually beyond magnitude 19 (Croom et al. 2004; Richards et al. 2005); the place of the break in r
is assumed. The level is fitted to the 60 point sources per square degree with u - g < 0.6 and r < 20.5 in the real
sweep of run 4510, and the slopes to their magnitudes.
"""

QUASAR_BRIGHTEST = 15.5
"""r magnitude of the brightest quasars."""

QUASAR_COLORS = (
    (0.3, 0.6, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0),
    (0.15, 0.2, 0.2, 0.15, 0.15, 0.4, 1.2, 2.4, 3.5),
    (0.3, 0.2, 0.1, 0.2, 0.15, 0.15, 0.25, 0.6, 1.2),
    (0.2, 0.1, 0.1, 0.2, 0.2, 0.1, 0.1, 0.15, 0.2),
    (0.35, 0.1, 0.1, 0.05, 0.1, 0.2, 0.1, 0.1, 0.1),
)
"""u-g, g-r, r-i, i-z of quasars by redshift (first row): the relation of Richards et al. (2001), smoothed, to 0.05 to
0.1 mag. Emission lines move the colours between these redshifts by as much."""

QUASAR_REDSHIFT = 1.5, 0.7
"""Mean and standard deviation of the redshifts: rounded values for a magnitude-limited sample, of which most have
z < 2.2 (Richards et al. 2006)."""

DWARF_LUMINOSITY = ([9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0, 16.0], [0.03, 0.1, 0.3, 0.6, 1.0, 1.3, 1.3, 0.2])
"""White dwarfs per 1000 cubic parsecs and magnitude near the Sun, by absolute r magnitude.

A smooth curve with the shape and the total of 4.6 per 1000 cubic parsecs of Harris et al. (2006).
"""

DWARF_COLORS = (
    (10.0, 11.0, 12.0, 13.0, 14.0, 15.0),
    (-0.2, 0.1, 0.4, 0.45, 0.45, 0.8),
    (-0.45, -0.35, -0.2, 0.05, 0.3, 0.6),
    (-0.35, -0.3, -0.2, -0.05, 0.1, 0.2),
    (-0.33, -0.3, -0.22, -0.12, 0.0, 0.1),
)
"""u-g, g-r, r-i, i-z of white dwarfs with hydrogen atmospheres by absolute r magnitude (first row), rounded from
Holberg & Bergeron (2006)."""


def draw_quasars(rng: np.random.Generator) -> NDArray[Any]:
    """Draw the quasars of one cell, without positions and extinction."""
    grid = np.arange(QUASAR_BRIGHTEST, FAINTEST + 0.01, 0.05)
    cumulative = np.cumsum(quasar_counts(grid)) * (grid[1] - grid[0])
    number = int(rng.poisson(cumulative[-1] * CELL_AREA))
    r = np.interp(rng.uniform(cumulative[0], cumulative[-1], number), cumulative, grid)
    mean, spread = QUASAR_REDSHIFT
    quasars = np.zeros(number, SOURCE)
    quasars["label"] = STAR
    quasars["redshift"] = np.clip(mean + spread * rng.standard_normal(number), 0.3, 4.0)
    colors = np.stack([np.interp(quasars["redshift"], QUASAR_COLORS[0], row) for row in QUASAR_COLORS[1:]], axis=1)
    quasars["flux"] = flux_from_colors(r, colors + 0.1 * rng.standard_normal((number, 4)))
    return quasars


def quasar_counts(r: ArrayLike) -> Array:
    """Return the number of quasars per square degree and magnitude at r magnitudes, before extinction."""
    beyond = np.asarray(r, float) - QUASAR_BREAK
    bright, faint = QUASAR_SLOPES
    return np.asarray(QUASAR_LEVEL / (10 ** (-bright * beyond) + 10 ** (-faint * beyond)))


def draw_white_dwarfs(rng: np.random.Generator, ra: float, dec: float) -> NDArray[Any]:
    """Draw the white dwarfs of one cell, without positions and extinction; parameters as in `draw_stars`."""
    magnitudes = np.arange(9.1, 16.0, 0.2)
    per_step = np.interp(magnitudes, *DWARF_LUMINOSITY) * 1e-3 * 0.2
    expected = np.outer(per_step, _sightline(ra, dec)[THIN]) * CELL_AREA
    expected[magnitudes[:, None] + MODULI > FAINTEST] = 0
    cumulative = np.cumsum(expected)
    number = int(rng.poisson(cumulative[-1]))
    drawn = np.searchsorted(cumulative, rng.uniform(0, cumulative[-1], number))
    faintness, distance = np.unravel_index(drawn, expected.shape)
    absolute = magnitudes[faintness] + rng.uniform(-0.1, 0.1, number)
    dwarfs = np.zeros(number, SOURCE)
    dwarfs["label"] = STAR
    colors = np.stack([np.interp(absolute, DWARF_COLORS[0], row) for row in DWARF_COLORS[1:]], axis=1)
    apparent = absolute + MODULI[distance] + rng.uniform(-0.125, 0.125, number)
    dwarfs["flux"] = flux_from_colors(apparent, colors + 0.05 * rng.standard_normal((number, 4)))
    return dwarfs


# Galaxies

COUNT_MAGNITUDES = np.arange(13.0, 26.0)
COUNTS = np.array([-0.69, -0.08, 0.53, 1.13, 1.72, 2.25, 2.74, 3.18, 3.57, 3.93, 4.28, 4.59, 4.85])
"""Logarithm of the number of galaxies per square degree and magnitude at r = 13 ... 25.

The slope flattens from 0.6 per magnitude, that of a uniform density, to 0.3, as in the counts of Yasuda et al. (2001)
and Capak et al. (2004). The normalisation is fitted to galaxies of r = 15 to 22 in real frames.
"""

MEDIAN_REDSHIFT = (
    [13, 15, 17, 18, 19, 20, 21, 22, 23, 24, 25],
    [0.02, 0.04, 0.08, 0.12, 0.17, 0.24, 0.33, 0.46, 0.6, 0.75, 0.85],
)
"""Median redshift of galaxies by r magnitude.

A smooth, rounded relation through the main galaxy sample (0.10 at 17.8; Strauss et al. 2002, AJ 124, 1810) and deep
surveys (Coil et al. 2004, ApJ 617, 765).
"""

EARLY_FRACTION = ([14, 18, 19, 20, 21, 22, 23, 24], [0.5, 0.48, 0.47, 0.45, 0.38, 0.28, 0.18, 0.1])
"""Fraction of early types by r magnitude.

About half of the bright galaxies, following the two types of Strateva et al. (2001). The decline beyond 20 is fitted to
the colours of galaxies in real frames.
"""

EARLY_COLORS = (
    (0.0, 0.1, 0.2, 0.33, 0.4, 0.55, 0.7, 0.9),
    (1.85, 1.95, 2.0, 1.9, 1.8, 1.6, 1.4, 1.3),
    (0.76, 0.97, 1.25, 1.58, 1.7, 1.78, 1.75, 1.65),
    (0.38, 0.42, 0.48, 0.56, 0.66, 0.95, 1.1, 1.15),
    (0.32, 0.35, 0.37, 0.38, 0.4, 0.46, 0.54, 0.74),
)
LATE_COLORS = (
    (0.0, 0.1, 0.2, 0.35, 0.5, 0.7, 1.0),
    (1.53, 1.43, 1.33, 1.13, 1.03, 0.88, 0.78),
    (0.45, 0.56, 0.72, 0.95, 0.93, 0.75, 0.55),
    (0.25, 0.3, 0.35, 0.4, 0.52, 0.65, 0.6),
    (0.2, 0.25, 0.28, 0.3, 0.32, 0.38, 0.47),
)
"""u-g, g-r, r-i, i-z by redshift (first row) of an elliptical and an Sbc galaxy.

Smoothed values of Fukugita, Shimasaku & Ichikawa (1995, PASP 107, 945), adjusted to the colours of galaxies in real
frames: u-g by up to 0.3, the others by up to 0.1.
"""

LATE_SPREAD, EARLY_SPREAD = np.array([0.20, 0.16, 0.07, 0.06]), np.array([0.12, 0.05, 0.025, 0.025])
"""Scatter of the colours, common to all colours of a galaxy, mag (assumed); each colour scatters by another 0.03."""

RADIUS_SCALE = 1.2
"""Factor on the radii of Shen et al., fitted to PSF to model flux ratios at r = 17 to 22 in real frames."""

HUBBLE_DISTANCE = 299792.458 / 70.0
"""c / H0, Mpc, for H0 = 70 km/s/Mpc."""


def draw_galaxies(rng: np.random.Generator) -> NDArray[Any]:
    """Draw the galaxies of one cell, without positions and extinction.

    Disks have the thickness of Ryden (2004) and random orientations. The bulge and clump fractions and the axis ratios
    of early types are assumed.
    """
    grid = np.arange(GALAXY_BRIGHTEST, FAINTEST + 0.01, 0.05)
    density = galaxy_counts(grid)
    cumulative = np.concatenate([[0.0], np.cumsum(0.5 * (density[1:] + density[:-1]) * np.diff(grid))])
    number = int(rng.poisson(cumulative[-1] * CELL_AREA))
    r = np.interp(rng.uniform(0, cumulative[-1], number), cumulative, grid)
    early = rng.uniform(size=number) < np.interp(r, *EARLY_FRACTION)
    redshift = draw_redshifts(rng, r)
    galaxies = np.zeros(number, SOURCE)
    galaxies["label"] = GALAXY
    galaxies["redshift"] = redshift
    galaxies["flux"] = flux_from_colors(r, galaxy_colors(rng, early, redshift))

    thickness = np.clip(rng.normal(0.22, 0.06, number), 0.1, 0.5)
    inclined = np.sqrt(thickness**2 + (1 - thickness**2) * rng.uniform(size=number) ** 2)
    inclined *= rng.uniform(0.85, 1.0, number)
    round_ones = np.clip(rng.normal(0.75, 0.15, number), 0.3, 1.0)
    axis_ratio = np.where(early, round_ones, inclined)
    galaxies["axis_ratio"] = axis_ratio
    galaxies["bulge_axis_ratio"] = np.where(early, round_ones, np.maximum(inclined, 0.6))
    galaxies["position_angle"] = rng.uniform(0, 180, number)

    pure = rng.uniform(size=number) < 0.6
    bulge = np.where(early, np.where(pure, 1.0, rng.uniform(0.4, 1.0, number)), rng.beta(0.8, 4.5, number))
    radius = half_light_radius(rng, r, redshift, early) / np.sqrt(np.maximum(axis_ratio, 0.3))
    galaxies["bulge_fraction"] = bulge
    galaxies["clump_fraction"] = np.where(early, 0.0, rng.uniform(0.0, 0.4, number))
    galaxies["disk_radius"] = radius * (1 + 0.3 * bulge)
    galaxies["bulge_radius"] = np.where(early, radius, 0.4 * radius)
    return galaxies


GROUP_FRACTION, GROUP_SIZE = 0.5, 15
"""Share of the galaxies in groups, and mean number of members down to `FAINTEST`.

Fitted, together with `GROUP_EXTENT`, to the number of pairs of sources of r < 22 at 2 to 20 arcsec in five real fields.
"""

GROUP_EXTENT, GROUP_RADIUS = 500.0, 120.0
"""Largest distance of a member from the centre: projected, kpc, and on the sky, arcsec."""

GROUP_SLOPE = 1.4
"""Logarithmic slope of the number of members per area with distance from the centre.

The number of pairs of members then decreases with separation to the power 2 - 2 x 1.4 = -0.8, which is about the slope
of the angular correlation function (-0.7 to -0.8; Connolly et al. 2002).
"""


def gather_groups(rng: np.random.Generator, galaxies: NDArray[Any]) -> None:
    """Move a part of the galaxies of a cell into groups, in place.

    Every group consists of galaxies that are next to each other in redshift, and is centred on the first of them. The
    number of members follows a geometric distribution, so there are a few rich groups. Other properties do not change,
    so that counts, colours and sizes remain those of all galaxies; that early types prefer rich groups is not
    simulated.

    Parameters
    ----------
    rng : Generator
    galaxies : structured ndarray of `SOURCE`
        All galaxies of the cell, at their places.
    """
    members = np.flatnonzero(rng.uniform(size=len(galaxies)) < GROUP_FRACTION)
    members = members[np.argsort(galaxies["redshift"][members], kind="stable")]
    starts = rng.uniform(size=len(members)) < 1 / GROUP_SIZE
    starts[:1] = True
    centers = galaxies[members[np.flatnonzero(starts)[np.cumsum(starts) - 1]]]
    redshift = galaxies["redshift"][members]
    kiloparsec_per_arcsec = 1000 * np.interp(redshift, *_distances()) / (1 + redshift) / 206265
    largest = np.minimum(GROUP_EXTENT / kiloparsec_per_arcsec, GROUP_RADIUS)
    separation = largest * rng.uniform(size=len(members)) ** (1 / (2 - GROUP_SLOPE))
    ra, dec = offset_positions(rng, centers, separation)
    galaxies["ra"][members] = np.where(starts, centers["ra"], ra)
    galaxies["dec"][members] = np.where(starts, centers["dec"], dec)


def galaxy_counts(r: ArrayLike) -> Array:
    """Return the number of galaxies per square degree and magnitude at r magnitudes, before extinction."""
    return np.asarray(10 ** np.interp(np.asarray(r, float), COUNT_MAGNITUDES, COUNTS))


def draw_redshifts(rng: np.random.Generator, r: Array) -> Array:
    """Draw redshifts for r magnitudes: dN/dz ~ z**2 exp(-(z / z0)**1.5), with the median at that magnitude."""
    # (z / z0)**1.5 follows a gamma distribution of shape 2, whose median is 1.678.
    scaled = (rng.gamma(2.0, size=len(r)) / 1.678) ** (1 / 1.5)
    return np.clip(np.interp(r, *MEDIAN_REDSHIFT) * scaled, 0.005, 3.0)


def galaxy_colors(rng: np.random.Generator, early: NDArray[np.bool_], redshift: Array) -> Array:
    """Draw colours u-g, g-r, r-i, i-z of galaxies, shape (n, 4)."""
    common = rng.standard_normal((len(redshift), 1))
    own = 0.03 * rng.standard_normal((len(redshift), 4))
    of_early, of_late = (
        np.stack([np.interp(redshift, table[0], row) for row in table[1:]], axis=1)
        for table in (EARLY_COLORS, LATE_COLORS)
    )
    spread = np.where(early[:, None], EARLY_SPREAD, LATE_SPREAD)
    return np.where(early[:, None], of_early, of_late) + common * spread + own


@cache
def _distances() -> tuple[Array, Array]:
    """Redshifts and comoving distances (Mpc) of a flat universe with a matter density of 0.3."""
    z = np.linspace(0, 3.2, 641)
    inverse = 1 / np.sqrt(0.3 * (1 + z) ** 3 + 0.7)
    steps = 0.5 * (inverse[1:] + inverse[:-1]) * (z[1] - z[0])
    return z, HUBBLE_DISTANCE * np.concatenate([[0.0], np.cumsum(steps)])


def half_light_radius(rng: np.random.Generator, r: Array, redshift: Array, early: NDArray[np.bool_]) -> Array:
    """Draw circularised half-light radii of galaxies, arcsec.

    Shen et al. 2003, equations 14 to 16 with the constants of their table 1. Radii evolve as (1 + z)**-0.75 for late
    and (1 + z)**-1.48 for early types (van der Wel et al. 2014).
    """
    comoving = np.interp(redshift, *_distances())
    modulus = 5 * np.log10(comoving * (1 + redshift)) + 25
    absolute = r - modulus - np.where(early, 1.1, 0.6) * np.minimum(redshift, 1.5)
    knee = 10 ** (-0.4 * (absolute + 20.52))
    late_log = -0.4 * 0.21 * absolute + (0.53 - 0.21) * np.log10(1 + knee) - 1.31
    early_log = np.maximum(-0.4 * 0.60 * absolute - 4.63, -0.1)
    scatter = 0.25 + (0.48 - 0.25) / (1 + knee**2)
    evolution = np.where(early, -1.48, -0.75) * np.log10((1 + redshift) / 1.1)
    kiloparsec = 10 ** (np.where(early, early_log, late_log) + evolution)
    kiloparsec *= np.exp(np.minimum(scatter, 0.4) * rng.standard_normal(len(r)))
    return np.clip(RADIUS_SCALE * kiloparsec / (comoving / (1 + redshift)) * 206.265, 0.05, 30.0)
