"""Capture time, place and camera from Canon's CR3, an ISO base media file with EXIF directories in boxes of its own."""

from __future__ import annotations

from syncengine_plugins.media.boxes import Box, find, walk
from syncengine_plugins.media.exif import DAMAGE, EXIF_TAGS, FIRST_TAGS, GPS_TAGS, ExifFacts, facts_from
from syncengine_plugins.media.tiff import Tiff, TiffValue
from syncengine_plugins.media.window import ReadAt, within

# The box of CMT1 (first directory), CMT2 (Exif), CMT3 (MakerNote) and CMT4 (GPS); not documented, read so by libraw.
_CANON = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48")


def read_cr3(read: ReadAt) -> ExifFacts:
    """Read the metadata of a CR3; never raises.

    Args:
        read: the file.
    """
    try:
        boxes = _canon_boxes(read)
        return facts_from(
            _directory(read, boxes.get(b"CMT1"), FIRST_TAGS),
            _directory(read, boxes.get(b"CMT2"), EXIF_TAGS),
            _directory(read, boxes.get(b"CMT4"), GPS_TAGS),
        )
    except DAMAGE as error:
        return ExifFacts(notes=(f"EXIF cannot be read: {type(error).__name__}",))


def _canon_boxes(read: ReadAt) -> dict[bytes, Box]:
    moov = find(read, (b"moov",))
    for box in walk(read, moov.start, moov.end) if moov is not None else ():
        if box.type == b"uuid" and read(box.start, 16) == _CANON:
            return {part.type: part for part in walk(read, box.start + 16, box.end)}
    return {}


def _directory(read: ReadAt, box: Box | None, wanted: frozenset[int]) -> dict[int, TiffValue]:
    tiff = Tiff.open(within(read, box.start)) if box is not None else None
    return tiff.directory(tiff.first, wanted) if tiff is not None else {}
