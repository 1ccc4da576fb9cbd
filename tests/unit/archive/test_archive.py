"""Downloads from a faulty archive, and verification of frames and catalogues."""

import bz2
import gzip
import io
import os
import re
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import requests
from astropy.io import fits

from archive_server import ArchiveServer, Fault, closed_port, deaf_port
from made_archive import make_header
from stargal.archive import transfer
from stargal.archive.addresses import address, base_url
from stargal.archive.verify import verify_catalog, verify_frame
from stargal.errors import StargalError
from stargal.io.files import record_of, sha256
from stargal.survey.fields import Field

FIELD = Field(301, 8162, 6, 80)
NAME = "frame-g-008162-6-0080.fits.bz2"
DATA = np.random.default_rng(1).bytes(300_000)
OTHER = np.random.default_rng(2).bytes(300_000)
NOISE = np.random.default_rng(3).normal(0, 0.02, 509).astype(np.float32)
"""Repeated over a frame: it compresses well, and no row or column repeats another."""

NAN = np.frombuffer(b"\xff" * 4, np.float32)[0]  # four equal bytes, which bz2 compresses fifty times faster

fetch = partial(transfer.fetch, timeout=5, attempts=6, first_wait=0.01)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ArchiveServer]:
    folder = tmp_path / "archive"
    folder.mkdir()
    (folder / "data").write_bytes(DATA)
    with ArchiveServer(folder) as running:
        yield running


@pytest.fixture
def part(tmp_path: Path) -> Path:
    return tmp_path / "data.part"


def ranges(server: ArchiveServer) -> list[str | None]:
    return [request.headers.get("Range") for request in server.requests]


# Downloading ------------------------------------------------------------------------------------------------------


def test_one_request_fetches_the_bytes_and_identifies_the_client(server: ArchiveServer, part: Path) -> None:
    fetch(f"{server.url}/data", part)
    assert part.read_bytes() == DATA
    assert ranges(server) == [None]
    assert server.requests[0].headers["User-Agent"].startswith("stargal/")


@pytest.mark.parametrize("fault", [Fault(drop_at=100_000), Fault(length=400_000, drop_at=100_000)])
def test_a_drop_is_resumed_at_the_byte_it_happened(server: ArchiveServer, part: Path, fault: Fault) -> None:
    server.fail("data", fault)
    fetch(f"{server.url}/data", part)
    assert part.read_bytes() == DATA
    assert ranges(server) == [None, "bytes=100000-"]
    assert server.requests[1].headers["If-Range"].startswith('"')


def test_every_drop_is_resumed_where_it_was(server: ArchiveServer, part: Path) -> None:
    server.fail("data", Fault(drop_at=50_000), Fault(drop_at=50_000), Fault(drop_at=0))
    fetch(f"{server.url}/data", part)
    assert part.read_bytes() == DATA
    assert ranges(server) == [None, "bytes=50000-", "bytes=100000-", "bytes=100000-"]


def test_a_later_run_resumes_what_an_earlier_one_left(server: ArchiveServer, part: Path) -> None:
    server.fail("data", Fault(drop_at=70_000))
    with pytest.raises(StargalError, match=r"1 attempt: .*70000 bytes are kept"):
        fetch(f"{server.url}/data", part, attempts=1)
    fetch(f"{server.url}/data", part)
    assert part.read_bytes() == DATA
    assert ranges(server) == [None, "bytes=70000-"]


def test_a_server_without_ranges_starts_over(server: ArchiveServer, part: Path) -> None:
    server.fail("data", Fault(drop_at=100_000), Fault(ranges=False))
    fetch(f"{server.url}/data", part)
    assert part.read_bytes() == DATA
    assert ranges(server) == [None, "bytes=100000-"]


def test_a_file_changed_between_two_attempts_is_not_mixed(server: ArchiveServer, part: Path) -> None:
    server.fail("data", Fault(body=OTHER, drop_at=100_000))
    fetch(f"{server.url}/data", part)
    assert part.read_bytes() == DATA


