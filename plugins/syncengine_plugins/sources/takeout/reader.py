"""Reads items from zips and folders in another process than the one that keeps the index."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from syncengine.api import MediaItem, Sink
from syncengine_plugins.sources.takeout.describing import describe
from syncengine_plugins.sources.takeout.index import PartRow
from syncengine_plugins.sources.takeout.reading import Copy, direct_chunks


class TakeoutReader:
    """Reads each item's first copy; whatever is wrong with it, the source goes on from there.

    Args:
        parts: every zip and folder by its id.
        nonce: as ``without_nonce`` wants it.
    """

    def __init__(self, parts: Mapping[int, PartRow], nonce: str) -> None:
        self._parts = dict(parts)
        self._nonce = nonce

    def fetch(self, item: MediaItem, into: Sink) -> None:
        """Write the bytes of the first copy; raises when they cannot be read, or are not what they should be."""
        copies: tuple[Copy, ...] = item.locator
        for chunk in direct_chunks(copies[0], self._parts[copies[0].part]):
            into.write(chunk)

    def describe(self, item: MediaItem, path: Path) -> MediaItem:
        """See ``Source``."""
        return describe(without_nonce(item, self._nonce), path)


def without_nonce(item: MediaItem, nonce: str) -> MediaItem:
    """Return an item as it is recorded.

    Args:
        item: as listed.
        nonce: what was put behind its token, so that it is read again in any case; mostly nothing.
    """
    if not nonce:
        return item
    return msgspec.structs.replace(item, content_token=item.content_token.removesuffix(nonce))
