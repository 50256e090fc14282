"""Makes the small media files that the tests read."""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping
from typing import Any

import pillow_heif
from PIL import Image

EXIF_IFD, GPS_IFD = 0x8769, 0x8825


def exif_block(
    first: Mapping[int, Any] | None = None,
    exif: Mapping[int, Any] | None = None,
    gps: Mapping[int, Any] | None = None,
) -> bytes:
    """Return an EXIF block as Pillow writes it, beginning with ``Exif``."""
    block = Image.Exif()
    for tag, value in (first or {}).items():
        block[tag] = value
    for directory, tags in ((EXIF_IFD, exif), (GPS_IFD, gps)):
        if tags:
            block.get_ifd(directory).update(tags)
    return bytes(block.tobytes())


def image(format_: str, **options: Any) -> bytes:
    """Return an 8x8 image file; ``options`` as Pillow's ``save`` takes them."""
    stream = io.BytesIO()
    Image.new("RGB", (8, 8), (10, 120, 200)).save(stream, format_, **options)
    return stream.getvalue()


def heic(**options: Any) -> bytes:
    """Return a 64x64 HEIC file; ``options`` are ``exif`` and ``xmp``."""
    stream = io.BytesIO()
    heif = pillow_heif.from_pillow(Image.new("RGB", (64, 64), (10, 120, 200)))
    heif.save(stream, quality=50, **options)
    return stream.getvalue()


def apple_maker_note(identifier: str, order: str = ">") -> bytes:
    """Return Apple's MakerNote with a version and a content identifier."""
    text = identifier.encode() + b"\0"
    pack = struct.Struct(order + "HHII").pack
    entries = pack(0x0001, 9, 1, 14) + pack(0x0011, 2, len(text), 14 + 2 + 2 * 12 + 4)
    head = b"Apple iOS\0\0\1" + (b"MM" if order == ">" else b"II")
    return head + struct.pack(order + "H", 2) + entries + b"\0\0\0\0" + text


def box(kind: bytes, *content: bytes, wide: bool = False) -> bytes:
    """Return an ISO base media box, on wish with a 64-bit size."""
    body = b"".join(content)
    if wide:
        return struct.pack(">I4sQ", 1, kind, len(body) + 16) + body
    return struct.pack(">I4s", len(body) + 8, kind) + body


def apple_meta(tags: Mapping[str, str], *, full_box: bool = False) -> bytes:
    """Return a ``meta`` box with keys and values, plain as in MOV or with version and flags as in MP4."""
    keys = b"".join(box(b"mdta", key.encode()) for key in tags)
    values = b"".join(
        box(struct.pack(">I", number), box(b"data", struct.pack(">II", 1, 0), value.encode()))
        for number, value in enumerate(tags.values(), 1)
    )
    handler = box(b"hdlr", bytes(8), b"mdta", bytes(12))
    counted = box(b"keys", struct.pack(">II", 0, len(tags)), keys)
    return box(b"meta", bytes(4) if full_box else b"", handler, counted, box(b"ilst", values))


def user_text(kind: bytes, text: str) -> bytes:
    """Return an international text of ``udta``."""
    value = text.encode()
    return box(kind, struct.pack(">HH", len(value), 0x15C7), value)


def movie(
    *,
    created: int = 0,
    tags: Mapping[str, str] | None = None,
    user: bytes = b"",
    brand: bytes = b"qt  ",
    moov_last: bool = True,
    version: int = 0,
    frames: int = 1000,
) -> bytes:
    """Return a movie without frames that mean anything.

    Args:
        created: movie header creation time, seconds since 1904.
        tags: Apple's metadata.
        user: content of ``udta``.
        brand: of ``ftyp``.
        moov_last: the header stands behind the frames.
        version: of ``mvhd``; 1 has 64-bit times.
        frames: bytes of frames.
    """
    times = struct.pack(">QQIQ" if version else ">IIII", created, created, 600, 600)
    moov = box(
        b"moov",
        box(b"mvhd", bytes([version, 0, 0, 0]), times, bytes(80)),
        box(b"trak", box(b"tkhd", bytes(84))),
        apple_meta(tags, full_box=brand != b"qt  ") if tags else b"",
        box(b"udta", user) if user else b"",
    )
    ftyp = box(b"ftyp", brand, bytes(4), brand)
    mdat = box(b"mdat", bytes(frames), wide=True)
    return ftyp + (mdat + moov if moov_last else moov + mdat)


def xmp_packet(properties: str, elements: str = "") -> bytes:
    """Return an XMP packet whose description has these attributes and child elements."""
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:exif="http://ns.adobe.com/exif/1.0/"'
        ' xmlns:tiff="http://ns.adobe.com/tiff/1.0/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"'
        ' xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"'
        ' xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
        ' xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/"'
        ' xmlns:fstop="http://www.fstopapp.com/xmp/"'
        f" {properties}>{elements}</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end='w'?>"
    ).encode()
