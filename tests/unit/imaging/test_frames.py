"""Frames as they come: what is read rightly, and what is refused on one line."""

import io
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from made_archive import NMGY, SHIFT, frame_path, make_header, make_solution, projection
from stargal.archive.verify import check_frame
from stargal.errors import StargalError
from stargal.imaging import frames
from stargal.imaging.astrometry import AsTrans, Tan
from stargal.imaging.cube import make_cube_header
from stargal.imaging.frames import Frame, parse_frame, read_frame
from stargal.survey.fields import COLUMNS, ROWS, Field

FIELD = Field(301, 1000, 1, 100)
NOISE = np.resize(np.random.default_rng(3).normal(0, 0.02, 509).astype(np.float32), (ROWS, COLUMNS))
X, Y = np.array([0.0, 1000.0, 2047.0]), np.array([1488.0, 3.0, 700.0])


def made(
    image: np.ndarray = NOISE, table: Any = None, keywords: dict[str, Any] | None = None, band: str = "g"
) -> bytes:
    """A frame with some keywords changed, those of None removed, and a table or image in HDU3."""
    header = make_header(FIELD, band)
    for key, value in (keywords or {}).items():
        if value is None:
            header.remove(key)
        else:
            header[key] = value
    hdus = fits.HDUList([fits.PrimaryHDU(image, header)])
    if table is not None:
        last = fits.ImageHDU(table) if isinstance(table, np.ndarray) else fits.BinTableHDU(table)
        hdus += [fits.ImageHDU(np.ones(COLUMNS, np.float32)), fits.BinTableHDU(Table({"ALLSKY": [1.0]})), last]
        hdus.update_extend()
    stream = io.BytesIO()
    hdus.writeto(stream, output_verify="silentfix")
    return stream.getvalue()


def with_card(data: bytes, card: str) -> bytes:
    """Replace the card BUNIT by text that astropy would not write."""
    place = data.index(b"BUNIT")
    return data[:place] + card.ljust(80).encode("latin-1") + data[place + 80 :]


def refused(data: bytes, said: str) -> None:
    """Neither the verification nor the use of a frame accepts it; both say why on one line."""
    for read in (lambda: check_frame(data, FIELD, "g"), lambda: parse_frame(data)):
        with pytest.raises(StargalError, match=said) as caught:
            read()
        assert "\n" not in str(caught.value)


def used(data: bytes) -> Frame:
    """The verification accepts a frame, and its use does."""
    check_frame(data, FIELD, "g")
    return parse_frame(data)


# Pixels that are no numbers -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30, -1e30, 3e38, 1e6])
def test_pixels_that_are_no_numbers_are_missing(value):
    """Infinite, or more than a pixel can hold, as the fill values of some programs."""
    image = NOISE.copy()
    image[700:703, 1000] = value
    read = parse_frame(made(image)).image
    assert np.isnan(read[700:703, 1000]).all() and np.isnan(read).sum() == 3
    np.testing.assert_array_equal(np.delete(read, 1000, axis=1), np.delete(NOISE, 1000, axis=1))


def test_blank_integers_are_missing():
    """An image of integers with BSCALE; BLANK marks those that are no pixels."""
    scaled = np.rint(NOISE / 0.001).astype(np.int16)
    scaled[5, 7] = -32768
    stream = io.BytesIO()
    unit = fits.PrimaryHDU(scaled, make_header(FIELD, "g"))
    unit.header["BSCALE"], unit.header["BLANK"] = 0.001, -32768
    unit.writeto(stream)
    read = parse_frame(stream.getvalue()).image
    assert np.isnan(read[5, 7]) and np.isnan(read).sum() == 1
    np.testing.assert_allclose(read[0], NOISE[0], atol=6e-4)


# Dead bands -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [0.0, 0.25, np.nan, np.inf])
def test_a_dead_band_is_refused(value):
    refused(made(np.full((ROWS, COLUMNS), value, np.float32)), "no finite pixel, or the same value everywhere")


