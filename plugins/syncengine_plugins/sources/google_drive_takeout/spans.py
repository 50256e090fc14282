"""Which bytes of an archive are asked for together: Drive charges for each request, not for bytes.

A sidecar has a kilobyte; asking for each by itself would cost a request for every photo. Neighbours are read in one
range where little lies between them, and a new photo beside a new sidecar is brought along when there is room for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

GAP = 64 << 10  # at 10 MB/s, these take as long as a tenth of a request
LONGEST = 8 << 20
_MOST_JSON = 1 << 20


class Wish(msgspec.Struct, frozen=True):
    """A stretch of an archive that is wanted.

    Args:
        start: its first byte.
        end: the byte after its last; may be a little too late.
        json: a sidecar, which is needed now; else a photo or video, which will be.
        packed: bytes of the member without what precedes them in the archive.
    """

    start: int
    end: int
    json: bool
    packed: int = 0

    @property
    def length(self) -> int:
        """Bytes."""
        return self.end - self.start


class Span(msgspec.Struct, frozen=True):
    """What one request asks for: the wishes that it fulfils, in the order of the archive."""

    wishes: tuple[Wish, ...]

    @property
    def start(self) -> int:
        """Its first byte."""
        return self.wishes[0].start

    @property
    def end(self) -> int:
        """The byte after its last."""
        return max(wish.end for wish in self.wishes)


def plan(wishes: Iterable[Wish], room: int) -> list[Span]:
    """Return the requests that fulfil every wish for a sidecar.

    Args:
        wishes: in any order; none begins where another does.
        room: bytes of photos and videos that may be brought along.
    """
    ordered = sorted(wishes, key=lambda wish: wish.start)
    chosen: list[Wish] = []
    for chain in _chains(ordered):
        if any(wish.json for wish in chain):
            for wish in chain:
                if wish.json or wish.length <= min(room, LONGEST):
                    room -= 0 if wish.json else wish.length
                    chosen.append(wish)
    spans = (_trimmed(chain) for chain in _chains(chosen, limited=True))
    return [Span(tuple(trimmed)) for trimmed in spans if trimmed]


def _chains(ordered: Sequence[Wish], *, limited: bool = False) -> list[list[Wish]]:
    """Part wishes where much lies between them; ``limited``: also where a request would become too long."""
    chains: list[list[Wish]] = []
    end = json = 0
    for wish in ordered:
        near = bool(chains) and wish.start - end <= GAP
        json += wish.length if wish.json else 0
        if near and limited:
            near = max(end, wish.end) - chains[-1][0].start <= LONGEST and json <= _MOST_JSON
        if near:
            chains[-1].append(wish)
            end = max(end, wish.end)
        else:
            chains.append([wish])
            end, json = wish.end, wish.length if wish.json else 0
    return chains


def _trimmed(chain: list[Wish]) -> list[Wish]:
    """Leave out a chain without a sidecar: its photos cost a request now or later."""
    return chain if any(wish.json for wish in chain) else []
