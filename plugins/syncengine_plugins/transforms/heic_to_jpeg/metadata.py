"""EXIF, XMP and colour profile of a HEIC photo in the shape in which a JPEG can hold them."""

from __future__ import annotations

import hashlib
import re
import struct
import warnings
from collections.abc import Iterator, MutableMapping
from typing import Any

import msgspec

from syncengine_plugins.transforms.heif import Photo
from syncengine_plugins.transforms.heif import exif as raw_exif

# A segment's length is written in 16 bits and counts itself (ITU-T T.81, B.1.1.4).
_SEGMENT = 0xFFFF - 2
_EXIF_LIMIT = _SEGMENT - len(raw_exif.PREFIX)
_ICC_LIMIT = 255 * (_SEGMENT - 14)  # numbered parts behind a header of 14 bytes (ICC.1:2022, B.4)

# XMP specification part 3, 1.1.3: the packet, and what does not fit into it.
_XMP_HEADER = b"http://ns.adobe.com/xap/1.0/\0"
_EXTENDED_HEADER = b"http://ns.adobe.com/xmp/extension/\0"
_EXTENDED_PART = _SEGMENT - len(_EXTENDED_HEADER) - 32 - 8
_XMP_LARGEST = 16 << 20
_EXTENDED_PACKET = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:xmpNote="http://ns.adobe.com/xmp/note/" xmpNote:HasExtendedXMP="{guid}"/>'
    "</rdf:RDF></x:xmpmeta>"
)
_ORIENTATION = re.compile(rb"""(tiff:Orientation\s*(?:=\s*["']|>\s*))[2-8](?=["'<\s])""")
_MOTION = re.compile(rb"""(:(?:MotionPhoto|MicroVideo)\s*(?:=\s*["']|>\s*))1(?=["'<\s])""")
_WRAPPER = re.compile(rb"<\?xpacket[^>]*\?>")

_MAKER_NOTE = 0x927C
# Values of more bytes or numbers than this are left out of EXIF that is too long.
_LONG_VALUE = 2048


class Metadata(msgspec.Struct, frozen=True):
    """What goes into the JPEG before its pixels.

    Args:
        exif: with its leading ``Exif\\0\\0``, or empty.
        xmp: whole APP1 segments, or empty.
        icc: colour profile, or empty.
        losses: what did not fit.
        remarks: what was left out and is no loss.
    """

    exif: bytes = b""
    xmp: bytes = b""
    icc: bytes = b""
    losses: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def metadata_for_jpeg(photo: Photo, *, is_still: bool) -> Metadata:
    """Return a photo's metadata as a JPEG can hold it, saying that the pixels are upright.

    Args:
        photo: as decoded.
        is_still: the photo lost its motion video, so XMP may not promise one any more.
    """
    losses: list[str] = []
    remarks: list[str] = []
    return Metadata(
        exif=_exif(photo.exif, losses, remarks),
        xmp=_xmp(photo.xmp, losses, is_still=is_still),
        icc=_icc(photo.icc, photo.image.mode, losses),
        losses=tuple(losses),
        remarks=tuple(remarks),
    )


def _exif(tiff: bytes | None, losses: list[str], remarks: list[str]) -> bytes:
    if tiff is None:
        return b""
    tiff = raw_exif.upright(tiff)
    if len(tiff) <= _EXIF_LIMIT:
        return raw_exif.PREFIX + tiff
    bare = raw_exif.unlink_thumbnail(tiff)
    for smaller in (tiff, bare):
        used = raw_exif.used_size(smaller)
        if used <= _EXIF_LIMIT:
            if smaller is bare:
                remarks.append(f"the thumbnail in EXIF is left out: {len(tiff)} bytes of EXIF are too long for JPEG")
            if raw_exif.used_size(tiff) < len(tiff):
                losses.append(f"{len(tiff) - raw_exif.used_size(tiff)} bytes of the maker's own behind EXIF")
            return raw_exif.PREFIX + smaller[:used]
    essential = _essential_exif(bare)
    if essential:
        losses.append(f"MakerNote and the longest values of EXIF ({len(tiff)} bytes are too long for JPEG)")
        return essential
    losses.append(f"EXIF ({len(tiff)} bytes are too long for JPEG)")
    return b""


def _essential_exif(tiff: bytes) -> bytes:
    """Return EXIF written anew without MakerNote and long values; empty when that is not possible."""
    from PIL import Image  # here: start-up

    exif = Image.Exif()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's remarks on values that it skips
            exif.load(raw_exif.PREFIX + tiff)
            for directory in (exif, exif.get_ifd(0x8769), exif.get_ifd(0x8825)):
                _drop_long_values(directory)
            written = exif.tobytes()
    except (OSError, ValueError, SyntaxError, RuntimeError, LookupError, TypeError, ArithmeticError, struct.error):
        return b""
    return written if len(written) <= _SEGMENT else b""


def _drop_long_values(directory: MutableMapping[int, Any]) -> None:
    for tag, value in list(directory.items()):
        if tag == _MAKER_NOTE or (isinstance(value, bytes | str | tuple) and len(value) > _LONG_VALUE):
            del directory[tag]


def _xmp(packet: bytes, losses: list[str], *, is_still: bool) -> bytes:
    packet = packet.rstrip(b"\0")
    if not packet:
        return b""
    if b"RDF" not in packet:
        losses.append("metadata that is not XMP")
        return b""
    packet = _ORIENTATION.sub(rb"\g<1>1", packet)
    if is_still:
        packet = _MOTION.sub(rb"\g<1>0", packet)
    if len(packet) > _SEGMENT - len(_XMP_HEADER):
        packet = _WRAPPER.sub(b"", packet).strip()
    if len(packet) <= _SEGMENT - len(_XMP_HEADER):
        return _segment(_XMP_HEADER + packet)
    if len(packet) > _XMP_LARGEST:
        losses.append(f"XMP ({len(packet)} bytes)")
        return b""
    return b"".join(_extended(packet))


def _extended(packet: bytes) -> Iterator[bytes]:
    guid = hashlib.md5(packet, usedforsecurity=False).hexdigest().upper()
    yield _segment(_XMP_HEADER + _EXTENDED_PACKET.format(guid=guid).encode())
    for at in range(0, len(packet), _EXTENDED_PART):
        head = _EXTENDED_HEADER + guid.encode() + struct.pack(">II", len(packet), at)
        yield _segment(head + packet[at : at + _EXTENDED_PART])


def _segment(payload: bytes) -> bytes:
    return b"\xff\xe1" + struct.pack(">H", len(payload) + 2) + payload


def _icc(profile: bytes, mode: str, losses: list[str]) -> bytes:
    """ICC.1:2022, 7.2: the colour space is in bytes 16 to 19, ``acsp`` in bytes 36 to 39."""
    if not profile:
        return b""
    wanted = b"GRAY" if mode == "L" else b"RGB "
    if len(profile) < 132 or profile[36:40] != b"acsp" or len(profile) > _ICC_LIMIT:
        losses.append("a damaged colour profile")
    elif profile[16:20] != wanted:
        losses.append("a colour profile that is not for this kind of pixels")
    else:
        return profile
    return b""
