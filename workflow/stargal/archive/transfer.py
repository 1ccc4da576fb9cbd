"""Download files, verify them and record their SHA-256.

`obtain` and `obtain_all` are the entry points. A file that is present is checked against its record and not downloaded
again.
"""

import logging
import os
import shutil
import ssl
import sys
import time
from collections.abc import Callable, Iterable
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import requests
import urllib3
from tenacity import RetryCallState, Retrying, retry_if_exception_type
from tenacity.wait import wait_exponential_jitter
from tqdm import tqdm

from stargal import __version__
from stargal.archive.addresses import folder_of
from stargal.errors import StargalError
from stargal.io.files import record_of, recorded, sha256, write_record

USER_AGENT = f"stargal/{__version__} (star/galaxy workflow; {requests.utils.default_user_agent()})"
"""User-Agent header of every request."""

TEMPORARY = frozenset({408, 425, 429, 500, 502, 503, 504, 507, 509, 520, 521, 522, 523, 524, 529})
"""HTTP statuses after which the request is retried; every other failure is raised at once."""

LONGEST_WAIT = 600.0
"""Longest wait, seconds, that a server may request (Retry-After); the job fails if it asks for more."""

SLOWEST = 1000.0
"""Rate below which a transfer counts as stalled, bytes per second."""

UNREACHABLE = 15.0
"""Longest time for which attempts to connect to a host begin, seconds, whatever their number."""

CONNECTING = 10.0
"""Longest time to wait for a connection, seconds; `timeout` is that for a response and for data."""

RUN = "STARGAL_RUN"
"""Environment variable with a folder of the run, where a job notes a host that it could not reach.

The other jobs of the run do not wait for the host again. The folder is removed when the run ends.
"""

READ_BYTES = 1 << 16
"""Bytes per read."""


class _InterruptedError(Exception):
    """A failure after which the request is retried; `wait` is the delay that the server asked for, seconds."""

    def __init__(self, reason: str, wait: float = 0.0) -> None:
        super().__init__(reason)
        self.wait = wait


class _UnreachableError(_InterruptedError):
    """No connection was made."""


def obtain(
    url: str,
    path: Path,
    verify: Callable[[Path], None],
    *,
    timeout: float,
    attempts: int,
    first_wait: float = 1.0,
) -> None:
    """Download a file to `path`, verify it and record its SHA-256; check it against its record if it exists.

    Parameters
    ----------
    url : str
        Source: https, http or file.
    path : path
        Destination. The file appears there only when it is complete and verified.
    verify : callable
        Raises `StargalError` with a description of the fault if a file is not valid.
    timeout : float
        Seconds without a response or data after which an attempt fails.
    attempts : int
        Maximum number of requests.
    first_wait : float
        Seconds before the second attempt; doubled before each later attempt.

    Raises
    ------
    StargalError
        If the download fails, the file is not valid, or it differs from its record. Bytes that fail verification
        are removed; those of an interrupted transfer are kept in ``<path>.part`` for the next run.
    """
    obtain_all([(url, path, verify)], timeout=timeout, attempts=attempts, first_wait=first_wait)


def obtain_all(
    files: Iterable[tuple[str, Path, Callable[[Path], None]]],
    *,
    timeout: float,
    attempts: int,
    first_wait: float = 1.0,
) -> None:
    """Obtain several files as `obtain` does, each given as ``(url, path, verify)``; rename them when all are complete.

    Snakemake removes the outputs of a failed job. A file that was complete before the failure stays as ``<path>.part``
    and the next run uses it without a download.
    """
    came = []
    for url, path, verify in files:
        try:
            if path.exists():
                _confirm(path, verify)
            else:
                came.append((url, path, _bring(url, path, verify, timeout, attempts, first_wait)))
        except OSError as error:
            raise _unusable(path, error) from error
    for url, path, part in came:
        try:
            # Write the record first, so that a file under its final name always has one.
            write_record(path, sha256(part))
            part.replace(path)
            _validator_of(part).unlink(missing_ok=True)
        except OSError as error:
            raise _unusable(path, error) from error
        logging.info("%s: %d bytes from %s, verified", path, path.stat().st_size, url)


