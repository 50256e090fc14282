"""Which addresses are Google's. Nothing is fetched from anywhere else, whatever an answer says."""

from __future__ import annotations

import ipaddress
import re
from typing import Self
from urllib.parse import SplitResult, urlsplit

import msgspec

from syncengine.api import FatalError

_API_HOSTS = frozenset(
    {
        "accounts.google.com",
        "oauth2.googleapis.com",
        "openidconnect.googleapis.com",
        "photoslibrary.googleapis.com",
        "photospicker.googleapis.com",
        "www.googleapis.com",
    }
)
# One label only: below bc.googleusercontent.com are the rented machines of Google's customers.
_BYTES_HOST = re.compile(r"[a-z0-9-]+\.googleusercontent\.com")
# Where a download of a video may be redirected to; it never gets the token.
_VIDEO_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)?\.googlevideo\.com")
# No blank, quote, backslash or control character: parsers disagree about what such an address means.
_PLAIN = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]!$&'()*+,;=%|]+")
_PORTS = {"http": 80, "https": 443}


class GoogleEndpoints(msgspec.Struct, frozen=True, kw_only=True):
    """Where Google's services are.

    Args:
        auth_uri: the page on which a user signs in and consents.
        token_uri: exchanges codes and refresh tokens for access tokens.
        device_uri: begins the device flow.
        revoke_uri: makes tokens worthless.
        userinfo_uri: says whose token it is.
        library: root of the Library API, without a ``/`` at its end.
        picker: root of the Picker API.
        drive: root of the Drive API, with its version.
        origin: the one origin that stands for all of Google, or empty for Google itself.
    """

    auth_uri: str = "https://accounts.google.com/o/oauth2/v2/auth"
    token_uri: str = "https://oauth2.googleapis.com/token"
    device_uri: str = "https://oauth2.googleapis.com/device/code"
    revoke_uri: str = "https://oauth2.googleapis.com/revoke"
    userinfo_uri: str = "https://openidconnect.googleapis.com/v1/userinfo"
    library: str = "https://photoslibrary.googleapis.com"
    picker: str = "https://photospicker.googleapis.com"
    drive: str = "https://www.googleapis.com/drive/v3"
    origin: str = ""

    @classmethod
    def at(cls, endpoint: str) -> Self:
        """Return the addresses below ``endpoint``, or Google's own when it is empty.

        Args:
            endpoint: ``https://HOST[:PORT]``; plain ``http`` for a loopback address and nothing else.

        Raises:
            FatalError: it is no such address.
        """
        if not endpoint:
            return cls()
        root = endpoint.rstrip("/")
        try:
            parts = _split(root)
        except ValueError as error:
            raise _no_endpoint(endpoint, str(error)) from None
        if parts.path or parts.query or parts.fragment:
            raise _no_endpoint(endpoint, "it has more than a host and a port")
        return cls(
            auth_uri=f"{root}/o/oauth2/v2/auth",
            token_uri=f"{root}/token",
            device_uri=f"{root}/device/code",
            revoke_uri=f"{root}/revoke",
            userinfo_uri=f"{root}/v1/userinfo",
            library=root,
            picker=root,
            drive=f"{root}/drive/v3",
            origin=root,
        )

    @property
    def is_loopback(self) -> bool:
        """Whether this machine itself plays Google."""
        return bool(self.origin) and is_loopback(urlsplit(self.origin).hostname or "")

    def check(self, url: str) -> None:
        """Refuse an address from which nothing is to be fetched.

        Raises:
            ValueError: it is not HTTPS at one of Google's hosts, or not at the configured endpoint; the message
                names the host and nothing else of the address.
        """
        parts = _split(url)
        if self.origin:
            allowed = _origin(parts) == _origin(urlsplit(self.origin))
        else:
            host = parts.hostname or ""
            allowed = _has_usual_port(parts) and (
                host in _API_HOSTS or bool(_BYTES_HOST.fullmatch(host) or _VIDEO_HOST.fullmatch(host))
            )
        if not allowed:
            raise ValueError(f"{host_of(url)} is not one of Google's hosts")

    def may_have_token(self, url: str) -> bool:
        """Return whether the access token may be sent to an address that ``check`` accepts."""
        host = urlsplit(url).hostname or ""
        return bool(self.origin) or host in _API_HOSTS or bool(_BYTES_HOST.fullmatch(host))


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine itself."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def host_of(url: str) -> str:
    """Return the host of an address, for messages: it is all of an address that may be shown."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        host = ""
    return "".join(character for character in host if character.isprintable())[:100] or "an address without a host"


def same_origin(first: str, second: str) -> bool:
    """Return whether two addresses have the same scheme, host and port."""
    return _origin(urlsplit(first)) == _origin(urlsplit(second))


def _split(url: str) -> SplitResult:
    """Take an address apart; raises ``ValueError`` for one that is not safe to use."""
    if not _PLAIN.fullmatch(url):
        raise ValueError("the address has characters that do not belong there")
    parts = urlsplit(url)
    if not parts.hostname or "@" in parts.netloc:
        raise ValueError("the address has no plain host")
    _ = parts.port  # raises for one that is no number
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname)):
        raise ValueError(f"{host_of(url)} is not reached by https")
    return parts


def _origin(parts: SplitResult) -> tuple[str, str, int | None]:
    return parts.scheme, parts.hostname or "", parts.port or _PORTS.get(parts.scheme)


def _has_usual_port(parts: SplitResult) -> bool:
    return parts.scheme == "https" and parts.port in (None, 443)


def _no_endpoint(endpoint: str, why: str) -> FatalError:
    return FatalError(
        f"the endpoint {endpoint[:100]!r} cannot be used: {why}",
        advice="leave 'endpoint' out to use Google, or write https://HOST[:PORT] (http only for a loopback address)",
    )
