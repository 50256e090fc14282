"""Reads one member through one range, as ``zip_stream`` wants it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator

from syncengine_plugins.sources.takeout.zip_stream import ReadAt, header_length

_DRAINED = 256 << 10
_HEADER = 30
_PIECE = 256 << 10

#: Yields the bytes of a file between two offsets.
OpenRange = Callable[[int, int], Generator[bytes, None, None]]


class ForwardReader:
    """A ``ReadAt`` that goes forward only, over a range that is opened once; what lies behind it costs another.

    Args:
        open_range: opens a range.
        start: where the first range begins.
        end: where it ends.
        size: bytes of the file.
    """

    def __init__(self, open_range: OpenRange, start: int, end: int, size: int) -> None:
        self._open, self._size = open_range, size
        self._at, self._end = start, min(end, size)
        self._chunks = open_range(self._at, self._end)
        self._left = b""
        #: Ranges beyond the first.
        self.further = 0

    def __call__(self, length: int, offset: int) -> bytes:
        """Return up to ``length`` bytes at ``offset``, which must not lie behind; none at the end of the file."""
        while True:
            if not self._left and not self._next():
                return b""
            if (skip := offset - self._at) <= 0:
                break
            self._take(min(skip, len(self._left)))
        return self._take(length) if len(self._left) >= length else self._gathered(length)

    def finish(self) -> None:
        """Read the few bytes that are left of the range, so that its connection can be used again."""
        if self._end - self._at <= _DRAINED:
            for _ in self._chunks:
                pass
        self._chunks.close()

    def _gathered(self, length: int) -> bytes:
        """Return ``length`` bytes, or what is left of the range when that is fewer."""
        pieces = [self._take(length)]
        wanted = length - len(pieces[0])
        while wanted and (chunk := next(self._chunks, b"")):
            self._left = chunk
            pieces.append(self._take(wanted))
            wanted -= len(pieces[-1])
        return b"".join(pieces)

    def _take(self, length: int) -> bytes:
        taken, self._left = self._left[:length], self._left[length:]
        self._at += len(taken)
        return taken

    def _next(self) -> bool:
        """Get more bytes; return whether there are any."""
        self._left = next(self._chunks, b"")
        if not self._left and self._end < self._size:
            start, self._end = self._end, min(self._end + (64 << 10), self._size)
            self.further += 1
            self._chunks = self._open(start, self._end)
            self._left = next(self._chunks, b"")
        return bool(self._left)


def packed_member(read: ReadAt, start: int, packed: int) -> tuple[int, Iterator[bytes]]:
    """Return how many bytes a zip member has with its header, and those bytes in pieces.

    Args:
        read: reads the archive.
        start: of the local header.
        packed: compressed bytes.

    Raises:
        MemberDamagedError: no member begins there.
    """
    head = read(_HEADER, start)
    length = header_length(head) + packed

    def pieces() -> Iterator[bytes]:
        yield head
        at = len(head)
        while at < length and (piece := read(min(_PIECE, length - at), start + at)):
            yield piece
            at += len(piece)

    return length, pieces()
