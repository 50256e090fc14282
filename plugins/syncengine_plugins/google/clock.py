"""The time and the waiting of one session, in one place so that tests need neither."""

from __future__ import annotations

import random
import time


class Clock:
    """The machine's clock."""

    def now(self) -> float:
        """Return seconds since the epoch; may jump when the clock is set."""
        return time.time()

    def steady(self) -> float:
        """Return seconds since some moment; never jumps."""
        return time.monotonic()

    def wait(self, seconds: float) -> None:
        """Let that much time pass."""
        time.sleep(seconds)

    def jitter(self) -> float:
        """Return a number from 0 to 1, so that clients that failed together do not come back together."""
        return random.random()  # nosec B311  # only spreads waits
