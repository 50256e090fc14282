"""Everything a run is made of, put together by ``syncengine.app`` and handed to the engine as one value."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from datetime import tzinfo
from pathlib import Path
from typing import Any, Literal, Protocol

import msgspec

from syncengine.api import (
    Asset,
    Deduplicator,
    Destination,
    LedgerLine,
    MediaItem,
    RunReport,
    Selection,
    Source,
    Transform,
)
from syncengine.engine.intents import Orphans
from syncengine.engine.layout import PathTemplate
from syncengine.engine.ports import Progress, State
from syncengine.engine.recipe import Setup, Upkeep
from syncengine.engine.removals import Mirror
from syncengine.engine.work import Work
from syncengine.engine.workers import Worked
from syncengine.model import Outcome

AlbumStyle = Literal["auto", "hardlink", "symlink", "copy", "manifest", "none"]


class ImageWork(Protocol):
    """Where transforms and decoding fingerprints run."""

    def submit(self, asset: Asset, workdir: Path) -> Future[Worked]:
        """Start the work on one asset; the result never raises for the asset's sake."""
        ...

    def kill(self) -> None:
        """Drop what is under way."""
        ...


class Reading(Protocol):
    """Where items are read beside the main process."""

    def are_ready_for(self, count: int) -> bool:
        """Return whether so many items are worth it, and would be begun at once."""
        ...

    def begin(self, items: Sequence[MediaItem]) -> Future[bytes]:
        """Have some items brought into staging."""
        ...

    def finish(self, begun: Future[bytes], count: int) -> list[Asset | None]:
        """Wait for them; return each one's bytes, or ``None`` where they have to be brought in another way."""
        ...

    def close(self) -> None:
        """Forget what was not begun, and end."""
        ...


class Observers(Protocol):
    """Third parties that are told; they never fail a run."""

    def run_started(self, profile: str, run: str) -> None:
        """A run has begun."""
        ...

    def item_finished(self, profile: str, line: LedgerLine) -> None:
        """An item's outcome is final."""
        ...

    def run_finished(self, profile: str, report: RunReport) -> None:
        """A run is over."""
        ...


class Verdict(msgspec.Struct, frozen=True):
    """What becomes of an item that a run may not work on: ``FILTERED`` or ``FAILED``, and why."""

    outcome: Outcome
    reason: str


class Permit(Protocol):
    """Decides which of the items that need work a run may work on."""

    def verdict(self, work: Work) -> Verdict | None:
        """Return ``None`` where the run may go on, or what becomes of the item instead."""
        ...

    def remarks(self) -> Iterable[str]:
        """Return what a person should know once the source was listed to its end."""
        ...

    def may_remove(self, item: str) -> bool:
        """Return whether a mirror may move the file of an item to the trash that left the source."""
        ...


class Only(msgspec.Struct, frozen=True):
    """Permits work on some items; whatever else would be work is filtered.

    Args:
        ids: of the items, as the source gives them.
        rule: what the ledger says of the others: the rule that filters them.
    """

    ids: frozenset[str]
    rule: str

    def verdict(self, work: Work) -> Verdict | None:
        """Return ``None`` for the items with these ids."""
        return None if work.item.id in self.ids else Verdict(Outcome.FILTERED, self.rule)

    def remarks(self) -> Iterable[str]:
        """Return nothing."""
        return ()

    def may_remove(self, item: str) -> bool:
        """Return that it may not: such a run is no mirror."""
        del item
        return False


class RunParts(msgspec.Struct, frozen=True, kw_only=True):
    """One run.

    Args:
        run: its id, sortable by time.
        profile: the profile's name.
        source_label: the source plugin's name.
        destination_label: the destination plugin's name and where it is.
        source: open.
        destination: open.
        state: bound to the profile and the destination.
        transforms: in order.
        deduplicators: in order.
        workers: for image work.
        reading: processes that read the source, or ``None`` where it is read in this one only.
        select: which items are wanted.
        limit: at most so many items are fetched, or ``None``.
        template: where files go.
        zone: for capture times that know no zone.
        albums: how albums are shown.
        metadata: formats of the metadata files.
        recipe: the transforms and their options as one comparable line.
        downloads: concurrent transfers.
        bandwidth: bytes per second, or ``None``.
        staging: directory for files on their way.
        spool: this run's own ledger and catalog until they are at the destination.
        recovering: an earlier run did not come to its end.
        orphans: what earlier runs were about to place when they were killed.
        progress: is told.
        observers: are told.
        stop: set from outside when the run is to end soon.
        failed: set from inside when the run cannot go on.
        exclusive: held while this run changes what profiles of one destination share.
        only: permits what may be worked on, or ``None`` for everything.
        plan: the saved plan that the run carries out, for people; or empty.
        warnings: what a person should know before the run has begun: how the state was found.
        mirror: how removals at the source are followed; ``None`` when they are not, or when this run may not tell.
        upkeep: what is to be done with files that an older profile made or laid out.
    """

    run: str
    profile: str
    source_label: str
    destination_label: str
    source: Source[Any]
    destination: Destination[Any]
    state: State
    transforms: tuple[Transform[Any], ...]
    deduplicators: tuple[Deduplicator[Any], ...]
    workers: ImageWork
    select: Selection
    limit: int | None
    template: PathTemplate
    zone: tzinfo
    albums: AlbumStyle
    metadata: tuple[str, ...]
    recipe: str
    downloads: int
    bandwidth: int | None
    staging: Path
    spool: Path
    recovering: bool
    orphans: Orphans
    progress: Progress
    observers: Observers
    stop: threading.Event
    failed: threading.Event
    exclusive: Callable[[], AbstractContextManager[None]]
    only: Permit | None = None
    plan: str = ""
    warnings: tuple[str, ...] = ()
    mirror: Mirror | None = None
    upkeep: Upkeep = Upkeep()
    reading: Reading | None = None

    @property
    def setup(self) -> Setup:
        """How the profile wants files to be made and laid out."""
        return Setup(
            recipe=self.recipe,
            path=self.template.text,
            zone=str(self.zone),
            albums=self.albums,
            metadata=self.metadata,
        )

    @property
    def is_ending(self) -> bool:
        """Whether nothing new is to be begun."""
        return self.stop.is_set() or self.failed.is_set()
