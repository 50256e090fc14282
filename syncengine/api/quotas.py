"""A service's limits per day: counted, remembered between runs, and kept."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from syncengine.errors import FatalError


class CounterStore(Protocol):
    """Numbers that survive runs. Both methods may be called from several threads."""

    def read(self, name: str) -> int:
        """Return a number; one that nobody added to is 0."""
        ...

    def add(self, name: str, amount: int) -> int:
        """Add to a number in one step and return what it is now.

        Args:
            name: any text up to 200 characters; one that ends in ``@YYYY-MM-DD`` may be forgotten three days later.
            amount: at least 0.
        """
        ...


class QuotaError(FatalError):
    """The day's share of a service is used up: the run ends cleanly, and a later one goes on from there.

    Args:
        reason: whose share of what.
        again: when the next day begins there, with a zone.
    """

    def __init__(self, reason: str, *, again: datetime) -> None:
        self.again = again
        moment = again.astimezone().strftime("%Y-%m-%d %H:%M %Z").strip()
        super().__init__(reason, advice=f"what is stored stays; run again after {moment}")


class QuotaKeeper(Protocol):
    """Counts what a source uses of a service's daily limits. All methods may be called from several threads."""

    def spend(self, api: str, units: int = 1) -> None:
        """Count before asking.

        Args:
            api: which limit, such as ``photoslibrary.media``.
            units: what the request costs.

        Raises:
            QuotaError: the day's limit leaves no room for it; nothing was counted.
        """
        ...

    def spent(self, api: str) -> int:
        """Return what was counted today."""
        ...

    def resets(self) -> datetime:
        """Return when the service's next day begins."""
        ...

    def flush(self) -> None:
        """Make what was counted survive the run."""
        ...
