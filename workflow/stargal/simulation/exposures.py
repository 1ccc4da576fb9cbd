"""Simulate the frames of a field, in the SDSS format.

- `stargal.simulation.sky`: the sources, a function of position and seed;
- `stargal.simulation.camera`: position on the detector, PSF and noise level;
- `stargal.simulation.render`: images of stars and galaxies;
- this module: counts and their noise, full wells, defects, and the four HDUs of the file.

Each frame is made independently. Frames of one run agree in the rows that they share, including noise, as in SDSS.

References
----------
Frame data model: https://data.sdss.org/datamodel/files/BOSS_PHOTOOBJ/frames/RERUN/RUN/CAMCOL/frame.html
Stoughton et al. 2002, AJ 123, 485, section 4.3 (corrected frames: bad columns, cosmic rays, bleed trails interpolated)
"""

import bz2
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray
from scipy import ndimage

from stargal.imaging.astrometry import AsTrans
from stargal.simulation import sky
from stargal.simulation.camera import Scan, field_center
from stargal.simulation.render import Blur, Galaxies, add_galaxies, add_stars, shares_of
from stargal.survey.fields import BANDS, COLUMNS, FRAME_LAG, PIXEL_ARCSEC, REFERENCE, ROWS, STEP_ROWS, Field
from stargal.survey.labels import GALAXY, STAR

Array = NDArray[np.floating[Any]]

MARGIN = 200
"""Distance beyond a frame up to which sources are drawn, pixels: bright sources extend into the frame."""

BRIGHT_MARGIN, BRIGHT_FLUX = 500, 3_000.0
"""Margin for sources above a flux, pixels, and this flux, nanomaggies (magnitude 13.8)."""

ROW_NOISE = 0.035
"""Noise common to the pixels of a row, relative to the noise of a pixel (fitted to real frames)."""

SOFT_BIAS = 1000
"""Counts added before digitising; used only in the header."""

SKY_BINS = 8
"""Frame pixels per pixel of the recorded sky, along each axis."""

BULGE_COLOR = {"u": 0.5, "g": 0.75, "r": 1.0, "i": 1.12, "z": 1.2}
CLUMP_COLOR = {"u": 2.0, "g": 1.4, "r": 1.0, "i": 0.8, "z": 0.7}
"""Bulge fraction of a spiral's flux and clump fraction of its disk's flux, relative to r.

The values are assumed. Their trend follows de Jong (1996, A&A 313, 377): disks are bluer than bulges, and bluer
outwards.
"""

CLUMPY_FLUX = 8.0
"""Flux in r (nanomaggies; magnitude 20.2) below which clumps are not drawn: the PSF smooths them out."""

LOST, WING_LIMIT = 0.5, 0.03
"""Flux below which a source is not drawn, and brightness at which wings of stars are cut off; in sky sigma."""

GROWTH = (3, 3)
"""Rows and columns of the neighbourhood of a full pixel that is interpolated (measured on real frames)."""

BUMP_OFFSET, BUMP_WIDTH = 2.0, 1.6
"""Distance from the centre of a saturated star to the bump in its core, and the bump's standard deviation, pixels
(measured on real frames)."""

FLUX_NAMES = tuple(f"flux_{band}" for band in BANDS)


