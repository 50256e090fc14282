"""Small photos and videos that differ and can be as large as one likes."""

from __future__ import annotations

import base64
import struct

from syncengine.testing.google.content.bytes import BytesContent, Content, PaddedContent

# 8 by 8 grey pixels; FF D8 (start of image) comes first.
_GREY = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDACgcHiMeGSgjISMtKygwPGRBPDc3PHtYXUlkkYCZlo+AjIqgtObDoKrarYqMyP/L2u71////m8H////6"
    "/+b9//j/wAALCAAIAAgBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAAAP/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AP//Z"
)


def jpeg(comment: str, size: int = 0) -> Content:
    """A JPEG that any decoder opens.

    Args:
        comment: kept in its COM segment; it makes one photo another than the next.
        size: bytes to fill it up to; 0 leaves it as small as it is.
    """
    text = comment.encode()[:65000]
    picture = _GREY[:2] + b"\xff\xfe" + struct.pack(">H", len(text) + 2) + text + _GREY[2:]
    return PaddedContent(picture, size) if size else BytesContent(picture)


def mp4(comment: str, size: int = 0) -> Content:
    """A file with the boxes of an MP4 and no picture in it.

    Args:
        comment: kept in a ``free`` box.
        size: bytes to fill it up to, in an ``mdat`` box that reaches the end; 0 leaves it as small as it is.
    """
    text = comment.encode()
    boxes = struct.pack(">I4s4sI4s4s", 24, b"ftyp", b"isom", 512, b"isom", b"mp41")
    boxes += struct.pack(">I4s", 8 + len(text), b"free") + text + struct.pack(">I4s", 0, b"mdat")
    return PaddedContent(boxes, size) if size else BytesContent(boxes)
