"""Reading and writing of cubes and frames, and rejection of damaged files."""

import bz2
import shutil

import numpy as np
import pytest
from astropy.table import Table

from made_archive import frame_bytes, make_header, projection
from stargal.errors import StargalError
from stargal.imaging.astrometry import AsTrans, Tan
from stargal.imaging.cube import Cube, make_cube_header, read_cube, write_cube
from stargal.imaging.frames import read_frame
from stargal.io.files import record_of, whole
from stargal.survey.fields import COLUMNS, ROWS, Field

FIELD = Field(301, 1000, 1, 100)


def made_cube(astrometry) -> Cube:
    image = np.zeros((5, ROWS, COLUMNS), dtype=np.float32)
    image[:, 3, 7] = [1, 2, 3, 4, np.nan]
    mask = np.isnan(image).astype(np.uint8)
    noise = np.arange(5, dtype=np.float32)
    psf = np.arange(5 * 3 * 37 * 37, dtype=np.float32).reshape(5, 3, 37, 37)
    alignment = Table({"band": list("ugriz"), "x_offset": np.arange(5.0), "dx": np.zeros((5, 6, 4))})
    header = make_cube_header(make_header(FIELD, "r"), FIELD, "ugriz", {"METHOD": "lanczos3"})
    return Cube("ugriz", image, mask, noise, noise + 1, psf, alignment, header, astrometry)


@pytest.mark.parametrize("kind", ["TAN", "asTrans"])
def test_cube_round_trip(tmp_path, kind):
    trans = AsTrans(95.0, 52.5, (215.9, 1e-4, 0.0, -0.2, 0.0, 1e-4), (0, 1e-4, 0, 0), (0, 0, 0, 0))
    cube = made_cube(Tan(projection(FIELD, "r")) if kind == "TAN" else trans)
    path = tmp_path / "cube.fits"
    write_cube(cube, path)
    back = read_cube(path)
    np.testing.assert_array_equal(back.image, cube.image)
    np.testing.assert_array_equal(back.mask, cube.mask)
    for name in ("noise", "fwhm", "psf"):
        np.testing.assert_array_equal(getattr(back, name), getattr(cube, name))
    assert back.bands == "ugriz" and back.header["FIELD"] == 100 and back.astrometry.name == kind
    assert list(back.alignment["band"]) == list("ugriz")
    np.testing.assert_allclose(back.astrometry.to_sky(5, 6), cube.astrometry.to_sky(5, 6), atol=1e-9)


def test_cube_bytes_repeat(tmp_path):
    for name in ("one.fits", "two.fits"):
        write_cube(made_cube(Tan(projection(FIELD, "r"))), tmp_path / name)
    assert (tmp_path / "one.fits").read_bytes() == (tmp_path / "two.fits").read_bytes()


def test_cube_of_a_simulated_field_is_marked():
    frame = make_header(FIELD, "r")
    assert "SIMULATE" not in make_cube_header(frame, FIELD, "ugriz", {})
    frame["ORIGIN"], frame["SIMULATE"] = "SIMULATED", True
    header = make_cube_header(frame, FIELD, "ugriz", {})
    assert header["ORIGIN"] == "SIMULATED" and header["SIMULATE"] is True


@pytest.mark.parametrize("kept", [0, 2880, 1_000_000, 61_000_000])
def test_truncated_cube_is_rejected(tmp_path, kept):
    path = tmp_path / "cube.fits"
    write_cube(made_cube(Tan(projection(FIELD, "r"))), path)
    with path.open("r+b") as stream:
        stream.truncate(kept)
    with pytest.raises(StargalError, match=r"cube\.fits: its bytes are not those recorded in cube\.fits\.sha256"):
        read_cube(path)
    record_of(path).unlink()
    with pytest.raises(StargalError, match=r"cube\.fits: not a whole cube .* remove it"):
        read_cube(path)


def test_frame_of_another_shape_is_rejected(tmp_path):
    path = tmp_path / "frame.fits.bz2"
    path.write_bytes(frame_bytes(FIELD, "g", np.ones((10, 10), dtype=np.float32)))
    with pytest.raises(StargalError, match=r"image of shape \(10, 10\)"):
        read_frame(path)


def test_frame_without_finite_pixels_is_rejected(tmp_path):
    path = tmp_path / "frame.fits.bz2"
    path.write_bytes(frame_bytes(FIELD, "g", np.full((ROWS, COLUMNS), np.nan, dtype=np.float32)))
    with pytest.raises(StargalError, match="holds no finite pixel"):
        read_frame(path)


@pytest.mark.parametrize("content", [b"<html>not found</html>", b"", bz2.compress(b"<html></html>")])
def test_other_files_are_rejected(tmp_path, content):
    path = tmp_path / "frame.fits.bz2"
    path.write_bytes(content)
    with pytest.raises(StargalError, match=r"frame\.fits\.bz2: (a web page|an empty file|not a readable FITS file)"):
        read_frame(path)


def test_files_are_written_atomically(tmp_path):
    path = tmp_path / "deep" / "file.txt"
    with pytest.raises(ValueError, match="half way"), whole(path) as partial:
        partial.write_text("half")
        raise ValueError("half way")
    assert list(path.parent.iterdir()) == []
    with whole(path) as partial:
        partial.write_text("all")
    assert path.read_text() == "all"
    shutil.rmtree(path.parent)
