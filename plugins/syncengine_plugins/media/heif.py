"""EXIF and XMP of HEIC, HEIF and AVIF, read without decoding anything (ISO/IEC 14496-12, 8.11; 23008-12, annex A)."""

from __future__ import annotations

from collections.abc import Iterator

from syncengine_plugins.media.boxes import Box, walk
from syncengine_plugins.media.embedded import Embedded
from syncengine_plugins.media.window import ReadAt, over

_LARGEST_META = 4 << 20
_LARGEST_ITEM = 4 << 20
_ITEMS = 20_000


def in_heif(read: ReadAt) -> Embedded:
    """Return the EXIF and the XMP item of a HEIF file.

    Args:
        read: the file.
    """
    meta = next((box for box in walk(read) if box.type == b"meta"), None)
    if meta is None or not 4 < meta.size <= _LARGEST_META:
        return Embedded()
    within_meta = over(read(meta.start, meta.size))
    boxes = {box.type: box for box in walk(within_meta, 4, meta.size)}
    if b"iinf" not in boxes or b"iloc" not in boxes:
        return Embedded()
    exif_id, xmp_id = _metadata_items(within_meta, boxes[b"iinf"])
    stored = boxes.get(b"idat", Box(b"idat", 0, 0))
    data = {
        item: _read_extents(read, within_meta, stored, method, extents)
        for item, method, extents in _locations(within_meta, boxes[b"iloc"], {exif_id, xmp_id} - {0})
    }
    return Embedded(_exif_payload(data.get(exif_id, b"")), data.get(xmp_id, b""))


def _metadata_items(meta: ReadAt, iinf: Box) -> tuple[int, int]:
    """Return the ids of the first EXIF and the first XMP item; 0, which is no valid id, for none."""
    version = meta(iinf.start, 1)
    first = iinf.start + (6 if version == b"\0" else 8)
    exif = xmp = 0
    for box in walk(meta, first, iinf.end):
        entry = meta(box.start, min(box.size, 256))
        if box.type != b"infe" or len(entry) < 12 or entry[0] not in (2, 3):
            continue
        wide = 2 if entry[0] == 3 else 0
        item = int.from_bytes(entry[4 : 6 + wide], "big")
        kind = entry[8 + wide : 12 + wide]
        if kind == b"Exif" and not exif:
            exif = item
        elif kind == b"mime" and not xmp and b"application/rdf+xml" in entry[12 + wide :]:
            xmp = item
    return exif, xmp


class _Cursor:
    """Reads big-endian numbers one after the other; past the end they are 0 and ``ended`` is true."""

    __slots__ = ("_at", "_block", "ended")

    def __init__(self, block: bytes) -> None:
        self._block = block
        self._at = 0
        self.ended = False

    def take(self, width: int) -> int:
        end = self._at + width
        self.ended = self.ended or end > len(self._block)
        value = int.from_bytes(self._block[self._at : end], "big")
        self._at = end
        return value


def _locations(meta: ReadAt, iloc: Box, wanted: set[int]) -> Iterator[tuple[int, int, list[tuple[int, int]]]]:
    """Yield (item id, construction method, extents as (offset, length)) of the wanted items."""
    cursor = _Cursor(meta(iloc.start, iloc.size))
    version = cursor.take(4) >> 24
    sizes = cursor.take(2)
    offset_width, length_width, base_width, index_width = (sizes >> shift & 15 for shift in (12, 8, 4, 0))
    if version not in (1, 2):
        index_width = 0
    if version > 2 or not length_width:  # without lengths an extent is the whole file, which no metadata item is
        return
    id_width = 2 if version < 2 else 4
    for _ in range(min(cursor.take(id_width), _ITEMS)):
        item = cursor.take(id_width)
        method = cursor.take(2) & 15 if version in (1, 2) else 0
        cursor.take(2)  # data reference: another file, which nobody uses
        base = cursor.take(base_width)
        extents = []
        for _ in range(min(cursor.take(2), _ITEMS)):
            cursor.take(index_width)
            extents.append((base + cursor.take(offset_width), cursor.take(length_width)))
            if cursor.ended:
                return
        if item in wanted:
            yield item, method, extents


def _read_extents(read: ReadAt, meta: ReadAt, idat: Box, method: int, extents: list[tuple[int, int]]) -> bytes:
    """Return an item's bytes: method 0 counts from the file's start, method 1 from the start of ``idat``."""
    parts: list[bytes] = []
    left = _LARGEST_ITEM
    for offset, length in extents:
        if method > 1 or length > left or (method == 1 and offset + length > idat.size):
            return b""
        parts.append(read(offset, length) if method == 0 else meta(idat.start + offset, length))
        left -= length
    return b"".join(parts)


def _exif_payload(item: bytes) -> bytes:
    """Skip to the TIFF header, whose offset stands in the first four bytes."""
    offset = 4 + int.from_bytes(item[:4], "big")
    return item[offset:] if offset < len(item) else item[4:]
