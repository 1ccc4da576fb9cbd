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
from urllib.request import url2pathname

import requests
import urllib3
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_exponential_jitter
from tqdm import tqdm

from stargal import __version__
from stargal.errors import StargalError
from stargal.io.files import record_of, recorded, sha256, write_record

USER_AGENT = f"stargal/{__version__} (star/galaxy workflow; {requests.utils.default_user_agent()})"
"""How a request names itself to the archive."""

TEMPORARY = frozenset({408, 425, 429, 500, 502, 503, 504, 507, 509, 520, 521, 522, 523, 524, 529})
"""HTTP statuses after which the same request may succeed; every other failure is told at once."""

LONGEST_WAIT = 600.0
"""Seconds a server may ask to wait (Retry-After) before the job gives up instead."""

SLOWEST = 1000.0
"""Bytes per second below which a transfer counts as stalled."""

CHUNK = 1 << 16
"""Bytes read at once."""


class _InterruptedError(Exception):
    """A transfer that may go better when asked again; `wait` is what the server asked for, seconds."""

    def __init__(self, reason: str, wait: float = 0.0) -> None:
        super().__init__(reason)
        self.wait = wait


def obtain(
    url: str,
    path: Path,
    verify: Callable[[Path], None],
    *,
    timeout: float,
    attempts: int,
    first_wait: float = 1.0,
) -> None:
    """Have a verified file at `path` with its SHA-256 beside it; fetch it only if nothing is there.

    Parameters
    ----------
    url : str
        Where the file comes from: https, http or file.
    path : path
        Where it goes. It appears there only when it is whole and verified.
    verify : callable
        Raises `StargalError` saying what is wrong with a file.
    timeout : float
        Seconds without an answer or without data after which an attempt is given up.
    attempts : int
        Requests at most.
    first_wait : float
        Seconds before the second attempt; doubled before each further one.

    Raises
    ------
    StargalError
        If the file cannot be had, is not what it should be, or differs from its record. Bytes that fail
        verification are removed, those of an interrupted transfer kept in ``<path>.part`` for the next run.
    """
    obtain_all([(url, path, verify)], timeout=timeout, attempts=attempts, first_wait=first_wait)


def obtain_all(
    files: Iterable[tuple[str, Path, Callable[[Path], None]]],
    *,
    timeout: float,
    attempts: int,
    first_wait: float = 1.0,
) -> None:
    """Have several files, each as `obtain` has it: ``(url, path, verify)``. They appear together, when all have come.

    Snakemake removes what a failed job made; what came before the failure is kept as ``<path>.part``, which the next
    run finds whole.
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
            # The record first: a file under its name is never without one.
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
    """Have all bytes of a file, verified, in a partial file beside its path."""
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
            f"{url}: {error}; nothing was kept, run again to fetch afresh, and if it comes again, "
            "check archive.url or leave the field out"
        ) from None
    return part


def _is_whole(part: Path, verify: Callable[[Path], None]) -> bool:
    """Whether a partial file lacks nothing but its name: a run ended before it got it."""
    try:
        verify(part)
    except StargalError:
        return False
    return True


def _confirm(path: Path, verify: Callable[[Path], None]) -> None:
    """Check a file that is there already against its record or, without one, verify it and record it."""
    expected = recorded(path)
    if expected is None:
        try:
            verify(path)
        except StargalError as error:
            raise StargalError(f"{path}: {error}; remove it to fetch it afresh") from None
        write_record(path, sha256(path))
        logging.info("%s: was there, verified and recorded, not fetched", path)
        return
    if sha256(path) != expected:
        raise StargalError(
            f"{path}: its bytes are not those recorded in {record_of(path).name}; remove both to fetch the file "
            "afresh, or the record alone to have the file verified as it is"
        )
    logging.info("%s: was there, as recorded, not fetched", path)


def _copy(url: str, part: Path) -> None:
    """Copy a file of a ``file://`` archive."""
    source = Path(url2pathname(url.removeprefix("file://").removeprefix("localhost")))
    if not source.is_file():
        raise StargalError(_absent(url, "no such file"))
    with source.open("rb") as stream, part.open("wb") as copy:
        shutil.copyfileobj(stream, copy)
        _settle(copy)


def _absent(url: str, said: str) -> str:
    return (
        f"{url}: {said}: this band or catalogue is not in the archive; check archive.url and archive.release, "
        "or take the field out of the table of fields"
    )


