"""The body of an answer, as it comes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from syncengine.api import RetryableError
from syncengine_plugins.google.endpoints import host_of
from syncengine_plugins.google.transport import failure

if TYPE_CHECKING:
    import requests


class Download:
    """An answer whose body is read piece by piece; good as long as its ``with`` block.

    Args:
        answer: 200 to 299, or a status that the call allows.
        what: what was asked for.
    """

    def __init__(self, answer: requests.Response, what: str) -> None:
        self._answer = answer
        self._what = what

    @property
    def status(self) -> int:
        """Status of HTTP; a server that ignores ``Range`` answers 200 to it, not 206."""
        return self._answer.status_code

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers; names are looked up without regard to case."""
        return self._answer.headers

    @property
    def length(self) -> int | None:
        """Bytes that the body should have, when the answer says so."""
        value = self._answer.headers.get("Content-Length", "")
        return int(value[:18]) if value.isascii() and value.isdigit() else None

    def chunks(self, size: int = 1 << 20) -> Iterator[bytes]:
        """Yield the body.

        Args:
            size: bytes of a piece, but for the last.

        Raises:
            RetryableError: it was cut, or stopped coming; a body shorter than announced counts as cut.
        """
        host = host_of(self._answer.url or "")
        if self._answer.headers.get("Content-Encoding", "identity").lower() not in ("identity", ""):
            raise RetryableError(f"{self._what}: {host} sent the bytes encoded, though it was asked not to")
        pieces = self._answer.iter_content(size)
        while True:
            try:
                piece = next(pieces, b"")
            except OSError as error:  # the root of what requests raises
                raise failure(error, self._what, host) from None
            if not piece:
                return
            yield piece

    def read(self, limit: int) -> bytes:
        """Return the whole body.

        Args:
            limit: bytes; a body that is longer is a ``RetryableError``.
        """
        parts: list[bytes] = []
        size = 0
        for piece in self.chunks(1 << 16):
            size += len(piece)
            if size > limit:
                raise RetryableError(f"{self._what}: the answer is longer than {limit:,} bytes")
            parts.append(piece)
        return b"".join(parts)
