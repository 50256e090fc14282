"""Capture times that phones, cameras and messengers write into file names."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from syncengine.api import CaptureTime
from syncengine_plugins.media import moments

# A number begins where no letter or digit stands before it, or after a word such as IMG, BURST or mmexport.
_BEGIN = r"(?:^|[^0-9A-Za-z])(?:[A-Za-z]{2,})?"
_END = r"(?![0-9A-Za-z])"
_YEAR = r"(?P<year>199\d|20\d\d|2100)"

# 20190703_142205, 20190703-142205123, 20190703142205, 20230814_201154491.MP
_COMPACT = re.compile(
    _BEGIN + _YEAR + r"(?P<month>\d\d)(?P<day>\d\d)[-_ T.]?"
    r"(?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d)[._]?(?P<milli>\d{3})?(?P<utc>Z)?" + _END
)
# 2019-03-17-23-43-31, 2019-07-03 14.22.05, 2019-07-03 at 2.22.05 PM, 2019-07-03_142205, 20140703_14_22_05
_SEPARATED = re.compile(
    _BEGIN + _YEAR + r"(?P<dash>[-._]?)(?P<month>\d\d)(?P=dash)(?P<day>\d\d)(?:[-_ T]{1,3}|,? at |_at_)"
    r"(?P<hour>\d{1,2})(?P<colon>[-._:h]?)(?P<minute>\d\d)[-._:m]?(?P<second>\d\d)s?"
    r"(?:[\s\u202f_]?(?P<half>[AaPp])[Mm])?" + _END
)
# IMG-20190703-WA0001: WhatsApp writes the day only.
_WHATSAPP = re.compile(r"(?:^|[-_ ])" + _YEAR + r"(?P<month>\d\d)(?P<day>\d\d)-WA\d+")
_DAY = re.compile(_BEGIN + _YEAR + r"(?P<dash>[-._])(?P<month>\d\d)(?P=dash)(?P<day>\d\d)(?![0-9A-Za-z])")
# Milliseconds from September 2001 to the end of 2039; later ones cannot be told from international phone numbers.
_MILLISECONDS = re.compile(_BEGIN + r"(1\d{12}|2[01]\d{11})" + _END)
_LAST_MILLISECOND = 2_208_988_800_000


def capture_time_from_name(name: str) -> CaptureTime | None:
    """Return the capture time that a file name tells, or ``None``.

    Args:
        name: file name with or without extension.

    Returns:
        With origin ``name``: a wall clock without a zone for most names (midnight where only the day is known, as
        WhatsApp writes it), an instant for Google's ``PXL_`` names, which are UTC, and for milliseconds since 1970.
        Years outside 1990 to 2100 and impossible dates give ``None``.
    """
    if not any(character.isdigit() for character in name):
        return None
    for pattern in (_COMPACT, _SEPARATED, _WHATSAPP, _DAY):
        for found in pattern.finditer(name):
            wall = _wall(found.groupdict())
            if wall is not None:
                return _capture_time(wall, name, found)
    return _from_milliseconds(name)


def _wall(parts: dict[str, str | None]) -> datetime | None:
    hour = int(parts.get("hour") or 0)
    half = (parts.get("half") or "").lower()
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "p" else 0)
    try:
        return datetime(
            int(parts["year"] or 0),
            int(parts["month"] or 0),
            int(parts["day"] or 0),
            hour,
            int(parts.get("minute") or 0),
            int(parts.get("second") or 0),
            int(parts.get("milli") or 0) * 1000,
        )
    except ValueError:
        return None


def _capture_time(wall: datetime, name: str, found: re.Match[str]) -> CaptureTime:
    if name.startswith("PXL_") or found.groupdict().get("utc"):
        return CaptureTime(origin="name", instant=moments.milliseconds(wall.replace(tzinfo=UTC)))
    return CaptureTime(origin="name", wall=moments.iso(wall))


def _from_milliseconds(name: str) -> CaptureTime | None:
    found = _MILLISECONDS.search(name)
    if found is None or int(found[1]) >= _LAST_MILLISECOND:
        return None
    return CaptureTime(origin="name", instant=int(found[1]))
