"""The OAuth client that the user made in the Google Cloud console: ``credentials.json``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec

from syncengine.api import FatalError

_LARGEST = 64 << 10
_ADVICE = (
    "in the Google Cloud console, under Clients, create one of type 'Desktop app', download its JSON, and name that "
    "file in 'credentials'"
)
_CLIENT_ID = re.compile(r"[A-Za-z0-9._-]{5,200}")


class OAuthClient(msgspec.Struct, frozen=True):
    """A client of type "Desktop app" or "TVs and Limited Input devices".

    The addresses that its file names are not used: they are Google's anyway, or not to be trusted.

    Args:
        client_id: begins with the number of the Cloud project.
        client_secret: not secret for an installed app by RFC 8252, and kept as one.
    """

    client_id: str
    client_secret: str

    def __repr__(self) -> str:
        return f"OAuthClient({self.client_id!r})"

    def __rich_repr__(self) -> Any:
        yield self.client_id

    @property
    def project(self) -> str:
        """The number of the Cloud project, to which Google's quotas belong."""
        return self.client_id.partition("-")[0]


def read_client_file(path: Path) -> OAuthClient:
    """Return the client that a file describes.

    Args:
        path: as downloaded from the console.

    Raises:
        FatalError: there is no such file, or it is something else; with what to do.
    """
    try:
        with path.open("rb") as stream:
            content = stream.read(_LARGEST + 1)
    except OSError as error:
        raise FatalError(
            f"the OAuth client file {path} cannot be read: {error.strerror or error}", advice=_ADVICE
        ) from None
    try:
        document = msgspec.json.decode(content[:_LARGEST])
    except msgspec.DecodeError:
        raise _wrong(path, "is not JSON") from None
    if not isinstance(document, dict):
        raise _wrong(path, "holds no JSON object")
    return _client(path, document)


def _client(path: Path, document: dict[str, Any]) -> OAuthClient:
    if what := _mistaken_for(document):
        raise _wrong(path, what)
    installed = document.get("installed")
    if not isinstance(installed, dict):
        raise _wrong(path, "has no 'installed' part")
    values = [installed.get(key) for key in ("client_id", "client_secret")]
    for key, value in zip(("client_id", "client_secret"), values, strict=True):
        if not isinstance(value, str) or not value.strip():
            raise _wrong(path, f"has no '{key}'")
    client_id, client_secret = (str(value).strip() for value in values)
    if not _CLIENT_ID.fullmatch(client_id):
        raise _wrong(path, "has a 'client_id' that is none")
    return OAuthClient(client_id, client_secret)


def _mistaken_for(document: dict[str, Any]) -> str:
    """Return what a file is that is often taken for the client's, or an empty text."""
    if document.get("type") == "service_account":
        return "is the key of a service account, which has no photos and no Drive of yours"
    if "refresh_token" in document or "access_token" in document or document.get("type") == "authorized_user":
        return "holds a token of another program, not a client"
    if "web" in document:
        return "describes a client of type 'Web application', which cannot sign in from a command line"
    if "client_id" in document:
        return "is not as downloaded: 'client_id' stands outside of 'installed'"
    return ""


def _wrong(path: Path, what: str) -> FatalError:
    return FatalError(f"the OAuth client file {path} {what}", advice=_ADVICE)