def _unusable(path: Path, error: OSError) -> StargalError:
    return StargalError(f"{path}: cannot be written or read: {error.strerror or error}")


def _bring(
    url: str, path: Path, verify: Callable[[Path], None], timeout: float, attempts: int, first_wait: float
) -> Path:
    """Download a file into a partial file beside its path, verify it and return the path of the partial file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    if part.exists() and _is_whole(part, verify):
        return part
    if url.startswith("file://"):
        _copy(url, part)
    else:
        fetch(url, part, timeout=timeout, attempts=attempts, first_wait=first_wait)
    try:
        verify(part)
    except StargalError as error:
        _discard(part)
        raise StargalError(
            f"{url}: {error}; nothing was kept, run again to fetch it; if the error repeats, "
            "check archive.url or remove the field from the table of fields"
        ) from None
    return part


def _is_whole(part: Path, verify: Callable[[Path], None]) -> bool:
    """Whether a partial file is complete and valid: an earlier run ended before renaming it."""
    try:
        verify(part)
    except StargalError:
        return False
    return True


def _confirm(path: Path, verify: Callable[[Path], None]) -> None:
    """Check an existing file against its record or, if it has none, verify it and write the record."""
    expected = recorded(path)
    if expected is None:
        try:
            verify(path)
        except StargalError as error:
            raise StargalError(f"{path}: {error}; remove it to fetch it again") from None
        write_record(path, sha256(path))
        logging.info("%s: exists; verified and recorded, not downloaded", path)
        return
    if sha256(path) != expected:
        raise StargalError(
            f"{path}: its bytes are not those recorded in {record_of(path).name}; remove both to fetch the file "
            "again, or only the record to accept the file after verification"
        )
    logging.info("%s: exists and matches its record, not downloaded", path)


def _copy(url: str, part: Path) -> None:
    """Copy a file of a ``file://`` archive."""
    source = folder_of(url)
    if not source.is_file():
        raise StargalError(_absent(url, "no such file"))
    with source.open("rb") as stream, part.open("wb") as copy:
        shutil.copyfileobj(stream, copy)
        _settle(copy)


def _absent(url: str, said: str) -> str:
    return (
        f"{url}: {said}: this band or catalogue is not in the archive; check archive.url and archive.release, "
        "or take the field out of the table of fields or of classify.fields"
    )


def fetch(url: str, part: Path, *, timeout: float, attempts: int, first_wait: float = 1.0) -> None:
    """Download a URL into a file, resuming a partial file.

    Retries with exponential backoff and jitter after a broken or stalled connection, a short body, and the statuses in
    `TEMPORARY`, and waits at least as long as Retry-After says. A partial file is resumed only if the server confirms
    through If-Range that the file is unchanged; otherwise the download starts at the first byte.

    Parameters
    ----------
    url : str
        http or https.
    part : path
        The partial file; ``<part>.validator`` beside it holds its ETag or date.
    timeout, attempts, first_wait
        As in `obtain`.

    Raises
    ------
    StargalError
        If the server does not have the file, refuses it, or has not sent it after `attempts` requests.
    """
    backoff = wait_exponential_jitter(multiplier=first_wait, max=60 * first_wait, jitter=first_wait)

    def wait(state: RetryCallState) -> float:
        return max(_interruption(state).wait, backoff(state))

    def log(state: RetryCallState) -> None:
        logging.warning(
            "%s: attempt %d of %d: %s; next in %.1f s",
            url,
            state.attempt_number,
            attempts,
            _interruption(state),
            state.upcoming_sleep,
        )

    def ends(state: RetryCallState) -> bool:
        unreachable = isinstance(_interruption(state), _UnreachableError)
        late = (state.seconds_since_start or 0) + state.upcoming_sleep > UNREACHABLE
        return state.attempt_number >= attempts or (unreachable and late)

    host, marker = urlsplit(url).netloc, _marker_of(url)
    if marker and marker.exists():
        raise StargalError(marker.read_text(encoding="utf-8"))
    retrying = Retrying(
        stop=ends,
        wait=wait,
        retry=retry_if_exception_type(_InterruptedError),
        before_sleep=log,
        reraise=True,
    )
    try:
        with requests.Session() as session:
            retrying(_attempt, session, url, part, timeout)
    except _UnreachableError as error:
        said = (
            f"{host}: cannot be reached: {error}; check the network and archive.url, then run again; what is there is "
            "kept"
        )
        if marker:
            _write_marker(marker, said)
        raise StargalError(said) from error
    except _InterruptedError as error:
        times = "1 attempt" if attempts == 1 else f"{attempts} attempts"
        kept = f"; {part.stat().st_size} bytes are kept and the next run resumes there" if part.exists() else ""
        raise StargalError(
            f"{url}: not received after {times}: {error}; check the network and archive.url, then run again{kept}"
        ) from error


