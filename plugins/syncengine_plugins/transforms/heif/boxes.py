"""Boxes of the ISO base media file format (ISO/IEC 14496-12, 4.2), read within bounds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from syncengine.api import ItemError


def damaged(what: str) -> ItemError:
    """Return the error for a file that is not whole or not well-formed."""
    return ItemError(f"damaged HEIC: {what}", advice="fetch it again, or look for another copy of this photo")


class Box(NamedTuple):
    """A box: its four-character type, and the offsets between which its payload lies."""

    kind: bytes
    start: int
    end: int


class Cursor:
    """Reads big-endian numbers between two offsets of a file in memory.

    Args:
        file: all bytes of the file.
        start: offset of the first byte to read.
        end: offset after the last byte that may be read.

    Raises:
        ItemError: from every method that would read past ``end``.
    """

    __slots__ = ("_end", "_file", "at")

    def __init__(self, file: bytes, start: int, end: int) -> None:
        self._file = file
        self._end = min(end, len(file))
        self.at = start

    @property
    def left(self) -> int:
        """How many bytes can still be read."""
        return self._end - self.at

    def take(self, size: int) -> bytes:
        """Return the next ``size`` bytes."""
        if not 0 <= size <= self.left:
            raise damaged("a box ends before its contents do")
        self.at += size
        return self._file[self.at - size : self.at]

    def uint(self, width: int) -> int:
        """Return the next unsigned number of ``width`` bytes; 0 for a width of 0."""
        return int.from_bytes(self.take(width), "big")

    def text(self) -> bytes:
        """Return the next bytes up to a NUL, or up to the end where there is none."""
        stop = self._file.find(b"\0", self.at, self._end)
        found = self.take((self._end if stop < 0 else stop) - self.at)
        self.at = min(self.at + 1, self._end)
        return found

    def version_and_flags(self) -> tuple[int, int]:
        """Return what every full box begins with."""
        word = self.uint(4)
        return word >> 24, word & 0xFFFFFF


def children(file: bytes, start: int, end: int) -> Iterator[Box]:
    """Yield the boxes that fill the space between two offsets.

    Raises:
        ItemError: a box reaches over the end.
    """
    at = start
    while at < end:
        box = box_at(file, at, end)
        if box is None:
            raise damaged(f"a box at byte {at} reaches over the end of what it is in")
        yield box
        at = box.end


def box_at(file: bytes, at: int, end: int) -> Box | None:
    """Return the box at an offset, or ``None`` when no whole box is there."""
    if end - at < 8:
        return None
    size, kind, start = int.from_bytes(file[at : at + 4], "big"), file[at + 4 : at + 8], at + 8
    if size == 1:
        size, start = int.from_bytes(file[at + 8 : at + 16], "big"), at + 16
    elif size == 0:
        size = end - at
    if start > at + size or at + size > end:
        return None
    return Box(kind, start, at + size)
