"""How much a mirror run may remove, and what it removed."""

from __future__ import annotations

import math

import msgspec

MAX_REMOVALS_IN_REPORT = 100

LEFT = "left the source"


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """The most that one run may move to the trash. Where both limits are given, the smaller one holds.

    Args:
        count: photos and videos, or ``None``.
        percent: of those that the profile has stored, rounded up, or ``None``.
    """

    count: int | None = 50
    percent: float | None = 1.0

    def most(self, stored: int) -> int:
        """Return how many may be removed of so many."""
        limits = [stored]
        if self.count is not None:
            limits.append(self.count)
        if self.percent is not None:
            limits.append(math.ceil(round(stored * self.percent / 100, 6)))
        return min(limits)

    def text(self) -> str:
        """Return the limits for people: ``1% or 50``."""
        percent = f"{self.percent:g}%" if self.percent is not None else ""
        count = f"{self.count:,}" if self.count is not None else ""
        return " or ".join(limit for limit in (percent, count) if limit) or "no limit"


class Mirror(msgspec.Struct, frozen=True, kw_only=True):
    """That a run follows removals at the source.

    Args:
        budget: how many; ``None`` when the person allowed all.
        trash_days: how long what is removed stays in the trash.
    """

    budget: Budget | None = Budget()
    trash_days: int = 30


class Removals(msgspec.Struct, kw_only=True):
    """The account of what left the source; apart from the six classes, since none of it was listed.

    Args:
        count: photos and videos that were moved to the trash, or would be.
        first: the first hundred: id, name, path, reason.
        refused: why nothing was removed, and what to do; or empty.
        in_doubt: which files stay since another profile may hold them, and what to do; or empty.
        emptied: how many the trash had kept for long enough.
    """

    count: int = 0
    first: list[dict[str, str]] = []
    refused: str = ""
    in_doubt: str = ""
    emptied: int = 0

    def add(self, item: str, name: str, path: str) -> None:
        """Count one."""
        self.count += 1
        if len(self.first) < MAX_REMOVALS_IN_REPORT:
            self.first.append({"id": item, "name": name, "path": path, "reason": LEFT})
