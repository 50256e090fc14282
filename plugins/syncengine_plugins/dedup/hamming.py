"""Which of many 64-bit hashes is the nearest, exactly."""

from __future__ import annotations

from array import array
from collections.abc import Iterable

import msgspec

_CONTENT = 32
# Hashes that are compared in one go: 512 KiB stay in the processor's cache.
_BLOCK = 65536


class Neighbour(msgspec.Struct, frozen=True):
    """A content and the number of bits in which its hash differs."""

    content: bytes
    distance: int


class HammingIndex:
    """All hashes in one growing array, 41 bytes an entry; every one is compared at each search.

    Of several that are equally near, one that was there at ``load`` comes before one that was added (there the
    smallest content counts, since a store has its own order), then the one that was added first.
    """

    def __init__(self) -> None:
        self._hashes = array("Q")
        self._contents = bytearray()
        self._loaded = 0

    def __len__(self) -> int:
        return len(self._hashes)

    def load(self, entries: Iterable[tuple[bytes, bytes]]) -> None:
        """Take (hash, content) pairs that were there before; those whose hash is not 8 bytes long are left out."""
        for fingerprint, content in entries:
            if len(fingerprint) == 8:
                self.add(fingerprint, content)
        self._loaded = len(self._hashes)

    def add(self, fingerprint: bytes, content: bytes) -> None:
        """Remember a hash.

        Args:
            fingerprint: 8 bytes, big-endian.
            content: at most 32 bytes.

        Raises:
            ValueError: one of them has another length.
        """
        if len(fingerprint) != 8 or len(content) > _CONTENT:
            raise ValueError(f"a hash of 8 bytes and a content of at most {_CONTENT} are wanted")
        self._hashes.append(int.from_bytes(fingerprint, "big"))
        self._contents.append(len(content))
        self._contents += content.ljust(_CONTENT, b"\0")

    def nearest(self, fingerprint: bytes, limit: int) -> Neighbour | None:
        """Return the nearest content whose hash differs in at most ``limit`` bits."""
        if not self._hashes:
            return None
        import numpy as np  # here: the coordinator imports this module at start-up

        hashes = np.frombuffer(self._hashes, dtype=np.uint64)
        wanted = np.uint64(int.from_bytes(fingerprint, "big"))
        distances = np.empty(len(hashes), dtype=np.uint8)
        for start in range(0, len(hashes), _BLOCK):
            block = slice(start, start + _BLOCK)
            np.bitwise_count(hashes[block] ^ wanted, out=distances[block])
        best = int(distances.min())
        if best > limit:
            return None
        return Neighbour(self._first([int(place) for place in np.flatnonzero(distances == best)]), best)

    def _first(self, places: list[int]) -> bytes:
        loaded = [place for place in places if place < self._loaded]
        return min(map(self._content, loaded)) if loaded else self._content(places[0])

    def _content(self, place: int) -> bytes:
        at = place * (_CONTENT + 1)
        return bytes(self._contents[at + 1 : at + 1 + self._contents[at]])
