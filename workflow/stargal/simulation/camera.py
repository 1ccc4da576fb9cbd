"""The simulated camera: pointing of a run, observing conditions and detectors.

Every quantity is a smooth function of the row counted along the run, so frames agree in the rows that they share.
Detector properties (gain, distortion, flat field) depend only on band and camera column. Night properties (track,
seeing, sky, transparency) depend on the run and the seed.

References
----------
Gunn et al. 1998, AJ 116, 3040 (camera); Gunn et al. 2006, AJ 131, 2332 (telescope, diffraction by its vanes)
Pier et al. 2003, AJ 125, 1559 (astrometry: great circles, distortion cubic in the column)
Stoughton et al. 2002, AJ 123, 485, section 4.3 (PSF: two Gaussians and a power law); Racine 1996, PASP 108, 699 (wings)
Padmanabhan et al. 2008, ApJ 674, 1217 (flat fields, calibration)
Xin et al. 2018, AJ 156, 222 (seeing and wavelength)
Frame data model: https://data.sdss.org/datamodel/files/BOSS_PHOTOOBJ/frames/RERUN/RUN/CAMCOL/frame.html (gain and
dark variance by camera column)
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.polynomial import Legendre, Polynomial
from numpy.typing import ArrayLike, NDArray

from stargal.imaging.astrometry import AsTrans
from stargal.survey.camera import DARK_VARIANCE, GAIN
from stargal.survey.fields import BANDS, COLUMNS, FRAME_LAG, PIXEL_ARCSEC, ROWS, STEP_ROWS, Field

Array = NDArray[np.floating[Any]]

ROW_DEGREES = 1.1e-4
"""Drift of the sky during one row, equal to the pixel size, deg."""

NMGY_PER_COUNT = {"u": 0.0102, "g": 0.0038, "r": 0.0051, "i": 0.0067, "z": 0.0355}
"""Medians of real frames, like the next three constants."""

SKY_COUNTS = {"u": 18.0, "g": 60.0, "r": 118.0, "i": 175.0, "z": 100.0}

SEEING = {"u": 1.18, "g": 1.085, "r": 1.0, "i": 0.945, "z": 0.895}
"""FWHM relative to r's: wavelength to the power of -0.3 (Xin et al. 2018)."""

SEEING_MEDIAN = 1.32
"""FWHM of the PSF in r, arcsec; runs scatter about it by 14 % (real frames; equal to the SDSS median)."""

SEEING_CHANGES = 0.05, 5_000, 60_000
"""Relative change of the seeing along a run: its rms, and its shortest and longest period, rows.

From the middle of a field to its end, the width then changes by 2.1 % (rms), as in 25 real frames of five fields.
"""

SHIFT_ROWS = {"u": (4, 9), "g": (9, 13), "r": (0, 0), "i": (2, 3), "z": (6, 8)}
SHIFT_COLUMNS = {"u": (-2, 6), "g": (-2, 4), "r": (0, 0), "i": (-2, 2), "z": (-1, 4)}
"""Range of the position in a band minus that in r, pixels, according to the recorded astrometry."""

UNTOLD = {"u": 0.07, "g": 0.13, "r": 0.02, "i": 0.03, "z": 0.045}
"""Size of the offsets that the recorded astrometry omits, pixels (differential refraction, jitter)."""

JITTER = {"u": 0.07, "g": 0.04, "r": 0.02, "i": 0.025, "z": 0.045}
"""Size of the omitted offsets on short scales, pixels: changes of the air above the telescope."""

COLUMN_SPACING, STRIP_OFFSET = 0.4196, 0.1049
"""Distance between camera columns, and between each strip and the middle of its stripe, deg."""


@dataclass(frozen=True)
class Track:
    """The great circle of a run.

    Attributes
    ----------
    stripe : int
    strip : str
        N or S, the strip of the stripe.
    node, incl : float
        Ascending node and inclination, deg.
    start : float
        Great-circle longitude mu of row 0 of field 0, deg.
    """

    stripe: int
    strip: str
    node: float
    incl: float
    start: float


