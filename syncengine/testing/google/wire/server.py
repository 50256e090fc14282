"""The HTTP/1.1 server: sockets, TLS and framing."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import ssl
import sys
import threading
import traceback
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from syncengine.testing.google.control.counters import Exchange
from syncengine.testing.google.control.effects import Cut
from syncengine.testing.google.wire.message import Answer, Request
from syncengine.testing.google.wire.routing import locate
from syncengine.testing.google.wire.sending import BodyEndsError, Delivery, deliver, reset_on_close

if TYPE_CHECKING:
    from syncengine.testing.google.control.clock import Clock
    from syncengine.testing.google.control.counters import Counters
    from syncengine.testing.google.control.faults import Faults
    from syncengine.testing.google.wire.dispatch import Dispatcher

MAX_BODY = 64 * 1024 * 1024


class EmulatorServer(ThreadingHTTPServer):
    """A server with a thread for each connection.

    Args:
        address: host and port; port 0 takes a free one.
        dispatcher: answers the requests.
        faults: latency, bandwidth and the offset of the ``Date`` header.
        counters: what was asked.
        clock: the time in ``Date``.
        tls: certificate and key; ``None`` serves plain HTTP.
        real_names: hand out URLs with Google's own host names, to whomever.
    """

    daemon_threads = True
    request_queue_size = 128
    disable_nagle_algorithm = True

    def __init__(
        self,
        address: tuple[str, int],
        dispatcher: Dispatcher,
        faults: Faults,
        counters: Counters,
        *,
        clock: Clock,
        tls: ssl.SSLContext | None = None,
        real_names: bool = False,
    ) -> None:
        self.dispatcher, self.faults, self.counters, self.clock = dispatcher, faults, counters, clock
        self.tls, self.real_names = tls, real_names
        self.failures: list[str] = []
        self._connections: set[socket.socket] = set()
        self._connections_lock = threading.Lock()
        self.scheme = "https" if tls else "http"
        super().__init__(address, EmulatorHandler)

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection; the TLS handshake waits for the connection's own thread."""
        connection, address = super().get_request()
        connection.settimeout(120)
        if self.tls is not None:
            connection = self.tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        with self._connections_lock:
            self._connections.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        """Close a connection."""
        with self._connections_lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        """Stop listening, and end the connections that clients keep open."""
        super().server_close()
        with self._connections_lock:
            waiting = list(self._connections)
        for connection in waiting:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Note what failed in the emulator itself; clients that go away are nothing to report."""
        error = sys.exc_info()[1]
        if error is not None and not isinstance(error, OSError):
            self.failures.append("".join(traceback.format_exception(error)))


class _Count:
    """How one request is counted, once."""

    def __init__(self, counters: Counters, request: Request, path: str, started: float) -> None:
        self._counters = counters
        self._request = request
        self._path = path
        self._started = started
        self._open = True
        self.status = 0
        self.sent = 0

    def done(self) -> None:
        """The answer is out, or as good as out."""
        if not self._open:
            return
        self._open = False
        request = self._request
        asked = request.headers.get("range", "")
        self._counters.end(
            Exchange(request.endpoint, request.method, self._path, asked, self.status, self.sent, self._started),
            len(request.body),
        )


class EmulatorHandler(BaseHTTPRequestHandler):
    """One connection."""

    server: EmulatorServer
    protocol_version = "HTTP/1.1"
    wbufsize = 64 * 1024
    disable_nagle_algorithm = True

    def log_message(self, *_args: Any) -> None:
        """Say nothing: paths hold signed URLs."""

    def finish(self) -> None:
        """Close both directions, also where the client is gone: flushing then fails, and the reader would stay open."""
        try:
            with contextlib.suppress(OSError):
                super().finish()
        finally:
            self.rfile.close()

    def _serve(self) -> None:
        """Answer one request and count it: before its last byte goes out, so that a client finds itself counted."""
        request = self._read()
        if request is None:
            self.send_error(400)
            return
        self.server.counters.begin()
        count = _Count(self.server.counters, request, self.path, self.server.clock.now())
        try:
            answer = self.server.dispatcher.answer(request)
            delivery = deliver(answer, request.effects, self.server.faults.bandwidth)
            count.status = delivery.answer.status
            self._send(delivery, count)
        finally:
            count.done()

    def _read(self) -> Request | None:
        """The request with its body; ``None`` when it cannot be understood."""
        body = self._body()
        if body is None:
            return None
        path, _, query_text = self.path.partition("?")
        query = parse_qs(query_text, keep_blank_values=True)
        authority = self.headers.get("Host") or "127.0.0.1"
        host, path, by_name = locate(authority, path, query)
        return Request(
            self.command,
            host,
            path,
            query,
            {name.lower(): value for name, value in self.headers.items()},
            body,
            "https://" if self.server.real_names else f"{self.server.scheme}://{authority}",
            by_name or self.server.real_names,
            ipaddress.ip_address(self.client_address[0]).is_loopback,
        )

    def _body(self) -> bytes | None:
        """The request's body, by length or in chunks (RFC 9112, 7.1)."""
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            return self._chunked_body()
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > MAX_BODY:
            self.close_connection = True
            return None
        return self.rfile.read(int(length))

    def _chunked_body(self) -> bytes | None:
        """A body in chunks."""
        body = bytearray()
        while len(body) <= MAX_BODY:
            size = int(self.rfile.readline(64).split(b";")[0].strip() or b"0", 16)
            body += self.rfile.read(size)
            self.rfile.readline(64)
            if not size:
                return bytes(body)
        self.close_connection = True
        return None

    def _send(self, delivery: Delivery, count: _Count) -> None:
        """Write an answer."""
        self._send_head(delivery)
        if self.command == "HEAD" or not delivery.total:
            count.done()
        try:
            for piece in delivery.pieces() if self.command != "HEAD" else ():
                count.sent += len(piece)
                if count.sent >= delivery.total:
                    count.done()
                self.wfile.write(piece)
                self.wfile.flush()
            self.wfile.flush()
            self.close_connection |= self.command != "HEAD" and count.sent < delivery.total
        except (BodyEndsError, OSError):
            self._break(delivery.cut)

    def _send_head(self, delivery: Delivery) -> None:
        """Write status and headers."""
        answer: Answer = delivery.answer
        self.send_response_only(answer.status)
        now = self.server.clock.now() + self.server.faults.clock_offset
        self.send_header("Date", formatdate(now, usegmt=True))
        self.send_header("Server", "ESF")
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status not in (204, 304):
            self.send_header("Content-Length", str(delivery.declared))
        if delivery.closes:
            self.send_header("Connection", "close")
        self.end_headers()

    def _break(self, cut: Cut | None) -> None:
        """End the connection where the body breaks off."""
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.wfile.flush()
            if cut is not None and cut.reset:
                reset_on_close(self.connection)

    # pylint: disable-next=invalid-name  # http.server looks them up by these names
    do_GET = do_HEAD = do_POST = do_PATCH = do_DELETE = do_PUT = _serve  # noqa: N815 - see above