@pytest.mark.parametrize(
    ("headers", "resumed"),
    [
        ({"ETag": None}, True),
        ({"ETag": 'W/"weak"'}, True),
        ({"ETag": 'W/"weak"', "Last-Modified": None}, False),
    ],
)
def test_only_a_validator_allows_resuming(
    server: ArchiveServer, part: Path, headers: dict[str, str | None], resumed: bool
) -> None:
    server.fail("data", Fault(headers=headers, drop_at=100_000))
    fetch(f"{server.url}/data", part)
    assert part.read_bytes() == DATA
    assert ranges(server) == [None, "bytes=100000-" if resumed else None]


def test_a_partial_file_without_validator_is_not_resumed(server: ArchiveServer, part: Path) -> None:
    part.write_bytes(OTHER[:1000])
    fetch(f"{server.url}/data", part)
    assert part.read_bytes() == DATA
    assert ranges(server) == [None]


def test_a_partial_file_that_is_too_long_is_dropped(server: ArchiveServer, part: Path) -> None:
    server.fail("data", Fault(drop_at=100_000))
    with pytest.raises(StargalError):
        fetch(f"{server.url}/data", part, attempts=1)
    part.write_bytes(DATA + b"more")
    fetch(f"{server.url}/data", part)
    assert part.read_bytes() == DATA
    assert ranges(server) == [None, "bytes=300004-", None]


@pytest.mark.parametrize("fault", [Fault(silent=True), Fault(stall_at=100_000)])
def test_a_stall_ends_at_the_time_out(server: ArchiveServer, part: Path, fault: Fault) -> None:
    server.fail("data", fault)
    begin = time.monotonic()
    fetch(f"{server.url}/data", part, timeout=0.2)
    assert part.read_bytes() == DATA
    assert 0.2 < time.monotonic() - begin < 2
    assert len(server.requests) == 2


def test_a_trickle_counts_as_a_stall(server: ArchiveServer, part: Path) -> None:
    server.fail("data", Fault(delay=0.15))
    fetch(f"{server.url}/data", part, timeout=0.4)
    assert part.read_bytes() == DATA
    assert len(server.requests) == 2


def test_chunked_transfer(server: ArchiveServer, part: Path) -> None:
    chunked = {"Transfer-Encoding": "chunked", "Content-Length": None}
    server.fail("data", Fault(headers=chunked, drop_at=100_000), Fault(headers=chunked))
    fetch(f"{server.url}/data", part)
    assert part.read_bytes() == DATA
    assert len(server.requests) == 2


def test_a_coding_announced_for_a_compressed_file_is_left_alone(server: ArchiveServer, part: Path) -> None:
    packed = gzip.compress(DATA)
    server.fail("data", Fault(body=packed, headers={"Content-Encoding": "gzip"}))
    fetch(f"{server.url}/data", part)
    assert part.read_bytes() == packed


def test_three_times_500_then_success(server: ArchiveServer, part: Path, caplog: pytest.LogCaptureFixture) -> None:
    server.fail("data", *[Fault(status=500)] * 3)
    fetch(f"{server.url}/data", part)
    assert part.read_bytes() == DATA
    assert len(server.requests) == 4
    assert "attempt 3 of 6: HTTP 500" in caplog.text
    gaps = np.diff([request.time for request in server.requests])
    assert (gaps > [0.01, 0.02, 0.04]).all()


@pytest.mark.parametrize("status", [408, 425, 429, 502, 503, 504])
def test_temporary_statuses_are_retried(server: ArchiveServer, part: Path, status: int) -> None:
    server.fail("data", Fault(status=status))
    fetch(f"{server.url}/data", part)
    assert len(server.requests) == 2


def test_retry_after_is_honoured(server: ArchiveServer, part: Path) -> None:
    server.fail("data", Fault(status=429, headers={"Retry-After": "1"}))
    fetch(f"{server.url}/data", part)
    assert server.requests[1].time - server.requests[0].time >= 1


