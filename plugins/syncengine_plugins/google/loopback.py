"""Waits on this machine for the browser to come back from the consent page (RFC 8252 7.3)."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from syncengine.api import FatalError
from syncengine_plugins.google.consent import WrongAddressError

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>syncengine</title>
<body style="font: 1.2em sans-serif; margin: 4em"><p>{text}</p></body></html>
"""
_POLL = 0.05  # seconds that closing may take
_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Connection": "close",
}


class RedirectReceiver:
    """A server on a free loopback port, there for one answer. Use it with ``with``."""

    def __init__(self) -> None:
        self._answers: queue.SimpleQueue[str | FatalError] = queue.SimpleQueue()
        self._read: Callable[[str], str] = _nothing_expected
        receive = self._receive

        class Handler(BaseHTTPRequestHandler):
            timeout = 20  # seconds; browsers open connections that they never use

            def do_GET(self) -> None:  # pylint: disable=invalid-name  # http.server finds it by this name
                status, text = receive(self.path)
                body = _PAGE.format(text=text).encode()
                self.send_response(status)
                for name, value in (*_HEADERS.items(), ("Content-Length", str(len(body)))):
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: Any) -> None:
                """Say nothing: the line would show the code."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(_POLL,), name="sign-in", daemon=True)

    @property
    def redirect_uri(self) -> str:
        """Where the browser is to be led."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/"

    def expect(self, read: Callable[[str], str]) -> None:
        """Say what the answer looks like; until then there is none.

        Args:
            read: returns the code in an address; raises ``WrongAddressError`` for one that is not the answer (browsers
                and other programs may ask for anything), ``FatalError`` when the answer is no.
        """
        self._read = read

    def wait(self, seconds: float) -> str:
        """Return the code in the first address that is the answer.

        Args:
            seconds: how long to wait.

        Raises:
            FatalError: the answer is no, or there was none in time.
        """
        try:
            answer = self._answers.get(timeout=seconds)
        except queue.Empty:
            raise FatalError(
                f"nobody signed in within {seconds / 60:.0f} minutes",
                advice="run the command again; with --no-browser, any browser on any machine will do",
            ) from None
        if isinstance(answer, FatalError):
            raise answer
        return answer

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _receive(self, path: str) -> tuple[int, str]:
        if not path.startswith("/?"):
            return 404, "There is nothing here."
        try:
            self._answers.put(self._read(self.redirect_uri + path[1:]))
        except WrongAddressError:
            return 400, "This is not the answer to a sign-in that is under way. See the terminal."
        except FatalError as error:
            self._answers.put(error)
            return 200, "You did not sign in. See the terminal."
        return 200, "Thank you. You can close this page and go back to the terminal."


def _nothing_expected(address: str) -> str:
    del address
    raise WrongAddressError("no sign-in is under way")