@dataclass(frozen=True)
class Night:
    """Conditions of a real run, measured on the frames of one of its fields.

    Attributes
    ----------
    track : Track
    field : int
        Number of the field.
    fwhm : tuple of float
        FWHM of the PSF in u g r i z at the centre of the frames, arcsec (`stargal.imaging.psf`).
    sky : tuple of float
        Recorded sky, counts; derived from the noise if the frame records none.
    nmgy : tuple of float
        Nanomaggies per count.
    """

    track: Track
    field: int
    fwhm: tuple[float, ...]
    sky: tuple[float, ...]
    nmgy: tuple[float, ...]


NIGHTS = {
    1035: Night(
        Track(76, "S", 95.0, -15.0, 5.283),
        17,
        (1.648, 1.621, 1.562, 1.576, 1.425),
        (24.5, 84.6, 140.8, 178.9, 101.4),
        (0.01021, 0.00356, 0.00488, 0.00662, 0.03291),
    ),
    3918: Night(
        Track(31, "N", 95.001936, 52.501334, 184.023),
        213,
        (1.384, 1.235, 1.191, 1.088, 1.066),
        (16.0, 54.2, 97.0, 130.1, 70.3),
        (0.00965, 0.00385, 0.00513, 0.00658, 0.03753),
    ),
    4192: Night(
        Track(82, "S", 275.0, 0.0, 306.655),
        300,
        (1.314, 1.217, 1.033, 0.997, 1.070),
        (22.8, 102.9, 151.7, 214.6, 107.3),
        (0.00993, 0.00358, 0.00504, 0.00624, 0.03706),
    ),
    4510: Night(
        Track(25, "N", 94.9718, 37.4422, 192.739),
        30,
        (1.124, 1.097, 1.086, 0.967, 1.024),
        (15.7, 57.9, 93.1, 115.5, 55.3),
        (0.00978, 0.00365, 0.00513, 0.00630, 0.03651),
    ),
}
"""Real nights with a field in the mirror, to compare a simulated and a real field under the same seeing and sky.

The simulation uses only these three properties of the night, and no real sources.
"""

FIRST_SOUTHERN = 7700
"""First run that observes the south Galactic cap, like the last runs of SDSS-III (Aihara et al. 2011)."""


