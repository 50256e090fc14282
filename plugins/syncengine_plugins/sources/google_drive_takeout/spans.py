"""Which bytes of an archive are asked for together: Drive charges for each request, not for bytes.

A sidecar has a kilobyte; asking for each by itself would cost a request for every photo. Neighbours are read in one
range where little lies between them, and a new photo beside a new sidecar is brought along when there is room for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec

GAP = 64 << 10  # at 10 MB/s, these take as long as a tenth of a request
LONGEST = 16 << 20
LONGEST_PHOTO = 8 << 20
_MOST_JSON = 1 << 20

Room = Callable[[bool], int]


class Wish(msgspec.Struct, frozen=True):
    """A stretch of an archive that is wanted.

    Args:
        start: its first byte.
        end: the byte after its last; may be a little too late.
        json: a sidecar, which is needed now; else a photo or video, which will be.
        packed: bytes of the member without what precedes them in the archive.
        soon: a photo or video that will be asked for before the archive is read to its end.
    """

    start: int
    end: int
    json: bool
    packed: int = 0
    soon: bool = False

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


def plan(wishes: Iterable[Wish], room: Room, usual: int = LONGEST) -> Iterator[Span]:
    """Yield the requests that fulfil every wish for a sidecar, each planned when it is wanted.

    Args:
        wishes: in any order; none begins where another does.
        room: returns how many bytes of photos and videos may be brought along, of those that are asked for soon, and
            of others.
        usual: bytes beyond which a request takes no further photo.
    """
    ordered = sorted(wishes, key=lambda wish: wish.start)
    for chain in _chains(ordered):
        if any(wish.json for wish in chain):
            yield from _spans(chain, room, usual)


def _chains(ordered: Sequence[Wish]) -> Iterator[list[Wish]]:
    """Part wishes where much lies between them."""
    chain: list[Wish] = []
    end = 0
    for wish in ordered:
        if chain and wish.start - end > GAP:
            yield chain
            chain = []
        chain.append(wish)
        end = max(end, wish.end)
    if chain:
        yield chain


def _spans(chain: Sequence[Wish], room: Room, usual: int) -> Iterator[Span]:
    """Part a chain where a request would become too long, or where much of it is left out for want of room."""
    span = _Growing(usual)
    for wish in chain:
        if not span.has_place_for(wish):
            yield from span.finished()
            span = _Growing(usual)
        if wish.json or (wish.length <= LONGEST_PHOTO and span.photos + wish.length <= room(wish.soon)):
            span.add(wish)
    yield from span.finished()


class _Growing:
    """A request while it is being planned."""

    def __init__(self, usual: int) -> None:
        self._usual = usual
        self._wishes: list[Wish] = []
        self._end = self._json = 0
        #: Bytes of photos and videos.
        self.photos = 0

    def has_place_for(self, wish: Wish) -> bool:
        """Return whether it would not become too long with a wish, and none of it be in vain."""
        if not self._wishes:
            return True
        length = max(self._end, wish.end) - self._wishes[0].start
        json = self._json + (wish.length if wish.json else 0)
        longest = LONGEST if wish.json else self._usual
        return wish.start - self._end <= GAP and length <= longest and json <= _MOST_JSON

    def add(self, wish: Wish) -> None:
        """Take a wish in."""
        self._wishes.append(wish)
        self._end = max(self._end, wish.end)
        self._json += wish.length if wish.json else 0
        self.photos += 0 if wish.json else wish.length

    def finished(self) -> Iterator[Span]:
        """Yield the request, if there is a sidecar in it: else its photos cost a request now or later."""
        if self._json:
            yield Span(tuple(self._wishes))
