"""Google's limits per day, counted per Cloud project over days of Pacific time, and remembered between runs."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from syncengine.api import CounterStore, QuotaError
from syncengine_plugins.google.clock import Clock
from syncengine_plugins.google.limits import GOOGLE_LIMITS, ApiLimits

_SAVED_EVERY = 20


class MemoryCounters:
    """Numbers that last as long as the process."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._lock = threading.Lock()

    def read(self, name: str) -> int:
        """Return a number; one that nobody added to is 0."""
        with self._lock:
            return self._numbers.get(name, 0)

    def add(self, name: str, amount: int) -> int:
        """Add to a number and return what it is now."""
        with self._lock:
            self._numbers[name] = self._numbers.get(name, 0) + amount
            return self._numbers[name]


class DailyQuota:
    """Counts requests, and ends the day when the published limit is reached. A ``QuotaKeeper``.

    What was counted is saved every 20 units and by ``flush``: a crash forgets at most 19.

    Args:
        project: of the OAuth client; Google's limits are per project.
        counters: where the numbers are kept.
        clock: tells the day.
        limits: per kind of request; Google's when ``None``.
    """

    def __init__(
        self, project: str, counters: CounterStore, clock: Clock, limits: Mapping[str, ApiLimits] | None = None
    ) -> None:
        self._project = project
        self._counters = counters
        self._clock = clock
        self._limits = GOOGLE_LIMITS if limits is None else limits
        self._zone = pacific()
        self._lock = threading.Lock()
        self._day = ""
        self._saved: dict[str, int] = {}
        self._unsaved: dict[str, int] = {}

    def spend(self, api: str, units: int = 1) -> None:
        """Count before asking; raises ``QuotaError`` when the day leaves no room for it."""
        limit = self._limits[api].per_day if api in self._limits else None
        if limit is None:
            return
        with self._lock:
            if self._count(api) + units > limit:
                raise self.used_up(f"the {limit:,} {self._limits[api].title} that Google allows a day are used up")
            self._unsaved[api] = self._unsaved.get(api, 0) + units
            if self._unsaved[api] >= _SAVED_EVERY:
                self._save(api)

    def spent(self, api: str) -> int:
        """Return what was counted today."""
        with self._lock:
            return self._count(api)

    def resets(self) -> datetime:
        """Return the next midnight in Pacific time, when Google's day begins."""
        today = datetime.fromtimestamp(self._clock.now(), self._zone).date()
        return datetime.combine(today + timedelta(days=1), datetime.min.time(), self._zone)

    def used_up(self, reason: str) -> QuotaError:
        """Return the error that ends the run for today."""
        return QuotaError(reason, again=self.resets())

    def flush(self) -> None:
        """Save what was counted."""
        with self._lock:
            for api in tuple(self._unsaved):
                self._save(api)

    def _count(self, api: str) -> int:
        day = datetime.fromtimestamp(self._clock.now(), self._zone).date().isoformat()
        if day != self._day:
            for left in tuple(self._unsaved):
                self._save(left)
            self._day = day
            self._saved.clear()
        if api not in self._saved:
            self._saved[api] = self._counters.read(self._name(api))
        return self._saved[api] + self._unsaved.get(api, 0)

    def _save(self, api: str) -> None:
        if amount := self._unsaved.pop(api, 0):
            self._saved[api] = self._counters.add(self._name(api), amount)

    def _name(self, api: str) -> str:
        return f"google/{self._project}/{api}@{self._day}"


def pacific() -> tzinfo:
    """Return the zone of Google's quota days; without a time zone database, its standard time."""
    try:
        return ZoneInfo("America/Los_Angeles")
    except ZoneInfoNotFoundError:
        return timezone(timedelta(hours=-8), "PST")