def track_of(run: int) -> Track:
    """Return the track of a run.

    Runs 2n and 2n + 1 are the northern and southern strip of one stripe. Consecutive pairs follow consecutive stripes,
    and the same strip repeats after 58 runs (20 in the south). All runs start near the plane of the Galaxy and drift
    towards its pole: at field 80 of run 8162 the latitude is -30 deg, at field 228 it is -52 deg.
    """
    if run in NIGHTS:
        return NIGHTS[run].track
    strip = "S" if run % 2 else "N"
    if run < FIRST_SOUTHERN:
        stripe = 9 + (run // 2) % 29
        return Track(stripe, strip, 95.0, 2.5 * stripe - 25.0, 120.0)
    stripe = 82 + (run // 2) % 10
    return Track(stripe, strip, 275.0, -2.5 * (stripe - 82), 300.0)


@dataclass(frozen=True)
class Waves:
    """A smooth function of the row along a run: a sum of sines.

    Attributes
    ----------
    amplitude, wave_number, phase : ndarray, shape (k,)
        Unit of the function, rad per row, rad.
    """

    amplitude: Array
    wave_number: Array
    phase: Array

    @classmethod
    def draw(cls, rng: np.random.Generator, rms: float, shortest: float, longest: float, number: int = 4) -> "Waves":
        """Draw a function with a given standard deviation and range of periods, rows."""
        period = np.exp(rng.uniform(np.log(shortest), np.log(longest), number))
        amplitude = rms * np.sqrt(2 / number) * rng.uniform(0.7, 1.3, number)
        return cls(amplitude, 2 * np.pi / period, rng.uniform(0, 2 * np.pi, number))

    def __add__(self, other: "Waves") -> "Waves":
        return Waves(*(np.concatenate([getattr(self, k), getattr(other, k)]) for k in self.__dataclass_fields__))

    def __call__(self, row: ArrayLike) -> Array:
        """Evaluate the function at rows."""
        angle = np.multiply.outer(np.asarray(row, float), self.wave_number) + self.phase
        return np.sin(angle) @ self.amplitude

    def slope(self, row: float) -> float:
        """Derivative of the function, per row."""
        return float(np.cos(row * self.wave_number + self.phase) @ (self.amplitude * self.wave_number))


@dataclass(frozen=True)
class Ripples:
    """A smooth function of row and column: a sum of plane waves.

    Attributes
    ----------
    amplitude, along, across, phase : ndarray, shape (k,)
        Unit of the function; rad per row and per column; rad.
    """

    amplitude: Array
    along: Array
    across: Array
    phase: Array

    @classmethod
    def draw(cls, rng: np.random.Generator, rms: float, shortest: float, longest: float, number: int = 12) -> "Ripples":
        """Draw a function with a given standard deviation and range of wavelengths, pixels."""
        wave_number = 2 * np.pi / np.exp(rng.uniform(np.log(shortest), np.log(longest), number))
        angle, phase = rng.uniform(0, 2 * np.pi, (2, number))
        amplitude = np.full(number, rms * np.sqrt(2 / number))
        return cls(amplitude, wave_number * np.sin(angle), wave_number * np.cos(angle), phase)

    def grid(self, row: Array, column: Array) -> Array:
        """Evaluate the function on a grid of rows and columns, shape (rows, columns)."""
        along, across = np.outer(row, self.along) + self.phase, np.outer(column, self.across)
        left = np.concatenate([np.sin(along), np.cos(along)], axis=1) * np.tile(self.amplitude, 2)
        return left @ np.concatenate([np.cos(across), np.sin(across)], axis=1).T


@dataclass(frozen=True)
class Scan:
    """One band of one camera column in one run.

    Rows are counted along the run: ``row = y + 1361 * field``, 0-based pixels.
    """

    seed: int
    run: int
    camcol: int
    band: str

    @property
    def index(self) -> int:
        """Index of the band in u g r i z."""
        return BANDS.index(self.band)

    @property
    def gain(self) -> float:
        """Electrons per count."""
        return GAIN[self.band][self.camcol - 1]

    @property
    def dark_variance(self) -> float:
        """Variance of dark current and readout, counts squared."""
        return DARK_VARIANCE[self.band][self.camcol - 1]

    @property
    def track(self) -> Track:
        """The great circle of the run."""
        return track_of(self.run)

    def of_detector(self, purpose: int) -> np.random.Generator:
        """Random generator of the detector, the same in all runs."""
        return np.random.default_rng([purpose, self.camcol, self.index])

    def of_night(self, purpose: int) -> np.random.Generator:
        """Random generator of the run, the same in all bands and camera columns."""
        return np.random.default_rng([purpose, self.seed, self.run])

    def of_scan(self, purpose: int, *more: int) -> np.random.Generator:
        """Random generator of this scan."""
        return np.random.default_rng([purpose, self.seed, self.run, self.camcol, self.index, *more])

    # Astrometry

    @cached_property
    def _nominal(self) -> AsTrans:
        """The astrometric solution of field 0, without the drift along the run."""
        detector, night = self.of_detector(1), self.of_night(1)
        rows = detector.uniform(*SHIFT_ROWS[self.band])
        columns = detector.uniform(*SHIFT_COLUMNS[self.band])
        rotation = 4e-8 * night.standard_normal() + 2e-8 * detector.standard_normal()
        tracking = 4e-9 * night.standard_normal()
        scale = ROW_DEGREES * (1 + {"u": 4e-4, "g": -5e-4}.get(self.band, 0.0) + 5e-5 * detector.standard_normal())
        offset = STRIP_OFFSET if self.track.strip == "N" else -STRIP_OFFSET
        nu = (self.camcol - 3.5) * COLUMN_SPACING + offset - 0.5 * COLUMNS * ROW_DEGREES
        pointing = night.uniform(-20, 20, 2)  # rows, columns
        return AsTrans(
            node=self.track.node,
            incl=self.track.incl,
            affine=(
                self.track.start + ROW_DEGREES * (pointing[0] - rows),
                ROW_DEGREES,
                rotation,
                nu + ROW_DEGREES * (pointing[1] - columns),
                tracking,
                scale,
            ),
            drow=self._distortion(detector, 0.03, 0.015, 0.0),
            dcol=self._distortion(detector, 0.04, 0.04, 0.11),
        )

    @staticmethod
    def _distortion(rng: np.random.Generator, second: float, third: float, mean: float) -> tuple[float, ...]:
        """Draw a cubic in the column, pixels, without a linear part: Legendre polynomials 2 and 3."""
        coefficients = [0.0, 0.0, second * rng.standard_normal(), mean + third * rng.standard_normal()]
        power = Legendre(coefficients, domain=[0, COLUMNS]).convert(kind=Polynomial)
        return tuple(float(value) for value in power.coef)

    @cached_property
    def _wander(self) -> tuple[Waves, Waves, Waves, Waves]:
        """Drift of the image in x and y along the run, pixels: the recorded part, then the unrecorded part."""
        rng = self.of_scan(2)
        told = [Waves.draw(rng, rms, 15_000, 40_000) for rms in (0.25, 0.35)]
        untold = [
            Waves.draw(rng, UNTOLD[self.band], 3_000, 20_000) + Waves.draw(rng, JITTER[self.band], 150, 1_500, 8)
            for _ in range(2)
        ]
        return told[0], told[1], untold[0], untold[1]

    def _nominal_of(self, field: int) -> AsTrans:
        """The astrometric solution of a field, without the drift along the run."""
        nominal = self._nominal
        a, b, c, d, e, f = nominal.affine
        rows = STEP_ROWS * field
        return AsTrans(nominal.node, nominal.incl, (a + b * rows, b, c, d + e * rows, e, f), nominal.drow, nominal.dcol)

    def to_pixel(self, field: int, ra: ArrayLike, dec: ArrayLike) -> tuple[Array, Array]:
        """True pixel position (x, y) on the frame of a field for a sky position (deg)."""
        x, y = self._nominal_of(field).to_pixel(ra, dec)
        row = y + STEP_ROWS * field
        told_x, told_y, untold_x, untold_y = self._wander
        return x + told_x(row) + untold_x(row), y + told_y(row) + untold_y(row)

    def astrometry(self, field: int) -> AsTrans:
        """The solution recorded in the frame of a field, without the curvature of the drift and the unrecorded part."""
        nominal = self._nominal_of(field)
        a, b, c, d, e, f = nominal.affine
        middle = ROWS / 2
        told_x, told_y = self._wander[:2]
        row = STEP_ROWS * field + middle - 0.5
        slope_x, slope_y = told_x.slope(row), told_y.slope(row)
        x, y = float(told_x(row)) - slope_x * middle, float(told_y(row)) - slope_y * middle
        affine = (
            a - b * y - c * x,
            b - b * slope_y - c * slope_x,
            c,
            d - e * y - f * x,
            e - e * slope_y - f * slope_x,
            f,
        )
        return AsTrans(nominal.node, nominal.incl, affine, nominal.drow, nominal.dcol)

    # Seeing

    @cached_property
    def _seeing(self) -> tuple[float, Waves, Array, Array]:
        """Mean FWHM (arcsec), its relative change with time, its change with the column, and ellipticity."""
        night, scan = self.of_night(3), self.of_scan(3)
        mean = SEEING_MEDIAN * np.exp(0.14 * night.standard_normal()) * SEEING[self.band]
        changes = Waves.draw(night, *SEEING_CHANGES, number=6)
        shape = np.array([-0.07, 0.0]) + 0.04 * night.standard_normal(2) + 0.02 * scan.standard_normal(2)
        mean = np.clip(mean * np.exp(0.02 * scan.standard_normal()), 0.9, 2.0)
        if self.run in NIGHTS:
            known = NIGHTS[self.run]
            row = STEP_ROWS * (known.field + FRAME_LAG[self.band]) + ROWS / 2
            mean = known.fwhm[self.index] / (1 + changes(row))
        bend = np.array([0.04, 0.02]) * scan.standard_normal(2)
        return float(mean), changes, bend, shape

    @property
    def seeing(self) -> float:
        """Mean FWHM of the PSF over the run, arcsec."""
        return self._seeing[0]

    def fwhm(self, x: ArrayLike, row: ArrayLike) -> Array:
        """Full width at half maximum of the PSF, pixels, at columns and rows along the run."""
        mean, changes, bend, _ = self._seeing
        u = np.asarray(x, float) * (2 / (COLUMNS - 1)) - 1
        # A band observes a row this many fields later than r, through different air.
        when = np.asarray(row, float) + STEP_ROWS * FRAME_LAG[self.band]
        return mean / PIXEL_ARCSEC * (1 + changes(when)) + (bend[0] * u + bend[1] * u**2) / PIXEL_ARCSEC

    @property
    def ellipticity(self) -> Array:
        """Ellipticity of the PSF: (Cxx - Cyy, 2 Cxy) / (Cxx + Cyy) of its covariance."""
        return self._seeing[3]

    @property
    def spike_angle(self) -> float:
        """Direction of the diffraction spikes, from x towards y, rad."""
        return float(self.of_night(4).normal(0, 0.2))

    # Detector and sky

    @cached_property
    def calibration(self) -> Array:
        """Nanomaggies per count by column, shape (2048,)."""
        detector, night, scan = self.of_detector(5), self.of_night(5), self.of_scan(5)
        mean = NMGY_PER_COUNT[self.band] * np.exp(0.04 * detector.standard_normal() + 0.03 * night.standard_normal())
        mean *= np.exp(0.01 * scan.standard_normal())
        if self.run in NIGHTS:
            mean = NIGHTS[self.run].nmgy[self.index]
        u = np.linspace(-1, 1, COLUMNS)
        flat = Legendre([0, *(0.0008 * detector.standard_normal(8))])(u)
        flat += 4e-5 * detector.standard_normal(COLUMNS)
        return (mean * (1 + flat)).astype(np.float32).astype(np.float64)

    @cached_property
    def nmgy(self) -> float:
        """The single calibration factor in the header, nanomaggies per count."""
        return float(self.calibration.mean() * (1 + 0.02 * self.of_scan(6).standard_normal()))

    @cached_property
    def _sky(self) -> tuple[float, Waves, Ripples, Waves]:
        """Mean sky, its relative change with row, the residual after subtraction, the gradient across columns."""
        night, scan = self.of_night(7), self.of_scan(7)
        mean = SKY_COUNTS[self.band] * np.exp(0.12 * night.standard_normal() + 0.05 * scan.standard_normal())
        if self.run in NIGHTS:
            mean = NIGHTS[self.run].sky[self.index]
        changes = Waves.draw(scan, 0.01, 8_000, 60_000)
        rms = 0.045 * np.sqrt(mean / self.gain + self.dark_variance) * float(np.exp(0.4 * night.standard_normal()))
        return float(mean), changes, Ripples.draw(scan, rms, 150, 3000), Waves.draw(scan, 0.002, 1_000, 5_000)

    @property
    def sky_sigma(self) -> float:
        """Standard deviation of a pixel at the mean sky level, counts."""
        return float(np.sqrt(self._sky[0] / self.gain + self.dark_variance))

    def sky(self, row: Array, x: Array) -> Array:
        """The sky recorded and subtracted in the frame, counts, shape (rows, columns)."""
        mean, changes, _, tilt = self._sky
        u = np.asarray(x, float) * (2 / (COLUMNS - 1)) - 1
        return mean * (1 + changes(row)[:, None] + np.outer(tilt(row), u))

    def sky_residual(self, row: Array, x: Array) -> Array:
        """The true sky minus the recorded sky, counts, shape (rows, columns); slightly positive, as in the survey."""
        return 0.02 * self.sky_sigma + self._sky[2].grid(row, x)

    @cached_property
    def saturation(self) -> float:
        """Full-well level of a pixel, counts (range of the brightest unsaturated stars of real frames)."""
        return float(self.of_detector(8).uniform(34_000, 56_000))

    @cached_property
    def bad_columns(self) -> NDArray[np.intp]:
        """First columns of defects, which are one to two columns wide."""
        rng = self.of_detector(9)
        return np.sort(rng.integers(2, COLUMNS - 3, rng.poisson(2)))


def field_center(field: Field) -> tuple[float, float]:
    """Right ascension and declination of the centre of a field, deg."""
    solution = Scan(0, field.run, field.camcol, "r")._nominal_of(field.field)
    ra, dec = solution.to_sky((COLUMNS - 1) / 2, (ROWS - 1) / 2)
    return float(ra), float(dec)
