"""Keeping transfers below the profile's bandwidth."""

from __future__ import annotations

import threading
import time


class Throttle:
    """A token bucket over all transfers of a run; bytes may be taken ahead, and are then waited for.

    Args:
        rate: bytes per second, or ``None`` for no limit.
    """

    def __init__(self, rate: int | None) -> None:
        self._rate = rate
        self._free_at = 0.0
        self._lock = threading.Lock()

    def take(self, size: int) -> None:
        """Wait until so many bytes may pass."""
        if self._rate is None:
            return
        with self._lock:
            now = time.monotonic()
            wait = max(self._free_at - now, 0.0)
            self._free_at = max(self._free_at, now) + size / self._rate
        if wait:
            time.sleep(wait)
