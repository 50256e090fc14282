"""What the engine needs from the outside, as protocols; ``syncengine.app`` plugs the real things in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from syncengine.api import FingerprintIndex
from syncengine.model import LedgerLine, RunReport
from syncengine.records import AlbumRecord, ContentRecord, ItemRecord, StateBatch


class State(Protocol):
    """The state of one profile at one destination; items are the profile's, all else is the destination's."""

    def items(self, ids: Sequence[str]) -> list[ItemRecord | None]:
        """Return the record of each item id, in the same order."""
        ...

    def all_items(self) -> Iterator[tuple[str, ItemRecord]]:
        """Yield every item of the profile with its id, without holding the store for long."""
        ...

    def contents(self, keys: Sequence[bytes]) -> list[ContentRecord | None]:
        """Return the record of each content key, in the same order."""
        ...

    def path_owners(self, paths: Sequence[str]) -> list[bytes | None]:
        """Return the content that owns each path, names compared without regard to case."""
        ...

    def albums(self) -> Iterator[AlbumRecord]:
        """Yield every album of the destination."""
        ...

    def album_members(self, album: str) -> Iterator[ContentRecord]:
        """Yield the contents of the album with that id."""
        ...

    def all_contents(self) -> Iterator[ContentRecord]:
        """Yield every content of the destination, without holding the store for long."""
        ...

    def count_contents(self) -> int:
        """Return how many contents the destination holds."""
        ...

    def fingerprints(self, method: str) -> FingerprintIndex:
        """Return the fingerprints of one method."""
        ...

    def commit(self, batch: StateBatch) -> None:
        """Write a batch in one durable transaction; idempotent. Raises ``FatalError`` when it cannot."""
        ...

    def save_run(self, report: RunReport) -> None:
        """Remember a run's account."""
        ...

    def runs(self, limit: int) -> list[RunReport]:
        """Return the newest accounts of this profile, newest first."""
        ...


class Progress(Protocol):
    """Told by the engine what happens; shows it to a person or does nothing. Never raises, returns quickly."""

    def listed(self, count: int, size: int) -> None:
        """``count`` more items were listed, with so many bytes where known."""
        ...

    def fetched(self, size: int) -> None:
        """So many more bytes were fetched."""
        ...

    def finished(self, line: LedgerLine) -> None:
        """One item's outcome is final."""
        ...

    def unchanged(self, count: int) -> None:
        """So many items were found unchanged."""
        ...

    def note(self, text: str) -> None:
        """A long step says what it is doing."""
        ...

    def say(self, text: str) -> None:
        """A step needs the person: the text, a line or a few, is shown once and in full."""
        ...