def _marker_of(url: str) -> Path | None:
    """File that notes for the other jobs of a run that a host cannot be reached; None outside a run."""
    run = os.getenv(RUN)
    return Path(run) / f"unreachable-{quote(urlsplit(url).netloc, safe='')}" if run else None


def _write_marker(marker: Path, said: str) -> None:
    """Write a marker at once as a whole; without it, the other jobs wait for the host, too."""
    part = marker.with_name(f"{marker.name}.{os.getpid()}")
    try:
        part.write_text(said, encoding="utf-8")
        part.replace(marker)
    except OSError as error:
        logging.warning("%s: cannot be written: %s", marker, error.strerror)


def _interruption(state: RetryCallState) -> _InterruptedError:
    error = state.outcome.exception() if state.outcome else None
    assert isinstance(error, _InterruptedError)
    return error


def _attempt(session: requests.Session, url: str, part: Path, timeout: float) -> None:
    """Send one request, starting at the first missing byte."""
    # Store the bytes exactly as in the archive: no content coding in transit, no decoding here.
    headers = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity"}
    have = _resumable(part)
    if have:
        headers |= {"Range": f"bytes={have}-", "If-Range": _validator_of(part).read_text()}
    try:
        waits = min(timeout, CONNECTING), timeout
        with session.get(url, headers=headers, stream=True, timeout=waits) as response:
            _check_status(response, url, part)
            _receive(response, part, have, timeout)
    except requests.ConnectTimeout as error:
        raise _UnreachableError(f"no connection within {waits[0]:g} s") from error
    except requests.Timeout as error:
        raise _InterruptedError(f"no response within {timeout:g} s") from error
    except requests.ConnectionError as error:
        cause = _root(error)
        said = getattr(cause, "strerror", None) or str(cause)
        if isinstance(cause, ssl.SSLCertVerificationError):
            raise StargalError(f"{url}: {said}; check archive.url and this computer's clock") from error
        reason = getattr(error.args[0] if error.args else None, "reason", None)
        unconnected = isinstance(reason, urllib3.exceptions.NewConnectionError | urllib3.exceptions.ProxyError)
        raise (_UnreachableError if unconnected else _InterruptedError)(said) from error
    except requests.RequestException as error:
        raise StargalError(f"{url}: invalid request: {_root(error)}; check archive.url") from error


def _check_status(response: requests.Response, url: str, part: Path) -> None:
    """Raise unless the response carries the file."""
    status = response.status_code
    if status in (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT):
        return
    said = f"HTTP {status} {response.reason}".strip()
    if status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
        raise StargalError(_absent(url, said))
    if status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and part.exists():
        _discard(part)
        raise _InterruptedError(f"{said}: the partial file is too long, starting over")
    if status in TEMPORARY:
        wait = _retry_after(response)
        if wait > LONGEST_WAIT:
            raise StargalError(f"{url}: {said}: the server asks to wait {wait:.0f} s; run again after that")
        raise _InterruptedError(said, wait)
    raise StargalError(f"{url}: {said}: the server refuses; check archive.url and whether the archive is public")