@dataclass(frozen=True)
class Window:
    """The part of a frame to simulate: half-open ranges of rows and columns, pixels."""

    rows: tuple[int, int] = (0, ROWS)
    columns: tuple[int, int] = (0, COLUMNS)

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and columns."""
        return self.rows[1] - self.rows[0], self.columns[1] - self.columns[0]

    def holds(self, x: Array, y: Array, margin: float | Array = 0.0) -> NDArray[np.bool_]:
        """Test which positions lie in the window or less than a margin beyond it."""
        inside_x = (x > self.columns[0] - 0.5 - margin) & (x < self.columns[1] - 0.5 + margin)
        inside_y = (y > self.rows[0] - 0.5 - margin) & (y < self.rows[1] - 0.5 + margin)
        return inside_x & inside_y


WHOLE = Window()


@dataclass(frozen=True)
class SimulatedFrame:
    """A simulated frame: one band of a field.

    Attributes
    ----------
    image : ndarray, float32, shape (rows, columns)
        Nanomaggies above the recorded sky.
    calibration : ndarray, float32, shape (2048,)
        Nanomaggies per count, by column.
    sky : ndarray, float32, shape (192, 256)
        The recorded sky, counts.
    astrometry : AsTrans
        The recorded solution.
    header : `astropy.io.fits.Header`
        Header of the image.
    """

    field: Field
    band: str
    image: NDArray[np.float32]
    calibration: NDArray[np.float32]
    sky: NDArray[np.float32]
    astrometry: AsTrans
    header: fits.Header


def sources_of(field: Field, seed: int, window: Window = WHOLE) -> NDArray[Any]:
    """Select the sources whose light can reach the frames of a field.

    Parameters
    ----------
    field : Field
    seed : int
        Seed of the sky.
    window : Window
        Part of the field.

    Returns
    -------
    structured ndarray of `stargal.simulation.sky.SOURCE`
    """
    ra, dec = field_center(field)
    half_diagonal = 0.5 * np.hypot(ROWS, COLUMNS) * PIXEL_ARCSEC / 3600
    sources = sky.sources_within(ra, dec, half_diagonal + BRIGHT_MARGIN * PIXEL_ARCSEC / 3600, seed)
    x, y = Scan(seed, field.run, field.camcol, REFERENCE).to_pixel(field.field, sources["ra"], sources["dec"])
    bright = sources["flux"].max(axis=1) > BRIGHT_FLUX
    return sources[window.holds(x, y, np.where(bright, BRIGHT_MARGIN, MARGIN))]


def truth_of(field: Field, seed: int, sources: NDArray[Any], window: Window = WHOLE) -> dict[str, NDArray[Any]]:
    """Make the truth table of the sources of a field, by column.

    Parameters
    ----------
    field, seed, sources, window
        As in `sources_of`.

    Returns
    -------
    dict of ndarray
        ``truth_id`` (the same in every field and run), ``label`` (1 star, 0 galaxy), ``ra``, ``dec`` (deg), ``x``,
        ``y`` (pixels of r, 0-based), ``flux_u`` ... ``flux_z`` (nanomaggies, after extinction),
        ``half_light_radius`` (along the major axis, arcsec, of the brighter component), and the other columns of
        `stargal.simulation.sky.SOURCE`.
    """
    x, y = Scan(seed, field.run, field.camcol, REFERENCE).to_pixel(field.field, sources["ra"], sources["dec"])
    kept = window.holds(x, y, MARGIN)
    sources = sources[kept]
    mostly_bulge = sources["bulge_fraction"] > 0.5
    truth: dict[str, NDArray[Any]] = {name: sources[name] for name in ("truth_id", "label", "ra", "dec")}
    truth |= {"x": x[kept], "y": y[kept]}
    truth |= {name: sources["flux"][:, index] for index, name in enumerate(FLUX_NAMES)}
    truth["half_light_radius"] = np.where(mostly_bulge, sources["bulge_radius"], sources["disk_radius"])
    for name in sky.SOURCE.names or ():
        if name not in truth and name != "flux":
            truth[name] = sources[name]
    return truth


def simulate_frame(
    field: Field, band: str, seed: int, sources: NDArray[Any] | None = None, window: Window = WHOLE
) -> SimulatedFrame:
    """Simulate one band of a field.

    Parameters
    ----------
    field : Field
    band : str
        u, g, r, i or z.
    seed : int
        Seed of the sky and the nights.
    sources : structured ndarray, optional
        Output of `sources_of`, to share among bands; computed by default.
    window : Window
        Part of the frame; the whole frame by default.

    Returns
    -------
    SimulatedFrame
    """
    if sources is None:
        sources = sources_of(field, seed, window)
    scan = Scan(seed, field.run, field.camcol, band)
    row = np.arange(*window.rows, dtype=float) + STEP_ROWS * field.field
    x = np.arange(*window.columns, dtype=float)
    calibration = scan.calibration[slice(*window.columns)]
    recorded = _bin_center_sky(scan, field)
    sky_counts = _interpolated_sky(recorded, window)
    counts = draw_sources(scan, field, sources, window) / calibration
    counts += scan.sky(row, x) + scan.sky_residual(row, x)
    # Neighbouring frames share photons in common rows: noise is a function of the row along the run.
    noise, shared = _noise(scan, field, window)
    sigma = np.sqrt(np.maximum(counts, 0) / scan.gain + scan.dark_variance)
    counts += sigma * noise + ROW_NOISE * scan.sky_sigma * shared
    fill_wells(counts, scan.saturation)
    add_defects(scan, field, window, counts)
    image = compress_floats((np.rint(counts) - sky_counts) * calibration)
    return SimulatedFrame(
        field,
        band,
        image,
        scan.calibration.astype(np.float32),
        recorded,
        scan.astrometry(field.field),
        make_frame_header(scan, field),
    )


def draw_sources(scan: Scan, field: Field, sources: NDArray[Any], window: Window = WHOLE) -> Array:
    """Draw sources on a frame, nanomaggies per pixel, without sky and noise."""
    sigma = float(scan.calibration.mean()) * scan.sky_sigma
    sources = sources[sources["flux"][:, scan.index] > LOST * sigma]
    x, y = scan.to_pixel(field.field, sources["ra"], sources["dec"])
    flux = sources["flux"][:, scan.index]
    fwhm = scan.fwhm(np.clip(x, 0, COLUMNS - 1), y + STEP_ROWS * field.field)
    blur = Blur.of_fwhm(shares_of(scan.band, scan.seeing), fwhm, scan.ellipticity, scan.spike_angle)
    image = np.zeros(window.shape)
    in_x, in_y = x - window.columns[0], y - window.rows[0]
    stars, galaxies = (np.flatnonzero(sources["label"] == label) for label in (STAR, GALAXY))
    add_stars(image, in_x[stars], in_y[stars], flux[stars], blur[stars], WING_LIMIT * sigma)
    of_galaxies = sources[galaxies]
    shapes = shapes_on_frame(scan, field, of_galaxies)
    add_galaxies(image, in_x[galaxies], in_y[galaxies], flux[galaxies], shapes, blur[galaxies])
    return image


def shapes_on_frame(scan: Scan, field: Field, galaxies: NDArray[Any]) -> Galaxies:
    """Shapes of galaxies in a band: bulges are redder than disks, clumps bluer."""
    bulge = galaxies["bulge_fraction"].astype(float)
    mixed = bulge < 0.6
    resolved = mixed & (galaxies["flux"][:, BANDS.index(REFERENCE)] > CLUMPY_FLUX)
    return Galaxies(
        np.where(mixed, bulge * BULGE_COLOR[scan.band], bulge),
        np.where(resolved, galaxies["clump_fraction"] * CLUMP_COLOR[scan.band], 0.0),
        galaxies["disk_radius"] / PIXEL_ARCSEC,
        galaxies["bulge_radius"] / PIXEL_ARCSEC,
        galaxies["axis_ratio"].astype(float),
        galaxies["bulge_axis_ratio"].astype(float),
        angle_on_frame(scan, field, galaxies),
        galaxies["truth_id"],
    )


def angle_on_frame(scan: Scan, field: Field, sources: NDArray[Any]) -> Array:
    """Direction of the major axes on a frame, from x towards y, rad."""
    angle, step = np.radians(sources["position_angle"]), 1e-3
    ra, dec = sources["ra"], sources["dec"]
    x, y = scan.to_pixel(field.field, ra, dec)
    beyond = ra + step * np.sin(angle) / np.cos(np.radians(dec)), dec + step * np.cos(angle)
    there_x, there_y = scan.to_pixel(field.field, *beyond)
    return np.arctan2(there_y - y, there_x - x)


def _noise(scan: Scan, field: Field, window: Window) -> tuple[NDArray[np.float32], Array]:
    """Draw normal deviates for pixels, and for rows as (rows, 1), as functions of the row along the run.

    Rows are drawn in blocks of `STEP_ROWS`, each with its own generator. A frame uses its own block and the first rows
    of the next.
    """
    pixels, rows = [], []
    for block in range(ROWS // STEP_ROWS + 1):
        first = block * STEP_ROWS
        begin, end = max(window.rows[0] - first, 0), min(window.rows[1] - first, STEP_ROWS)
        if begin < end:
            rng = scan.of_scan(10, field.field + block)
            rows.append(rng.standard_normal(STEP_ROWS)[begin:end])
            drawn = rng.standard_normal((end, COLUMNS), dtype=np.float32)
            pixels.append(drawn[begin:, slice(*window.columns)])
    return np.concatenate(pixels), np.concatenate(rows)[:, None]


def fill_wells(counts: Array, full: float) -> None:
    """Let excess charge bleed along the columns, then interpolate over the core and the trails along the rows.

    Parameters
    ----------
    counts : ndarray, shape (rows, columns)
        Changed in place.
    full : float
        Full-well level of a pixel, counts.
    """
    full_pixels = counts > full
    if not full_pixels.any():
        return
    rows = len(counts)
    for column in np.flatnonzero(full_pixels.any(axis=0)):
        labels, number = ndimage.label(full_pixels[:, column])
        for run in ndimage.find_objects(labels, number):
            begin, end = run[0].start, run[0].stop
            # Half of the charge flows each way; each pixel fills up to the full well.
            excess = 0.5 * float((counts[begin:end, column] - full).sum())
            for step, place in ((-1, begin - 1), (1, end)):
                left = excess
                while left > 0 and 0 <= place < rows:
                    left -= max(full - float(counts[place, column]), 0.0)
                    full_pixels[place, column] = True
                    place += step
    _interpolate_cores(counts, full_pixels)


def _interpolate_cores(counts: Array, full_pixels: NDArray[np.bool_]) -> None:
    """Interpolate over full pixels and their neighbours along the rows, and restore part of the core, in place.

    Real corrected frames show a plateau at the level of the first good pixels, and a bump of similar height
    `BUMP_OFFSET` pixels from the centre. Most of the light of the core is lost, up to 90 % for the brightest stars.
    """
    bad = ndimage.binary_dilation(full_pixels, np.ones(GROWTH, bool))
    labels, number = ndimage.label(bad, np.ones((3, 3), bool))
    last = counts.shape[1] - 1
    for index, box in enumerate(ndimage.find_objects(labels, number), 1):
        region = labels[box] == index
        top, left = box[0].start, box[1].start
        for row in range(len(region)):
            inside = np.flatnonzero(region[row]) + left
            begin, end = inside[0], inside[-1] + 1
            line = counts[top + row]
            before, after = line[begin - 1 if begin > 0 else min(end, last)], line[end if end <= last else begin - 1]
            line[inside] = np.interp(inside, [begin - 1, end], [before, after])
        core = full_pixels[box] & region
        widest = core.sum(axis=1)
        middle = float(np.flatnonzero(widest == widest.max()).mean())
        column = float(np.flatnonzero(core[int(middle)]).mean()) if core[int(middle)].any() else 0.5 * region.shape[1]
        # The side of the bump varies among real stars without a visible rule.
        column += BUMP_OFFSET if round(left + column) % 2 else -BUMP_OFFSET
        y, x = np.nonzero(region)
        level = counts[box][y, x]
        height = float(np.median(level[np.abs(y - middle) < 1]))
        counts[box][y, x] = level + height * np.exp(-0.5 * ((x - column) ** 2 + (y - middle) ** 2) / BUMP_WIDTH**2)


def add_defects(scan: Scan, field: Field, window: Window, counts: Array) -> None:
    """Interpolate over bad columns of the detector and add the cosmic rays that photo misses, in place."""
    for column in scan.bad_columns - window.columns[0]:
        if 0 < column < window.shape[1] - 2:
            counts[:, column] = 0.5 * (counts[:, column - 1] + counts[:, column + 1])
    for block in (0, 1):
        rng = scan.of_scan(11, field.field + block)
        for _ in range(rng.poisson(1.5)):
            y, x = rng.uniform(0, STEP_ROWS), rng.uniform(0, COLUMNS)
            angle, length, charge = rng.uniform(0, np.pi), rng.exponential(3.0), rng.uniform(30, 400)
            for step in range(int(length) + 1):
                column = int(x + step * np.cos(angle)) - window.columns[0]
                row = int(y + step * np.sin(angle)) + block * STEP_ROWS - window.rows[0]
                if 0 <= row < window.shape[0] and 0 <= column < window.shape[1]:
                    counts[row, column] += charge


def _bin_center_sky(scan: Scan, field: Field) -> NDArray[np.float32]:
    """The recorded sky, counts, shape (192, 256): every 8 pixels, starting 8 rows before the frame."""
    row = SKY_BINS * (np.arange(192) - 1.0) + STEP_ROWS * field.field + 3.5
    return scan.sky(row, SKY_BINS * np.arange(256) + 3.5).astype(np.float32)


def sky_coordinates(window: Window = WHOLE) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Positions of the columns and rows of a frame on the recorded sky: XINTERP and YINTERP."""
    x = (np.arange(*window.columns) + 0.5) / SKY_BINS - 0.5
    y = (np.arange(*window.rows) + 0.5) / SKY_BINS + 0.5
    return x.astype(np.float32), y.astype(np.float32)


