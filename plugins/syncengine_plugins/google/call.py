"""One request to Google, as a value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One request.

    Args:
        what: what it is for, as a person would say it, such as ``the list of albums``; messages show this, never the
            address.
        url: without secrets in ``params``; an address from an answer is checked like any other.
        method: ``GET``, ``POST``, ``PATCH`` or ``DELETE``.
        api: whose limits it counts against: a name of ``limits``, or empty for none.
        units: what it costs there.
        params: appended to ``url`` as its query, in this order; a key may come twice.
        body: sent as JSON, unless ``None``.
        headers: besides those that every request has; never ``Authorization``.
        bearer: send the access token, where it may go.
        tries: how often it is tried altogether; what a caller repeats by itself takes 1.
        allow: answers besides 200 to 299 that are not errors, such as 416.
    """

    what: str
    url: str
    method: str = "GET"
    api: str = ""
    units: int = 1
    params: tuple[tuple[str, str], ...] = ()
    body: Any = None
    headers: Mapping[str, str] = {}
    bearer: bool = True
    tries: int = 5
    allow: frozenset[int] = frozenset()
