"""Movies that are as small as a movie can be: the boxes that carry dates and identifiers, and some bytes."""

from __future__ import annotations

import hashlib
import struct
from datetime import UTC, datetime

_QUICKTIME_EPOCH = datetime(1904, 1, 1, tzinfo=UTC)
_UTF8 = 1
_CONTENT_IDENTIFIER = "com.apple.quicktime.content.identifier"
_CREATION_DATE = "com.apple.quicktime.creationdate"


def live_photo_movie(taken: datetime, content_identifier: str, *, size: int = 20_000) -> bytes:
    """Return the QuickTime half of a Live Photo.

    Args:
        taken: with a zone.
        content_identifier: shared with the still.
        size: bytes of (meaningless) media.
    """
    keys = {_CONTENT_IDENTIFIER: content_identifier, _CREATION_DATE: f"{taken:%Y-%m-%dT%H:%M:%S%z}"}
    brand = _box(b"ftyp", b"qt  " + struct.pack(">I", 0) + b"qt  ")
    return brand + _box(b"moov", _movie_header(taken) + _apple_keys(keys)) + _box(b"mdat", _noise(keys, size))


def mp4(taken: datetime, *, size: int = 20_000) -> bytes:
    """Return an MP4; ``taken`` with a zone, ``size`` bytes of (meaningless) media."""
    brand = _box(b"ftyp", b"isom" + struct.pack(">I", 512) + b"isomiso2mp41")
    return brand + _box(b"moov", _movie_header(taken)) + _box(b"mdat", _noise({"taken": taken.isoformat()}, size))


def _box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", 8 + len(body)) + kind + body


def _movie_header(taken: datetime) -> bytes:
    seconds = int((taken - _QUICKTIME_EPOCH).total_seconds())
    timescale, duration = 600, 1800
    matrix = struct.pack(">9I", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
    head = struct.pack(">IIIII", 0, seconds, seconds, timescale, duration)
    return _box(b"mvhd", head + struct.pack(">IH", 1 << 16, 1 << 8) + bytes(10) + matrix + bytes(24) + b"\0\0\0\2")


def _apple_keys(values: dict[str, str]) -> bytes:
    """Return QuickTime's ``meta`` box (no version field, unlike MP4's) with a text for each key."""
    handler = _box(b"hdlr", bytes(8) + b"mdta" + bytes(13))
    names = b"".join(_box(b"mdta", key.encode()) for key in values)
    texts = b"".join(
        _box(struct.pack(">I", number), _box(b"data", struct.pack(">II", _UTF8, 0) + text.encode()))
        for number, text in enumerate(values.values(), 1)
    )
    return _box(b"meta", handler + _box(b"keys", struct.pack(">II", 0, len(values)) + names) + _box(b"ilst", texts))


def _noise(seed: dict[str, str], size: int) -> bytes:
    """Return bytes that do not compress and are the same each time."""
    return hashlib.shake_256(repr(sorted(seed.items())).encode()).digest(size)
