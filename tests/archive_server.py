"""A small archive on this computer that misbehaves as told and writes down what it was asked for.

It serves a folder over HTTP/1.1 with ranges and validators, as a good server does. `ArchiveServer.fail` queues a
`Fault` for the files whose path contains a text; each request for such a file uses up one.
"""

import hashlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one request; by default nothing.

    Attributes
    ----------
    status : int
        Sent with an empty body, if not 200.
    headers : dict
        Sent besides or instead of the usual ones; None leaves a header out.
    body : bytes or None
        Sent instead of the file.
    drop_at : int or None
        The connection is cut after so many bytes of the body.
    stall_at : int or None
        Nothing comes after so many bytes of the body, and the connection stays open.
    silent : bool
        Not even a status comes.
    length : int or None
        Content-Length announced, whatever is sent.
    ranges : bool
        Whether a Range is honoured.
    delay : float
        Seconds before each 100 bytes of the body.
    """

    status: int = 200
    headers: dict[str, str | None] = field(default_factory=dict)
    body: bytes | None = None
    drop_at: int | None = None
    stall_at: int | None = None
    silent: bool = False
    length: int | None = None
    ranges: bool = True
    delay: float = 0.0


@dataclass(frozen=True)
class Request:
    """One request as it came: path, headers, and seconds on a monotonic clock."""

    path: str
    headers: dict[str, str]
    time: float


class ArchiveServer:
    """Serve a folder on a free port of this computer, until closed; a context manager."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.requests: list[Request] = []
        self.faults: list[tuple[str, Fault]] = []
        self.lock = threading.Lock()
        self.closing = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        """The base URL, as config key archive.url takes it."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def fail(self, text: str, *faults: Fault) -> None:
        """Queue faults for the next requests whose path contains a text."""
        with self.lock:
            self.faults += [(text, fault) for fault in faults]

    def asked_for(self, text: str = "") -> list[Request]:
        """Requests so far whose path contains a text."""
        return [request for request in self.requests if text in request.path]

    def __enter__(self) -> "ArchiveServer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@contextmanager
def closed_port() -> Iterator[str]:
    """The URL of a port at which nobody listens, so that connections are refused."""
    # Bound but not listening, so that no other program takes the port meanwhile.
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@contextmanager
def deaf_port() -> Iterator[str]:
    """The URL of a port that does not answer attempts to connect, as behind a firewall that drops packets."""
    with socket.socket() as deaf, socket.socket() as first:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        first.connect(deaf.getsockname())  # fills the queue, which nobody empties
        yield f"http://127.0.0.1:{deaf.getsockname()[1]}"


def _handler(archive: ArchiveServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            fault = self._next_fault()
            path = archive.folder / unquote(urlsplit(self.path).path).lstrip("/")
            if fault.silent:
                archive.closing.wait()
                self._cut()
            elif fault.status != 200 or not path.is_file():
                status = fault.status if fault.status != 200 else 404
                self._head(status, {"Content-Length": "0", **fault.headers})
            else:
                self._send(path, fault)

        def _next_fault(self) -> Fault:
            with archive.lock:
                archive.requests.append(Request(self.path, dict(self.headers), time.monotonic()))
                for place, (text, fault) in enumerate(archive.faults):
                    if text in self.path:
                        del archive.faults[place]
                        return fault
            return Fault()

        def _send(self, path: Path, fault: Fault) -> None:
            body = path.read_bytes() if fault.body is None else fault.body
            etag = f'"{hashlib.md5(body).hexdigest()}"'
            headers: dict[str, str | None] = {
                "ETag": etag,
                "Last-Modified": formatdate(path.stat().st_mtime, usegmt=True),
                "Accept-Ranges": "bytes",
            }
            status, total = 200, len(body)
            asked = self.headers.get("Range")
            if asked and fault.ranges and self.headers.get("If-Range") in (None, etag, headers["Last-Modified"]):
                start = int(asked.removeprefix("bytes=").rstrip("-"))
                if start >= total:
                    self._head(416, {"Content-Range": f"bytes */{total}", "Content-Length": "0"})
                    return
                status, body = 206, body[start:]
                headers["Content-Range"] = f"bytes {start}-{total - 1}/{total}"
            headers["Content-Length"] = str(len(body) if fault.length is None else fault.length)
            headers |= fault.headers
            self._head(status, headers)
            cut = next((at for at in (fault.drop_at, fault.stall_at) if at is not None), None)
            with suppress(ConnectionError):
                self._write(body[:cut], fault, chunked=headers.get("Transfer-Encoding") == "chunked")
                if fault.stall_at is not None:
                    archive.closing.wait()
            if fault.drop_at is not None or fault.length is not None or headers["Content-Length"] is None:
                self._cut()

        def _write(self, body: bytes, fault: Fault, *, chunked: bool) -> None:
            step = 100 if fault.delay else max(len(body), 1)
            for start in range(0, len(body), step):
                if archive.closing.wait(fault.delay):
                    return
                piece = body[start : start + step]
                self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
            if chunked and fault.drop_at is None:
                self.wfile.write(b"0\r\n\r\n")

        def _head(self, status: int, headers: dict[str, str | None]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                if value is not None:
                    self.send_header(name, value)
            self.end_headers()

        def _cut(self) -> None:
            self.close_connection = True
            with suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)

        def log_message(self, format: str, *args: Any) -> None:
            """Keep quiet: `ArchiveServer.requests` is the log."""

    return Handler