def fetch(url: str, part: Path, *, timeout: float, attempts: int, first_wait: float = 1.0) -> None:
    """Fetch a URL into a file, resuming what is there, until all its bytes have come.

    Asks again, with exponential backoff and jitter, after a broken or stalled connection, a short body, and the
    statuses in `TEMPORARY`; at least as late as a Retry-After says. Partial content is resumed only if the server
    confirms, through If-Range, that the file is still the same; otherwise it starts from the first byte.

    Parameters
    ----------
    url : str
        http or https.
    part : path
        The partial file; ``<part>.validator`` beside it holds the ETag or date it belongs to.
    timeout, attempts, first_wait
        As in `obtain`.

    Raises
    ------
    StargalError
        If the file is not there, or has not come after `attempts` requests.
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

    retrying = Retrying(
        stop=stop_after_attempt(attempts),
        wait=wait,
        retry=retry_if_exception_type(_InterruptedError),
        before_sleep=log,
        reraise=True,
    )
    try:
        with requests.Session() as session:
            retrying(_attempt, session, url, part, timeout)
    except _InterruptedError as error:
        times = "1 attempt" if attempts == 1 else f"{attempts} attempts"
        kept = f"; {part.stat().st_size} bytes are kept and the next run goes on from there" if part.exists() else ""
        raise StargalError(
            f"{url}: did not come in {times}: {error}; check the network and archive.url, then run again{kept}"
        ) from error


def _interruption(state: RetryCallState) -> _InterruptedError:
    error = state.outcome.exception() if state.outcome else None
    assert isinstance(error, _InterruptedError)
    return error


def _attempt(session: requests.Session, url: str, part: Path, timeout: float) -> None:
    """One request, from the first missing byte on."""
    # The bytes are stored as the archive has them: no coding on the way, no decoding here.
    headers = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity"}
    have = _resumable(part)
    if have:
        headers |= {"Range": f"bytes={have}-", "If-Range": _validator_of(part).read_text()}
    try:
        with session.get(url, headers=headers, stream=True, timeout=timeout) as response:
            _check_status(response, url, part)
            _receive(response, part, have, timeout)
    except requests.Timeout as error:
        raise _InterruptedError(f"no answer within {timeout:g} s") from error
    except requests.ConnectionError as error:
        cause = _root(error)
        said = getattr(cause, "strerror", None) or str(cause)
        if isinstance(cause, ssl.SSLCertVerificationError):
            raise StargalError(f"{url}: {said}; check archive.url and this computer's clock") from error
        raise _InterruptedError(said) from error
    except requests.RequestException as error:
        raise StargalError(f"{url}: cannot be asked for: {_root(error)}; check archive.url") from error


def _check_status(response: requests.Response, url: str, part: Path) -> None:
    """Let pass what carries the file; raise for the rest."""
    status = response.status_code
    if status in (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT):
        return
    said = f"HTTP {status} {response.reason}".strip()
    if status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
        raise StargalError(_absent(url, said))
    if status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and part.exists():
        _discard(part)
        raise _InterruptedError(f"{said}: the partial file does not fit, starting over")
    if status in TEMPORARY:
        wait = _retry_after(response)
        if wait > LONGEST_WAIT:
            raise StargalError(f"{url}: {said}: the server asks to wait {wait:.0f} s; run again after that")
        raise _InterruptedError(said, wait)
    raise StargalError(f"{url}: {said}: the server refuses; check archive.url and whether the archive is public")


def _retry_after(response: requests.Response) -> float:
    """Seconds the server asks to wait: Retry-After holds a number or a date."""
    try:
        return urllib3.Retry().parse_retry_after(response.headers["Retry-After"])
    except (KeyError, urllib3.exceptions.InvalidHeader):
        return 0.0


def _receive(response: requests.Response, part: Path, have: int, timeout: float) -> None:
    """Append a response's body to the partial file, or start it over when the server sends all of it."""
    start, total = _extent(response)
    if start not in (0, have):
        _discard(part)
        raise _InterruptedError(f"the server sent bytes from {start}, not from {have}; starting over")
    if start == 0:
        _discard(part)
        # A weak ETag ("W/…") does not promise equal bytes, so it cannot vouch for a resumed file.
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
            # read1 hands over what has come, so that nothing is lost when the connection breaks.
            while data := response.raw.read1(CHUNK, decode_content=False):
                stream.write(data)
                bar.update(len(data))
                elapsed, came = time.monotonic() - since, stream.tell() - then
                if elapsed > timeout:
                    if came < SLOWEST * elapsed:
                        raise _InterruptedError(f"only {came} bytes came in {elapsed:.0f} s")
                    since, then = time.monotonic(), stream.tell()
        except urllib3.exceptions.ReadTimeoutError as error:
            raise _InterruptedError(f"nothing came for {timeout:g} s after {stream.tell()} of {total} bytes") from error
        except urllib3.exceptions.HTTPError as error:
            raise _InterruptedError(f"the connection broke after {stream.tell()} of {total} bytes") from error
        _settle(stream)
        size = stream.tell()
    if total is not None and size != total:
        _discard(part)
        raise _InterruptedError(f"{size} bytes came, {total} were announced; starting over")


def _extent(response: requests.Response) -> tuple[int, int | None]:
    """First byte of the body within the file, and length of the file where the server tells it."""
    try:
        if response.status_code == HTTPStatus.PARTIAL_CONTENT:
            span, _, total = response.headers["Content-Range"].removeprefix("bytes ").partition("/")
            return int(span.partition("-")[0]), None if total == "*" else int(total)
        length = response.headers.get("Content-Length")
        return 0, None if length is None else int(length)
    except (KeyError, ValueError):
        raise _InterruptedError("the server does not say which bytes it sends") from None


def _resumable(part: Path) -> int:
    """How many bytes of a partial file can be built on: none without a validator to tell whether they still fit."""
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
    """Put a file's bytes on the disk, so that no power cut leaves a name without them."""
    stream.flush()
    os.fsync(stream.fileno())


def _root(error: BaseException) -> BaseException:
    """The innermost cause, which says most: "Connection refused" rather than "Max retries exceeded"."""
    while isinstance(inner := getattr(error, "reason", None) or error.__cause__ or error.__context__, BaseException):
        error = inner
    return error
