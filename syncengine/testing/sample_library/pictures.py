"""Pictures that look different from each other, as JPEG and HEIC, with the EXIF of a phone."""

from __future__ import annotations

import io
import random
import struct
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from PIL.Image import Exif, Image

Size = tuple[int, int]

_EXIF_IFD, _GPS_IFD = 0x8769, 0x8825
_APPLE_CONTENT_IDENTIFIER = 0x0011
_ASCII = 2


class Camera(msgspec.Struct, frozen=True):
    """Who took a picture, as EXIF says it."""

    make: str
    model: str


IPHONE = Camera("Apple", "iPhone 13 Pro")
PIXEL = Camera("Google", "Pixel 7")


def draw(seed: int, size: Size = (640, 480)) -> Image:
    """Return an RGB picture: a gradient with large and small shapes on it.

    Args:
        seed: the same seed gives the same pixels; different seeds give pictures that no perceptual hash confuses.
        size: width and height in pixels.
    """
    # Imported here because whoever only builds archives from given bytes needs no image library.
    from PIL import Image, ImageDraw

    width, height = size
    chance = random.Random(seed)  # nosec B311  # pictures, not secrets
    ramp = Image.linear_gradient("L").rotate(chance.choice((0, 90, 180, 270))).resize(size)
    image = Image.merge("RGB", [ramp.point(_tone(chance)) for _ in range(3)])
    canvas = ImageDraw.Draw(image)
    for number in range(14):
        reach = (0.5 if number < 6 else 0.15) * min(size)
        x, y = chance.uniform(0, width), chance.uniform(0, height)
        w, h = (chance.uniform(0.3, 1.0) * reach for _ in range(2))
        shape = canvas.ellipse if chance.random() < 0.6 else canvas.rectangle
        shape((x - w, y - h, x + w, y + h), fill=tuple(chance.randrange(256) for _ in range(3)))
    return image


def _tone(chance: random.Random) -> list[int]:
    low, high = chance.randrange(120), chance.randrange(120, 256)
    return [low + (high - low) * step // 255 for step in range(256)]


def jpeg(image: Image, exif: bytes = b"", *, quality: int = 88) -> bytes:
    """Return ``image`` as a JPEG with that EXIF."""
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=quality, exif=exif)
    return stream.getvalue()


def heic(image: Image, exif: bytes = b"", *, quality: int = 60, tile: int = 256) -> bytes:
    """Return ``image`` as a HEIC the way phones write them: a grid of square tiles.

    Args:
        image: what to encode.
        exif: a TIFF structure, or empty.
        quality: 0 to 100.
        tile: edge of a tile in pixels; 0 writes one single image.
    """
    # Imported here: the encoder takes a while to load, and plain JPEG libraries do without it.
    import pillow_heif

    stream = io.BytesIO()
    pillow_heif.from_pillow(image).save(stream, quality=quality, exif=exif or None, tile_size=tile)
    return stream.getvalue()


def phone_exif(
    taken: datetime,
    camera: Camera = IPHONE,
    *,
    place: tuple[float, float] | None = None,
    live_photo: str = "",
    orientation: int = 1,
) -> bytes:
    """Return EXIF as a phone writes it, with a maker note where the camera is Apple's.

    Args:
        taken: wall clock; with a zone, the offset tags are written as well.
        camera: make and model.
        place: degrees north and degrees east.
        live_photo: content identifier that the still shares with its movie.
        orientation: EXIF orientation, 1 to 8.
    """
    # Imported here for the same reason as in `draw`.
    from PIL.Image import Exif

    exif = Exif()
    exif[0x010F], exif[0x0110], exif[0x0112] = camera.make, camera.model, orientation
    detail = exif.get_ifd(_EXIF_IFD)
    clock = f"{taken:%Y:%m:%d %H:%M:%S}"
    detail[0x9003] = detail[0x9004] = clock
    if taken.utcoffset() is not None:
        detail[0x9010] = detail[0x9011] = f"{taken:%z}"[:3] + ":" + f"{taken:%z}"[3:5]
    if camera.make == "Apple":
        detail[0x927C] = apple_maker_note(live_photo)
    if place is not None:
        _add_place(exif, place)
    return exif.tobytes()


def _add_place(exif: Exif, place: tuple[float, float]) -> None:
    north, east = place
    gps = exif.get_ifd(_GPS_IFD)
    gps[1], gps[2] = "N" if north >= 0 else "S", _sexagesimal(abs(north))
    gps[3], gps[4] = "E" if east >= 0 else "W", _sexagesimal(abs(east))


def _sexagesimal(degrees: float) -> tuple[float, float, float]:
    minutes = (degrees - int(degrees)) * 60
    return float(int(degrees)), float(int(minutes)), round((minutes - int(minutes)) * 60, 2)


def apple_maker_note(content_identifier: str = "") -> bytes:
    """Return a maker note as Apple writes it: a big-endian IFD whose offsets count from the note's own start.

    Args:
        content_identifier: tag 0x0011, by which a Live Photo's still and movie know each other; empty leaves it out.
    """
    head = b"Apple iOS\0\0\x01MM"
    text = content_identifier.encode() + b"\0" if content_identifier else b""
    entries = [struct.pack(">HHIi", 0x0001, 9, 1, 14)]
    if text:
        offset = len(head) + 2 + 12 * 2 + 4
        entries.append(struct.pack(">HHII", _APPLE_CONTENT_IDENTIFIER, _ASCII, len(text), offset))
    return head + struct.pack(">H", len(entries)) + b"".join(entries) + bytes(4) + text
