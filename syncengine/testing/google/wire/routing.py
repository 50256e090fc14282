"""Which of Google's hosts and endpoints a request is for.

A client may reach the emulator by Google's own host names (``Host: www.googleapis.com``), by a loopback address and
the host's name as the first part of the path (``http://127.0.0.1:8443/www.googleapis.com/drive/v3/files``), or by a
loopback address and the plain path where that is enough to tell the host.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import unquote

from syncengine.testing.google.wire.message import Answer, Request

ACCOUNTS = "accounts.google.com"
OAUTH2 = "oauth2.googleapis.com"
OPENID = "openidconnect.googleapis.com"
WWW = "www.googleapis.com"
DRIVE_HOST = "drive.googleapis.com"
LIBRARY = "photoslibrary.googleapis.com"
PICKER = "photospicker.googleapis.com"
MEDIA = "lh3.googleusercontent.com"
PHOTOS = "photos.google.com"
EMULATOR = "emulator"

# ``www.google.com`` has the page where a device's code is typed; it shares its paths with no API.
_ALIASES = {"www.google.com": WWW, "google.com": WWW, DRIVE_HOST: WWW, "oauth2.google.com": OAUTH2}
HOSTS = frozenset({ACCOUNTS, OAUTH2, OPENID, WWW, LIBRARY, PICKER, MEDIA, PHOTOS, *_ALIASES})

_BY_PATH = (
    (re.compile(r"/(upload/)?drive/|/device$|/oauth2/v\d/"), WWW),
    (re.compile(r"/o/oauth2/|/signin/oauth|/\.well-known/"), ACCOUNTS),
    (re.compile(r"/(token|revoke|tokeninfo|device/code)$"), OAUTH2),
    (re.compile(r"/v1/userinfo$"), OPENID),
    (re.compile(r"/v1/sessions(/|$)"), PICKER),
    (re.compile(r"/v1/"), LIBRARY),
)

Handler: TypeAlias = Callable[[Request], Answer]


@dataclass(frozen=True)
class Route:
    """One endpoint.

    Args:
        endpoint: its name, such as ``drive.files.list``: family, resource, method.
        method: HTTP method.
        host: one of ``HOSTS``.
        pattern: what the whole path looks like.
        handler: what answers.
        scopes: any one of these is needed; empty means no token is.
        media: another route of the same path, for ``alt=media``.
    """

    endpoint: str
    method: str
    host: str
    pattern: re.Pattern[str]
    handler: Handler
    scopes: frozenset[str] = frozenset()
    media: bool = False

    @property
    def family(self) -> str:
        """``drive``, ``library``, ``picker``, ``media`` or ``oauth``."""
        return self.endpoint.partition(".")[0]


def route(
    endpoint: str,
    method: str,
    host: str,
    template: str,
    handler: Handler,
    *,
    scopes: frozenset[str] = frozenset(),
    media: bool = False,
) -> Route:
    """A route from a path template.

    Args:
        endpoint: its name.
        method: HTTP method.
        host: one of ``HOSTS``.
        template: a path in which ``{name}`` stands for one part, without ``/`` and ``:``.
        handler: what answers.
        scopes: any one of these is needed.
        media: whether it is for ``alt=media``.
    """
    pieces = re.split(r"\{(\w+)\}", template)
    literal = [re.escape(piece) if index % 2 == 0 else f"(?P<{piece}>[^/:]+)" for index, piece in enumerate(pieces)]
    return Route(endpoint, method, host, re.compile("".join(literal)), handler, scopes, media)


def locate(host_header: str, path: str, query: dict[str, list[str]]) -> tuple[str, str, bool]:
    """Find the host that a request is for.

    Args:
        host_header: the ``Host`` header.
        path: the path, percent-encoded.
        query: the query's values.

    Returns:
        Google's host (empty when nothing tells), the path on it, and whether the client addressed it by name.
    """
    if path.startswith("/_emulator/"):
        return EMULATOR, path, False
    name = host_header.lower()
    name = name if name.endswith("]") else name.rpartition(":")[0] or name
    if name in HOSTS:
        return _ALIASES.get(name, name), path, True
    first, slash, rest = path[1:].partition("/")
    if first in HOSTS:
        return _ALIASES.get(first, first), slash + rest or "/", False
    if path == "/v1/mediaItems" and "sessionId" in query:
        return PICKER, path, False
    return next((host for pattern, host in _BY_PATH if pattern.match(path)), ""), path, False


class Router:
    """All endpoints.

    Args:
        routes: the first that fits counts.
    """

    def __init__(self, routes: list[Route]) -> None:
        self._by_place: dict[tuple[str, str], list[Route]] = {}
        for one in routes:
            self._by_place.setdefault((one.host, one.method), []).append(one)
        self.endpoints = sorted({one.endpoint for one in routes})

    def find(self, request: Request) -> Route | None:
        """The endpoint of a request, whose ``endpoint`` and ``parts`` are set; ``HEAD`` is answered like ``GET``."""
        method = "GET" if request.method == "HEAD" else request.method
        media = request.one("alt") == "media"
        for one in self._by_place.get((request.host, method), []):
            found = one.pattern.fullmatch(request.path)
            if found and one.media in (False, media):
                request.endpoint = one.endpoint
                request.parts = {name: unquote(value) for name, value in found.groupdict().items()}
                return one
        return None
