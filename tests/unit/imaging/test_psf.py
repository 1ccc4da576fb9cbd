"""The PSF of a field: measured on stars, and given at any source."""

import os
from pathlib import Path

import numpy as np
import pytest

from stargal.errors import StargalError
from stargal.imaging.frames import read_frame
from stargal.imaging.psf import PSF_HALF, cut_stamps, measure_psf, psf_stamps, read_psf
from stargal.imaging.stars import find_stars, sky_noise

SIGMA = 1.6


def gaussian(x, y, sigma, shape):
    """A round Gaussian of unit flux at a position of an image."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    return np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * sigma**2)) / (2 * np.pi * sigma**2)


def made_images(widths):
    """Images of a PSF whose width in each band is the same in all columns."""
    images = np.zeros((len(widths), 3, 2 * PSF_HALF + 1, 2 * PSF_HALF + 1), np.float32)
    for band, width in enumerate(widths):
        images[band, 0] = gaussian(PSF_HALF, PSF_HALF, width, images.shape[2:])
    return images


@pytest.mark.parametrize("size", [15, 25, 49])
def test_the_psf_lies_where_the_source_lies_in_its_patch(size):
    x, y = np.array([100.3, 7.5, 2000.0]), np.array([40.45, 3.0, 11.8])
    stamps = psf_stamps(made_images([1.4, SIGMA]), x, y, size)
    assert stamps.shape == (3, size, size, 2) and stamps.dtype == np.float32
    for stamp, column, row in zip(stamps, x - np.rint(x), y - np.rint(y), strict=True):
        for band, width in enumerate([1.4, SIGMA]):
            expected = gaussian(size // 2 + column, size // 2 + row, width, (size, size))
            np.testing.assert_allclose(stamp[:, :, band], expected, atol=0.01 * expected.max())


def test_the_psf_follows_the_column():
    images = made_images([SIGMA])
    images[0, 1] = made_images([1.2])[0, 0] - images[0, 0]
    left, right = psf_stamps(images, np.array([0.0, 2047.0]), np.array([9.0, 9.0]), 25)[:, 12, 12, 0]
    middle = psf_stamps(images, np.array([1024.0]), np.array([9.0]), 25)[0, 12, 12, 0]
    assert left < middle < right
    assert right == pytest.approx(gaussian(0, 0, 1.2, (1, 1))[0, 0], rel=1e-3)


def made_stars(rows, width):
    """An image of noise and 80 round stars, whose width is a function of the row."""
    random = np.random.default_rng(1)
    image = random.normal(0, 1, (rows, 2048)).astype(np.float32)
    for x, y in random.uniform([30, 30], [2018, rows - 30], (80, 2)):
        column, row = int(x) - 20, int(y) - 20
        star = gaussian(x - column, y - row, width(y), (41, 41))
        image[row : row + 41, column : column + 41] += 3000 * star
    return image


def test_the_psf_follows_the_stars_along_the_rows():
    image = made_stars(1489, lambda y: SIGMA * (1 + 0.05 * (y / 744 - 1)))
    measured = measure_psf(image, 1.0, np.inf)
    found = measured.sigma([300.0, 1500.0], [0.0, 1488.0]) / SIGMA
    np.testing.assert_allclose(found, [0.95, 1.05], atol=0.005)
    stamps = psf_stamps(measured.images[np.newaxis], np.full(2, 500.0), np.array([0.0, 1488.0]), 25)[:, :, :, 0]
    for stamp, width in zip(stamps, [0.95 * SIGMA, 1.05 * SIGMA], strict=True):
        np.testing.assert_allclose(stamp, gaussian(12, 12, width, (25, 25)), atol=0.002)


def test_the_psf_is_that_of_the_stars():
    image = made_stars(600, lambda _: SIGMA)
    measured = measure_psf(image, 1.0, np.inf)
    stamp = psf_stamps(measured.images[np.newaxis], np.array([500.25]), np.array([300.0]), 25)[0, :, :, 0]
    np.testing.assert_allclose(stamp, gaussian(12.25, 12, SIGMA, (25, 25)), atol=0.002)


def test_a_field_without_a_psf_is_one_clear_line(tmp_path):
    images = made_images([SIGMA] * 5)
    images[0] = np.nan
    np.save(tmp_path / "field.psf.npy", images)
    with pytest.raises(StargalError, match=r"field\.psf\.npy: too few stars to measure the PSF of band 1 of 5"):
        read_psf(tmp_path / "field.psf.npy")


@pytest.mark.skipif("STARGAL_MIRROR" not in os.environ, reason="STARGAL_MIRROR is not set to a mirror of SDSS imaging")
def test_the_psf_flux_of_stars_does_not_depend_on_the_row_of_a_real_frame():
    """Relative to the flux in an aperture. With a PSF that varies along the columns alone, the slope is -0.06."""
    mirror = Path(os.environ["STARGAL_MIRROR"].removeprefix("file://"))
    frame = read_frame(mirror / "eboss/photoObj/frames/40/4192/4/frame-i-004192-4-0300.fits.bz2")
    image = np.nan_to_num(frame.image)
    sigma = sky_noise(image)
    psf = measure_psf(image, sigma, np.inf).images[np.newaxis]
    stars = find_stars(image, sigma, peak_snr=25.0)
    stamps, images = (
        cut_stamps(image, stars.x, stars.y, 4),
        psf_stamps(psf, np.rint(stars.x), np.rint(stars.y), 9)[..., 0],
    )
    ratio = (stamps * images).sum(axis=(1, 2)) / (images**2).sum(axis=(1, 2)) / stars.flux
    ratio /= np.median(ratio)
    clean = np.abs(ratio - 1) < 0.12
    assert clean.sum() > 50
    assert abs(np.polyfit(stars.y[clean] / 744 - 1, ratio[clean], 1)[0]) < 0.02
