"""How much an API may be asked in a minute or a day.

The limits are the documented ones of 2026; a day of the Photos quotas is taken to begin at midnight of US Pacific
standard time.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from syncengine.testing.google.control.clock import Clock
from syncengine.testing.google.wire.problems import ApiError, because, daily_quota, minute_quota

MINUTE = 60
DAY = 86400
_PACIFIC = 8 * 3600
_DRIVE_UNITS = {"get": 5, "list": 100, "download": 200, "update": 50, "create": 50, "delete": 50}


@dataclass
class Quota:
    """One limit.

    Args:
        service: the host whose quota it is, for the error's text.
        limit: how many units a window has; ``None`` means no limit.
        window: seconds.
    """

    service: str
    limit: int | None
    window: int
    started: int = -1
    used: int = 0

    def spend(self, now: float, units: int) -> bool:
        """Use some units up; say whether they were left."""
        current = int(now - _PACIFIC) // self.window
        if current != self.started:
            self.started, self.used = current, 0
        if self.limit is not None and self.used + units > self.limit:
            return False
        self.used += units
        return True


class Quotas:
    """The quotas of all APIs, by name: ``library.requests`` and so on, see ``limits``.

    Args:
        clock: whose minutes and days count.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self.limits = {
            "library.requests": Quota("photoslibrary.googleapis.com", 10_000, DAY),
            "library.media": Quota("photoslibrary.googleapis.com", 75_000, DAY),
            "picker.requests": Quota("photospicker.googleapis.com", 100_000, MINUTE),
            "picker.media": Quota("photospicker.googleapis.com", 1_000_000, MINUTE),
            "drive.units": Quota("drive.googleapis.com", 325_000, MINUTE),
        }

    def set(self, name: str, limit: int | None) -> None:
        """Change a limit; what was used stays used.

        Args:
            name: one of ``limits``.
            limit: units in a window; ``None`` takes the limit away.
        """
        with self._lock:
            self.limits[name].limit = limit

    def off(self) -> None:
        """Take every limit away."""
        for name in self.limits:
            self.set(name, None)

    def check(self, endpoint: str) -> None:
        """Count a request of an endpoint.

        Raises:
            ApiError: the quota is used up.
        """
        name, units = _cost(endpoint)
        if not name:
            return
        quota = self.limits[name]
        with self._lock:
            enough = quota.spend(self._clock.now(), units)
        if not enough:
            raise _exceeded(name, quota)


def _cost(endpoint: str) -> tuple[str, int]:
    """The quota that an endpoint uses, and how many units a request takes."""
    family, _, rest = endpoint.partition(".")
    if family == "drive":
        return "drive.units", _DRIVE_UNITS.get(rest.rpartition(".")[2], 5)
    if family in ("library", "picker"):
        return f"{family}.requests", 1
    if endpoint in ("media.library", "media.picker"):
        return f"{rest}.media", 1
    return "", 0


def _exceeded(name: str, quota: Quota) -> ApiError:
    """The error of a quota that is used up."""
    if name == "drive.units":
        return because("userRateLimitExceeded")
    make = daily_quota if quota.window == DAY else minute_quota
    return make(quota.service, quota.limit or 0)