def test_a_wait_that_is_too_long_is_an_error(server: ArchiveServer, part: Path) -> None:
    server.fail("data", Fault(status=503, headers={"Retry-After": "7200"}))
    with pytest.raises(StargalError, match="asks to wait 7200 s"):
        fetch(f"{server.url}/data", part)
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_other_failures_are_raised_after_one_request(server: ArchiveServer, part: Path, status: int) -> None:
    server.fail("data", Fault(status=status))
    with pytest.raises(StargalError, match=f"{server.url}/data: HTTP {status}"):
        fetch(f"{server.url}/data", part)
    assert len(server.requests) == 1
    assert not part.exists()


def test_attempts_are_bounded(server: ArchiveServer, part: Path) -> None:
    server.fail("data", *[Fault(status=500)] * 20)
    with pytest.raises(StargalError, match="not received after 3 attempts: HTTP 500"):
        fetch(f"{server.url}/data", part, attempts=3)
    assert len(server.requests) == 3


def test_a_length_that_never_comes(server: ArchiveServer, part: Path) -> None:
    server.fail("data", *[Fault(length=400_000, ranges=False)] * 3)
    with pytest.raises(StargalError, match="not received after 3 attempts"):
        fetch(f"{server.url}/data", part, attempts=3)
    assert len(server.requests) == 3


def test_a_refused_connection_is_reported_with_its_cause(part: Path) -> None:
    with (
        closed_port() as url,
        pytest.raises(StargalError, match="cannot be reached: Connection refused; check the netw"),
    ):
        fetch(f"{url}/data", part, attempts=2)


def test_an_unknown_host_is_reported(part: Path) -> None:
    with pytest.raises(
        StargalError, match=r"archive.invalid: cannot be reached: .*; check the network and archive.url"
    ):
        fetch("http://archive.invalid/data", part, attempts=2)


def fetch_without_network(url: str, part: Path, monkeypatch: pytest.MonkeyPatch, run: Path) -> tuple[str, float]:
    """What a download of a run says of a host that cannot be reached, and after how many seconds."""
    run.mkdir(exist_ok=True)
    monkeypatch.setenv(transfer.RUN, str(run))
    begin = time.monotonic()
    with pytest.raises(StargalError) as caught:
        fetch(url, part, attempts=20, first_wait=0.1)
    assert not part.exists()
    return str(caught.value), time.monotonic() - begin


