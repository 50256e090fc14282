"""What was asked and sent, for benchmarks and for tests."""

from __future__ import annotations

import threading
from collections import Counter, deque
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Exchange:
    """One request and its answer.

    Args:
        endpoint: the endpoint's name.
        method: HTTP method.
        path: path and query as they came; they may hold signed URLs.
        range: the ``Range`` header.
        status: HTTP status that was sent.
        sent: bytes of the body that were sent.
        started: seconds since 1970 by the emulator's clock.
    """

    endpoint: str
    method: str
    path: str
    range: str
    status: int
    sent: int
    started: float


class Counters:
    """Requests and bytes by endpoint.

    Args:
        keep: how many exchanges ``recent`` keeps.
    """

    def __init__(self, keep: int = 20_000) -> None:
        self._lock = threading.Lock()
        self.requests: Counter[str] = Counter()
        self.sent: Counter[str] = Counter()
        self.received: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self.recent: deque[Exchange] = deque(maxlen=keep)
        self.in_flight = 0
        self.most_in_flight = 0

    def begin(self) -> None:
        """A request has come."""
        with self._lock:
            self.in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self.in_flight)

    def end(self, exchange: Exchange, received: int) -> None:
        """It has been answered.

        Args:
            exchange: what it was.
            received: bytes of the request's body.
        """
        with self._lock:
            self.in_flight -= 1
            self.requests[exchange.endpoint] += 1
            self.sent[exchange.endpoint] += exchange.sent
            self.received[exchange.endpoint] += received
            self.statuses[exchange.status] += 1
            self.recent.append(exchange)

    def reset(self) -> None:
        """Count from nothing again."""
        with self._lock:
            for counter in (self.requests, self.sent, self.received):
                counter.clear()
            self.statuses.clear()
            self.recent.clear()
            self.most_in_flight = self.in_flight

    def snapshot(self) -> dict[str, Any]:
        """All numbers as JSON."""
        with self._lock:
            return {
                "requests": dict(self.requests),
                "sent": dict(self.sent),
                "received": dict(self.received),
                "statuses": {str(status): count for status, count in self.statuses.items()},
                "total": {"requests": self.requests.total(), "sent": self.sent.total()},
                "most_in_flight": self.most_in_flight,
            }
