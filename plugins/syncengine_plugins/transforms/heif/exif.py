"""EXIF as raw bytes: read and set the orientation, make it smaller, and leave every other byte where it is.

Parsing EXIF and writing it anew moves values, and MakerNotes point to their own by absolute offset, so that most of
them do not survive it. Structure: TIFF 6.0 section 2; tags: CIPA DC-008 (Exif 2.32).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

PREFIX = b"Exif\0\0"

_ORIENTATION = 0x0112
_POINTERS = frozenset({0x8769, 0x8825, 0xA005, 0x014A})  # Exif, GPS, interoperability, further directories
_BLOCKS = {0x0201: 0x0202, 0x0111: 0x0117}  # a thumbnail's offset by its length: JPEG, or plain strips
_WIDTHS = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_NUMBERS = {1: "B", 3: "H", 4: "I"}
_MOST_ENTRIES = 5000


class _Entry(NamedTuple):
    tag: int
    kind: int
    number: int
    at: int  # offset of the value field


def tiff_of(block: bytes) -> bytes | None:
    """Return the TIFF structure of an EXIF block, with or without ``Exif\\0\\0`` before it; ``None`` if it has none."""
    tiff = block[6:] if block[:4] == b"Exif" else block
    return tiff if len(tiff) >= 14 and tiff[:4] in (b"II*\0", b"MM\0*") else None


def orientation(tiff: bytes) -> int:
    """Return the EXIF orientation, 1 to 8; 1 when there is none, or none that means anything."""
    order = _order(tiff)
    for entry in _directory(tiff, _first(tiff)):
        if entry.tag == _ORIENTATION and entry.kind in _NUMBERS:
            value = int(struct.unpack_from(order + _NUMBERS[entry.kind], tiff, entry.at)[0])
            return value if 1 <= value <= 8 else 1
    return 1


def upright(tiff: bytes) -> bytes:
    """Return the structure with orientation 1, all other values and offsets as they were.

    A thumbnail that was stored in another orientation is unlinked, since it would be shown sideways from now on; its
    bytes stay, so that nothing moves.
    """
    before = orientation(tiff)
    changed = bytearray(tiff)
    order = _order(tiff)
    for entry in _directory(tiff, _first(tiff)):
        if entry.tag == _ORIENTATION and entry.kind in _NUMBERS:
            struct.pack_into(order + _NUMBERS[entry.kind], changed, entry.at, 1)
    return bytes(changed) if before == 1 else unlink_thumbnail(bytes(changed))


def unlink_thumbnail(tiff: bytes) -> bytes:
    """Return the structure without its second directory, which holds the thumbnail; no byte moves."""
    link = _link(tiff, _first(tiff))
    if link is None:
        return tiff
    return tiff[:link] + bytes(4) + tiff[link + 4 :]


def used_size(tiff: bytes) -> int:
    """Return how many bytes, from the start, the directories and their values reach.

    What lies behind belongs to nobody who reads EXIF, though a maker's own software may know it.
    """
    order = _order(tiff)
    todo, seen, reach, budget = [_first(tiff)], set[int](), 8, _MOST_ENTRIES
    while todo and budget > 0:
        at = todo.pop()
        if at in seen or not 0 < at < len(tiff):
            continue
        seen.add(at)
        entries = list(_directory(tiff, at))
        budget -= len(entries) + 1
        link = _link(tiff, at)
        if link is not None:
            todo.append(struct.unpack_from(order + "I", tiff, link)[0])
            reach = max(reach, link + 4)
        reach = max(reach, _reach(tiff, entries))
        pointers = [entry.at for entry in entries if entry.tag in _POINTERS and entry.kind in (4, 13)]
        todo.extend(struct.unpack_from(order + "I", tiff, pointer)[0] for pointer in pointers)
    return min(reach, len(tiff))


def _reach(tiff: bytes, entries: list[_Entry]) -> int:
    """Return the end of the last value that these entries point to."""
    order = _order(tiff)
    ends = [0]
    first_number = {
        entry.tag: int(struct.unpack_from(order + _NUMBERS[entry.kind], tiff, entry.at)[0])
        for entry in entries
        if entry.kind in _NUMBERS
    }
    for entry in entries:
        size = _WIDTHS.get(entry.kind, 0) * entry.number
        if size > 4:
            ends.append(int(struct.unpack_from(order + "I", tiff, entry.at)[0]) + size)
    for start, length in _BLOCKS.items():
        if start in first_number and length in first_number:
            ends.append(first_number[start] + first_number[length])
    return max(end for end in ends if end <= len(tiff))


def _order(tiff: bytes) -> str:
    return "<" if tiff[:2] == b"II" else ">"


def _first(tiff: bytes) -> int:
    return int(struct.unpack_from(_order(tiff) + "I", tiff, 4)[0])


def _directory(tiff: bytes, at: int) -> Iterator[_Entry]:
    """Yield the entries of the directory at an offset; those that lie beyond the end are left out."""
    order = _order(tiff)
    if not 8 <= at <= len(tiff) - 2:
        return
    for number in range(struct.unpack_from(order + "H", tiff, at)[0]):
        place = at + 2 + 12 * number
        if place + 12 > len(tiff):
            return
        tag, kind, values = struct.unpack_from(order + "HHI", tiff, place)
        yield _Entry(tag, kind, values, place + 8)


def _link(tiff: bytes, at: int) -> int | None:
    """Return where the offset of the next directory is written."""
    if not 8 <= at <= len(tiff) - 2:
        return None
    place = at + 2 + 12 * int(struct.unpack_from(_order(tiff) + "H", tiff, at)[0])
    return place if place + 4 <= len(tiff) else None