def _interpolated_sky(recorded: NDArray[np.float32], window: Window) -> Array:
    """Interpolate the recorded sky bilinearly at the pixels of a window, counts."""
    x, y = sky_coordinates(window)
    place = np.clip(y, 0, len(recorded) - 1.001)
    below = place.astype(int)
    part = (place - below)[:, None]
    lines = recorded[below] * (1 - part) + recorded[below + 1] * part
    place = np.clip(x, 0, recorded.shape[1] - 1.001)
    left = place.astype(int)
    part = place - left
    return np.asarray(lines[:, left] * (1 - part) + lines[:, left + 1] * part, float)


def compress_floats(values: Array, digits: int = 10) -> NDArray[np.float32]:
    """Truncate the mantissa to some binary digits, like FLOATCOMPRESS in SDSS."""
    single = np.ascontiguousarray(values, dtype=np.float32)
    keep = np.uint32(0xFFFFFFFF << (24 - digits) & 0xFFFFFFFF)
    return (single.view(np.uint32) & keep).view(np.float32)


# The file


def make_frame_header(scan: Scan, field: Field) -> fits.Header:
    """Make the header of the image, with the keywords of a real frame that apply to a simulation."""
    solution = scan.astrometry(field.field)
    x, y = COLUMNS / 2, float(ROWS // 2)
    ra, dec = (float(value) for value in solution.to_sky(x, y))
    a, b, c, d, e, f = solution.affine
    linear = AsTrans(solution.node, solution.incl, (a, b, c, d, e, f), (0.0,) * 4, (0.0,) * 4)
    matrix = np.empty((2, 2))
    for axis, (dx, dy) in enumerate(((1.0, 0.0), (0.0, 1.0))):
        (after_ra, after_dec), (before_ra, before_dec) = linear.to_sky(x + dx, y + dy), linear.to_sky(x - dx, y - dy)
        east = (float(after_ra) - float(before_ra) + 180) % 360 - 180
        matrix[:, axis] = 0.5 * east * np.cos(np.radians(dec)), 0.5 * (float(after_dec) - float(before_dec))
    header = fits.Header()
    header["TAI"] = (first_row_tai(scan, field), "1st row - Number of seconds since Nov 17 1858")
    header["ORIGIN"] = ("SIMULATED", "not an observation: made by stargal")
    header["SIMULATE"] = (True, "simulated sky, no photon of it is real")
    header["SIMSEED"] = (scan.seed, "seed of the simulated sky")
    header["TELESCOP"] = ("2.5m", "simulated")
    header["TIMESYS"] = "TAI"
    header["RUN"] = (field.run, "Run number")
    header["FRAME"] = (field.field + FRAME_LAG[scan.band], "Frame sequence number within the run")
    header["STRIPE"] = (scan.track.stripe, "Stripe index number (23 <--> eta=0)")
    header["STRIP"] = (scan.track.strip, "Strip in the stripe being tracked.")
    header["FLAVOR"] = ("simulation", "Flavor of this run")
    header["SYS_SCN"] = ("mean", "System of the scan great circle (e.g., mean)")
    header["EQNX_SCN"] = (2000.0, "Equinox of the scan great circle. (years)")
    header["NODE"] = (scan.track.node, "RA of the great circle's ascending node (deg)")
    header["INCL"] = (scan.track.incl, "Great circle's inclination wrt cel. eq. (deg)")
    header["OBJECT"] = (f"{scan.track.stripe} {scan.track.strip}", "stripe and strip")
    header["EXPTIME"] = ("53.907456", "Exposure time (seconds)")
    header["CCDMODE"] = ("DRIFT", "'STARING' or 'DRIFT'")
    header["C_OBS"] = (26322, "CCD row clock rate (usec/row)")
    header["COLBIN"] = (1, "Binning factor perpendicular to the columns")
    header["ROWBIN"] = (1, "Binning factor perpendicular to the rows")
    header["CAMROW"] = ("riuzg".index(scan.band) + 1, "Row in the imaging camera")
    header["EQUINOX"] = 2000.0
    header["SOFTBIAS"] = (SOFT_BIAS, 'software "bias" added to all DN')
    header["BUNIT"] = ("nanomaggy", "1 nanomaggy = 3.631e-6 Jy")
    header["FILTER"] = (scan.band, "filter used")
    header["CAMCOL"] = (field.camcol, "column in the imaging camera")
    header["RADECSYS"] = ("ICRS", "International Celestial Ref. System")
    header["CTYPE1"] = ("RA---TAN", "Coordinate type")
    header["CTYPE2"] = ("DEC--TAN", "Coordinate type")
    header["CUNIT1"] = ("deg", "Units")
    header["CUNIT2"] = ("deg", "Units")
    header["CRPIX1"] = (x + 1, "X of reference pixel")
    header["CRPIX2"] = (y + 1, "Y of reference pixel")
    header["CRVAL1"] = (ra, "RA of reference pixel (deg)")
    header["CRVAL2"] = (dec, "Dec of reference pixel (deg)")
    for row in (0, 1):
        for column in (0, 1):
            header[f"CD{row + 1}_{column + 1}"] = (float(matrix[row, column]), "deg per pixel")
    header["COMMENT"] = "Floats truncated at 10 binary digits with FLOATCOMPRESS"
    header["NMGY"] = (scan.nmgy, "Calibration factor [nMgy per count]")
    header["NMGYIVAR"] = (float((0.01 * scan.nmgy) ** -2), "Calibration factor inverse variance")
    header["RERUN"] = (str(field.rerun), "rerun")
    header["HISTORY"] = "SIMULATED by stargal: not an SDSS observation."
    return header


def first_row_tai(scan: Scan, field: Field) -> float:
    """Time of the first row, TAI seconds since MJD 0; fictitious, but in the right order."""
    start = 4.4e9 + 86400.0 * (0.25 * scan.run)
    rows = STEP_ROWS * (field.field + FRAME_LAG[scan.band])
    return round(start + rows * 0.026322 * 2.0013, 2)


def frame_hdus(frame: SimulatedFrame) -> fits.HDUList:
    """Make the four HDUs of a frame file."""
    x, y = sky_coordinates()
    sky_columns = [
        fits.Column("ALLSKY", "49152E", dim="(256, 192)", array=frame.sky[None]),
        fits.Column("XINTERP", "2048E", array=x[None]),
        fits.Column("YINTERP", "1489E", array=y[None]),
    ]
    solution = frame.astrometry.as_row()
    scan_row: list[tuple[str, str, Any]] = [
        ("RUN", "J", frame.field.run),
        ("RERUN", "3A", str(frame.field.rerun)),
        ("CAMCOL", "J", frame.field.camcol),
        ("FILTER", "A", frame.band),
        ("NODE", "D", solution["NODE"]),
        ("INCL", "D", solution["INCL"]),
        ("NAXIS", "2J", (COLUMNS, ROWS)),
        ("FIELD", "J", frame.field.field),
    ]
    scan_row += [(name, "D", solution[name]) for name in "ABCDEF"]
    scan_row += [(f"{name}{power}", "D", solution[f"{name}{power}"]) for name in ("DROW", "DCOL") for power in range(4)]
    # No colour terms: the positions of simulated sources do not depend on colour.
    scan_row += [(name, "D", 0.0) for name in ("CSROW", "CSCOL", "CCROW", "CCCOL")]
    scan_row += [("RICUT", "D", 100.0), ("MJD", "D", frame.header["TAI"] / 86400), ("AIRMASS", "D", 1.2)]
    scan_row += [("MUERR", "E", 0.03), ("NUERR", "E", 0.03)]
    astrometry = [fits.Column(name, form, array=np.array([value])) for name, form, value in scan_row]
    return fits.HDUList(
        [
            fits.PrimaryHDU(frame.image, frame.header),
            fits.ImageHDU(frame.calibration),
            fits.BinTableHDU.from_columns(sky_columns),
            fits.BinTableHDU.from_columns(astrometry),
        ]
    )


def frame_bytes(frame: SimulatedFrame) -> bytes:
    """Encode a frame in the archive format: FITS, bz2-compressed."""
    stream = io.BytesIO()
    frame_hdus(frame).writeto(stream)
    return bz2.compress(stream.getvalue())


def simulate_field(field: Field, seed: int) -> tuple[Mapping[str, SimulatedFrame], dict[str, NDArray[Any]]]:
    """Simulate all five frames of a field, with its truth table."""
    sources = sources_of(field, seed)
    frames = {band: simulate_frame(field, band, seed, sources) for band in BANDS}
    return frames, truth_of(field, seed, sources)
