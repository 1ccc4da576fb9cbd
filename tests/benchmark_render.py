"""Compare the rendering of one band of a simulated field by `stargal.simulation.render` and GalSim: time and pixels.

    python tests/benchmark_render.py [rerun-run-camcol-field] [band]

Both draw the light alone, without sky and noise, each source on a stamp as large as `stargal.simulation.render` gives
it. GalSim draws the same profiles: two Gaussians and a power law for the PSF, a disk and a bulge for a galaxy, but
neither diffraction spikes nor clumps, and PSFs in steps of 1 % of their width, since it makes a table for each. CPU
time is that of one thread; the difference is told in units of the sky's noise, in which it would have to be seen, and
as flux of all sources together.
"""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))

import galsim
import numpy as np
from numpy.typing import NDArray

from stargal.simulation import exposures, render
from stargal.simulation.camera import Scan
from stargal.survey.fields import COLUMNS, ROWS, STEP_ROWS, Field
from stargal.survey.labels import STAR

SEED = 1

Image = NDArray[np.float64]


def draw_with_galsim(scan: Scan, field: Field, sources: NDArray[np.void]) -> tuple[Image, int]:
    """The light of sources on a frame, nanomaggies a pixel, and how many were drawn."""
    sigma = float(scan.calibration.mean()) * scan.sky_sigma
    sources = sources[sources["flux"][:, scan.index] > exposures.LOST * sigma]
    x, y = scan.to_pixel(field.field, sources["ra"], sources["dec"])
    flux = sources["flux"][:, scan.index]
    fwhm = scan.fwhm(np.clip(x, 0, COLUMNS - 1), y + STEP_ROWS * field.field)
    blur = render.Blur.of_fwhm(render.shares_of(scan.band, scan.seeing), fwhm, scan.ellipticity, scan.spike_angle)
    e1, e2 = scan.ellipticity
    # GalSim's "distortion" is (Cxx - Cyy, 2 Cxy) / (Cxx + Cyy).
    shear = galsim.Shear(e1=e1, e2=e2)
    shapes = exposures.shapes_on_frame(scan, field, sources)
    reach = np.cbrt(flux * blur.shares[2] * render.WINGS * blur.width / (2 * np.pi * exposures.WING_LIMIT * sigma))
    halves = np.array(render.STAR_HALVES)
    sides = np.array(render.GALAXY_SIDES)
    extent = np.maximum(4.0 * shapes.disk_radius, 5.0 * shapes.bulge_radius * (shapes.bulge_fraction > 0.05))
    wanted = np.minimum(np.searchsorted(sides, 2 * extent + 8 * blur.width), len(sides) - 1)
    tier = np.minimum(np.searchsorted(halves, reach), len(halves) - 1)
    precise = galsim.GSParams(maximum_fft_size=32768)
    psfs: dict[int, galsim.GSObject] = {}
    image = galsim.ImageD(COLUMNS, ROWS, xmin=0, ymin=0)
    for index in range(len(sources)):
        step = round(float(np.log(blur.width[index])) / 0.01)
        if step not in psfs:
            psfs[step] = point_source(float(np.exp(0.01 * step)), blur.shares).shear(shear)
        psf = psfs[step]
        if sources["label"][index] == STAR:
            drawn, side = psf, 2 * int(halves[tier[index]]) + 1
        else:
            drawn = galsim.Convolve([galaxy(shapes, index), psf], gsparams=precise)
            side = int(sides[wanted[index]])
        left, top = round(float(x[index])) - side // 2, round(float(y[index])) - side // 2
        bounds = galsim.BoundsI(left, left + side - 1, top, top + side - 1)
        if not (bounds & image.bounds).isDefined():
            continue
        stamp = galsim.ImageD(bounds)
        center = galsim.PositionD(float(x[index]), float(y[index]))
        drawn.withFlux(float(flux[index])).drawImage(stamp, scale=1.0, method="no_pixel", center=center)
        both = bounds & image.bounds
        image[both] += stamp[both]
    return image.array, len(sources)


def point_source(width: float, shares: tuple[float, float, float]) -> galsim.GSObject:
    """A round PSF whose inner Gaussian has a width, pixels."""
    return galsim.Add(
        galsim.Gaussian(sigma=render.INNER * width, flux=shares[0]),
        galsim.Gaussian(sigma=render.OUTER * width, flux=shares[1]),
        galsim.Moffat(beta=1.5, scale_radius=render.WINGS * width, flux=shares[2]),
    )


def galaxy(shapes: render.Galaxies, index: int) -> galsim.GSObject:
    """A disk and a bulge; GalSim keeps the area of an ellipse, so radii are those of the circle of that area."""
    angle = float(shapes.angle[index]) * galsim.radians
    bulge = min(float(shapes.bulge_fraction[index]), 1.0)
    parts = []
    if bulge < 1:
        ratio = float(shapes.axis_ratio[index])
        disk = galsim.Exponential(half_light_radius=float(shapes.disk_radius[index]) * ratio**0.5, flux=1 - bulge)
        parts.append(disk.shear(q=ratio, beta=angle))
    if bulge > 0:
        ratio = float(shapes.bulge_axis_ratio[index])
        radius = float(shapes.bulge_radius[index]) * ratio**0.5
        # Photo fades the profile out between 7 and 8 radii; GalSim cuts it off.
        profile = galsim.DeVaucouleurs(half_light_radius=radius, trunc=7.6 * radius, flux_untruncated=True)
        parts.append(profile.withFlux(bulge).shear(q=ratio, beta=angle))
    return galsim.Add(parts)


def main() -> None:
    """Draw both and print a comparison."""
    field = Field.parse(sys.argv[1] if len(sys.argv) > 1 else "301-8162-6-120")
    band = sys.argv[2] if len(sys.argv) > 2 else "r"
    scan = Scan(SEED, field.run, field.camcol, band)
    sources = exposures.sources_of(field, SEED)
    sources["clump_fraction"] = 0
    start = time.process_time()
    ours = exposures.draw_sources(scan, field, sources)
    middle = time.process_time()
    theirs, number = draw_with_galsim(scan, field, sources)
    times = middle - start, time.process_time() - middle
    sigma = float(scan.calibration.mean()) * scan.sky_sigma
    difference = np.abs(ours - theirs) / sigma
    print(f"simulated sky, seed {SEED}: field {field.name}, band {band}: {number} sources drawn")
    print(f"stargal.render {times[0]:.2f} s CPU, GalSim {times[1]:.2f} s: {times[1] / times[0]:.0f} times as long")
    print(f"pixels that differ by more than 0.1 (1) sigma of the sky: {(difference > 0.1).mean():.1e}", end=" ")
    print(f"({(difference > 1).mean():.1e}); rms of all {np.sqrt((difference**2).mean()):.3f} sigma")
    print(f"light of all sources, GalSim's over ours: {theirs.sum() / ours.sum():.4f}")


if __name__ == "__main__":
    main()
