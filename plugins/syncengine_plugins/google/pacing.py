"""Not faster than Google allows: a token bucket for each kind of request."""

from __future__ import annotations

import threading

from syncengine_plugins.google.clock import Clock
from syncengine_plugins.google.limits import ApiLimits


class TokenBucket:
    """Lets units pass at a steady pace, some at once after a pause. May be used from several threads.

    Args:
        limits: pace and burst.
        clock: tells the time and waits.
    """

    def __init__(self, limits: ApiLimits, clock: Clock) -> None:
        self._rate = limits.per_second
        self._burst = limits.burst
        self._clock = clock
        self._lock = threading.Lock()
        self._units = limits.burst
        self._at = clock.steady()

    def take(self, units: float) -> None:
        """Return when that many units may be spent; they are spent in the order of asking."""
        with self._lock:
            now = self._clock.steady()
            self._units = min(self._burst, self._units + (now - self._at) * self._rate)
            self._at = now
            # below zero: others wait already, and this one waits behind them
            self._units -= units
            wait = max(0.0, -self._units / self._rate)
        if wait > 0:
            self._clock.wait(wait)
