"""Reading and writing of cubes and frames, and rejection of damaged files."""

import bz2
import shutil
import warnings

import numpy as np
import pytest
from astropy import units
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS

from made_archive import frame_bytes, make_header, projection
from stargal.errors import StargalError
from stargal.imaging.astrometry import AsTrans, Tan
from stargal.imaging.cube import Cube, band_axis, make_cube_header, read_cube, write_cube
from stargal.imaging.frames import read_frame
from stargal.io.files import record_of, whole
from stargal.survey.fields import COLUMNS, ROWS, Field

FIELD = Field(301, 1000, 1, 100)


def made_cube(astrometry) -> Cube:
    image = np.zeros((5, ROWS, COLUMNS), dtype=np.float32)
    image[:, 3, 7] = [1, 2, 3, 4, np.nan]
    mask = np.isnan(image).astype(np.uint8)
    noise = np.arange(5, dtype=np.float32)
    psf = np.arange(5 * 5 * 37 * 37, dtype=np.float32).reshape(5, 5, 37, 37)
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


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A cube of a field that was observed on 2005-01-17, with a source of 100 nanomaggies in r."""
    cube = made_cube(Tan(projection(FIELD, "r")))
    cube.image[2, 700, 900] = 100
    frame = make_header(FIELD, "r")
    frame["TAI"] = 4612677724.61
    header = make_cube_header(frame, FIELD, "ugriz", {})
    path = tmp_path_factory.mktemp("cube") / "cube.fits"
    write_cube(Cube(**vars(cube) | {"header": header}), path)
    return path


def test_every_extension_has_checksums_and_image_and_mask_the_same_wcs(written):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with fits.open(written, checksum=True) as hdus:
            assert all("CHECKSUM" in one.header and "DATASUM" in one.header for one in hdus)
            header, mask = hdus[0].header, hdus["MASK"].header
            grid, other = WCS(header), WCS(mask)
            assert header["DATE-OBS"] == "2005-01-17T11:21:32.61"  # 32 s before TAI
            assert header["MJD-OBS"] == pytest.approx(4612677724.61 / 86400 - 32 / 86400, abs=1e-7)
    assert grid.wcs.compare(other.wcs, 0, 1e-12) is False  # the mask has no time
    for one in (grid, other):
        assert one.axis_type_names == ["RA", "DEC", "WAVE"] and one.celestial.pixel_n_dim == 2
        np.testing.assert_allclose(one.wcs_pix2world([[900, 700, 2]], 0)[0, 2], 616.28e-9, rtol=1e-9)
    sky = Tan(projection(FIELD, "r")).to_sky(900, 700)
    np.testing.assert_allclose(grid.wcs_pix2world([[900, 700, 2]], 0)[0, :2], sky, rtol=1e-9)


@pytest.mark.parametrize(
    ("bands", "kind", "unit"), [("ugriz", "WAVE", "m"), ("zirgu", "WAVE", "m"), ("rugiz", "BAND", "")]
)
def test_the_third_axis_is_wavelength_where_a_line_comes_near(bands, kind, unit):
    axis = {key: value for key, (value, _) in band_axis(bands).items()}
    assert (axis["CTYPE3"], axis["CUNIT3"]) == (kind, unit)
    last = axis["CRVAL3"] + (5 - axis["CRPIX3"]) * axis["CD3_3"]
    assert last == pytest.approx({"ugriz": 887e-9, "zirgu": 345e-9, "rugiz": 5}[bands], rel=2e-3)


def test_photutils_and_regions_measure_on_the_cube(written):
    aperture = pytest.importorskip("photutils.aperture", reason="photutils is not installed (envs/dev.txt)")
    regions = pytest.importorskip("regions", reason="regions is not installed (envs/dev.txt)")
    with fits.open(written) as hdus:
        grid = WCS(hdus[0].header).celestial
        place = grid.pixel_to_world(900, 700)
        circle = aperture.SkyCircularAperture(place, r=3 * units.arcsec)
        found = aperture.aperture_photometry(hdus[0].data[2], circle, wcs=grid)
        assert found["aperture_sum"][0] == pytest.approx(100)
        region = regions.CircleSkyRegion(place, 3 * units.arcsec).to_pixel(grid)
        assert region.to_mask().cutout(hdus["MASK"].data[2]).max() == 0


def test_reproject_takes_the_file_as_it_is(written):
    reproject = pytest.importorskip("reproject")
    target = fits.getheader(written)
    target["NAXIS1"], target["NAXIS2"] = 40, 30
    target["CRPIX1"], target["CRPIX2"] = target["CRPIX1"] - 880, target["CRPIX2"] - 690
    with fits.open(written) as hdus:
        moved, footprint = reproject.reproject_interp(hdus[0], target)
        assert moved.shape == (5, 30, 40) and footprint.all()
        np.testing.assert_allclose(moved, hdus[0].data[:, 690:720, 880:920], atol=0.01)


@pytest.mark.filterwarnings("ignore")
def test_spectral_cube_takes_the_file_as_it_is(written):
    spectral_cube = pytest.importorskip("spectral_cube", reason="spectral-cube is not installed (envs/dev.txt)")
    cube = spectral_cube.SpectralCube.read(str(written))
    assert cube.shape == (5, ROWS, COLUMNS) and cube[2][700, 900].value == 100
    assert cube.spectral_axis.to_value("nm") == pytest.approx([355.1, 468.6, 616.5, 748.1, 893.1], abs=13)
    assert cube[1:4, 690:720, 880:920].moment(order=0).shape == (30, 40)
