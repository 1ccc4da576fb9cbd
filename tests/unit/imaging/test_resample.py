"""The Lanczos kernel on images with a known result."""

import numpy as np
import pytest
from astropy.wcs import WCS

from stargal.errors import StargalError
from stargal.imaging.astrometry import Mapping
from stargal.imaging.resample import REACH, lanczos3, reproject_image, resample

SHAPE = (200, 700)


def shift_by(dx, dy, slope=0.0):
    coefficients = np.zeros((2, 6, 4))
    coefficients[0, 0, 0], coefficients[1, 0, 0] = dx, dy
    coefficients[:, 1, 0] = slope
    coefficients[:, 0, 1] = slope
    return Mapping(*coefficients)


def blobs(dx=0.0, dy=0.0, sigma=1.5):
    """Gaussians on a grid, displaced by (dx, dy)."""
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    image = np.zeros(SHAPE)
    for centre_y in range(30, 180, 45):
        for centre_x in range(40, 680, 71):
            image += np.exp(-0.5 * ((x - centre_x - dx) ** 2 + (y - centre_y - dy) ** 2) / sigma**2)
    return image.astype(np.float32)


def test_lanczos3_follows_its_definition():
    shift = np.linspace(-2.9, 4.1, 50)
    taps = np.arange(-3, 5)
    distance = shift - taps[:, None]
    expected = np.where(np.abs(distance) < 3, np.sinc(distance) * np.sinc(distance / 3), 0)
    np.testing.assert_allclose(lanczos3(shift, taps), expected, atol=1e-12)


def test_whole_pixels_are_copied():
    image = np.random.default_rng(0).normal(size=SHAPE).astype(np.float32)
    output = resample(image, shift_by(4.0, -7.0))
    np.testing.assert_allclose(output[10:-10, 10:-10], image[3:-17, 14:-6], atol=2e-6)


@pytest.mark.parametrize("dx, dy", [(0.5, 0.5), (-3.25, 8.9), (11.7, -0.4)])
def test_shift_is_undone(dx, dy):
    """A shift by (dx, dy) is undone. At half a pixel, Lanczos-3 overshoots such a peak by 0.4 % per axis."""
    output = resample(blobs(dx, dy), shift_by(dx, dy))
    inner = (slice(20, -20), slice(20, -20))
    assert np.abs(output[inner] - blobs()[inner]).max() < 0.0085


def test_tiles_equal_the_kernel_pixel_by_pixel():
    """With a shift that varies over the field, as between SDSS bands, tiles are accurate to 1e-4."""
    image = blobs()
    mapping = shift_by(1.3, 2.6, 0.35)
    output = resample(image, mapping)
    rng = np.random.default_rng(2)
    for x, y in zip(rng.integers(20, SHAPE[1] - 20, 400), rng.integers(20, SHAPE[0] - 20, 400), strict=True):
        dx, dy = mapping.shift(x, y)
        columns = int(np.floor(x + dx)) + np.arange(-2, 4)
        rows = int(np.floor(y + dy)) + np.arange(-2, 4)
        across, along = x + dx - columns, y + dy - rows
        weight_x = np.sinc(across) * np.sinc(across / 3)
        weight_y = np.sinc(along) * np.sinc(along / 3)
        weights = np.outer(weight_y / weight_y.sum(), weight_x / weight_x.sum())
        # Pixels of the image per pixel of the output: 1 + d(dx)/dx, times the same in y.
        area = (1 + 0.35 * 2 / 2047) * (1 + 0.35 * 2 / 1488) - 0.35**2 * 4 / 2047 / 1488
        assert output[y, x] == pytest.approx(area * (weights * image[np.ix_(rows, columns)]).sum(), abs=1e-4)


def test_flux_is_conserved_when_pixels_differ_in_size():
    image, mapping = blobs(), shift_by(0.3, 0.2)
    stretch = np.zeros((6, 4))
    stretch[1, 0] = 2.0  # 2 pixels at the right edge: pixels 2e-3 larger in x
    output = resample(image, mapping.refined(stretch, np.zeros((6, 4))))
    assert np.nansum(output) == pytest.approx(image.sum(), rel=3e-4)


def test_no_data_is_nan_and_nothing_else():
    output = resample(np.ones(SHAPE, dtype=np.float32), shift_by(5.5, -2.5))
    missing = np.isnan(output)
    assert missing[:, -5 - REACH :].all() and missing[: 2 + REACH].all()
    assert not missing[6:-4, 4:-10].any()
    np.testing.assert_allclose(output[~missing], 1.0, atol=1e-6)


def test_nan_stays_local():
    image = np.ones(SHAPE, dtype=np.float32)
    image[100, 300] = np.nan
    missing = np.isnan(resample(image, shift_by(0.5, 0.5)))
    assert missing[98:103, 298:303].any()
    missing[94:107, 294:307] = False
    assert not missing[10:-10, 10:-10].any()


def test_bands_far_apart_are_rejected():
    with pytest.raises(StargalError, match="100 pixels apart"):
        resample(np.ones(SHAPE, dtype=np.float32), shift_by(0.0, 100.0))


@pytest.mark.parametrize("method", ["exact", "interp", "adaptive"])
def test_reproject_methods(method):
    """The methods of `reproject` place a source according to the projection and pad with NaN."""
    reference, band = WCS(naxis=2), WCS(naxis=2)
    for wcs, crpix in ((reference, (50, 50)), (band, (52, 47))):
        wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.crpix = ["RA---TAN", "DEC--TAN"], [10, 0], crpix
        wcs.wcs.cdelt = [-1e-4, 1e-4]
    image = np.zeros((100, 120), dtype=np.float32)
    image[57, 62] = 1.0
    output = reproject_image(image, band, reference, method)
    assert output.dtype == np.float32
    assert np.unravel_index(np.nanargmax(output), output.shape) == (60, 60)
    assert np.isnan(output[:3]).all()
