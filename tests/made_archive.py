"""A small archive of made fields, in the layout and formats of SDSS, for tests that need no real sky.

The fields hold Gaussian stars and rounder, wider "galaxies" on quantised noise. They are good for testing that each
step does its work, and for nothing about the sky.
"""

import bz2
import gzip
import io
import itertools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS
from numpy.typing import NDArray

from stargal.imaging.astrometry import AsTrans
from stargal.survey.fields import BANDS, COLUMNS, FRAME_LAG, ROWS, STEP_ROWS, Field

NMGY = {"u": 0.01, "g": 0.004, "r": 0.005, "i": 0.0065, "z": 0.035}
SIGMA = {"u": 0.04, "g": 0.016, "r": 0.026, "i": 0.04, "z": 0.16}
SHIFT = {"u": (2.3, 4.7), "g": (-2.1, 8.9), "r": (0.0, 0.0), "i": (-1.3, 3.4), "z": (1.6, 7.8)}
"""Position in a band minus position in r, as the headers tell it, pixels (x, y)."""

UNTOLD = {"u": (0.05, -0.02), "g": (-0.1, 0.08), "r": (0.0, 0.0), "i": (0.03, 0.03), "z": (-0.04, 0.1)}
"""What the headers leave out, pixels."""

SCALE = 1.1e-4
"""Degrees per pixel."""

STAR_SIGMA, GALAXY_SIGMA = 1.3, 2.4
"""Widths, pixels."""


@dataclass
class MadeField:
    """The sources of a made field: positions on the r frame, class (1 star), flux in nanomaggies."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    label: NDArray[np.int64]
    flux: NDArray[np.float64]


def make_sources(field: Field, count: int = 120, seed: int = 0) -> MadeField:
    """Sources of a field, well apart from each other, half of them stars."""
    rng = np.random.default_rng([seed, field.run, field.camcol, field.field])
    cells = rng.permutation(15 * 11)[:count]
    x = 150 + 125 * (cells % 15) + rng.uniform(-35, 35, count)
    y = 120 + 125 * (cells // 15) + rng.uniform(-35, 35, count)
    label = np.arange(count) % 2
    flux = 10 ** rng.uniform(0.5, 2.2, count)
    return MadeField(x, y, label, flux)


def projection(field: Field, band: str) -> WCS:
    """TAN projection of a made frame: fields of a camcol follow each other in declination."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.cunit = ["deg", "deg"]
    ra = 10.0 + 0.5 * field.camcol + (field.run % 100)
    wcs.wcs.crval = [ra, (field.field - 100) * STEP_ROWS * SCALE]
    dx, dy = SHIFT[band]
    wcs.wcs.crpix = [COLUMNS / 2 + 1 + dx, (ROWS + 1) / 2 + dy]
    wcs.wcs.cd = np.array([[-SCALE, 0], [0, SCALE]])
    return wcs


