"""Whether a photo or video ends where its format says, seen while its bytes pass by.

Google tells neither size nor checksum of its photos, so a body that was cut in good order shows only by this.
"""

from __future__ import annotations

import zlib

from syncengine_plugins.google.photos.chains import Boxes, Jpeg

_HEAD = 16
_TAIL = 32
_JPEG = b"\xff\xd8"
_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_END = b"IEND\xae\x42\x60\x82"


class Ending:
    """Follows the bytes of one file."""

    def __init__(self) -> None:
        self.size = 0
        self._checksum = 0
        self._start: bytes | None = b""
        self._head = b""
        self._tail = b""
        self._boxes = Boxes()
        self._jpeg = Jpeg()

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
        if self._head[:2] == _JPEG:
            # phones put trailers behind a picture, but none that ends in zeros
            return "" if self._jpeg.is_whole and self._tail[-16:].strip(b"\0") else "a JPEG without its end"
        if self._head.startswith(_PNG):
            return "" if self._tail.endswith(_PNG_END) else "a PNG without its end"
        if self._head[:4] == b"RIFF":
            announced = int.from_bytes(self._head[4:8], "little") + 8
            return "" if announced in (self.size, self.size - 1) else "a RIFF file of another length than it says"
        if self._head[4:8] == b"ftyp":
            return "" if self._boxes.are_whole() else "its boxes do not end where the file ends"
        return ""

    def _begin(self, start: bytes) -> None:
        """Follow the bytes from here on, now that they tell their format."""
        self._start = None
        self._head = start[:_HEAD]
        self._follow(start)

    def _follow(self, piece: bytes) -> None:
        if self._head[:2] == _JPEG:
            self._jpeg.add(piece)
        elif self._head[4:8] == b"ftyp":
            self._boxes.add(piece)
        self._tail = (self._tail + piece)[-_TAIL:] if len(piece) < _TAIL else piece[-_TAIL:]
