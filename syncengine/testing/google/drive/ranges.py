"""Byte ranges (RFC 9110, 14) of one part; several parts are answered as if none had been asked for."""

from __future__ import annotations

import re

from syncengine.testing.google.content.bytes import Content
from syncengine.testing.google.control.effects import IgnoreRange
from syncengine.testing.google.wire.message import Answer, Request
from syncengine.testing.google.wire.problems import ApiError

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def ranged(request: Request, content: Content, headers: dict[str, str], etag: str = "") -> Answer:
    """The bytes that a request wants.

    Args:
        request: its ``Range``, ``If-Range`` and ``If-Match`` count.
        content: the bytes.
        headers: what describes them.
        etag: the content's entity tag; empty when the server has none, and then both conditions are overlooked.

    Raises:
        ApiError: 412, another content was expected; 416, the range begins behind the end.
    """
    expected = request.headers.get("if-match", "*")
    if etag and expected not in ("*", etag):
        raise ApiError(412, "The pre-condition given in the request evaluated to false.", "conditionNotMet")
    headers = {**headers, "Accept-Ranges": "bytes"} | ({"ETag": etag} if etag else {})
    match = _RANGE.fullmatch(request.headers.get("range", "").strip())
    stale = bool(etag) and request.headers.get("if-range", etag) != etag
    if match is None or stale or match.groups() == ("", "") or request.effect(IgnoreRange) is not None:
        return Answer(200, headers, content)
    start, end = _bounds(match[1], match[2], content.size)
    if start >= content.size or start > end:
        unsatisfied = {"Content-Range": f"bytes */{content.size}"}
        raise ApiError(416, "Request range not satisfiable", "requestedRangeNotSatisfiable", headers=unsatisfied)
    headers["Content-Range"] = f"bytes {start}-{end}/{content.size}"
    return Answer(206, headers, content, start, end - start + 1)


def _bounds(first: str, last: str, size: int) -> tuple[int, int]:
    """First and last byte of a range."""
    if not first:
        return max(size - int(last), 0), size - 1 if int(last) else -1
    return int(first), min(int(last), size - 1) if last else size - 1
