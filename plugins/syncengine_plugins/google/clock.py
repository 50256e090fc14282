"""The time and the waiting of one session, in one place so that tests need neither."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

_SLICE = 1.0


class Clock:
    """The machine's clock.

    Args:
        stopping: whether waiting makes no sense any more, because the run is asked to end.
    """

    def __init__(self, stopping: Callable[[], bool] = lambda: False) -> None:
        self._stopping = stopping

    def for_run(self, stopping: Callable[[], bool]) -> Clock:
        """Return the clock of a run that may be asked to end; one that a test put in place is left as it is."""
        return Clock(stopping) if type(self) is Clock else self

    def now(self) -> float:
        """Return seconds since the epoch; may jump when the clock is set."""
        return time.time()

    def steady(self) -> float:
        """Return seconds since some moment; never jumps."""
        return time.monotonic()

    def wait(self, seconds: float) -> None:
        """Let that much time pass, or less when the run is asked to end."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not self._stopping():
            time.sleep(min(left, _SLICE))

    def jitter(self) -> float:
        """Return a number from 0 to 1, so that clients that failed together do not come back together."""
        return random.random()  # nosec B311  # only spreads waits
