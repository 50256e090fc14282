"""Whether a photo or video ends where its format says, seen while its bytes pass by.

Google tells neither size nor checksum of its photos, so a body that was cut in good order shows only by this.
"""

from __future__ import annotations

import zlib

_HEAD = 16
_TAIL = 32
_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_END = b"IEND\xae\x42\x60\x82"
_LARGEST_BOX_HEADER = 16


class Ending:
    """Follows the bytes of one file."""

    def __init__(self) -> None:
        self.size = 0
        self._checksum = 0
        self._start: bytes | None = b""
        self._head = b""
        self._tail = b""
        self._followed = 0
        self._last_end = -1
        self._boxes = _Boxes()

    def add(self, piece: bytes) -> None:
        """Take the next bytes."""
        self.size += len(piece)
        self._checksum = zlib.crc32(piece, self._checksum)
        if self._start is not None:
            self._start += piece
            if len(self._start) >= _HEAD:
                self._begin(self._start)
        else:
            self._follow(piece)

    def mark(self) -> tuple[int, int]:
        """Return size and CRC-32 of all that was taken."""
        return self.size, self._checksum

    def oddity(self) -> str:
        """Return what is wrong with the end, or an empty text; formats that are not known have nothing wrong."""
        if self._start is not None:
            self._begin(self._start)
        if self._head[:2] == b"\xff\xd8":
            return self._jpeg()
        if self._head.startswith(_PNG):
            return "" if self._tail.endswith(_PNG_END) else "a PNG without its end"
        if self._head[:4] == b"RIFF":
            announced = int.from_bytes(self._head[4:8], "little") + 8
            return "" if announced in (self.size, self.size - 1) else "a RIFF file of another length than it says"
        if self._head[4:8] == b"ftyp":
            return "" if self._boxes.are_whole(self.size) else "its boxes do not end where the file ends"
        return ""

    def _begin(self, start: bytes) -> None:
        """Follow the bytes from here on, now that they tell their format."""
        self._start = None
        self._head = start[:_HEAD]
        self._follow(start)

    def _follow(self, piece: bytes) -> None:
        if self._head[:2] == b"\xff\xd8":
            before = self._tail[-1:]
            found = (before + piece).rfind(b"\xff\xd9")
            if found >= 0:
                self._last_end = self._followed - len(before) + found
        elif self._head[4:8] == b"ftyp":
            self._boxes.add(piece)
        self._tail = (self._tail + piece)[-_TAIL:] if len(piece) < _TAIL else piece[-_TAIL:]
        self._followed += len(piece)

    def _jpeg(self) -> str:
        """Look for the end marker (ITU-T T.81 B.1.1.3). Phones put trailers behind it, but none of zeros alone."""
        if self._last_end < self.size // 2:  # the thumbnail in the metadata has an end of its own
            return "a JPEG without its end"
        return "zeros behind the end of the JPEG" if not self._tail[-16:].strip(b"\0") else ""


class _Boxes:
    """The boxes at the top of an ISO base media file (ISO/IEC 14496-12, 4.2), followed from one to the next."""

    def __init__(self) -> None:
        self._passed = 0
        self._next: int | None = 0
        self._header = b""

    def add(self, piece: bytes) -> None:
        """Take the next bytes."""
        at = 0
        while self._next is not None and at < len(piece):
            if not self._header:
                skip = self._next - (self._passed + at)
                if skip >= len(piece) - at:
                    break
                at += max(skip, 0)
            wanted = _LARGEST_BOX_HEADER if self._header[:4] == b"\0\0\0\1" else 8
            taken = piece[at : at + wanted - len(self._header)]
            self._header += taken
            at += len(taken)
            self._follow()
        self._passed += len(piece)

    def are_whole(self, size: int) -> bool:
        """Return whether the last box ends at the end of the file."""
        return self._next is None or (not self._header and self._next == size)

    def _follow(self) -> None:
        """Go on to the next box once the header is whole; a length of 0 means to the end of the file."""
        header = self._header
        if len(header) < 8 or (header[:4] == b"\0\0\0\1" and len(header) < _LARGEST_BOX_HEADER):
            return
        length = int.from_bytes(header[:4], "big")
        if length == 1:
            length = int.from_bytes(header[8:16], "big")
        assert self._next is not None  # nosec B101: add sees to it
        if length == 0 and header[4:8].strip(b"\0"):
            self._next = None
        else:
            # what is too short for a box, zeros among it, is no box: nothing whole ends there
            self._next += max(length, 8) if length >= 8 else 1 << 62
        self._header = b""
