from __future__ import annotations

from datetime import date

import pytest

from syncengine.config.quantities import day, rate, size, timetable


@pytest.mark.parametrize(
    ("value", "count"),
    [("20MB", 20_000_000), ("1.5 GiB", 3 << 29), ("512kib", 512 << 10), ("7", 7), (7, 7), (1e6, 1_000_000), ("3 B", 3)],
)
def test_a_size_is_read_in_decimal_and_binary_units(value: str | float, count: int) -> None:
    assert size(value) == count
    assert rate(f"{value}/s") == count


@pytest.mark.parametrize("value", ["", "MB", "-1MB", "0", 0, "1 mbit", "1e", "1,5MB", "20MB/s", "1 XB"])
def test_what_is_no_size_is_refused(value: str | float) -> None:
    with pytest.raises(ValueError, match="expected a size"):
        size(value)


@pytest.mark.parametrize("value", ["20MB/h", "fast", "/s", "20MB/s/s"])
def test_what_is_no_rate_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="expected a rate"):
        rate(value)


def test_a_rate_may_leave_out_the_second() -> None:
    assert rate("20MB") == rate("20 MB / s") == rate(20_000_000) == 20_000_000


def test_a_day_is_written_one_way() -> None:
    assert day("2020-02-29") == date(2020, 2, 29)
    for wrong in ("2021-02-29", "20200229", "2020-2-9", "2020-W01-1", "2020-02-29T00:00", "29.2.2020", 2020):
        with pytest.raises((ValueError, TypeError)):
            day(wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", ["0 2 * * *", "*/15 8-18 1,15 jan-mar mon-fri", "0 0 * * 7", "5/10 * * 12 SUN"])
def test_a_timetable_is_kept(value: str) -> None:
    assert timetable(f" {value.replace(' ', '  ')} ") == value


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("", "five fields"),
        ("0 2 * *", "five fields"),
        ("0 2 * * * *", "five fields"),
        ("60 2 * * *", "0 to 59 for the minute"),
        ("0 24 * * *", "0 to 23 for the hour"),
        ("0 2 0 * *", "1 to 31 for the day of the month"),
        ("0 2 * 13 *", "1 to 12 for the month"),
        ("0 2 * * 8", "0 to 7 for the day of the week"),
        ("0 2 * * mo", "day of the week"),
        ("5-1 2 * * *", "minute"),
        ("*/0 2 * * *", "minute"),
        ("1, 2 * * *", "minute"),
        ("² 2 * * *", "minute"),
    ],
)
def test_what_is_no_timetable_is_refused(value: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        timetable(value)
