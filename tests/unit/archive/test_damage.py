"""Frames and catalogues damaged in many ways: each is used rightly, or refused on one line.

Never a traceback, never a position with its axes exchanged, never a source without a place or a class without light.
"""

import functools
import io
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.table import Table
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from made_archive import catalog_table, make_header, make_solution, make_sources
from stargal.archive.verify import check_frame
from stargal.dataset.sources import in_frame
from stargal.errors import StargalError
from stargal.imaging.astrometry import Tan, separation
from stargal.imaging.cube import Cube, make_cube_header
from stargal.imaging.frames import Frame, parse_frame
from stargal.survey.catalog import parse_catalog
from stargal.survey.fields import COLUMNS, ROWS, Field

FIELD = Field(301, 1000, 1, 100)
BLOCK, CARD = 2880, 80
# The number of examples is that of hypothesis, 100; `make faults` has more (tests/conftest.py).
many = settings(
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)

VALUES = st.one_of(
    st.sampled_from(
        b" '' 'NaN' NaN T F 0 -1 1E400 1D3 'RA---TAN' 'DEC--TAN' (1,2) 'GLON-TAN' 'RA---SIN' 'deg' 'rad' 'FK4' 1950.0"
        b" 'it''s 'open 2".split(b" ")
    ),
    st.integers(-(10**12), 10**12).map(lambda number: b"%d" % number),
    st.floats(width=32).map(lambda number: repr(number).encode()),
)
"""What stands where a value should."""


def damage(data: bytearray, draw_: Any, extents: list[tuple[int, int]]) -> None:
    """Damage headers: values, names of keywords, missing, repeated or exchanged cards, and single bytes."""
    start, end = draw_.draw(st.sampled_from(extents))
    count = (end - start) // CARD
    places = st.integers(0, count - 1).map(lambda card: start + CARD * card)
    place = draw_.draw(places)
    match draw_.draw(st.sampled_from(["value", "name", "remove", "repeat", "exchange", "byte", "case"])):
        case "value":
            data[place + 10 : place + CARD] = draw_.draw(VALUES)[:70].rjust(20).ljust(70)
        case "name":
            names = [b"CTYPE1", b"CTYPE2", b"PC1_1", b"A_ORDER", b"PV1_1", b"RADECSYS", b"NAXIS3", b"BLANK", b"TNULL1"]
            data[place : place + 8] = draw_.draw(st.sampled_from(names)).ljust(8)
        case "remove":
            data[place : place + CARD] = b" " * CARD
        case "repeat" | "exchange" as kind:
            other = draw_.draw(places)
            one, two = bytes(data[place : place + CARD]), bytes(data[other : other + CARD])
            data[other : other + CARD] = one
            if kind == "exchange":
                data[place : place + CARD] = two
        case "byte":
            data[place + draw_.draw(st.integers(0, CARD - 1))] = draw_.draw(st.integers(0, 255))
        case "case":
            data[place : place + CARD] = bytes(data[place : place + CARD]).lower()


def headers_of(data: bytes) -> list[tuple[int, int]]:
    """First and last byte of the header of each unit."""
    with fits.open(io.BytesIO(data)) as hdus:
        return [(unit.fileinfo()["hdrLoc"], unit.fileinfo()["datLoc"]) for unit in hdus]


@functools.cache
def good_frame() -> tuple[bytes, list[tuple[int, int]], int]:
    """A frame with an asTrans table, the places of its headers, and of the table."""
    noise = np.resize(np.random.default_rng(3).normal(0, 0.02, 509).astype(np.float32), (ROWS, COLUMNS))
    header = make_header(FIELD, "g")
    table = Table([make_solution(FIELD, "g").as_row() | {"FIELD": FIELD.field}])
    hdus = fits.HDUList([fits.PrimaryHDU(noise, header), fits.ImageHDU(np.ones(9)), fits.ImageHDU(np.ones(9))])
    hdus.append(fits.BinTableHDU(table))
    hdus.update_extend()
    stream = io.BytesIO()
    hdus.writeto(stream)
    extents = headers_of(stream.getvalue())
    return stream.getvalue(), extents, extents[3][1]


