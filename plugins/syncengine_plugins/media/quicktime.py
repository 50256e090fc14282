"""Capture time, place and camera from the header of MP4, MOV and 3GP (QuickTime File Format; ISO/IEC 14496-12)."""

from __future__ import annotations

import re
import struct

import msgspec

from syncengine.api import CaptureTime, Location
from syncengine_plugins.media import moments
from syncengine_plugins.media.boxes import Box, find, walk
from syncengine_plugins.media.exif import DAMAGE, camera_name, place
from syncengine_plugins.media.window import ReadAt

# Seconds from 1904-01-01, where QuickTime begins to count, to 1970-01-01.
_SINCE_1904 = 2_082_844_800
_PLAUSIBLE_SECONDS = (631_152_000, 4_133_980_800)  # 1990 to 2100
_LARGEST_VALUE = 64 << 10
_KEYS = 256
_APPLE = "com.apple.quicktime."
_ISO6709 = re.compile(r"([-+])(\d{2,6})(\.\d*)?([-+])(\d{3,7})(\.\d*)?(?:([-+]\d+(?:\.\d*)?))?")


class MovieFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a movie's header says.

    Args:
        taken: Apple's creation date with its zone, else the movie header's creation time, which is UTC by the
            standard (some cameras write their local clock there, and nothing tells them apart).
        location: where the camera was.
        camera: make and model.
        content_identifier: what joins the movie to the still of a Live Photo.
        description: the movie's own description.
        notes: what could not be read.
    """

    taken: CaptureTime | None = None
    location: Location | None = None
    camera: str = ""
    content_identifier: str = ""
    description: str = ""
    notes: tuple[str, ...] = ()


def read_movie(read: ReadAt) -> MovieFacts:
    """Read the ``moov`` box, wherever in the file it is; never raises."""
    try:
        moov = find(read, (b"moov",))
        if moov is None:
            return MovieFacts(notes=("video header cannot be read: no moov box",))
        return _facts(read, {box.type: box for box in walk(read, moov.start, moov.end)})
    except DAMAGE as error:
        return MovieFacts(notes=(f"video header cannot be read: {type(error).__name__}",))


def movie_tags(read: ReadAt) -> dict[str, str]:
    """Return the text values of ``moov/meta`` by their full key, such as ``com.apple.quicktime.make``; never raises."""
    try:
        meta = find(read, (b"moov", b"meta"))
        return _tags(read, meta) if meta is not None else {}
    except DAMAGE:
        return {}


def _facts(read: ReadAt, boxes: dict[bytes, Box]) -> MovieFacts:
    tags = _tags(read, boxes[b"meta"]) if b"meta" in boxes else {}
    user = _user_texts(read, boxes[b"udta"]) if b"udta" in boxes else {}
    written = tags.get(_APPLE + "creationdate") or user.get(b"\xa9day", "")
    make = tags.get(_APPLE + "make") or tags.get("com.android.manufacturer") or user.get(b"\xa9mak", "")
    model = tags.get(_APPLE + "model") or tags.get("com.android.model") or user.get(b"\xa9mod", "")
    return MovieFacts(
        taken=_zoned(written) or (_header_time(read, boxes[b"mvhd"]) if b"mvhd" in boxes else None),
        location=parse_iso6709(tags.get(_APPLE + "location.ISO6709") or user.get(b"\xa9xyz", "")),
        camera=camera_name(make, model),
        content_identifier=tags.get(_APPLE + "content.identifier", ""),
        description=tags.get(_APPLE + "description", ""),
    )


def _zoned(written: str) -> CaptureTime | None:
    """Return a written date that knows its zone; a mere year or day says less than the movie header."""
    parsed = moments.parse_wall(written) if written else None
    if parsed is None or parsed[1] is None:
        return None
    return moments.at_wall(parsed[0], parsed[1], "quicktime")


def _header_time(read: ReadAt, mvhd: Box) -> CaptureTime | None:
    """Return the movie header's creation time; all zeros and all ones mean that nobody wrote one."""
    head = read(mvhd.start, 12)
    if len(head) < 12:
        return None
    (seconds,) = struct.unpack(">Q", head[4:12]) if head[0] == 1 else struct.unpack(">I", head[4:8])
    since_epoch = seconds - _SINCE_1904
    if seconds and since_epoch < 0:
        # No digital movie is older than 1970: this writer counts from there.
        since_epoch = seconds
    if seconds in (0, 0xFFFFFFFF) or not _PLAUSIBLE_SECONDS[0] <= since_epoch < _PLAUSIBLE_SECONDS[1]:
        return None
    return CaptureTime(origin="quicktime", instant=since_epoch * 1000)


def _tags(read: ReadAt, meta: Box) -> dict[str, str]:
    """Read keys and values: ``keys`` names them, ``ilst`` holds them under their 1-based number."""
    # In MOV the box is plain, in MP4 it has a version and flags before its children.
    start = meta.start if read(meta.start + 4, 4) == b"hdlr" else meta.start + 4
    boxes = {box.type: box for box in walk(read, start, meta.end)}
    if b"keys" not in boxes or b"ilst" not in boxes:
        return {}
    names = [
        read(box.start, min(box.size, 256)).decode("utf-8", "replace")
        for box, _ in zip(walk(read, boxes[b"keys"].start + 8, boxes[b"keys"].end), range(_KEYS), strict=False)
    ]
    tags: dict[str, str] = {}
    for item in walk(read, boxes[b"ilst"].start, boxes[b"ilst"].end):
        number = int.from_bytes(item.type, "big")
        value = find(read, (b"data",), item.start, item.end) if 0 < number <= len(names) else None
        # Type 1 is UTF-8 text.
        if value is not None and 8 < value.size <= _LARGEST_VALUE and read(value.start, 4) == b"\0\0\0\1":
            tags.setdefault(names[number - 1], _plain(read(value.start + 8, value.size - 8)))
    return tags


def _user_texts(read: ReadAt, udta: Box) -> dict[bytes, str]:
    """Read the international texts of ``udta``: a 16-bit length and a language stand before each."""
    texts: dict[bytes, str] = {}
    for box in walk(read, udta.start, udta.end):
        if box.type[:1] == b"\xa9" and 4 < box.size <= _LARGEST_VALUE:
            length = int.from_bytes(read(box.start, 2), "big")
            texts.setdefault(box.type, _plain(read(box.start + 4, min(length, box.size - 4))))
    return texts


def _plain(value: bytes) -> str:
    return value.decode("utf-8", "replace").strip("\0 \r\n")


def parse_iso6709(written: str) -> Location | None:
    """Read a place such as ``+44.8504+034.9766+012.3/`` (ISO 6709, annex H); ``None`` when it is not one.

    Args:
        written: degrees, degrees and minutes, or degrees, minutes and seconds, told apart by the number of digits.
    """
    found = _ISO6709.match(written.strip())
    if found is None:
        return None
    latitude = _sexagesimal(found[1], found[2], found[3] or "", 2)
    longitude = _sexagesimal(found[4], found[5], found[6] or "", 3)
    return place(latitude, longitude, float(found[7]) if found[7] else None)


def _sexagesimal(sign: str, digits: str, fraction: str, width: int) -> float:
    whole, rest = digits[:width], digits[width:]
    parts = [whole, *(rest[at : at + 2] for at in range(0, len(rest), 2))]
    parts[-1] += fraction
    degrees = sum(float(part) / scale for part, scale in zip(parts, (1, 60, 3600), strict=False))
    return -degrees if sign == "-" else degrees
