"""Makes HEIC files for tests: encodes with pillow-heif, then changes boxes by hand where an encoder would not."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pillow_heif
from PIL import Image

from syncengine.api import Asset, Kind, MediaItem

RED, GREEN, BLUE, WHITE = (230, 20, 20), (20, 220, 20), (20, 20, 230), (250, 250, 250)
CORNERS = (RED, GREEN, BLUE, WHITE)  # top left, top right, bottom left, bottom right

Box = tuple[bytes, bytes]


def asset(path: Path, name: str = "", kind: Kind = Kind.PHOTO) -> Asset:
    name = name or path.name
    return Asset(path=path, name=name, kind=kind, item=MediaItem(id=name, name=name, kind=kind, content_token="t"))


def quadrants(width: int = 192, height: int = 128, mode: str = "RGB") -> Image.Image:
    image = Image.new("RGB", (width, height))
    for number, colour in enumerate(CORNERS):
        place = (width // 2 * (number % 2), height // 2 * (number // 2))
        image.paste(colour, (*place, width, height))
    return image.convert(mode)


def corners(image: Image.Image) -> tuple[tuple[int, int, int], ...]:
    """Return which of the four colours is nearest in each corner."""
    rgb = image.convert("RGB")
    x, y = rgb.width // 8, rgb.height // 8
    places = [(x, y), (rgb.width - 1 - x, y), (x, rgb.height - 1 - y), (rgb.width - 1 - x, rgb.height - 1 - y)]
    return tuple(_nearest(rgb, place) for place in places)


def _nearest(rgb: Image.Image, place: tuple[int, int]) -> tuple[int, int, int]:
    pixel = rgb.getpixel(place)
    assert isinstance(pixel, tuple)
    return min(CORNERS, key=lambda colour: sum(abs(a - b) for a, b in zip(colour, pixel, strict=True)))


def heic(image: Image.Image, *more: Image.Image, **options: Any) -> bytes:
    made = pillow_heif.from_pillow(image)
    for other in more:
        made.add_from_pillow(other)
    buffer = io.BytesIO()
    made.save(buffer, **{"quality": 80, **options})
    return buffer.getvalue()


def tiff(
    orientation: int = 1, *, order: str = "<", maker_note: bytes = b"", thumbnail: bytes = b"", behind: bytes = b""
) -> bytes:
    """Return EXIF as a camera writes it: orientation, date, GPS, a MakerNote that points to itself by offset."""
    exif_at, gps_at, thumb_at = 50, 80, 160
    note_at = thumb_at + 30
    thumbnail_at = note_at + len(maker_note)

    def entry(tag: int, kind: int, number: int, value: int | bytes) -> bytes:
        if isinstance(value, bytes):
            raw = value.ljust(4, b"\0")
        else:
            raw = struct.pack(order + "HH", value, 0) if kind == 3 else struct.pack(order + "I", value)
        return struct.pack(order + "HHI", tag, kind, number) + raw

    first = [entry(0x0112, 3, 1, orientation), entry(0x8769, 4, 1, exif_at), entry(0x8825, 4, 1, gps_at)]
    link = thumb_at if thumbnail else 0
    block = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    block += struct.pack(order + "H", len(first)) + b"".join(first) + struct.pack(order + "I", link)
    assert len(block) == exif_at
    exif = [entry(0x9003, 2, 20, 110), entry(0x927C, 7, len(maker_note), note_at)]
    block += struct.pack(order + "H", len(exif)) + b"".join(exif) + bytes(4)
    assert len(block) == gps_at
    gps = [entry(1, 2, 2, b"N\0"), entry(2, 5, 3, 130)]
    block += struct.pack(order + "H", len(gps)) + b"".join(gps) + bytes(4)
    block += b"2019:07:03 14:22:05\0"
    block += struct.pack(order + "6I", 45, 1, 30, 1, 15, 1)
    block = block.ljust(thumb_at, b"\0")
    thumb = [entry(0x0201, 4, 1, thumbnail_at), entry(0x0202, 4, 1, len(thumbnail))]
    block += struct.pack(order + "H", len(thumb)) + b"".join(thumb) + bytes(4)
    assert len(block) == note_at
    return block + maker_note + thumbnail + behind


def boxes(data: bytes, start: int = 0, end: int | None = None) -> Iterable[tuple[bytes, int, int]]:
    """Yield (type, start, end) of each box, header included."""
    at, end = start, len(data) if end is None else end
    while at < end:
        size = struct.unpack_from(">I", data, at)[0]
        yield data[at + 4 : at + 8], at, at + size
        at += size


def find(data: bytes, *path: bytes) -> tuple[int, int]:
    """Return start and end of the box at a path such as ``meta``, ``iprp``, ``ipco``."""
    start, end = 0, len(data)
    for step, kind in enumerate(path):
        inside = start if step == 0 else start + (12 if path[step - 1] == b"meta" else 8)
        start, end = next((s, e) for k, s, e in boxes(data, inside, end) if k == kind)
    return start, end


def box(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload) + 8) + kind + payload


def irot(quarter_turns_left: int) -> Box:
    return b"irot", bytes([quarter_turns_left])


def imir(axis: int) -> Box:
    """0 exchanges top and bottom, 1 exchanges left and right (ISO/IEC 23008-12:2022, 6.5.12)."""
    return b"imir", bytes([axis])


def with_properties(file: bytes, *added: Box) -> bytes:
    """Return the file with properties appended to those of its primary item."""
    at, _ = find(file, b"meta", b"pitm")
    primary = struct.unpack_from(">H", file, at + 12)[0]
    start, end = find(file, b"meta", b"iprp", b"ipco")
    known = sum(1 for _ in boxes(file, start + 8, end))
    new = b"".join(box(kind, payload) for kind, payload in added)
    ipco = box(b"ipco", file[start + 8 : end] + new)
    start, end = find(file, b"meta", b"iprp", b"ipma")
    assert file[start + 8 : start + 12] == bytes(4)
    count = struct.unpack_from(">I", file, start + 12)[0]
    at, entries = start + 16, b""
    for _ in range(count):
        item, number = struct.unpack_from(">HB", file, at)
        own = file[at + 3 : at + 3 + number]
        at += 3 + number
        if item == primary:
            own += bytes(0x80 | known + 1 + place for place in range(len(added)))
        entries += struct.pack(">HB", item, len(own)) + own
    ipma = box(b"ipma", bytes(4) + struct.pack(">I", count) + entries)
    return replaced(file, box(b"iprp", ipco + ipma), b"meta", b"iprp")


def with_auxiliary_type(file: bytes, urn: bytes) -> bytes:
    """Return the file with its auxiliary images said to be of another type."""
    start, end = find(file, b"meta", b"iprp", b"ipco")
    ipco = b"".join(
        box(b"auxC", bytes(4) + urn.ljust(40, b"\0") + b"\0") if kind == b"auxC" else file[at:stop]
        for kind, at, stop in boxes(file, start + 8, end)
    )
    start, end = find(file, b"meta", b"iprp", b"ipma")
    return replaced(file, box(b"iprp", box(b"ipco", ipco) + file[start:end]), b"meta", b"iprp")


def replaced(file: bytes, new: bytes, *path: bytes) -> bytes:
    """Return the file with one box inside ``meta`` exchanged, and the offsets of ``iloc`` moved along."""
    start, end = find(file, *path)
    shift = len(new) - (end - start)
    meta_start, meta_end = find(file, b"meta")
    meta = box(b"meta", file[meta_start + 8 : start] + new + file[end:meta_end])
    return moved(file[:meta_start] + meta + file[meta_end:], shift)


def moved(file: bytes, shift: int) -> bytes:
    """Return the file with the absolute offsets in ``iloc`` moved on by ``shift``."""
    changed = bytearray(file)
    start, _ = find(file, b"meta", b"iloc")
    version = file[start + 8]
    assert version in (0, 1)
    assert file[start + 12] == 0x44
    at = start + 16
    for _ in range(struct.unpack_from(">H", file, start + 14)[0]):
        method = struct.unpack_from(">H", file, at + 2)[0] & 15 if version else 0
        at += (6 if version else 4) + (file[start + 13] >> 4)
        number = struct.unpack_from(">H", file, at)[0]
        at += 2
        for _ in range(number):
            if method == 0:
                struct.pack_into(">I", changed, at, struct.unpack_from(">I", file, at)[0] + shift)
            at += 8
    return bytes(changed)


def with_orientation(file: bytes, orientation: int) -> bytes:
    """Return the file with another value in its (little-endian) EXIF orientation."""
    marker = b"\x12\x01\x03\0\x01\0\0\0"
    assert file.count(marker) == 1
    at = file.index(marker) + len(marker)
    return file[:at] + bytes([orientation]) + file[at + 1 :]


def segments(jpeg: bytes) -> list[tuple[int, bytes]]:
    """Return (marker, payload) of each segment before the pixels."""
    found, at = [], 2
    while jpeg[at + 1] != 0xDA:
        size = struct.unpack_from(">H", jpeg, at + 2)[0]
        found.append((jpeg[at + 1], jpeg[at + 4 : at + 2 + size]))
        at += 2 + size
    return found


def exif_of(jpeg: bytes) -> bytes:
    """Return the TIFF structure in a JPEG's EXIF."""
    return next(payload[6:] for marker, payload in segments(jpeg) if marker == 0xE1 and payload[:6] == b"Exif\0\0")


def icc_of(jpeg: bytes) -> bytes:
    return b"".join(p[14:] for marker, p in segments(jpeg) if marker == 0xE2 and p.startswith(b"ICC_PROFILE\0"))