def test_a_band_without_noise_is_refused():
    """A smooth ramp; and a few pixels of noise on nothing."""
    ramp = np.linspace(0, 1e-9, ROWS * COLUMNS, dtype=np.float32).reshape(ROWS, COLUMNS)
    few = np.zeros((ROWS, COLUMNS), np.float32)
    few[np.arange(ROWS), np.arange(ROWS)] = NOISE[0, :ROWS]
    few[np.arange(COLUMNS) % ROWS, np.arange(COLUMNS)] += 0.01
    for image in (np.where(ramp > 0, 0, ramp) + np.eye(ROWS, COLUMNS, dtype=np.float32) * 1e-3, few):
        refused(made(image.astype(np.float32)), "(shows no sky|the same value everywhere)")


@pytest.mark.parametrize("part", [np.s_[700:], np.s_[:, :1000], np.s_[40:41]])
def test_dead_rows_and_columns_are_missing(part):
    image = NOISE.copy()
    image[part] = 0
    read = parse_frame(made(image)).image
    assert np.isnan(read[part]).all() and np.isnan(read).sum() == image[part].size


def test_a_dead_band_is_refused_whatever_the_unit():
    refused(made(keywords={"BUNIT": "ADU"}), "BUNIT is adu; expected nanomaggy")
    refused(made(keywords={"NMGY": 0.0}), "NMGY is 0")
    refused(made(NOISE * np.float32(1e5)), "shows no sky")


# Axes in another order ------------------------------------------------------------------------------------------------


def positions(data: bytes) -> tuple[Any, Any]:
    return parse_frame(data).astrometry.to_sky(X, Y)


def exchanged() -> dict[str, Any]:
    """The same projection with declination as the first axis."""
    header = make_header(FIELD, "g")
    pairs = [(f"{name}1", f"{name}2") for name in ("CTYPE", "CRVAL", "CUNIT")]
    pairs += [(f"CD1_{axis}", f"CD2_{axis}") for axis in (1, 2)]
    return {key: header[other] for pair in pairs for key, other in (pair, pair[::-1])}


def in_arcsec() -> dict[str, Any]:
    header = make_header(FIELD, "g")
    keys = [f"{name}{axis}" for name in ("CRVAL", "CD1_", "CD2_") for axis in (1, 2)]
    return {key: header[key] * 3600 for key in keys} | {"CUNIT1": "arcsec", "CUNIT2": "arcsec"}


def as_pc() -> dict[str, Any]:
    header = make_header(FIELD, "g")
    removed = dict.fromkeys(f"CD{axis}_{other}" for axis in (1, 2) for other in (1, 2))
    return removed | {"CDELT1": header["CD1_1"], "CDELT2": header["CD2_2"], "CROTA2": 0.0}


@pytest.mark.parametrize(
    "keywords",
    [
        exchanged(),
        in_arcsec(),
        as_pc(),
        {"CUNIT1": None, "CUNIT2": None},
        {"RADESYS": "FK5", "EQUINOX": 2000.0},
        {"RADESYS": None},
        {"CDELT1": 1.0, "CDELT2": 1.0, "CROTA2": 30.0},
    ],
    ids=["axes", "units", "matrix", "no-units", "FK5", "no-system", "two-matrices"],
)
def test_axes_in_another_order_or_form_give_the_same_positions(keywords):
    """On the frame, on the cube made of it, and back."""
    ra, dec = positions(made())
    frame = parse_frame(made(keywords=keywords))
    cube = Tan.from_header(make_cube_header(frame.header, FIELD, "ugriz", {}))
    for astrometry in (frame.astrometry, cube):
        found = astrometry.to_sky(X, Y)
        np.testing.assert_allclose(found, (ra, dec), rtol=0, atol=1e-9)
        np.testing.assert_allclose(astrometry.to_pixel(*found), (X, Y), atol=1e-6)


@pytest.mark.parametrize(
    "keywords",
    [
        {"CTYPE1": "RA---TAN-SIP", "CTYPE2": "DEC--TAN-SIP", "A_ORDER": 2, "A_2_0": 1e-6, "B_ORDER": 2, "B_0_2": 2e-6},
        {"CTYPE1": "RA---TPV", "CTYPE2": "DEC--TPV", "PV1_1": 1.0, "PV2_1": 1.0, "PV1_4": 1e-3},
    ],
    ids=["SIP", "TPV"],
)
def test_the_distortion_of_a_header_stays_in_the_cube(keywords):
    frame = parse_frame(made(keywords=keywords))
    assert np.abs(np.subtract(frame.astrometry.to_sky(X, Y), positions(made()))).max() > 1e-6
    cube = Tan.from_header(make_cube_header(frame.header, FIELD, "ugriz", {}))
    np.testing.assert_allclose(cube.to_sky(X, Y), frame.astrometry.to_sky(X, Y), atol=1e-12)
    np.testing.assert_allclose(cube.to_pixel(*cube.to_sky(X, Y)), (X, Y), atol=1e-3)
    assert np.isnan(cube.to_pixel([200.0], [80.0])).all()


