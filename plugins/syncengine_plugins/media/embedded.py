"""Where image files keep their EXIF and XMP: JPEG segments, PNG and WebP chunks, Fuji's RAW header."""

from __future__ import annotations

import zlib

import msgspec

from syncengine_plugins.media.window import ReadAt, within

_SEGMENTS = 256
_CHUNKS = 4096
_LARGEST_CHUNK = 1 << 20
_XMP_NAMESPACE = b"http://ns.adobe.com/xap/1.0/\0"
_PNG_XMP = b"XML:com.adobe.xmp\0"


class Embedded(msgspec.Struct, frozen=True):
    """Metadata blocks as they stand in a file; empty where there is none.

    Args:
        exif: a TIFF structure, with or without a leading ``Exif\\0\\0``.
        xmp: an XMP packet.
    """

    exif: bytes = b""
    xmp: bytes = b""


def in_jpeg(read: ReadAt, start: int = 0) -> Embedded:
    """Return the first EXIF and the first XMP of a JPEG (Exif 2.32, 4.7.2; XMP part 3, 1.1.3).

    Args:
        read: the file.
        start: offset of the JPEG's first byte.
    """
    exif = xmp = b""
    at = start + 2
    for _ in range(_SEGMENTS):
        head = read(at, 4)
        if len(head) < 4 or head[0] != 0xFF or head[1] in (0xDA, 0xD9):
            break
        if head[1] == 0xFF:  # any number of fill bytes may stand before a marker
            at += 1
            continue
        length = head[2] << 8 | head[3]
        if head[1] == 0xE1 and length > 8:
            start_bytes = read(at + 4, 29)
            if not exif and start_bytes[:4] == b"Exif":
                exif = read(at + 4, length - 2)
            elif not xmp and start_bytes == _XMP_NAMESPACE:
                xmp = read(at + 33, length - 31)
        at += 2 + length
    return Embedded(exif, xmp)


def in_png(read: ReadAt) -> Embedded:
    """Return the ``eXIf`` chunk and the XMP text chunk of a PNG (PNG 3rd edition, 11.3.3.4 and 11.3.4)."""
    exif = xmp = b""
    at = 8
    for _ in range(_CHUNKS):
        head = read(at, 8)
        if len(head) < 8 or head[4:] == b"IEND":
            break
        length = int.from_bytes(head[:4], "big")
        if length <= _LARGEST_CHUNK:
            if head[4:] == b"eXIf":
                exif = exif or read(at + 8, length)
            elif head[4:] == b"iTXt" and read(at + 8, 18) == _PNG_XMP:
                xmp = xmp or _international_text(read(at + 8, length))
        at += 12 + length
    return Embedded(exif, xmp)


def in_webp(read: ReadAt) -> Embedded:
    """Return the ``EXIF`` and ``XMP `` chunks of a WebP (WebP container specification)."""
    found: dict[bytes, bytes] = {}
    at = 12
    for _ in range(_CHUNKS):
        head = read(at, 8)
        if len(head) < 8:
            break
        length = int.from_bytes(head[4:], "little")
        if head[:4] in (b"EXIF", b"XMP ") and length <= _LARGEST_CHUNK:
            found.setdefault(head[:4], read(at + 8, length))
        at += 8 + length + length % 2
    return Embedded(found.get(b"EXIF", b""), found.get(b"XMP ", b""))


def in_fuji_raw(read: ReadAt) -> Embedded:
    """Return what the full-size JPEG in a Fuji RAF says; its offset stands at byte 84 of the header."""
    offset = int.from_bytes(read(84, 4), "big")
    return in_jpeg(within(read, offset)) if offset else Embedded()


def _international_text(chunk: bytes) -> bytes:
    """Return the text of an iTXt chunk: keyword, compression flag and method, language, translated keyword, text."""
    flags = chunk[len(_PNG_XMP) : len(_PNG_XMP) + 2]
    parts = chunk[len(_PNG_XMP) + 2 :].split(b"\0", 2)
    if len(parts) < 3:
        return b""
    if flags[:1] != b"\1":
        return parts[2]
    try:
        return zlib.decompressobj().decompress(parts[2], _LARGEST_CHUNK)
    except zlib.error:
        return b""
