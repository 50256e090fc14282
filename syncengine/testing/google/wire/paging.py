"""Pages of a list, and the tokens between them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from typing import Any, TypeVar

from syncengine.testing.google.control.effects import EmptyPage
from syncengine.testing.google.wire.message import Request
from syncengine.testing.google.wire.problems import bad_request

T = TypeVar("T")


def page(
    request: Request, items: Sequence[T], size: int, token: str, question: Any = None
) -> tuple[Sequence[T], dict[str, str]]:
    """One page of a list.

    Args:
        request: may be due to get an empty page.
        items: the whole list.
        size: how many items a page has.
        token: ``pageToken``; empty means the first page.
        question: what was asked besides; a token is good for the same question only.

    Returns:
        The items, and ``nextPageToken`` when there are more.

    Raises:
        ApiError: 400, the token is none of ours or belongs to another question.
    """
    mark = hashlib.sha256(json.dumps([request.endpoint, question], sort_keys=True).encode()).hexdigest()[:12]
    start = _read(token, mark) if token else 0
    if request.effect(EmptyPage):
        return [], {"nextPageToken": _write(start, mark)}
    end = start + size
    return items[start:end], ({"nextPageToken": _write(end, mark)} if end < len(items) else {})


def page_size(request: Request, asked: int, default: int, most: int) -> int:
    """How many items a page has: more than ``most`` is lowered, 0 means the default.

    Args:
        request: whose page it is, for the error.
        asked: what the client wants.
        default: when it wants nothing.
        most: the API's limit.

    Raises:
        ApiError: 400, less than nothing.
    """
    if asked < 0:
        raise bad_request(f"Page size must not be negative ({request.endpoint}).")
    return min(asked or default, most)


def _write(start: int, mark: str) -> str:
    return base64.urlsafe_b64encode(f"{mark}:{start}".encode()).decode()


def _read(token: str, mark: str) -> int:
    try:
        owner, _, start = base64.urlsafe_b64decode(token).decode().partition(":")
        if owner == mark:
            return int(start)
    except (binascii.Error, ValueError):
        pass
    raise bad_request("Invalid Value: pageToken", "invalid")
