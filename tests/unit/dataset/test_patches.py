"""Patches compared with slices, at the edges of the frame, and in damaged files."""

import numpy as np
import pytest

from stargal.dataset.patches import extract_patches, read_patches, write_patches
from stargal.errors import StargalError
from stargal.io.files import record_of


@pytest.fixture
def image():
    return np.random.default_rng(0).normal(size=(5, 60, 80)).astype(np.float32)


@pytest.mark.parametrize("size", [1, 15, 25, 49])
def test_patches_are_slices(image, size):
    half = size // 2
    x, y = np.array([40.0, 30.4, 35.6]), np.array([30.0, 28.6, 31.4])
    patches = extract_patches(image, x, y, size)
    assert patches.shape == (3, size, size, 5) and patches.dtype == np.float32
    padded = np.pad(image, [(0, 0), (half, half), (half, half)], constant_values=np.nan)
    for patch, column, row in zip(patches, [40, 30, 36], [30, 29, 31], strict=True):
        expected = np.moveaxis(padded[:, row : row + size, column : column + size], 0, -1)
        np.testing.assert_array_equal(patch, expected)


def test_outside_the_frame_is_nan(image):
    corner = extract_patches(image, [0], [59], 25)[0]
    inside = np.isfinite(corner[:, :, 0])
    assert inside.sum() == 13 * 13 and inside[:13, 12:].all()
    np.testing.assert_array_equal(corner[12, 12], image[:, 59, 0])


def test_no_sources_no_patches(image):
    assert extract_patches(image, [], [], 25).shape == (0, 25, 25, 5)


@pytest.mark.parametrize("size", [0, 24, -3])
def test_size_must_be_odd(image, size):
    with pytest.raises(StargalError, match="odd"):
        extract_patches(image, [5], [5], size)


def test_position_must_be_inside(image):
    with pytest.raises(StargalError, match="source 1 at column 80, row 5"):
        extract_patches(image, [5, 79.6], [5, 5], 15)


def test_big_endian_images_are_read(image):
    np.testing.assert_array_equal(
        extract_patches(image.astype(">f4"), [9], [9], 5), extract_patches(image, [9], [9], 5)
    )


def test_files_of_patches(tmp_path, image):
    path = tmp_path / "patches.npy"
    patches = extract_patches(image, [20, 30], [20, 30], 15)
    write_patches(patches, path)
    np.testing.assert_array_equal(read_patches(path, 2), patches)
    with pytest.raises(StargalError, match="2 patches for 3 sources; remove the file"):
        read_patches(path, 3)
    record_of(path).unlink()  # otherwise the record reveals the damage first
    for kept in (0, 50, len(path.read_bytes()) - 8):
        path.write_bytes(path.read_bytes()[:kept])
        with pytest.raises(StargalError, match="remove the file and run again"):
            read_patches(path, 2)
