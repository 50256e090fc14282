"""What a source promises: it lists a library and hands out its bytes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Protocol, Self

import msgspec

from syncengine.api.credentials import CredentialStore
from syncengine.api.plugin import OptionsT, Plugin
from syncengine.api.quotas import CounterStore
from syncengine.api.selection import Selection
from syncengine.model import Album, Inventory, MediaItem


class RunContext(msgspec.Struct, frozen=True, kw_only=True):
    """What the engine lends to a source for one run.

    Args:
        cache: a directory that the source may fill and that survives runs; losing it costs time only.
        scratch: a directory for this run alone.
        zone: the profile's time zone, for what knows none.
        profile: the profile's name.
        bandwidth: bytes per second that the profile allows, or ``None``.
        downloads: transfers at once that the profile allows, whatever they bring; the engine keeps its own calls of
            ``fetch`` below it, and a source that reads ahead counts those in.
        tick: may be called at any time with a short sentence on what a long step is doing.
        say: shows the person a text that must not be missed, once, whatever the output is; never on stdout.
        stopping: whether the run is asked to end; a source that waits for something looks at it every second or so, and
            ends its ``scan`` early.
        credentials: the profile's secrets, for a source that needs a sign-in.
        counters: numbers that survive runs, for a source that keeps a service's daily limits.
    """

    cache: Path
    scratch: Path
    zone: tzinfo = UTC
    profile: str = ""
    bandwidth: int | None = None
    downloads: int = 5
    tick: Callable[[str], None] = lambda text: None
    say: Callable[[str], None] = lambda text: None
    stopping: Callable[[], bool] = lambda: False
    credentials: CredentialStore | None = None
    counters: CounterStore | None = None


class Sink(Protocol):
    """Where a source writes an item's bytes; the engine hashes and counts them on the way."""

    def write(self, data: bytes | bytearray | memoryview, /) -> int:
        """Append ``data`` (chunks of about 1 MiB serve best) and return its length."""
        ...


class ItemReader(Protocol):
    """Reads a source's items in another process, so it must be picklable; each process has its own copy."""

    def fetch(self, item: MediaItem, into: Sink) -> None:
        """See ``Source.fetch``; whatever this raises, the source itself is asked again for the item."""
        ...

    def describe(self, item: MediaItem, path: Path) -> MediaItem:
        """See ``Source.describe``; there always is a file at ``path``."""
        ...


class Source(Plugin[OptionsT], ABC):
    """Lists a library and hands out its bytes.

    Life: ``open``, then ``albums`` and ``scan`` any number of times, ``fetch`` and ``describe`` from several threads
    at once (also while a scan is under way), then ``close``.
    """

    #: Fetching reads a local disk, so more transfers at once than there are processors only get in each other's way.
    reads_local_disk: ClassVar[bool] = False

    def open(self, context: RunContext) -> None:
        """Get ready. Raises ``FatalError`` when the library cannot be reached at all."""
        self.context = context

    def close(self) -> None:
        """Let go of everything that ``open`` took; may be called twice, and without ``open``."""

    @abstractmethod
    def scan(self, select: Selection) -> Iterator[MediaItem]:
        """Yield every item of the library, each id once, in an order that is stable between runs.

        Memory does not grow with the library. ``select`` may be used to list less work (never to hide an item: what
        the selection filters is still listed, or the account could not add up) and to know that capture times are
        wanted now (``select.needs_time``). Only a source whose service limits how much it may be asked can have the
        service filter; its ``inventory`` is then ``partial`` and warns of it, since such a listing tells nothing about
        what left the library. Raises ``FatalError`` when listing cannot go on.
        """

    @abstractmethod
    def inventory(self) -> Inventory:
        """Return the totals and whether they are complete; asked after a scan was read to its end."""

    @abstractmethod
    def fetch(self, item: MediaItem, into: Sink) -> None:
        """Write all bytes of ``item`` into ``into``.

        Raises ``ItemError`` (bytes damaged: checksum, length), ``RetryableError``, ``FatalError``. After an error
        what was written is thrown away by the caller.
        """

    def describe(self, item: MediaItem, path: Path) -> MediaItem:
        """Return ``item`` completed with what its fetched bytes at ``path`` say (capture time, place, camera).

        What the source itself knows wins. Never raises for a file that it cannot understand: it returns less. When
        only the metadata changed nothing is fetched, and there is no file at ``path``: a source whose ``scan`` leaves
        metadata out then looks for itself, and others return ``item`` as it is.
        """
        del path
        return item

    def reader(self) -> ItemReader | None:
        """Return what reads items in other processes as this source does here, or ``None`` where only it can.

        Asked once, when the first items of a scan are to be read. Worth having where the library lies on a local disk:
        hashing and describing then use every core. Items are sent with their ``locator``, which must be picklable then.
        """
        return None

    @property
    def lets_go(self) -> bool:
        """Whether ``release_verified`` may do something, by the options; asked before ``open``."""
        return False

    def release_verified(self, run_started: datetime) -> list[str]:
        """Let go of what is not needed any more, where the options ask for it.

        Called on an open source after everything that the last run has listed was stored, and everything at the
        destination was read back and is intact. What was not listed by that very run stays.

        Args:
            run_started: when that run began, aware.

        Returns:
            What was let go of, a sentence each; the default lets go of nothing.
        """
        del run_started
        return []

    @abstractmethod
    def albums(self) -> Iterator[Album]:
        """Yield every album, each id once."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
