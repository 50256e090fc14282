"""The addresses of a page's bytes: good for an hour by Google's word, renewed together before that."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Protocol

from syncengine.api import ItemError
from syncengine_plugins.google.clock import Clock

#: Seconds after which an address is renewed before use. Google promises 60 minutes, and users report refusals after 30
#: to 45: https://developers.google.com/photos/library/guides/access-media-items#base-urls
OLDEST = 40 * 60.0


class Renewal(Protocol):
    """How the addresses of a page are asked for again."""

    def __call__(self, item_id: str) -> Mapping[str, str]:
        """Return fresh addresses by item id, that of ``item_id`` and of as many others as one request gives."""
        ...


class Addresses:
    """The addresses of the items that were listed together; one object for all of them, used from several threads.

    Args:
        found: address by item id.
        renewal: asks for them again.
        clock: tells their age.
        since: when they were given, by ``clock.steady``; ``None`` means now.
    """

    def __init__(self, found: Mapping[str, str], renewal: Renewal, clock: Clock, *, since: float | None = None) -> None:
        self._renewal = renewal
        self._clock = clock
        self._lock = threading.Lock()
        given = clock.steady() if since is None else since
        self._found = {item_id: (address, given) for item_id, address in found.items()}

    def of(self, item_id: str) -> str:
        """Return an address that is young enough to be used.

        Raises:
            ItemError: Google has no address for this item any more.
        """
        with self._lock:
            address, since = self._found.get(item_id, ("", float("-inf")))
            if self._clock.steady() - since >= OLDEST:
                address = self._renew(item_id)
        return _given(address)

    def instead_of(self, stale: str, item_id: str) -> str:
        """Return another address than ``stale``, which was refused; raises as ``of`` does."""
        with self._lock:
            address, _ = self._found.get(item_id, ("", 0.0))
            if address == stale:
                address = self._renew(item_id)
        return _given(address)

    def _renew(self, item_id: str) -> str:
        now = self._clock.steady()
        fresh = self._renewal(item_id)
        self._found.update({found: (address, now) for found, address in fresh.items()})
        return fresh.get(item_id, "")


def _given(address: str) -> str:
    if not address:
        raise ItemError("Google has no address for its bytes any more; it may have been deleted since it was listed")
    return address