def _retry_after(response: requests.Response) -> float:
    """Seconds to wait according to Retry-After, a number or a date; 0 without a valid header."""
    try:
        return urllib3.Retry().parse_retry_after(response.headers["Retry-After"])
    except (KeyError, urllib3.exceptions.InvalidHeader):
        return 0.0


def _receive(response: requests.Response, part: Path, have: int, timeout: float) -> None:
    """Append the body of a response to the partial file; overwrite the file if the server sends it from the start."""
    start, total = _extent(response)
    if start not in (0, have):
        _discard(part)
        raise _InterruptedError(f"the server sent bytes from {start}, not from {have}; starting over")
    if start == 0:
        _discard(part)
        # A weak ETag ("W/…") does not guarantee equal bytes, so it cannot validate a resumed download.
        etag = response.headers.get("ETag", "")
        validator = etag if etag.startswith('"') else response.headers.get("Last-Modified", "")
        _validator_of(part).write_text(validator)
    since, then = time.monotonic(), start
    with (
        part.open("ab") as stream,
        tqdm(
            desc=part.stem,
            total=total,
            initial=start,
            unit="B",
            unit_scale=True,
            leave=False,
            file=sys.stdout,
            disable=not sys.stdout.isatty(),
        ) as bar,
    ):
        try:
            # read1 returns the bytes received so far, so that none are lost when the connection breaks.
            while data := response.raw.read1(READ_BYTES, decode_content=False):
                stream.write(data)
                bar.update(len(data))
                elapsed, came = time.monotonic() - since, stream.tell() - then
                if elapsed > timeout:
                    if came < SLOWEST * elapsed:
                        raise _InterruptedError(f"only {came} bytes received in {elapsed:.0f} s")
                    since, then = time.monotonic(), stream.tell()
        except urllib3.exceptions.ReadTimeoutError as error:
            raise _InterruptedError(f"no data for {timeout:g} s after {stream.tell()} of {total} bytes") from error
        except urllib3.exceptions.HTTPError as error:
            raise _InterruptedError(f"the connection broke after {stream.tell()} of {total} bytes") from error
        _settle(stream)
        size = stream.tell()
    if total is not None and size != total:
        _discard(part)
        raise _InterruptedError(f"received {size} bytes, expected {total}; starting over")


def _extent(response: requests.Response) -> tuple[int, int | None]:
    """Offset of the body within the file, and the length of the file, None if the server does not send it."""
    try:
        if response.status_code == HTTPStatus.PARTIAL_CONTENT:
            span, _, total = response.headers["Content-Range"].removeprefix("bytes ").partition("/")
            return int(span.partition("-")[0]), None if total == "*" else int(total)
        length = response.headers.get("Content-Length")
        return 0, None if length is None else int(length)
    except (KeyError, ValueError):
        raise _InterruptedError("the response has no valid Content-Range or Content-Length") from None


def _resumable(part: Path) -> int:
    """Number of bytes of a partial file that can be resumed: none without a validator."""
    validator = _validator_of(part)
    if part.exists() and validator.exists() and validator.read_text():
        return part.stat().st_size
    return 0


def _validator_of(part: Path) -> Path:
    return part.with_name(f"{part.name}.validator")


def _discard(part: Path) -> None:
    part.unlink(missing_ok=True)
    _validator_of(part).unlink(missing_ok=True)


def _settle(stream: Any) -> None:
    """Flush a file to disk, so that a power failure cannot leave a renamed file without its bytes."""
    stream.flush()
    os.fsync(stream.fileno())


def _root(error: BaseException) -> BaseException:
    """Return the innermost, most specific cause of an error: "Connection refused", not "Max retries exceeded"."""
    while isinstance(inner := getattr(error, "reason", None) or error.__cause__ or error.__context__, BaseException):
        error = inner
    return error
