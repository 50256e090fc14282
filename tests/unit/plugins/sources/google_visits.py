"""Runs of a source that reads from an emulated Google, as the engine makes them, on a clock that moves by waiting."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from syncengine.api import FatalError, Inventory, ItemError, MediaItem, RetryableError, RunContext, Selection
from syncengine.testing.contracts.source import fetched
from syncengine.testing.google import BytesContent, GoogleEmulator
from tests.contract.google_account import MemoryStore
from tests.contract.photos import heic
from tests.unit.plugins.google.people import FakeClock

#: Made once: encoding takes longer than most tests.
HEIC = heic(2)
#: Boxes that say where they end.
MOVIE = b"\0\0\0\x18ftypisom\0\0\2\0isommp41" + b"\0\0\0\x48mdat" + bytes(range(64)) + b"\0\0\0\x08free"
START = 1_780_000_000.0
JULY = 1_562_163_725.0  # 2019-07-03T14:22:05Z
_TRIES = 4


@dataclass
class Visit:
    """What one run brought."""

    items: list[MediaItem] = field(default_factory=list)
    contents: dict[str, bytes] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    inventory: Inventory = field(default_factory=Inventory)

    @property
    def names(self) -> list[str]:
        return [item.name for item in self.items]


@dataclass
class Visitor:
    """Makes sources and runs them; what they remember lasts from one run to the next."""

    google: GoogleEmulator
    store: MemoryStore
    directory: Path
    make: Any
    clock: FakeClock
    said: list[str] = field(default_factory=list)
    ticks: list[str] = field(default_factory=list)
    stopping: bool = False

    def opened(self, **options: Any) -> Any:
        source = self.make(**options)
        source.clock = self.clock
        source.open(
            RunContext(
                cache=self.directory,
                scratch=self.directory,
                profile="mine",
                credentials=self.store,
                say=self.said.append,
                tick=self.ticks.append,
                stopping=lambda: self.stopping,
            )
        )
        return source

    def visit(self, select: Selection | None = None, *, known: Any = (), **options: Any) -> Visit:
        """List everything, then fetch what is not ``known``, trying again as the engine does."""
        found = Visit()
        with self.opened(**options) as source:
            found.items = list(source.scan(select or Selection()))
            for item in found.items:
                if item.id not in known:
                    self.bring(source, item, found)
            found.inventory = source.inventory()
        return found

    def visit_slowly(self) -> Visit:
        """Make a run whose addresses are all too old when they are used, so that every kind of request is made."""
        with self.opened() as source:
            found = Visit(items=list(source.scan(Selection())))
            self.google.clock.advance(45 * 60)
            for item in found.items:
                self.bring(source, item, found)
        return found

    def visit_or_stop(self) -> tuple[Visit | None, FatalError | None]:
        """Make a slow run; return what it brought, or why it stopped."""
        try:
            return self.visit_slowly(), None
        except FatalError as error:
            return None, error

    def bring(self, source: Any, item: MediaItem, found: Visit) -> None:
        """Fetch an item, trying again as the engine does."""
        for tried in range(_TRIES):
            try:
                found.contents[item.name] = fetched(source, item)
            except RetryableError as error:
                self.clock.wait(error.after or 1.0)
                if tried + 1 == _TRIES:
                    found.failed[item.name] = str(error)
            except ItemError as error:
                found.failed[item.name] = f"{error.reason}; {error.advice}"
                return
            else:
                return


def bytes_of(google: GoogleEmulator) -> dict[str, bytes]:
    """What every item of the emulated library has, by name."""
    found: dict[str, bytes] = {}
    for item in google.library.photos.items.values():
        content = item.transcoded or item.content if item.is_video else item.content
        found[item.filename] = content.read(0, content.size)
    return found


def text(length: int) -> BytesContent:
    """Bytes of no known format, of which nobody can tell where they should end."""
    return BytesContent(bytes(index % 251 for index in range(length)))
