"""Whether a HEIF file is whole, as far as that can be told before decoding.

libheif 1.23, as pillow-heif drives it, leaves out tiles that it cannot decode and reports success: a photo cut off in
its middle comes back in full size with its lower half in one colour. So what a decoder would forgive is looked for
here. Bits that flipped inside a tile's compressed pixels cannot be told without the decoder's word; against those stand
the checksums of the archive or the state.
"""

from __future__ import annotations

from syncengine_plugins.transforms.heif.boxes import Cursor, damaged
from syncengine_plugins.transforms.heif.container import Container, Extent

# HEVC never holds three zero bytes in a row (H.265 7.4.2.1); a hole in a file (a sector that was never written, a
# download that was stopped) has hundreds. Encoders that pad by a few bytes are let through.
_HOLE = bytes(64)
_HEVC = (b"hvc1", b"hev1")


def check_whole(file: bytes, container: Container) -> None:
    """Raise ``ItemError`` when bytes of any item, or a tile of the photo, are missing.

    Args:
        file: all bytes of the file.
        container: its structure.
    """
    for item, extents in container.extents.items():
        for extent in extents:
            if extent.offset + extent.length > len(file):
                raise damaged(f"it is cut off: its item {item} should reach to byte {extent.offset + extent.length}")
    for item in _photo_items(container):
        kind = container.items[item].kind
        if kind == b"grid":
            _check_grid(file, container, item)
        elif kind in _HEVC:
            _check_hevc(file, container, item)


def item_bytes(file: bytes, container: Container, item: int) -> bytes:
    """Return an item's own bytes."""
    return b"".join(file[extent.offset : _end(file, extent)] for extent in container.extents.get(item, ()))


def _end(file: bytes, extent: Extent) -> int:
    # A length of 0 means the rest of the file (ISO/IEC 14496-12, 8.11.3.3).
    return extent.offset + extent.length if extent.length else len(file)


def _photo_items(container: Container) -> list[int]:
    """Return the photo and all that it is made of."""
    found: dict[int, None] = {}
    todo = [container.primary]
    while todo:
        item = todo.pop()
        if item not in container.items:
            raise damaged(f"the part {item} of the photo is missing")
        if item not in found:
            found[item] = None
            todo.extend(reversed(container.targets(b"dimg", item)))
    return list(found)


def _check_grid(file: bytes, container: Container, item: int) -> None:
    """ISO/IEC 23008-12, 6.6.2.3: rows and columns, each less one, in bytes 2 and 3."""
    cursor = Cursor(layout := item_bytes(file, container, item), 2, len(layout))
    tiles = (cursor.uint(1) + 1) * (cursor.uint(1) + 1)
    if len(container.targets(b"dimg", item)) != tiles:
        raise damaged(f"of the photo's {tiles} tiles it has {len(container.targets(b'dimg', item))}")


def _check_hevc(file: bytes, container: Container, item: int) -> None:
    """ISO/IEC 14496-15, 8.3.3: units of a length and so many bytes; the length's width is in byte 21 of ``hvcC``."""
    settings = container.property_of(item, b"hvcC")
    if settings is None or len(settings) < 22:
        raise damaged(f"image {item} lacks its decoder settings")
    extents = container.extents.get(item, [])
    if len(extents) == 1:
        coded, at, end = file, extents[0].offset, _end(file, extents[0])
    else:
        coded = item_bytes(file, container, item)
        at, end = 0, len(coded)
    if coded.find(_HOLE, at, end) >= 0:
        raise damaged(f"image {item} has a hole: part of its bytes are zero")
    cursor = Cursor(coded, at, end)
    pictures = 0
    while cursor.left > 0:
        size = cursor.uint((settings[21] & 3) + 1)
        if not 0 < size <= cursor.left:
            raise damaged(f"the compressed pixels of image {item} do not hang together")
        # Unit types below 32 carry pixels (H.265, table 7-1).
        pictures += (coded[cursor.at] >> 1 & 63) < 32
        cursor.at += size
    if not pictures:
        raise damaged(f"image {item} has no pixels")