def make_image(sources: MadeField, band: str, shape: tuple[int, int] = (ROWS, COLUMNS), seed: int = 0) -> np.ndarray:
    """One band of made sources, float32, nanomaggies."""
    rng = np.random.default_rng([seed, BANDS.index(band)])
    # A tile of noise, repeated: drawn, packed and unpacked in a third of the time.
    tile = rng.normal(0, SIGMA[band], (256, 256))
    image = np.tile(tile, (shape[0] // 256 + 1, shape[1] // 256 + 1))[: shape[0], : shape[1]].copy()
    dx, dy = np.add(SHIFT[band], UNTOLD[band])
    pixels = np.arange(-12, 13)
    for x, y, label, flux in zip(sources.x + dx, sources.y + dy, sources.label, sources.flux, strict=True):
        column, row = int(np.rint(x)), int(np.rint(y))
        sigma = STAR_SIGMA if label else GALAXY_SIGMA
        across = np.exp(-0.5 * ((pixels + column - x) / sigma) ** 2)
        along = np.exp(-0.5 * ((pixels + row - y) / sigma) ** 2)
        image[row - 12 : row + 13, column - 12 : column + 13] += flux * np.outer(along, across) / (2 * np.pi * sigma**2)
    return (np.rint(image / NMGY[band]) * NMGY[band]).astype(np.float32)


def make_header(field: Field, band: str) -> fits.Header:
    """Header of a made frame, with the keywords that SDSS frames have and stargal reads."""
    header = projection(field, band).to_header()
    for axis in (1, 2):
        for other in (1, 2):
            header[f"CD{axis}_{other}"] = (SCALE if axis == 2 else -SCALE) if axis == other else 0.0
            header.pop(f"PC{axis}_{other}", None)
        header.pop(f"CDELT{axis}", None)
    header["RUN"], header["CAMCOL"], header["RERUN"] = field.run, field.camcol, str(field.rerun)
    header["FRAME"], header["FILTER"] = field.field + FRAME_LAG[band], band
    header["NMGY"], header["BUNIT"] = NMGY[band], "nanomaggy"
    return header


def make_solution(field: Field, band: str) -> AsTrans:
    """The projection of a made frame as an asTrans solution, which it equals near the equator."""
    wcs = projection(field, band).wcs
    column, row = wcs.crpix - 0.5
    affine = (wcs.crval[0] + SCALE * column, 0.0, -SCALE, wcs.crval[1] - SCALE * row, SCALE, 0.0)
    return AsTrans(95.0, 0.0, affine, (0.0,) * 4, (0.0,) * 4)


def frame_bytes(field: Field, band: str, image: np.ndarray) -> bytes:
    """A frame as the archive serves it."""
    stream = io.BytesIO()
    fits.PrimaryHDU(image, make_header(field, band)).writeto(stream)
    return bz2.compress(stream.getvalue(), 1)


def catalog_table(field: Field, sources: MadeField, label: int) -> np.ndarray:
    """Rows of one class, with the columns that stargal needs."""
    chosen = np.flatnonzero(sources.label == label)
    ra, dec = projection(field, "r").all_pix2world(sources.x[chosen], sources.y[chosen], 0)
    columns = [(name, "i4") for name in ("RUN", "CAMCOL", "FIELD", "ID", "OBJC_TYPE", "RESOLVE_STATUS", "OBJC_FLAGS")]
    columns += [("RERUN", "S3"), ("RA", "f8"), ("DEC", "f8"), ("PSFFLUX", "f4", 5), ("MODELFLUX", "f4", 5)]
    rows = np.zeros(len(chosen), dtype=columns)
    rows["RUN"], rows["CAMCOL"], rows["FIELD"] = field.run, field.camcol, field.field
    rows["RERUN"], rows["ID"], rows["RESOLVE_STATUS"] = str(field.rerun), chosen + 1, 1
    rows["OBJC_TYPE"] = 6 if label else 3
    rows["RA"], rows["DEC"] = ra, dec
    rows["MODELFLUX"] = sources.flux[chosen, None]
    rows["PSFFLUX"] = sources.flux[chosen, None] * (1.0 if label else 0.7)
    return rows


def catalog_bytes(rows: np.ndarray) -> bytes:
    """A catalogue as the archive serves it."""
    stream = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU(rows)]).writeto(stream)
    return gzip.compress(stream.getvalue(), 1, mtime=0)


def frame_path(root: Path, field: Field, band: str) -> Path:
    """Where a frame is in an archive of the DR17 layout."""
    folder = root / f"eboss/photoObj/frames/{field.rerun}/{field.run}/{field.camcol}"
    return folder / f"frame-{band}-{field.run:06d}-{field.camcol}-{field.field:04d}.fits.bz2"


def catalog_path(root: Path, field: Field, kind: str) -> Path:
    """Where a catalogue is in an archive of the DR17 layout."""
    folder = root / f"eboss/sweeps/dr13_final/{field.rerun}"
    return folder / f"calibObj-{field.run:06d}-{field.camcol}-{kind}.fits.gz"


def make_archive(root: Path, fields: list[Field], count: int = 120, seed: int = 0) -> None:
    """Write the frames of some fields and the catalogues of their camcols."""

    def write_frame(field: Field, band: str) -> None:
        path = frame_path(root, field, band)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(frame_bytes(field, band, make_image(make_sources(field, count, seed), band, seed=seed)))

    with ThreadPoolExecutor(2) as pool:  # bz2 lets other threads run
        list(pool.map(lambda job: write_frame(*job), itertools.product(fields, BANDS)))
    rows: dict[Path, list[np.ndarray]] = {}
    for field in fields:
        for kind, label in (("star", 1), ("gal", 0)):
            table = catalog_table(field, make_sources(field, count, seed), label)
            rows.setdefault(catalog_path(root, field, kind), []).append(table)
    for path, parts in rows.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(catalog_bytes(np.concatenate(parts)))