@pytest.mark.parametrize(
    ("keywords", "said"),
    [
        ({"CTYPE1": "GLON-TAN", "CTYPE2": "GLAT-TAN"}, "CTYPE1 and CTYPE2 are GLON-TAN and GLAT-TAN; expected right"),
        ({"CTYPE1": "RA---TAN", "CTYPE2": "RA---TAN"}, "expected right ascension and declination"),
        ({"CTYPE1": None}, "CTYPE1 and CTYPE2 are None and DEC--TAN"),
        ({"CTYPE1": "RA---CAR", "CTYPE2": "DEC--CAR"}, "one of the projections TAN, TAN-SIP, TPV"),
        ({"RADESYS": "FK4", "EQUINOX": 1950.0}, "positions are FK4 of equinox 1950; expected ICRS"),
        ({"RADESYS": None, "EQUINOX": 1950.0}, "of equinox 1950"),
        ({"CRVAL1": "10.5"}, "CRVAL1 is '10.5'; expected a number"),
        ({"CRVAL2": None}, "CRVAL2 is missing; expected a number"),
        ({"CRPIX1": True}, "CRPIX1 is True; expected a number"),
        ({f"CD{axis}_{other}": None for axis in (1, 2) for other in (1, 2)}, "no CD1_1"),
        ({"CD1_1": 0.0}, "not a valid projection .*singular"),
        ({"CD1_1": 1.0}, "the TAN solution"),
        ({"CD1_1": -2.2e-4, "CD2_2": 2.2e-4}, "pixels of 0.792 arcsec; expected 0.396 arcsec"),
        ({"PC1_1": 1.0, "PC2_2": 1.0, "CDELT1": 3e-4, "CDELT2": 3e-4}, "pixels of 1.08 arcsec"),
        ({"CUNIT1": "furlong"}, "not a valid projection"),
        ({"A_ORDER": 2, "A_2_0": 1e-6}, "A_ORDER is a distortion, but CTYPE1 is RA---TAN"),
        ({"PV2_1": 1.01}, "PV2_1 is a distortion, but CTYPE1 is RA---TAN"),
        ({"CTYPE1": "RA---TPV", "CTYPE2": "DEC--TPV"}, "the TAN solution"),
    ],
)
def test_axes_that_are_not_right_ascension_and_declination_are_refused(keywords, said):
    refused(made(keywords=keywords), said)


# Both spellings of a keyword ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "keywords",
    [
        {"RADECSYS": "ICRS"},
        {"RADECSYS": "ICRS", "RADESYS": None},
        {"RADECSYS": "FK5"},
        {"EPOCH": 2000.0, "EQUINOX": 2000.0},
        {"EPOCH": 1950.0},
        {"BUNIT": None},
        {"BUNIT": "nanomaggies"},
    ],
)
def test_both_spellings_of_a_keyword_are_accepted(keywords):
    read = used(made(keywords=keywords))
    assert "RADECSYS" not in read.header
    np.testing.assert_allclose(read.astrometry.to_sky(X, Y), positions(made()), atol=1e-12)


@pytest.mark.parametrize(
    "card", ["RUN     =                 9999", "radesys = 'ICRS    '", "COMMENT \xe9", "=", "END2"]
)
def test_cards_that_do_not_belong_are_ignored_or_refused(card):
    """The first of a keyword counts; what is not a card does not stop astropy, or is said."""
    try:
        frame = parse_frame(with_card(made(), card))
    except StargalError as error:
        assert "\n" not in str(error)
    else:
        np.testing.assert_allclose(frame.astrometry.to_sky(X, Y), positions(made()), atol=1e-12)


# What passes the verification is used without an error --------------------------------------------------------------


