"""The account of a run: every listed item in exactly one class, on one line of the ledger."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import BinaryIO

import msgspec

from syncengine.api import Inventory, LedgerLine, MediaItem, Outcome
from syncengine.engine.clean_text import encoded_lines
from syncengine.engine.departures import Listing
from syncengine.engine.ports import Progress
from syncengine.engine.removals import Removals
from syncengine.records import ItemRecord

MAX_FAILURES_IN_REPORT = 100
MAX_WARNINGS_IN_REPORT = 1000


class LedgerFile:
    """The ledger on local disk; takes lines from several threads.

    Args:
        path: is made, or emptied.
    """

    def __init__(self, path: Path) -> None:
        self._encoder = msgspec.json.Encoder()
        self._lock = threading.Lock()
        self._file: BinaryIO = path.open("wb")

    def write(self, lines: Sequence[LedgerLine]) -> None:
        """Append some lines. Raises ``OSError`` when the disk is full."""
        encoded = encoded_lines(self._encoder, lines)
        with self._lock:
            self._file.write(encoded)

    def close(self) -> None:
        """Finish the file."""
        self._file.close()


class Account:
    """Counts outcomes and writes the ledger to a local file, from the plan's thread and the placing one.

    Args:
        ledger: the file to write.
        progress: is told of each outcome.
        listing: takes the ids of what is listed, for a run that mirrors.
    """

    def __init__(self, ledger: Path, progress: Progress, listing: Listing | None = None) -> None:
        self.listing = listing
        self.removals = Removals()
        self.listed = 0
        self.outcomes: Counter[str] = Counter({str(outcome): 0 for outcome in Outcome})
        self.duplicates: Counter[str] = Counter()
        self.filtered_by: Counter[str] = Counter()
        self.failures: list[dict[str, str]] = []
        self.warnings: list[str] = []
        #: What could not be brought up to date at the destination, and is tried again by the next run.
        self.unmended: list[str] = []
        self.bytes_read = 0
        self.bytes_written = 0
        self.near_duplicates = 0
        #: Stored files that were brought up to date with the profile, and are in none of the classes for that.
        self.maintained = 0
        #: Albums that were written.
        self.albums = 0
        self.read_to_end = False
        #: What the source could not say although its items were listed to the end, each with the reason.
        self.unread: list[str] = []
        self._progress = progress
        self._lock = threading.Lock()
        self._ledger = LedgerFile(ledger)

    def list_items(self, items: Sequence[MediaItem]) -> None:
        """Count items that the source listed."""
        self.listed += len(items)
        if self.listing is not None:
            self.listing.add(items)
        self._progress.listed(len(items), sum([item.size or 0 for item in items]))

    def count_unchanged(self, found: Sequence[tuple[MediaItem, ItemRecord]]) -> None:
        """Account for items that are as they were."""
        unchanged = Outcome.UNCHANGED
        self._ledger.write(
            [
                LedgerLine(outcome=unchanged, id=item.id, name=item.name, path=known.path, origins=item.origins)
                for item, known in found
            ]
        )
        self.outcomes[unchanged] += len(found)
        self._progress.unchanged(len(found))

    def count_filtered(self, found: Sequence[tuple[MediaItem, str]]) -> None:
        """Account for items that the profile does not want, each with the rule that says so."""
        for item, rule in found:
            self.finish(filtered_line(item, rule))

    def count_refused(self, found: Sequence[tuple[MediaItem, str]]) -> None:
        """Account for items that would have to be worked on and may not be, each with the reason."""
        for item, reason in found:
            self.finish(
                LedgerLine(outcome=Outcome.FAILED, id=item.id, name=item.name, reason=reason, origins=item.origins)
            )

    def finish(self, line: LedgerLine) -> None:
        """Account for one item."""
        self._ledger.write([line])
        with self._lock:
            self.outcomes[line.outcome] += 1
            self.bytes_written += line.bytes
            if line.outcome is Outcome.DUPLICATE:
                self.duplicates[line.method] += 1
            elif line.outcome is Outcome.FILTERED:
                self.filtered_by[line.reason] += 1
            elif line.outcome is Outcome.FAILED and len(self.failures) < MAX_FAILURES_IN_REPORT:
                self.failures.append({"id": line.id, "name": line.name, "reason": line.reason})
            if line.outcome is Outcome.FAILED and self.listing is not None:
                self.listing.unsettle(line.name)
        self._progress.finished(line)

    def count_fetched(self, size: int) -> None:
        """Count bytes that came from the source."""
        with self._lock:
            self.bytes_read += size
        self._progress.fetched(size)

    def warn(self, warnings: Iterable[str]) -> None:
        """Keep what a person should know, up to a bound that keeps the report readable."""
        for warning in warnings:
            if len(self.warnings) < MAX_WARNINGS_IN_REPORT:
                self.warnings.append(warning)

    def adds_up(self) -> bool:
        """Whether every listed item is in exactly one class."""
        return sum(self.outcomes.values()) == self.listed

    def is_complete(self, inventory: Inventory) -> bool:
        """Whether the source listed all that it has, and all of it is accounted for."""
        return self.read_to_end and inventory.complete and not self.unread and self.adds_up()

    def close(self) -> None:
        """Finish the ledger's file."""
        self._ledger.close()


def filtered_line(item: MediaItem, rule: str) -> LedgerLine:
    """Return the ledger's line of an item that the profile does not want."""
    return LedgerLine(outcome=Outcome.FILTERED, id=item.id, name=item.name, reason=rule, origins=item.origins)
