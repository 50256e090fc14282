"""One request and one answer, free of sockets."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qs

from syncengine.testing.google.content.bytes import BytesContent, Content
from syncengine.testing.google.wire.problems import bad_request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from syncengine.testing.google.control.effects import Effect

E = TypeVar("E")


@dataclass
class Request:
    """What a client asks.

    Args:
        method: ``GET``, ``POST`` and so on, in capitals.
        host: Google's host that it is meant for.
        path: the path on that host, still percent-encoded.
        query: the query string's values.
        headers: header values by lower-case name.
        body: the body's bytes.
        addressed: scheme and authority as the client wrote them, such as ``http://127.0.0.1:8443``.
        by_name: whether the client addressed Google's host by its name, and not a loopback address.
        from_loopback: whether the client is on this machine.
    """

    method: str
    host: str
    path: str
    query: dict[str, list[str]]
    headers: Mapping[str, str]
    body: bytes
    addressed: str
    by_name: bool = False
    from_loopback: bool = True
    endpoint: str = ""
    parts: dict[str, str] = field(default_factory=dict)
    scopes: frozenset[str] = frozenset()
    account: str = ""
    effects: list[Effect] = field(default_factory=list)

    def one(self, name: str, default: str = "") -> str:
        """The last value of a query parameter."""
        return self.query.get(name, [default])[-1]

    def number(self, name: str, default: int) -> int:
        """A query parameter as an integer.

        Raises:
            ApiError: 400, it is none.
        """
        text = self.one(name)
        try:
            return int(text) if text else default
        except ValueError:
            raise bad_request(f"Invalid value at '{name}' (TYPE_INT32), \"{text}\"") from None

    def form(self) -> dict[str, str]:
        """The body as a posted form; the last value of each name."""
        fields = parse_qs(self.body.decode("utf-8", "replace"), keep_blank_values=True)
        return {name: values[-1] for name, values in fields.items()}

    def json(self) -> dict[str, Any]:
        """The body as a JSON object; an empty one when there is no body.

        Raises:
            ApiError: 400, it is none.
        """
        if not self.body.strip():
            return {}
        try:
            value = json.loads(self.body)
        except ValueError:
            raise bad_request("Invalid JSON payload received. Unable to parse the body.", "parseError") from None
        if not isinstance(value, dict):
            raise bad_request("Invalid JSON payload received. An object is expected.", "parseError")
        return value

    def effect(self, kind: type[E]) -> E | None:
        """The fault of a kind that is due for this request."""
        return next((effect for effect in self.effects if isinstance(effect, kind)), None)

    def base(self, host: str) -> str:
        """Where a host of Google's is, as this client reaches it: the start of URLs that are handed out."""
        if self.by_name:
            scheme, _, authority = self.addressed.partition("://")
            port = authority.rpartition(":")[2] if ":" in authority else ""
            return f"{scheme}://{host}" + (f":{port}" if port else "")
        return f"{self.addressed}/{host}"


@dataclass
class Answer:
    """What goes back.

    Args:
        status: HTTP status.
        headers: besides length, date and connection.
        content: the bytes behind the body.
        start: at which byte of the content the body begins.
        length: how long the body is; ``None`` means to the content's end.
        value: the JSON value that the body spells, for those who check shapes.
    """

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    content: Content = field(default_factory=lambda: BytesContent(b""))
    start: int = 0
    length: int | None = None
    value: Any = None

    @property
    def body_length(self) -> int:
        """How long the body is, in bytes."""
        return self.content.size - self.start if self.length is None else self.length


def json_answer(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """A JSON answer.

    Args:
        value: what to spell.
        status: HTTP status.
        headers: further headers.
    """
    text = json.dumps(value, ensure_ascii=False, indent=1).encode() + b"\n"
    kind = {"Content-Type": "application/json; charset=UTF-8", "Cache-Control": "private"}
    return Answer(status, {**kind, **(headers or {})}, BytesContent(text), value=value)


def text_answer(text: str, status: int = 200, kind: str = "text/html; charset=UTF-8") -> Answer:
    """A page or a plain text."""
    return Answer(status, {"Content-Type": kind}, BytesContent(text.encode()))


def redirect(location: str) -> Answer:
    """302 to another place."""
    return Answer(302, {"Location": location, "Cache-Control": "no-store"})
