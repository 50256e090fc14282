"""The emulator's clock, which tests move."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class Clock:
    """What time it is at Google.

    Args:
        start: seconds since 1970 at which the clock stands still until it is moved; ``None`` follows the machine's.
    """

    def __init__(self, start: float | None = None) -> None:
        self._start = start
        self._shift = 0.0

    def now(self) -> float:
        """Seconds since 1970."""
        return (time.time() if self._start is None else self._start) + self._shift

    def advance(self, seconds: float) -> None:
        """Move the clock; URLs, tokens, sessions and quotas age with it.

        Args:
            seconds: how far; negative goes back.
        """
        self._shift += seconds

    def rfc3339(self, at: float | None = None) -> str:
        """A time as Google's JSON has it.

        Args:
            at: seconds since 1970; ``None`` means now.

        Returns:
            Such as ``2026-05-01T10:00:00.000Z``.
        """
        return rfc3339(self.now() if at is None else at)


def rfc3339(at: float) -> str:
    """Seconds since 1970 as RFC 3339 in UTC, with milliseconds."""
    return datetime.fromtimestamp(at, tz=UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_rfc3339(text: str) -> float:
    """RFC 3339 as seconds since 1970; without a zone it is UTC, as Drive's search takes it.

    Raises:
        ValueError: it is no such text.
    """
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