def test_no_network_ends_soon_with_one_line(part: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other jobs of the run do not wait, and say the same; those of another run try again."""
    monkeypatch.setattr(transfer, "UNREACHABLE", 0.5)
    runs = [tmp_path / "one", tmp_path / "two"]
    with closed_port() as url:
        said, took = fetch_without_network(f"{url}/a", part, monkeypatch, runs[0])
        assert 0.1 <= took < 5
        assert "Connection refused" in said and "\n" not in said
        assert fetch_without_network(f"{url}/b", part, monkeypatch, runs[0]) == (said, pytest.approx(0, abs=0.1))
        assert fetch_without_network(f"{url}/a", part, monkeypatch, runs[1])[1] >= 0.1
    assert [len(list(run.iterdir())) for run in runs] == [1, 1]
    with pytest.raises(StargalError, match=r"other\.invalid"):  # of another host nothing is known
        fetch("http://other.invalid/a", part, attempts=1)


def test_no_attempt_begins_late_at_a_host_that_refuses(
    part: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The wait before an attempt counts."""
    monkeypatch.setattr(transfer, "UNREACHABLE", 1.0)
    with closed_port() as url, pytest.raises(StargalError, match="cannot be reached"):
        fetch(f"{url}/data", part, attempts=99, first_wait=0.2)
    waits = [float(wait) for wait in re.findall(r"next in (.+) s", caplog.text)]
    assert 1 <= len(waits) <= 3 and sum(waits) <= 1.0


def test_a_host_that_drops_packets_is_not_waited_for_long(part: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "CONNECTING", 0.3)
    monkeypatch.setattr(transfer, "UNREACHABLE", 0.2)
    with deaf_port() as url, pytest.raises(StargalError, match=r"cannot be reached: no connection within 0.3 s"):
        fetch(f"{url}/data", part, attempts=99)


def test_a_marker_that_cannot_be_written_changes_nothing(
    part: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(transfer.RUN, str(tmp_path / "gone"))
    with closed_port() as url, pytest.raises(StargalError, match="cannot be reached: Connection refused"):
        fetch(f"{url}/data", part, attempts=1)


@pytest.mark.parametrize("error", [requests.ConnectTimeout(), requests.exceptions.ProxyError()])
def test_no_connection_is_not_the_fault_of_a_file(
    error: Exception, part: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As behind a firewall that drops packets, or a proxy that is down."""

    def get(*_: object, **given: object) -> None:
        assert given["timeout"] == (5, 5)
        raise error

    monkeypatch.setattr(requests.Session, "get", get)
    with pytest.raises(StargalError, match="example"):
        fetch("http://example.org/data", part, attempts=2)


def test_an_invalid_url(part: Path) -> None:
    with pytest.raises(StargalError, match="invalid request"):
        fetch("http:///data", part)


# Verification -----------------------------------------------------------------------------------------------------


def frame(
    field: Field = FIELD,
    band: str = "g",
    lag: int = 8,
    shape: tuple[int, int] = (1489, 2048),
    value: float | np.float32 | None = None,
    solution: int | None = None,
) -> bytes:
    """An uncompressed frame with the layout of the archive.

    `value` of all pixels, or noise; `solution`: FIELD of the table in HDU3, if the frame has one.
    """
    noise = np.resize(NOISE, shape) if value is None else np.full(shape, value, np.float32)
    image = fits.PrimaryHDU(noise, make_header(field, band))
    image.header["FRAME"] = field.field + lag
    hdus = fits.HDUList([image])
    if solution is not None:
        columns = [fits.Column("FIELD", "J", array=[solution])]
        table = fits.BinTableHDU.from_columns(columns)
        hdus += [fits.ImageHDU(np.ones(shape[1], np.float32)), table.copy(), table]
        hdus.update_extend()
    stream = io.BytesIO()
    hdus.writeto(stream)
    return stream.getvalue()


@pytest.fixture(scope="module")
def good() -> bytes:
    return bz2.compress(frame(solution=80))


def damaged(packed: bytes) -> bytes:
    return packed[:-40] + bytes([packed[-40] ^ 1]) + packed[-39:]


def catalog(kind: str = "star", **columns: list[int]) -> bytes:
    """A catalogue of three sources with the layout of the archive, with some columns changed."""
    values: dict[str, list[int]] = {
        "RUN": [8162] * 3,
        "CAMCOL": [6] * 3,
        "FIELD": [79, 80, 81],
        "ID": [1, 2, 3],
        "OBJC_TYPE": [{"star": 6, "gal": 3}[kind]] * 3,
        "RA": [10, 11, 12],
        "DEC": [0, 0, 0],
        "RESOLVE_STATUS": [1, 1, 1],
    } | columns
    fluxes = {name: np.ones((3, 5)) for name in ("PSFFLUX", "MODELFLUX") if name not in columns}
    table = fits.BinTableHDU.from_columns(
        [fits.Column(name, "J", array=array) for name, array in values.items() if array != []]
        + [fits.Column(name, "5E", array=array) for name, array in fluxes.items()]
    )
    stream = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(stream)
    return stream.getvalue()


def empty_catalog() -> bytes:
    with fits.open(io.BytesIO(catalog())) as hdus:
        hdus[1].data = hdus[1].data[:0]
        stream = io.BytesIO()
        hdus.writeto(stream)
        return stream.getvalue()


def test_a_good_frame_passes(tmp_path: Path, good: bytes) -> None:
    path = tmp_path / NAME
    path.write_bytes(good)
    verify_frame(path, FIELD, "g")


def test_a_frame_packed_in_pieces_passes(tmp_path: Path) -> None:
    path, data = tmp_path / NAME, frame()
    path.write_bytes(bz2.compress(data[:5_000_000]) + bz2.compress(data[5_000_000:]))
    verify_frame(path, FIELD, "g")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda good: good[:-100], "bz2 data is cut short"),
        (damaged, "bz2 data is damaged"),
        (lambda good: good + b"garbage", "followed by bytes that do not belong"),
        (lambda good: b"<!DOCTYPE html>".ljust(len(good)), "a web page, not bz2 data"),
        (lambda good: b"", "an empty file, not bz2 data"),
        (lambda good: bz2.compress(b"not FITS"), "not a readable FITS file"),
        (lambda good: bz2.compress(frame()[:1_000_000]), "FITS file is cut short: 1000000 of 122"),
        (lambda good: bz2.compress(frame(lag=0)), "another file's content: it holds FRAME 80, the name says FRAME 88"),
        (lambda good: bz2.compress(frame(Field(301, 8162, 6, 81))), "holds FRAME 89, the name says FRAME 88"),
        (lambda good: bz2.compress(frame(Field(301, 94, 5, 80))), "holds RUN 94, CAMCOL 5, the name"),
        (lambda good: bz2.compress(frame(Field(40, 8162, 6, 80))), "holds RERUN 40, the name says RERUN 301"),
        (lambda good: bz2.compress(frame(band="r")), "holds FILTER r, the name says FILTER g"),
        (lambda good: bz2.compress(frame(solution=88)), "holds FIELD 88, the name says FIELD 80"),
        (lambda good: bz2.compress(frame(shape=(100, 2048))), r"shape \(100, 2048\); a frame has \(1489, 2048\)"),
        (lambda good: bz2.compress(frame(value=NAN)), "no finite pixel"),
        (lambda good: bz2.compress(catalog()), "holds RUN None"),
    ],
)
def test_a_frame_that_is_not_what_its_name_says(
    tmp_path: Path, good: bytes, change: Callable[[bytes], bytes], message: str
) -> None:
    path = tmp_path / NAME
    path.write_bytes(change(good))
    with pytest.raises(StargalError, match=message):
        verify_frame(path, FIELD, "g")


@pytest.mark.parametrize("kind", ["star", "gal"])
def test_a_good_catalog_passes(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "calibObj.fits.gz"
    path.write_bytes(gzip.compress(catalog(kind)))
    verify_catalog(path, 8162, 6, kind)


@pytest.mark.parametrize(
    ("packed", "message"),
    [
        (gzip.compress(catalog())[:-4], "gzip data is cut short"),
        (damaged(gzip.compress(catalog())), "gzip data is damaged"),
        (gzip.compress(catalog()) + b"garbage", "followed by bytes that do not belong"),
        (bz2.compress(catalog()), "something else, not gzip data"),
        (gzip.compress(frame(shape=(3, 3))), "no table"),
        (gzip.compress(empty_catalog()), "the catalogue has no rows"),
        (gzip.compress(catalog(PSFFLUX=[], RA=[])), "columns missing: RA, PSFFLUX"),
        (gzip.compress(catalog(RUN=[8162, 94, 8162])), "column RUN holds 94, the name says 8162"),
        (gzip.compress(catalog(CAMCOL=[1, 1, 1])), "column CAMCOL holds 1, the name says 6"),
        (gzip.compress(catalog("gal")), "no source has OBJC_TYPE 6, the type of all sources in a star catalogue"),
    ],
)
def test_a_catalog_that_is_not_what_its_name_says(tmp_path: Path, packed: bytes, message: str) -> None:
    path = tmp_path / "calibObj.fits.gz"
    path.write_bytes(packed)
    with pytest.raises(StargalError, match=message):
        verify_catalog(path, 8162, 6, "star")


# Obtaining a file -------------------------------------------------------------------------------------------------


@pytest.fixture
def frames(server: ArchiveServer, good: bytes) -> str:
    """URL of a valid frame."""
    (server.folder / NAME).write_bytes(good)
    return f"{server.url}/{NAME}"


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "resources" / NAME


def obtain(url: str, target: Path, attempts: int = 3, timeout: float = 5) -> None:
    verify = partial(verify_frame, field=FIELD, band="g")
    transfer.obtain(url, target, verify, timeout=timeout, attempts=attempts, first_wait=0.01)


def beside(target: Path) -> list[str]:
    return sorted(path.name for path in target.parent.iterdir())


def test_a_file_completed_before_a_failure_is_not_fetched_again(
    frames: str, server: ArchiveServer, target: Path
) -> None:
    """Two files that are renamed together: the second is missing at first."""
    verify = partial(verify_frame, field=FIELD, band="g")
    second = target.with_name("second.fits.bz2")
    files = [(frames, target, verify), (f"{server.url}/second", second, verify)]
    with pytest.raises(StargalError, match="second: HTTP 404"):
        transfer.obtain_all(files, timeout=5, attempts=1)
    assert beside(target) == [f"{NAME}.part", f"{NAME}.part.validator"]
    (server.folder / "second").write_bytes((server.folder / NAME).read_bytes())
    transfer.obtain_all(files, timeout=5, attempts=1)
    assert [request.path for request in server.requests] == [f"/{NAME}", "/second", "/second"]
    assert beside(target) == [NAME, f"{NAME}.sha256", second.name, f"{second.name}.sha256"]


def test_a_file_comes_with_its_record(frames: str, target: Path, good: bytes) -> None:
    obtain(frames, target)
    assert target.read_bytes() == good
    assert record_of(target).read_text() == f"{sha256(target)}  {NAME}\n"
    assert beside(target) == [NAME, f"{NAME}.sha256"]


def test_a_file_from_a_folder(server: ArchiveServer, frames: str, target: Path, good: bytes) -> None:
    obtain((server.folder / NAME).as_uri(), target)
    assert target.read_bytes() == good
    assert beside(target) == [NAME, f"{NAME}.sha256"]
    assert server.requests == []


def test_a_file_missing_in_a_folder(server: ArchiveServer, target: Path) -> None:
    with pytest.raises(StargalError, match="no such file: this band or catalogue is not in the archive"):
        obtain((server.folder / "lacking").as_uri(), target)
    assert beside(target) == []


@pytest.mark.parametrize("touched", [False, True])
def test_an_existing_file_is_not_fetched(server: ArchiveServer, frames: str, target: Path, touched: bool) -> None:
    obtain(frames, target)
    if touched:
        os.utime(target)
    obtain(frames, target)
    assert len(server.requests) == 1


def test_a_file_put_there_by_hand_is_verified_and_recorded(
    server: ArchiveServer, frames: str, target: Path, good: bytes
) -> None:
    target.parent.mkdir()
    target.write_bytes(good)
    obtain(frames, target)
    assert server.requests == []
    assert beside(target) == [NAME, f"{NAME}.sha256"]


def test_a_wrong_file_put_there_by_hand_is_refused_and_left(server: ArchiveServer, frames: str, target: Path) -> None:
    target.parent.mkdir()
    target.write_bytes(b"mine")
    with pytest.raises(StargalError, match=f"{NAME}: something else, not bz2 data; remove it to fetch it again"):
        obtain(frames, target)
    assert server.requests == []
    assert target.read_bytes() == b"mine"


def test_a_file_that_differs_from_its_record_is_refused_and_left(
    server: ArchiveServer, frames: str, target: Path, good: bytes
) -> None:
    obtain(frames, target)
    target.write_bytes(bz2.compress(frame()))
    with pytest.raises(StargalError, match=r"not those recorded in .*; remove both to fetch the file again"):
        obtain(frames, target)
    assert len(server.requests) == 1
    assert target.exists()


def test_bad_bytes_are_removed_and_fetched_again(server: ArchiveServer, frames: str, target: Path, good: bytes) -> None:
    server.fail(NAME, Fault(body=damaged(good)))
    with pytest.raises(StargalError, match=f"{frames}: the bz2 data is damaged .*; nothing was kept, run again"):
        obtain(frames, target)
    assert beside(target) == []
    assert len(server.requests) == 1
    obtain(frames, target)
    assert target.read_bytes() == good
    assert ranges(server) == [None, None]


def test_an_announced_length_that_cuts_the_file_is_noticed(
    server: ArchiveServer, frames: str, target: Path, good: bytes
) -> None:
    server.fail(NAME, Fault(length=len(good) - 50))
    with pytest.raises(StargalError, match="bz2 data is cut short"):
        obtain(frames, target)
    assert beside(target) == []


def test_an_interrupted_transfer_leaves_a_part_and_no_file(
    server: ArchiveServer, frames: str, target: Path, good: bytes
) -> None:
    server.fail(NAME, Fault(drop_at=200))
    with pytest.raises(StargalError, match="200 bytes are kept"):
        obtain(frames, target, attempts=1)
    assert beside(target) == [f"{NAME}.part", f"{NAME}.part.validator"]
    obtain(frames, target)
    assert ranges(server) == [None, "bytes=200-"]
    assert beside(target) == [NAME, f"{NAME}.sha256"]


def test_an_unwritable_folder_is_reported(frames: str, tmp_path: Path) -> None:
    (tmp_path / "resources").write_text("a file, not a folder")
    with pytest.raises(StargalError, match="cannot be written or read"):
        obtain(frames, tmp_path / "resources" / NAME)


# Every fault ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def other_field() -> bytes:
    return bz2.compress(frame(Field(301, 8162, 6, 81)))


def padded(body: bytes, length: int) -> bytes:
    """A body of the given length."""
    return body.ljust(length)[:length]


Faults = Callable[[bytes, bytes], list[Fault]]
"""Responses to the first requests, given the correct file and that of another field."""

RETRIED: dict[str, tuple[Faults, int]] = {
    "drop at byte 0": (lambda good, _: [Fault(drop_at=0)], 2),
    "drop at byte 1": (lambda good, _: [Fault(drop_at=1)], 2),
    "drop at the last byte": (lambda good, _: [Fault(drop_at=len(good) - 1)], 2),
    "drop without Range": (lambda good, _: [Fault(drop_at=300), Fault(ranges=False)], 2),
    "drop twice": (lambda good, _: [Fault(drop_at=300), Fault(drop_at=10)], 3),
    "drop, then another file": (lambda good, other: [Fault(body=other, drop_at=100)], 2),
    "stall before the status": (lambda good, _: [Fault(silent=True)], 2),
    "stall at byte 300": (lambda good, _: [Fault(stall_at=300)], 2),
    "stall without Range": (lambda good, _: [Fault(stall_at=300), Fault(ranges=False)], 2),
    "429 with seconds": (lambda good, _: [Fault(status=429, headers={"Retry-After": "0"})], 2),
    "429 with a date": (
        lambda good, _: [Fault(status=429, headers={"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT"})],
        2,
    ),
    "429 with nonsense": (lambda good, _: [Fault(status=429, headers={"Retry-After": "soon"})], 2),
    "500 three times": (lambda good, _: [Fault(status=500)] * 3, 4),
    "drop, then 503": (lambda good, _: [Fault(drop_at=300), Fault(status=503)], 3),
    "length too long": (lambda good, _: [Fault(length=len(good) + 100)], 3),
    "nonsense in Content-Range": (
        lambda good, _: [Fault(drop_at=300), Fault(headers={"Content-Range": "bytes all"})],
        3,
    ),
    "another part than asked for": (
        lambda good, _: [
            Fault(drop_at=300),
            Fault(headers={"Content-Range": f"bytes 200-{len(good) - 1}/{len(good)}"}),
        ],
        3,
    ),
}
"""Faults that retries resolve, and the number of requests."""

FAILED: dict[str, tuple[Faults, int, str]] = {
    "always 500": (lambda good, _: [Fault(status=500)] * 4, 4, "not received after 4 attempts: HTTP 500"),
    "always dropped at once": (lambda good, _: [Fault(drop_at=0)] * 4, 4, "not received after 4 attempts"),
    "404": (lambda good, _: [Fault(status=404)], 1, "HTTP 404 .* is not in the archive"),
    "403": (lambda good, _: [Fault(status=403)], 1, "HTTP 403 .* the server refuses"),
    "429 for two hours": (
        lambda good, _: [Fault(status=429, headers={"Retry-After": "7200"})],
        1,
        "asks to wait 7200 s",
    ),
    "truncated": (lambda good, _: [Fault(body=good[:-300])], 1, "bz2 data is cut short"),
    "truncated and padded": (lambda good, _: [Fault(body=padded(good[:-300], len(good)))], 1, "bz2 data is damaged"),
    "bit-flipped": (lambda good, _: [Fault(body=damaged(good))], 1, "bz2 data is damaged"),
    "another field": (lambda good, other: [Fault(body=other)], 1, "another file's content"),
    "HTML of the right length": (
        lambda good, _: [Fault(body=padded(b"<html>busy</html>", len(good)))],
        1,
        "a web page, not bz2 data",
    ),
    "length too short": (lambda good, _: [Fault(length=len(good) - 50)], 1, "bz2 data is cut short"),
    "empty": (lambda good, _: [Fault(body=b"")], 1, "an empty file"),
}
"""Faults that end in an error, the number of requests, and the message."""


@pytest.mark.parametrize("name", RETRIED)
def test_a_fault_that_retries_resolve(
    server: ArchiveServer, frames: str, target: Path, good: bytes, other_field: bytes, name: str
) -> None:
    faults, requests_made = RETRIED[name]
    server.fail(NAME, *faults(good, other_field))
    obtain(frames, target, attempts=4, timeout=0.3)
    assert target.read_bytes() == good
    assert beside(target) == [NAME, f"{NAME}.sha256"]
    assert len(server.requests) == requests_made
    obtain(frames, target)
    assert len(server.requests) == requests_made


@pytest.mark.parametrize("name", FAILED)
def test_a_fault_that_is_an_error(
    server: ArchiveServer, frames: str, target: Path, good: bytes, other_field: bytes, name: str
) -> None:
    """No file is left, and a later run, without the fault, fetches the correct one with one request."""
    faults, requests_made, message = FAILED[name]
    server.fail(NAME, *faults(good, other_field))
    with pytest.raises(StargalError, match=message) as raised:
        obtain(frames, target, attempts=4, timeout=0.3)
    assert "\n" not in str(raised.value)
    assert not target.exists() and not record_of(target).exists()
    assert len(server.requests) == requests_made
    obtain(frames, target, attempts=4)
    assert target.read_bytes() == good
    assert len(server.requests) == requests_made + 1
    obtain(frames, target)
    assert len(server.requests) == requests_made + 1


# Addresses -----------------------------------------------------------------------------------------------------


def test_a_template_with_an_unknown_name() -> None:
    with pytest.raises(StargalError, match=r"'\{stripe\}': cannot be filled in, allowed are \{run\}, \{camcol\}"):
        address("http://archive", "{stripe}", run=1, camcol=2)


@pytest.mark.skipif("STARGAL_MIRROR" not in os.environ, reason="STARGAL_MIRROR is not set to a mirror of SDSS imaging")
def test_real_files_are_what_their_names_say() -> None:
    mirror = Path(os.environ["STARGAL_MIRROR"])
    frame = mirror / "eboss/photoObj/frames/301/3918/3/frame-g-003918-3-0213.fits.bz2"
    verify_frame(frame, Field(301, 3918, 3, 213), "g")
    catalog = mirror / "eboss/sweeps/dr13_final/301/calibObj-004510-4-star.fits.gz"
    verify_catalog(catalog, 4510, 4, "star")


def test_the_user_agent_names_project_and_version_only() -> None:
    assert transfer.USER_AGENT.startswith("stargal/")
    assert requests.__version__ in transfer.USER_AGENT
    assert "@" not in transfer.USER_AGENT


def test_base_url(monkeypatch):
    monkeypatch.delenv("STARGAL_MIRROR", raising=False)
    with pytest.raises(StargalError, match="this environment variable is not set"):
        base_url("$STARGAL_MIRROR")
    monkeypatch.setenv("STARGAL_MIRROR", "/data/my mirror")
    assert base_url("$STARGAL_MIRROR") == "file:///data/my%20mirror"
    assert base_url("https://example.org/sas/") == "https://example.org/sas"
