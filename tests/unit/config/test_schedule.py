"""When a profile is due."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from syncengine.config.schedule import due_after

ROME = ZoneInfo("Europe/Rome")


def test_the_next_night_by_the_profiles_clock() -> None:
    last = datetime(2026, 7, 3, 0, 30, tzinfo=UTC)  # 02:30 in Rome
    assert due_after("0 2 * * *", last, ROME) == datetime(2026, 7, 4, 2, 0, tzinfo=ROME)


def test_an_hour_that_the_clocks_skip_is_made_up_for() -> None:
    last = datetime(2026, 3, 28, 12, 0, tzinfo=ROME)
    assert due_after("30 2 * * *", last, ROME).date() == datetime(2026, 3, 29).date()
