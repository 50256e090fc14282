"""The content identifier that joins the still and the movie of an Apple Live Photo."""

from __future__ import annotations

from typing import BinaryIO

from syncengine_plugins.media.embedded import in_jpeg
from syncengine_plugins.media.exif import DAMAGE
from syncengine_plugins.media.heif import in_heif
from syncengine_plugins.media.quicktime import movie_tags
from syncengine_plugins.media.tiff import Tiff, number, text
from syncengine_plugins.media.window import Window, over

_EXIF_IFD, _MAKER_NOTE, _CONTENT_IDENTIFIER = 0x8769, 0x927C, 0x0011
_MAKER_NOTE_HEAD = b"Apple iOS\0"
_HEADER = 14


def still_content_identifier(stream: BinaryIO) -> str | None:
    """Return the content identifier of a still (tag 0x0011 of Apple's MakerNote in JPEG and HEIC).

    Args:
        stream: seekable; little is read, and its position is not kept.

    Returns:
        Usually a UUID in capitals; ``None`` when there is none or the file cannot be read. Never raises.
    """
    window = Window(stream)
    embedded = in_jpeg(window.at) if window.head[:2] == b"\xff\xd8" else in_heif(window.at)
    try:
        return _from_exif(embedded.exif) if embedded.exif else None
    except DAMAGE:
        return None


def movie_content_identifier(stream: BinaryIO) -> str | None:
    """Return the content identifier of a movie (``com.apple.quicktime.content.identifier`` in ``moov/meta``).

    Args:
        stream: seekable; little is read, and its position is not kept.

    Returns:
        Equal to that of the still; ``None`` when there is none or the file cannot be read. Never raises.
    """
    return movie_tags(Window(stream).at).get("com.apple.quicktime.content.identifier") or None


def _from_exif(block: bytes) -> str | None:
    """Find the MakerNote: 14 bytes of header, then a directory whose offsets count from the MakerNote's start."""
    tiff = Tiff.open(over(block[6:] if block[:4] == b"Exif" else block))
    pointer = number(tiff.directory(tiff.first, {_EXIF_IFD}).get(_EXIF_IFD)) if tiff else None
    if tiff is None or pointer is None:
        return None
    note = tiff.directory(int(pointer), {_MAKER_NOTE}).get(_MAKER_NOTE)
    if not isinstance(note, bytes) or not note.startswith(_MAKER_NOTE_HEAD):
        return None
    order = "<" if note[12:14] == b"II" else ">"
    directory = Tiff(over(note), order, _HEADER).directory(_HEADER, {_CONTENT_IDENTIFIER})
    return text(directory.get(_CONTENT_IDENTIFIER)) or None
