"""Alignment of one real field beside its alternatives: CPU time, memory and quality, in one run.

    STARGAL_MIRROR=... python tests/benchmark_align.py [rerun-run-camcol-field]

Each way reads the five compressed frames, puts them on r's grid and writes the cube; imports are not counted. The
yardstick is `bz2.decompress` of the same five files, measured before and after. SWarp is included where it is
installed. Quality is measured on the same stars for all: the worst median offset from r over g, i, z and for u, in
either axis; the worst change of aperture flux and of the PSF's width; the noise of the sky after over before.
"""

import bz2
import io
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))

import numpy as np
import reproject  # noqa: F401  (its import is no part of the times)
from astropy.io import fits

from made_archive import frame_path
from stargal.imaging.align import align_field
from stargal.imaging.astrometry import map_pixels
from stargal.imaging.cube import write_cube
from stargal.imaging.frames import read_frame
from stargal.imaging.stars import find_stars, measure_stars, sky_noise
from stargal.survey.fields import BANDS, Field

METHODS = ("lanczos3", "lanczos3, no refinement", "interp", "exact", "adaptive")


def cpu_seconds() -> float:
    """CPU time of this process and its finished children, s."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def timed(work: Callable[[], object]) -> tuple[object, float]:
    """What `work` gives, and its CPU time."""
    start = cpu_seconds()
    return work(), cpu_seconds() - start


def decompress(paths: dict[str, Path]) -> float:
    """The yardstick: CPU time to unpack the five frames."""
    return timed(lambda: [len(bz2.decompress(path.read_bytes())) for path in paths.values()])[1]


def align(paths: dict[str, Path], field: Field, method: str, folder: Path) -> dict[str, np.ndarray]:
    """The way of this workflow, with any of its methods."""
    name, _, without = method.partition(",")
    others = (read_frame(paths[band]) for band in "ugiz")
    cube = align_field(field, read_frame(paths["r"]), others, "".join(BANDS), name, refine=not without)
    write_cube(cube, folder / "cube.fits")
    return dict(zip(BANDS, cube.image, strict=True))


def swarp(paths: dict[str, Path], folder: Path, program: str) -> dict[str, np.ndarray]:
    """SWarp's Lanczos-3, a run a band, on r's grid."""
    images = {}
    for band in ("r", "u", "g", "i", "z"):
        content = bz2.decompress(paths[band].read_bytes())
        with fits.open(io.BytesIO(content)) as hdus:
            primary = fits.PrimaryHDU(hdus[0].data, hdus[0].header)
            primary.writeto(folder / f"{band}.fits", overwrite=True)
            if band == "r":
                images[band] = hdus[0].data.astype(np.float32)
                keys = ("NAXIS", "CTYPE", "CUNIT", "CRVAL", "CRPIX", "CD")
                cards = [card for card in hdus[0].header.cards if card.keyword.startswith(keys)]
                (folder / "out.head").write_text("\n".join(str(card) for card in cards) + "\nEND\n")
                continue
        command = (
            f"{program} {band}.fits -IMAGEOUT_NAME out.fits -RESAMPLING_TYPE LANCZOS3 -SUBTRACT_BACK N -NTHREADS 1"
        )
        command += " -COMBINE_TYPE AVERAGE -WRITE_XML N -VERBOSE_TYPE QUIET -FSCALASTRO_TYPE NONE"
        subprocess.run(command.split(), cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        images[band] = fits.getdata(folder / "out.fits").astype(np.float32)
    return images


def quality(paths: dict[str, Path], images: dict[str, np.ndarray]) -> dict[str, float]:
    """How well the bands lie on r, and what became of flux, width and noise."""
    reference = read_frame(paths["r"])
    stars = find_stars(reference.image, sky_noise(reference.image))
    offsets, fluxes, widths, noises = {}, [], [], []
    for band in "ugiz":
        frame = read_frame(paths[band])
        dx, dy = map_pixels(reference.astrometry, frame.astrometry).shift(stars.x, stars.y)
        sigma = sky_noise(frame.image)
        before = measure_stars(frame.image, stars.x + dx, stars.y + dy, sigma)
        after = measure_stars(images[band], stars.x, stars.y, sigma)
        ok = before.ok & after.ok & (before.snr > 15)
        axes = [np.median((after.x - stars.x)[ok]), np.median((after.y - stars.y)[ok])]
        offsets[band] = np.abs(axes).max()
        fluxes.append(np.median((after.flux / before.flux)[ok]) - 1)
        widths.append(np.median((after.sigma / before.sigma)[ok]) - 1)
        noises.append(sky_noise(images[band]) / sigma)
    return {
        "griz offset, px": max(offsets[band] for band in "giz"),
        "u offset, px": offsets["u"],
        "flux, %": 100 * max(fluxes, key=abs),
        "width, %": 100 * max(widths, key=abs),
        "noise": float(np.mean(noises)),
    }


def main() -> None:
    """Run all ways and print a table."""
    if "STARGAL_MIRROR" not in os.environ:
        sys.exit("error: STARGAL_MIRROR does not name a mirror of real SDSS files")
    field = Field.parse(sys.argv[1] if len(sys.argv) > 1 else "301-3918-3-213")
    paths = {band: frame_path(Path(os.environ["STARGAL_MIRROR"]), field, band) for band in BANDS}
    program = shutil.which("SWarp") or shutil.which("swarp")
    floor = [decompress(paths)]
    rows: dict[str, tuple[float, dict[str, float]]] = {}
    peak = 0.0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for method in METHODS:
            times = []
            for _ in range(3 if method.startswith("lanczos3") else 1):
                images, seconds = timed(lambda method=method: align(paths, field, method, folder))
                times.append(seconds)
                floor += [decompress(paths)] if method.startswith("lanczos3") else []
            rows[method] = (float(np.median(times)), quality(paths, images))
            peak = peak or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        if program:
            images, seconds = timed(lambda: swarp(paths, folder, program))
            rows["SWarp"] = (seconds, quality(paths, images))
    yardstick = float(np.median(floor))
    names = list(rows["lanczos3"][1])
    print(f"field {field.name}; bz2.decompress of its five frames: {yardstick:.2f} s CPU")
    print(f"{'way':26}{'CPU, s':>8}{'ratio':>8}" + "".join(f"{title:>17}" for title in names))
    for way, (seconds, figures) in rows.items():
        print(f"{way:26}{seconds:8.2f}{seconds / yardstick:8.2f}" + "".join(f"{figures[n]:17.3f}" for n in names))
    print(f"peak memory of the default way, imports and all: {peak:.0f} MB")
    if not program:
        print("SWarp is not installed")


if __name__ == "__main__":
    main()
