"""Reads what people write for sizes, rates, days and timetables. Each raises ``ValueError`` with what was expected."""

from __future__ import annotations

import re
from datetime import date

_UNITS = {
    "": 1,
    "b": 1,
    "kb": 10**3,
    "mb": 10**6,
    "gb": 10**9,
    "tb": 10**12,
    "kib": 1 << 10,
    "mib": 1 << 20,
    "gib": 1 << 30,
    "tib": 1 << 40,
}
_SIZE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,6})?)\s*([A-Za-z]{0,3})")
_PERCENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,6})?) ?%")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
_CRON_FIELDS: tuple[tuple[str, int, int, list[str]], ...] = (
    ("minute", 0, 59, []),
    ("hour", 0, 23, []),
    ("day of the month", 1, 31, []),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 7, _DAYS),
)
_CRON_PART = re.compile(r"(?:\*|(?P<first>\w{1,3})(?:-(?P<last>\w{1,3}))?)(?:/(?P<step>[0-9]{1,2}))?")


def size(value: str | float) -> int:
    """Return bytes of ``20MB``, ``1.5 GiB``, or a plain number of bytes; at least 1."""
    match = _SIZE.fullmatch(str(value).strip())
    unit = _UNITS.get(match[2].lower()) if match else None
    if match is None or unit is None or (count := int(float(match[1]) * unit)) < 1:
        raise ValueError("expected a size such as 500MB or 4GiB (units: kB, MB, GB, KiB, MiB, GiB)")
    return count


def rate(value: str | float) -> int:
    """Return bytes per second of ``20MB/s``, ``512 KiB/s``, or a plain number of bytes."""
    try:
        return size(re.sub(r"\s*/\s*s$", "", value.strip()) if isinstance(value, str) else value)
    except ValueError:
        raise ValueError("expected a rate such as 20MB/s (units: kB, MB, GB, KiB, MiB, GiB)") from None


def most(value: str | int) -> tuple[int | None, float | None]:
    """Return (number, percentage) of ``50`` or ``1%``, the other one ``None``."""
    if match := _PERCENT.fullmatch(str(value).strip()):
        if (percent := float(match[1])) <= 100:
            return None, percent
    elif str(value).strip().isascii() and str(value).strip().isdigit():
        return int(value), None
    raise ValueError("expected a number of photos, or a percentage such as 1%")


def day(value: str) -> date:
    """Return the day of ``2019-07-31``."""
    try:
        if _DATE.fullmatch(value):
            return date.fromisoformat(value)
    except ValueError:
        raise ValueError("expected a day that exists, as YYYY-MM-DD") from None
    raise ValueError("expected a day as YYYY-MM-DD, such as 2019-07-31")


def timetable(value: str) -> str:
    """Return a cron expression of five fields, its spaces made single."""
    fields = value.split()
    if len(fields) != len(_CRON_FIELDS):
        raise ValueError("expected five fields: minute, hour, day of the month, month, day of the week ('0 2 * * *')")
    for field, (name, low, high, words) in zip(fields, _CRON_FIELDS, strict=True):
        if not all(_is_cron_part(part, low, high, words) for part in field.lower().split(",")):
            raise ValueError(f"expected {low} to {high} for the {name}, with '*', ',', '-' or '/' (not '{field[:20]}')")
    return " ".join(fields)


def _is_cron_part(part: str, low: int, high: int, words: list[str]) -> bool:
    match = _CRON_PART.fullmatch(part)
    if match is None or (match["step"] is not None and int(match["step"]) < 1):
        return False
    numbers = [_cron_number(text, low, words) for text in (match["first"], match["last"]) if text is not None]
    return all(low <= number <= high for number in numbers) and numbers == sorted(numbers)


def _cron_number(text: str, low: int, words: list[str]) -> int:
    if text in words:
        return words.index(text) + low
    return int(text) if text.isascii() and text.isdigit() else -1
