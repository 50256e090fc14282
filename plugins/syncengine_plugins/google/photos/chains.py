"""Formats that are chains of pieces, each with its length at its beginning, followed while the bytes pass by."""

from __future__ import annotations

from abc import ABC, abstractmethod

_NEVER = 1 << 62
_FIRST_SEGMENT = 2


class Chain(ABC):
    """Goes from header to header.

    Args:
        first: offset of the first one.
        header: bytes of a header.
    """

    def __init__(self, first: int, header: int) -> None:
        self.passed = 0
        self._next: int | None = first
        self._wanted = self._usual = header
        self._header = b""

    def add(self, piece: bytes) -> None:
        """Take the next bytes."""
        at = 0
        while self._next is not None and at < len(piece):
            if not self._header:
                at = max(at, self._next - self.passed)
            taken = piece[at : at + self._wanted - len(self._header)]
            self._header += taken
            at += len(taken)
            if len(self._header) == self._wanted:
                self._follow(piece, at)
        self.passed += len(piece)

    def _follow(self, piece: bytes, at: int) -> None:
        length = self.length_in(self._header)
        if length is None:
            self._next = None
            self.end(self._header, piece[at:])
        elif length < 0:
            self._wanted = -length
            return
        elif self._next is not None:
            self._next += length
        # the next header may begin within what was read of this one
        self._wanted, self._header = self._usual, self._header[length:] if length is not None else b""

    @abstractmethod
    def length_in(self, header: bytes) -> int | None:
        """Return how far the next header is from this one's beginning.

        Returns:
            ``None`` when there is none any more; a negative number when the header itself has so many bytes.
        """

    def end(self, header: bytes, rest: bytes) -> None:
        """Take the last header and what of its piece follows it."""
        del header, rest


class Boxes(Chain):
    """The boxes at the top of an ISO base media file (ISO/IEC 14496-12, 4.2)."""

    def __init__(self) -> None:
        super().__init__(0, 8)

    def length_in(self, header: bytes) -> int | None:
        """Read a length of 32 or 64 bits; 0 means to the end of the file, for a box that has a type."""
        length = int.from_bytes(header[:4], "big")
        if length == 1:
            length = int.from_bytes(header[8:16], "big") if len(header) == 16 else -16
        elif length == 0 and header[4:8].strip(b"\0"):
            return None
        # what is too short for a box is no box: nothing whole ends there
        return length if length == -16 or length >= 8 else _NEVER

    def are_whole(self) -> bool:
        """Return whether the last box ends where the bytes end."""
        return self._next is None or (not self._header and self._next == self.passed)


class Jpeg(Chain):
    """The segments of a JPEG up to its picture, and the end of that (ITU-T T.81, B.1.1)."""

    def __init__(self) -> None:
        super().__init__(_FIRST_SEGMENT, 4)
        self.is_whole = False
        self._in_picture = False
        self._last = b""

    def add(self, piece: bytes) -> None:
        """Take the next bytes."""
        if self._in_picture:
            self._look(piece)
            self.passed += len(piece)
        else:
            super().add(piece)

    def length_in(self, header: bytes) -> int | None:
        """Skip a segment, so that the end of a thumbnail in it is not taken for the picture's."""
        if header[0] != 0xFF or header[1] in (0xDA, 0xD9):
            return None
        return 1 if header[1] == 0xFF else 2 + int.from_bytes(header[2:4], "big")

    def end(self, header: bytes, rest: bytes) -> None:
        """Begin to look for the end of the picture; what is no chain of segments is taken as it is."""
        if header[:2] == b"\xff\xda":
            self._in_picture = True
            self._look(rest)
        else:
            self.is_whole = True

    def _look(self, piece: bytes) -> None:
        """Look for the marker, which cannot stand within the picture: a byte of 255 has a 0 behind it there."""
        if not self.is_whole:
            self.is_whole = b"\xff\xd9" in self._last + piece
            self._last = piece[-1:] or self._last
