"""Which faults are due: rules for endpoints, counted request by request.

::

    emulator.faults.status("drive.files.download", 503, at=3)
    emulator.faults.reason("drive.*", "userRateLimitExceeded", times=2)
    emulator.faults.add("media.*", Cut(after=1000), times=None)
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from fnmatch import fnmatchcase

from syncengine.testing.google.control.effects import Effect, Refuse
from syncengine.testing.google.wire.problems import REASONS, ApiError, daily_quota

_SERVICES = {
    "library": "photoslibrary.googleapis.com",
    "picker": "photospicker.googleapis.com",
    "drive": "drive.googleapis.com",
    "media": "photoslibrary.googleapis.com",
}


@dataclass
class Rule:
    """One fault.

    Args:
        endpoint: name of an endpoint, or a pattern such as ``drive.*``.
        effect: what happens.
        at: at which matching request, counted from when the rule was added; the first is 1.
        times: at how many requests from there on; ``None`` means at every one.
        seen: how many requests matched so far.
    """

    endpoint: str
    effect: Effect
    at: int = 1
    times: int | None = 1
    seen: int = 0

    def due(self, endpoint: str) -> bool:
        """Count a request, and say whether it is hit."""
        if not fnmatchcase(endpoint, self.endpoint):
            return False
        self.seen += 1
        return self.seen >= self.at and (self.times is None or self.seen < self.at + self.times)


class Faults:
    """The emulator's faults; all of it may be changed while requests run.

    ``clock_offset`` (seconds) is added to the ``Date`` header only. ``bandwidth`` is bytes per second and response,
    or ``None``.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[Rule] = []
        self._latencies: dict[str, float] = {}
        self.clock_offset = 0.0
        self.bandwidth: float | None = None

    def add(self, endpoint: str, effect: Effect, *, at: int = 1, times: int | None = 1) -> Rule:
        """Add a fault.

        Args:
            endpoint: name of an endpoint, or a pattern such as ``drive.*``.
            effect: what happens; see ``effects``.
            at: at which matching request from now on, the first is 1.
            times: at how many requests from there on; ``None`` means at every one.

        Returns:
            The rule, whose ``seen`` counts the requests that matched.
        """
        rule = Rule(endpoint, effect, at, times)
        with self._lock:
            self._rules.append(rule)
        return rule

    def status(
        self, endpoint: str, status: int, *, at: int = 1, times: int | None = 1, retry_after: int | None = None
    ) -> Rule:
        """Answer with a status and its usual body.

        Args:
            endpoint: name or pattern.
            status: HTTP status.
            at: at which request.
            times: at how many requests; ``None`` means at every one.
            retry_after: seconds in a ``Retry-After`` header.
        """
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        return self.add(endpoint, Refuse(ApiError(status, headers=headers)), at=at, times=times)

    def reason(
        self, endpoint: str, reason: str, *, at: int = 1, times: int | None = 1, status: int | None = None
    ) -> Rule:
        """Answer with one of Drive's documented reasons, or with an error of OAuth's.

        Args:
            endpoint: name or pattern.
            reason: one of ``REASONS``, or such as ``invalid_grant`` for ``oauth`` endpoints.
            at: at which request.
            times: at how many requests; ``None`` means at every one.
            status: HTTP status; ``None`` means the reason's own.
        """
        usual = REASONS.get(reason, (400, "", ""))[0]
        return self.add(endpoint, Refuse(ApiError(status or usual, reason=reason)), at=at, times=times)

    def daily_quota(self, endpoint: str, *, at: int = 1, times: int | None = None, limit: int = 10_000) -> Rule:
        """Answer 429 with the body of a quota "per day", from then on.

        Args:
            endpoint: name or pattern.
            at: at which request.
            times: at how many requests; ``None`` means at every one.
            limit: how many requests the message says.
        """
        service = _SERVICES.get(endpoint.partition(".")[0], "googleapis.com")
        return self.add(endpoint, Refuse(daily_quota(service, limit)), at=at, times=times)

    def latency(self, seconds: float, endpoint: str = "*") -> None:
        """Wait before each answer.

        Args:
            seconds: how long; 0 takes it away.
            endpoint: name or pattern; the pattern that was set last counts.
        """
        with self._lock:
            self._latencies.pop(endpoint, None)
            self._latencies[endpoint] = seconds

    def clear(self) -> None:
        """Take every fault, latency, offset and bandwidth limit away."""
        with self._lock:
            self._rules.clear()
            self._latencies.clear()
            self.clock_offset = 0.0
            self.bandwidth = None

    def due(self, endpoint: str) -> list[Effect]:
        """Count a request and return what happens to it."""
        with self._lock:
            return [rule.effect for rule in self._rules if rule.due(endpoint)]

    def wait_for(self, endpoint: str) -> float:
        """How many seconds an answer of this endpoint waits."""
        with self._lock:
            waits = [seconds for pattern, seconds in self._latencies.items() if fnmatchcase(endpoint, pattern)]
        return waits[-1] if waits else 0.0
