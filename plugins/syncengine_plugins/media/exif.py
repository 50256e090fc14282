"""Capture time, place, camera and orientation from an EXIF block (CIPA DC-008, Exif 2.32)."""

from __future__ import annotations

import math
import struct
from datetime import UTC, datetime, timedelta

import msgspec

from syncengine.api import CaptureTime, Location
from syncengine_plugins.media import moments
from syncengine_plugins.media.tiff import Tiff, TiffValue, number, text
from syncengine_plugins.media.window import ReadAt, over

_MAKE, _MODEL, _ORIENTATION, _DATE_TIME, _XMP = 0x010F, 0x0110, 0x0112, 0x0132, 0x02BC
_EXIF_IFD, _GPS_IFD = 0x8769, 0x8825
_ORIGINAL, _DIGITIZED = 0x9003, 0x9004
FIRST_TAGS = frozenset({_MAKE, _MODEL, _ORIENTATION, _DATE_TIME, _XMP, _EXIF_IFD, _GPS_IFD})
# Each date with the tags of its zone and of its fraction of a second, the best date first.
_DATES = ((_ORIGINAL, 0x9011, 0x9291), (_DIGITIZED, 0x9012, 0x9292), (_DATE_TIME, 0x9010, 0x9290))
EXIF_TAGS = frozenset({tag for date in _DATES for tag in date})
GPS_TAGS = frozenset({1, 2, 3, 4, 5, 6, 7, 29})
# A satellite fix may be a little older than the photo; one that is older says nothing about the zone.
_GPS_AGE = 90_000

#: What reading damaged metadata may raise; it becomes a note.
DAMAGE = (struct.error, ValueError, OverflowError, IndexError, KeyError, TypeError, ZeroDivisionError)


class ExifFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What an EXIF block says.

    Args:
        taken: DateTimeOriginal, else DateTimeDigitized, else DateTime, else the GPS clock.
        location: where the camera was.
        camera: make and model, the make once.
        orientation: 1 to 8, or ``None``.
        xmp: the XMP packet that TIFF files carry in tag 700.
        notes: what could not be read.
    """

    taken: CaptureTime | None = None
    location: Location | None = None
    camera: str = ""
    orientation: int | None = None
    xmp: bytes = b""
    notes: tuple[str, ...] = ()


def read_exif(block: bytes) -> ExifFacts:
    """Read an EXIF block, with or without its leading ``Exif\\0\\0``; never raises."""
    start = 6 if block[:4] == b"Exif" else 0
    return read_exif_at(over(block[start:] if start else block))


def read_exif_at(read: ReadAt) -> ExifFacts:
    """Read the TIFF structure at offset 0, such as a TIFF or RAW file or an EXIF block; never raises."""
    try:
        tiff = Tiff.open(read)
        if tiff is None:
            return ExifFacts(notes=("EXIF cannot be read: not a TIFF structure",))
        first = tiff.directory(tiff.first, FIRST_TAGS)
        exif = _sub_directory(tiff, first.get(_EXIF_IFD), EXIF_TAGS)
        gps = _sub_directory(tiff, first.get(_GPS_IFD), GPS_TAGS)
        return facts_from(first, exif, gps)
    except DAMAGE as error:
        return ExifFacts(notes=(f"EXIF cannot be read: {type(error).__name__}",))


def facts_from(first: dict[int, TiffValue], exif: dict[int, TiffValue], gps: dict[int, TiffValue]) -> ExifFacts:
    """Put together what the three directories say.

    Args:
        first: the first directory, with make, model, orientation and DateTime.
        exif: the Exif directory, with the other dates.
        gps: the GPS directory.
    """
    orientation = number(first.get(_ORIENTATION))
    xmp = first.get(_XMP)
    return ExifFacts(
        taken=_taken({**first, **exif}, gps),
        location=_location(gps),
        camera=camera_name(text(first.get(_MAKE)), text(first.get(_MODEL))),
        orientation=int(orientation) if orientation is not None and 1 <= orientation <= 8 else None,
        xmp=xmp if isinstance(xmp, bytes) else b"",
    )


def camera_name(make: str, model: str) -> str:
    """Return make and model as one name: ``Apple iPhone 13 Pro``, ``Canon EOS 40D``, ``NIKON D90``.

    Args:
        make: the manufacturer; left out when the model begins with its first word.
        model: the model.
    """
    make, model = " ".join(make.split()), " ".join(model.split())
    if make and model and make.split()[0].casefold() == model.split()[0].casefold():
        return model
    return f"{make} {model}".strip()


def _sub_directory(tiff: Tiff, pointer: TiffValue | None, wanted: frozenset[int]) -> dict[int, TiffValue]:
    offset = number(pointer)
    return {} if offset is None else tiff.directory(int(offset), wanted)


def _taken(tags: dict[int, TiffValue], gps: dict[int, TiffValue]) -> CaptureTime | None:
    gps_clock = _gps_clock(gps)
    for date, zone, fraction in _DATES:
        written = text(tags.get(date))
        parsed = moments.parse_wall(written) if written else None
        if parsed is not None:
            wall, offset = parsed
            wall = _with_fraction(wall, text(tags.get(fraction)))
            if offset is None:
                offset = _zone(tags, zone, written)
            return moments.at_wall(wall, offset if offset is not None else _gps_zone(wall, gps_clock), "exif")
    return None if gps_clock is None else CaptureTime(origin="exif", instant=gps_clock)


def _zone(tags: dict[int, TiffValue], zone: int, written: str) -> int | None:
    """Return the zone of a date: its own, or that of another date with the same clock."""
    own = moments.parse_offset(text(tags.get(zone)))
    if own is not None:
        return own
    for date, other_zone, _ in _DATES:
        if text(tags.get(date)) == written:
            offset = moments.parse_offset(text(tags.get(other_zone)))
            if offset is not None:
                return offset
    return None


def _with_fraction(wall: datetime, digits: str) -> datetime:
    """Add SubSecTime, which holds the digits after the decimal point."""
    digits = digits.strip()
    if not digits.isascii() or not digits.isdigit():
        return wall
    return wall.replace(microsecond=int(digits.ljust(3, "0")[:3]) * 1000)


def _gps_clock(gps: dict[int, TiffValue]) -> int | None:
    """Return GPSDateStamp and GPSTimeStamp, which are UTC, in milliseconds since the epoch."""
    day = moments.parse_wall(text(gps.get(29)))
    clock = gps.get(7)
    if day is None or not isinstance(clock, tuple) or len(clock) < 3:
        return None
    hours, minutes, seconds = clock[:3]
    if not (0 <= hours < 24 and 0 <= minutes < 60 and 0 <= seconds < 61):
        return None
    moment = day[0].replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=UTC)
    return moments.milliseconds(moment + timedelta(hours=hours, minutes=minutes, seconds=seconds))


def _gps_zone(wall: datetime, gps_clock: int | None) -> int | None:
    if gps_clock is None:
        return None
    return moments.zone_between(moments.milliseconds(wall.replace(tzinfo=UTC)), gps_clock, _GPS_AGE)


def _location(gps: dict[int, TiffValue]) -> Location | None:
    latitude = _degrees(gps.get(2), text(gps.get(1)), "S")
    longitude = _degrees(gps.get(4), text(gps.get(3)), "W")
    if latitude is None or longitude is None:
        return None
    altitude = number(gps.get(6))
    if altitude is not None and gps.get(5) in (b"\1", b"\3"):
        altitude = -altitude
    return place(latitude, longitude, altitude)


def place(latitude: float, longitude: float, altitude: float | None) -> Location | None:
    """Return a location, or ``None`` for what is no place on earth; 0, 0 is how devices write "no fix"."""
    if not (abs(latitude) <= 90 and abs(longitude) <= 180) or (latitude == 0 and longitude == 0):
        return None
    if altitude is not None and not (math.isfinite(altitude) and abs(altitude) < 1e6):
        altitude = None
    return Location(latitude, longitude, altitude)


def _degrees(value: TiffValue | None, reference: str, negative: str) -> float | None:
    if not isinstance(value, tuple):
        return None
    # A device without seconds leaves them out or writes 0/0.
    parts = [part for part in value[:3] if math.isfinite(part)]
    if not parts or not math.isfinite(value[0]):
        return None
    degrees = sum(part / scale for part, scale in zip(parts, (1, 60, 3600), strict=False))
    return -degrees if reference[:1].upper() == negative else degrees