def table(change: Callable[[Table], Any] | None = None) -> Table:
    """The asTrans table of a made frame, changed."""
    rows = Table([make_solution(FIELD, "g").as_row() | {"FIELD": FIELD.field}])
    changed = None if change is None else change(rows)
    return rows if changed is None else changed


def test_a_frame_with_a_solution_uses_it():
    frame = parse_frame(made(table=table()))
    solution = make_solution(FIELD, "g")
    assert frame.astrometry == solution and frame.band == "g" and frame.nmgy_per_dn == NMGY["g"]
    np.testing.assert_allclose(solution.to_sky(X, Y), positions(made()), atol=1e-6)


def test_columns_of_the_solution_may_be_in_lower_case():
    rows = table()
    for name in list(rows.colnames):
        rows.rename_column(name, name.lower())
    assert parse_frame(made(table=rows)).astrometry == make_solution(FIELD, "g")


def test_another_extension_is_no_solution():
    """An image in HDU3, or a table of something else: the projection of the header is used."""
    for other in (np.ones((3, 3), np.float32), Table({"MINE": [1.0]})):
        assert isinstance(used(made(table=other)).astrometry, Tan)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda rows: rows.remove_column("DROW2"), r"HDU3\) lacks DROW2"),
        (lambda rows: rows.remove_columns(["A", "F"]), "lacks A, F"),
        (lambda rows: rows[:0], "has 0 rows; expected 1"),
        (lambda rows: rows[[0, 0]], "has 2 rows; expected 1"),
        (lambda rows: rows.__setitem__("B", np.nan), "asTrans solution does not give a position"),
        (lambda rows: rows.__setitem__("E", 0.0), "the asTrans solution"),
        (lambda rows: rows.__setitem__("DCOL3", 1.0), "the asTrans solution"),
        (lambda rows: rows.__setitem__("A", 200.0), "are [0-9]+ arcsec apart"),
        (lambda rows: rows.__setitem__("NODE", np.array(["x"])), "not a readable FITS file"),
    ],
)
def test_a_broken_solution_is_refused_when_it_comes(change, said):
    refused(made(table=table(change)), said)


@pytest.mark.parametrize(
    ("keywords", "said"),
    [
        ({"NMGY": None}, "NMGY is missing; expected a number"),
        ({"NMGY": "0.004"}, "NMGY is '0.004'; expected a number"),
        ({"NMGY": -0.004}, "NMGY is -0.004; expected 0.001"),
        ({"FILTER": None}, "(FILTER is None|FILTER None)"),
        ({"FILTER": "V"}, "FILTER (is 'V'|V)"),
    ],
)
def test_a_header_without_what_is_needed_is_refused_when_it_comes(keywords, said):
    refused(made(keywords=keywords), said)


def test_shifted_bands_have_shifted_positions():
    dx, dy = np.subtract(SHIFT["g"], SHIFT["r"])
    found = parse_frame(made(band="g")).astrometry.to_pixel(*parse_frame(made(band="r")).astrometry.to_sky(X, Y))
    np.testing.assert_allclose(found, (X + dx, Y + dy), atol=1e-3)
    assert isinstance(projection(FIELD, "g").wcs.crval[0], float)


@pytest.mark.parametrize("band", "ugriz")
def test_real_frames_lose_nothing(mirror, band):
    """No pixel is missing, and the header is as in the file."""
    frame = read_frame(frame_path(mirror, Field(301, 3918, 3, 213), band))
    assert isinstance(frame.astrometry, AsTrans) and np.isfinite(frame.image).all()
    with fits.open(frame_path(mirror, Field(301, 3918, 3, 213), band)) as hdus:
        np.testing.assert_array_equal(hdus[0].data, frame.image)
        renamed = {"RADECSYS", "RADESYS"}
        assert set(hdus[0].header) - renamed == set(frame.header) - renamed


def test_frames_are_read_by_band_and_one_of_another_band_is_refused(monkeypatch):
    kinds = {Path("a"): "u", Path("b"): "g"}
    monkeypatch.setattr(frames, "read_frame", lambda path: SimpleNamespace(band=kinds[path]))
    assert [one.band for one in frames.read_frames(kinds, "ug").values()] == ["u", "g"]
    with pytest.raises(StargalError, match="a: holds band u, expected g: remove it to fetch it again"):
        frames.read_frames(kinds, "gu")