def read_both(data: bytes) -> Frame | None:
    """Verify and use a frame: what passes the first passes the second; None if it is refused on one line."""
    frame = None
    try:
        frame = parse_frame(data)
    except StargalError as error:
        assert "\n" not in str(error) and str(error)
    try:
        check_frame(data, FIELD, "g")
    except StargalError as error:
        assert "\n" not in str(error)
        return None
    assert frame is not None
    return frame


def require_right(frame: Frame) -> None:
    """Positions on the sky are those of the frame that was damaged, and pixels are numbers or missing."""
    x, y = np.array([COLUMNS / 2, 100.0, 1900.0]), np.array([ROWS / 2, 1300.0, 200.0])
    apart = separation(*frame.astrometry.to_sky(x, y), *make_solution(FIELD, "g").to_sky(x, y))
    assert np.all(apart < 0.02) and apart[0] < 10 / 3600
    assert not np.isinf(frame.image).any() and np.isfinite(frame.image).mean() > 0.1
    Tan.from_header(make_cube_header(frame.header, FIELD, "ugriz", {}))
    assert frame.nmgy_per_dn > 0


@many
@given(st.data())
def test_a_damaged_header_of_a_frame_is_used_rightly_or_told(choice):
    good, extents, _ = good_frame()
    data = bytearray(good)
    for _ in range(choice.draw(st.integers(1, 3))):
        damage(data, choice, [extents[0], extents[0], extents[3]])
    frame = read_both(bytes(data))
    if frame is not None:
        require_right(frame)


@many
@given(
    st.lists(st.tuples(st.integers(0, 30 * 8), st.integers(0, 255)), min_size=1, max_size=6),
    st.sampled_from(["table", "image", "cut"]),
    st.floats(width=32),
)
@example([(0, 0)], "image", float("inf"))
def test_damaged_data_of_a_frame_is_used_rightly_or_told(changes, part, value):
    good, extents, table = good_frame()
    data = bytearray(good)
    if part == "table":
        for place, byte in changes:
            data[table + place] = byte
    elif part == "image":
        image = np.frombuffer(data, ">f4", ROWS * COLUMNS, extents[0][1]).reshape(ROWS, COLUMNS)
        row, rows = changes[0][0], changes[0][1]
        image[row : row + rows, row:] = value
        del image
    else:
        del data[len(data) - 1 - changes[0][0] * changes[0][1] * 100 :]
    frame = read_both(bytes(data))
    if frame is not None:
        require_right(frame)


@functools.cache
def good_catalog() -> tuple[bytes, list[tuple[int, int]]]:
    rows = catalog_table(FIELD, make_sources(FIELD), 1)
    stream = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU(rows)]).writeto(stream)
    return stream.getvalue(), headers_of(stream.getvalue())


@functools.cache
def cube() -> Cube:
    astrometry = Tan.from_header(make_header(FIELD, "r"))
    return Cube("ugriz", None, None, None, None, None, None, fits.Header(), astrometry)  # type: ignore[arg-type]


@many
@given(st.data())
def test_a_damaged_catalogue_is_used_rightly_or_told(choice):
    good, extents = good_catalog()
    data = bytearray(good)
    for _ in range(choice.draw(st.integers(1, 3))):
        if choice.draw(st.booleans()):
            damage(data, choice, extents[1:])
        else:
            for place in choice.draw(st.lists(st.integers(extents[1][1], len(good) - 3000), max_size=20)):
                data[place] = choice.draw(st.integers(0, 255))
    try:
        rows = parse_catalog(bytes(data), FIELD.run, FIELD.camcol, "star")
        table = in_frame({"star": rows}, cube(), FIELD)
    except StargalError as error:
        assert "\n" not in str(error) and str(error)
        return
    assert table["x"].between(-0.5, COLUMNS - 0.5).all() and table["y"].between(-0.5, ROWS - 0.5).all()
    assert table["label"].isin([0, 1]).all() and table["id"].is_unique
    assert not np.isinf(table.filter(like="_mag_").to_numpy(float)).any()
