"""Google on a loopback address.

::

    with GoogleEmulator() as emulator:
        folder = emulator.library.drive.add_folder("Takeout")
        emulator.library.drive.add_file("takeout-20260501T100000Z-1-001.zip", content, folder.id)
        emulator.faults.status("drive.files.download", 503, at=3)
        tokens = emulator.authority.mint()
        requests.get(emulator.root("www.googleapis.com") + "/drive/v3/files", headers=...)
"""

from __future__ import annotations

import ssl
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from syncengine.testing.google.accounts.authority import DESKTOP_CLIENT, Authority
from syncengine.testing.google.accounts.devices import Devices
from syncengine.testing.google.accounts.endpoints import AccountEndpoints
from syncengine.testing.google.accounts.grants import Client
from syncengine.testing.google.control.admin import AdminEndpoints
from syncengine.testing.google.control.clock import Clock
from syncengine.testing.google.control.counters import Counters
from syncengine.testing.google.control.faults import Faults
from syncengine.testing.google.control.quotas import Quotas
from syncengine.testing.google.drive.account import DriveAccountEndpoints
from syncengine.testing.google.drive.endpoints import FileEndpoints
from syncengine.testing.google.library import Library
from syncengine.testing.google.photos.library_api import LibraryEndpoints
from syncengine.testing.google.photos.picker_api import MediaEndpoints, PickerEndpoints
from syncengine.testing.google.photos.sessions import PickingSessions
from syncengine.testing.google.photos.urls import MediaUrls
from syncengine.testing.google.photos.writing import WritingEndpoints
from syncengine.testing.google.shapes import ANSWERS, violations
from syncengine.testing.google.wire.dispatch import Dispatcher
from syncengine.testing.google.wire.message import Answer, Request
from syncengine.testing.google.wire.routing import ACCOUNTS, OAUTH2, Route, Router
from syncengine.testing.google.wire.server import EmulatorServer


class GoogleEmulator:
    """OAuth, Drive, Photos Library and Photos Picker of one user.

    Everything may be changed while it runs: ``library`` (files, items, albums), ``authority`` (clients, consent,
    tokens), ``devices``, ``picker`` (what the user picks), ``urls``, ``clock``, ``faults``, ``quotas``; ``counters``
    says what was asked.

    Args:
        library: what the user has; ``None`` begins with nothing. A library has a clock, which becomes the emulator's.
        tls: certificate and key files (PEM); ``None`` serves plain HTTP.
        port: 0 takes a free one.
        address: where to listen; the admin endpoints answer loopback clients only.
        check_answers: gather violations of Google's shapes in ``shape_violations``.
        real_names: hand out URLs with Google's own host names even to clients that come by a loopback address.
    """

    def __init__(
        self,
        library: Library | None = None,
        tls: tuple[Path, Path] | None = None,
        *,
        port: int = 0,
        address: str = "127.0.0.1",
        check_answers: bool = False,
        real_names: bool = False,
    ) -> None:
        self.library = library or Library(Clock())
        self.clock = self.library.clock
        self.faults = Faults()
        self.counters = Counters()
        self.quotas = Quotas(self.clock)
        self.authority = Authority(self.clock)
        self.devices = Devices(self.authority)
        self.urls = MediaUrls(self.library.photos, self.clock)
        self.picker = PickingSessions(self.library.photos, self.clock)
        self.shape_violations: list[str] = []
        self.router = Router(self._routes())
        dispatcher = Dispatcher(self.router, self.authority, self.faults, self.quotas)
        if check_answers:
            dispatcher.on_answer = self._check
        self._tls = _context(tls) if tls else None
        self._server = EmulatorServer(
            (address, port),
            dispatcher,
            self.faults,
            self.counters,
            clock=self.clock,
            tls=self._tls,
            real_names=real_names,
        )
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        """The port on which it listens."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """Where it is reached on this machine: ``http://127.0.0.1:PORT``."""
        return f"{self._server.scheme}://127.0.0.1:{self.port}"

    @property
    def failures(self) -> list[str]:
        """Tracebacks of what went wrong in the emulator itself; tests should find none."""
        return self._server.failures

    def root(self, host: str) -> str:
        """Where one of Google's hosts is.

        Args:
            host: such as ``www.googleapis.com``.
        """
        return f"{self.url}/{host}"

    def client_config(self, client: Client | None = None) -> dict[str, Any]:
        """A client file (``credentials.json``) for a desktop program, whose addresses lead here.

        Args:
            client: whose; ``None`` means the desktop client that is there from the beginning.
        """
        whose = client or self.authority.clients[DESKTOP_CLIENT.id]
        return {
            "installed": {
                "client_id": whose.id,
                "client_secret": whose.secret,
                "project_id": "emulator",
                "auth_uri": self.root(ACCOUNTS) + "/o/oauth2/v2/auth",
                "token_uri": self.root(OAUTH2) + "/token",
                "redirect_uris": ["http://localhost"],
            }
        }

    def start(self) -> Self:
        """Serve from a thread of its own."""
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Close every connection and end."""
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._thread = None
        self._server.server_close()

    def serve_forever(self) -> None:
        """Serve from this thread until it is interrupted."""
        self._server.serve_forever()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _routes(self) -> list[Route]:
        """Every endpoint."""
        drive, photos = self.library.drive, self.library.photos
        return [
            *AccountEndpoints(self.authority, self.devices).routes(),
            *FileEndpoints(drive).routes(),
            *DriveAccountEndpoints(drive).routes(),
            *LibraryEndpoints(photos, self.urls).routes(),
            *WritingEndpoints(photos, self.urls).routes(),
            *PickerEndpoints(self.picker, photos, self.urls).routes(),
            *MediaEndpoints(self.urls).routes(),
            *AdminEndpoints(self).routes(),
        ]

    def _check(self, request: Request, answer: Answer) -> None:
        """Note what is wrong with an answer's shape."""
        shape = ANSWERS.get(request.endpoint)
        if shape is not None:
            self.shape_violations += violations(shape, answer.value, request.endpoint)


def _context(tls: tuple[Path, Path]) -> ssl.SSLContext:
    """The server's side of TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*tls)
    return context
