"""A progress that nobody looks at."""

from __future__ import annotations

from syncengine.api import LedgerLine


class Silent:
    """Keeps quiet."""

    def listed(self, count: int, size: int) -> None:
        """Keep quiet."""

    def fetched(self, size: int) -> None:
        """Keep quiet."""

    def finished(self, line: LedgerLine) -> None:
        """Keep quiet."""

    def unchanged(self, count: int) -> None:
        """Keep quiet."""

    def note(self, text: str) -> None:
        """Keep quiet."""

    def say(self, text: str) -> None:
        """Keep quiet."""
