"""Times as media files write them, turned into capture times."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from syncengine.api import CaptureTime, TimeOrigin

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE = 60_000
#: The farthest that a clock on earth is from UTC, in minutes.
FARTHEST_ZONE = 14 * 60

_WALL = re.compile(
    r"(\d{4})[-:/.](\d{1,2})[-:/.](\d{1,2})"
    r"(?:[ T]+(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:[.,](\d{1,9}))?)?\s*(Z|[-+]\d{2}:?\d{2}|[-+]\d{2})?)?"
)
_OFFSET = re.compile(r"([-+])(\d{2}):?(\d{2})?")


def parse_wall(text: str) -> tuple[datetime, int | None] | None:
    """Read a written date and time, as EXIF, XMP and QuickTime write them.

    Args:
        text: ``2019:07:03 14:22:05``, ``2019-07-03T14:22:05.12+02:00``, ``2019-07-03`` and what lies between.

    Returns:
        The clock on the wall, and minutes east of UTC when the text says so; ``None`` for blank, zero
        (``0000:00:00 00:00:00``) and impossible dates.
    """
    found = _WALL.match(text.strip(" \0\t\r\n"))
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
    fraction = int((found[7] or "0").ljust(6, "0")[:6])
    if year < 1800:
        return None
    try:
        wall = datetime(year, month, day, hour, minute, min(second, 59), fraction // 1000 * 1000)
    except ValueError:
        return None
    return wall, parse_offset(found[8] or "")


def parse_offset(text: str) -> int | None:
    """Return minutes east of UTC of ``+02:00``, ``+0200``, ``+02`` or ``Z``; ``None`` for blanks and nonsense."""
    text = text.strip(" \0")
    if text == "Z":
        return 0
    found = _OFFSET.fullmatch(text)
    if found is None:
        return None
    minutes = int(found[2]) * 60 + int(found[3] or 0)
    if minutes > FARTHEST_ZONE or int(found[3] or 0) > 59:
        return None
    return -minutes if found[1] == "-" else minutes


def at_wall(wall: datetime, offset: int | None, origin: TimeOrigin) -> CaptureTime:
    """Return the capture time of a clock on the wall, with its instant when the zone is known.

    Args:
        wall: without a zone.
        offset: minutes east of UTC, or ``None``.
        origin: who said so.
    """
    instant = None if offset is None else milliseconds(wall.replace(tzinfo=UTC)) - offset * MINUTE
    return CaptureTime(origin=origin, instant=instant, wall=iso(wall), offset=offset)


def iso(wall: datetime) -> str:
    """Return ISO 8601 without a zone, with milliseconds only where there are some."""
    return wall.isoformat(timespec="milliseconds" if wall.microsecond else "seconds")


def milliseconds(moment: datetime) -> int:
    """Return milliseconds since the epoch of an aware datetime, exactly."""
    return (moment - EPOCH) // timedelta(milliseconds=1)


def wall_milliseconds(taken: CaptureTime) -> int | None:
    """Return the clock on the wall counted as if it were UTC, or ``None`` when only the instant is known."""
    if taken.wall is None:
        return None
    return milliseconds(datetime.fromisoformat(taken.wall).replace(tzinfo=UTC))


def zone_between(wall_ms: int, instant_ms: int, tolerance_ms: int) -> int | None:
    """Return the zone that explains the difference between a wall clock and an instant.

    Args:
        wall_ms: the wall clock counted as if it were UTC.
        instant_ms: milliseconds since the epoch.
        tolerance_ms: how far from a whole quarter of an hour the difference may be.

    Returns:
        Minutes east of UTC, a multiple of 15 within 14 hours; ``None`` when no zone explains it.
    """
    difference = wall_ms - instant_ms
    minutes = (difference + 15 * MINUTE // 2) // (15 * MINUTE) * 15
    if abs(minutes) > FARTHEST_ZONE or abs(difference - minutes * MINUTE) > tolerance_ms:
        return None
    return minutes
