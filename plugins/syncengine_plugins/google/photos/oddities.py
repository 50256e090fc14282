"""Bytes that look wrong: asked for again, and believed when the same come twice."""

from __future__ import annotations

import threading

_MOST = 1000


class Oddities:
    """What looked wrong in this run, for no more than a thousand items at once. May be used from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._marks: dict[str, tuple[int, int]] = {}

    def is_known(self, item_id: str, mark: tuple[int, int]) -> bool:
        """Return whether Google sent bytes of this size and CRC-32 before: then they are what it has."""
        with self._lock:
            if self._marks.pop(item_id, None) == mark:
                return True
            if len(self._marks) >= _MOST:
                self._marks.pop(next(iter(self._marks)))
            self._marks[item_id] = mark
            return False
