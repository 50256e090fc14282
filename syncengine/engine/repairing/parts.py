"""Everything a repair is made of, put together by ``syncengine.app``; and one file that is to be repaired."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import tzinfo
from pathlib import Path
from typing import Any, Protocol

import msgspec

from syncengine.api import Destination
from syncengine.engine.parts import AlbumStyle
from syncengine.engine.ports import State
from syncengine.engine.repairing.copies import GoodCopy
from syncengine.engine.repairing.setting_aside import SetAside
from syncengine.engine.verification.findings import Finding
from syncengine.engine.verification.recorded import RecordedFile, files_of
from syncengine.records import ContentRecord


class Refetched(msgspec.Struct, frozen=True, kw_only=True):
    """What became of asking the source again.

    Args:
        reason: why nothing could be asked, or the run did not end well; empty otherwise.
        failures: item id -> why it failed.
        is_run: a run was made, which has brought albums and lists up to date.
    """

    reason: str = ""
    failures: dict[str, str] = {}
    is_run: bool = False


class Elsewhere(Protocol):
    """Other destinations that may hold the same bytes."""

    def copies(self, wanted: set[bytes]) -> Iterator[GoodCopy]:
        """Yield what they should hold of the files with these SHA-256."""
        ...


class Repairing(msgspec.Struct, frozen=True, kw_only=True):
    """One repair; the caller holds the profile's lock.

    Args:
        run: an id like a run's; names the trash and the spool.
        profile: the profile's name.
        source_label: the source plugin's name.
        destination: open.
        state: bound to the profile and the destination.
        staging: directory for files on their way.
        spool: this repair's own directory; left behind, it tells the next run that it has to mend.
        albums: how the profile shows albums.
        metadata: formats of the metadata files.
        zone: for capture times that know none.
        exclusive: gives the lock of what profiles share at the destination.
        elsewhere: other destinations.
        fetch_again: has the ordinary pipeline store some items again; it takes the destination's lock itself.
        note: is told what a long step is doing.
        stop: set when it is to end soon.
    """

    run: str
    profile: str
    source_label: str
    destination: Destination[Any]
    state: State
    staging: Path
    spool: Path
    albums: AlbumStyle
    metadata: tuple[str, ...]
    zone: tzinfo
    exclusive: Callable[[], AbstractContextManager[None]]
    elsewhere: Elsewhere
    fetch_again: Callable[[frozenset[str]], Refetched]
    note: Callable[[str], None]
    stop: threading.Event


class Case(msgspec.Struct, kw_only=True, eq=False):
    """A file that is to have its recorded bytes again.

    Args:
        finding: what was found.
        file: what is recorded of it now.
        record: of its content.
        aside: what was set aside for it.
        done: how it was repaired; empty while it is not.
        why_not: why it was not, so far.
    """

    finding: Finding
    file: RecordedFile
    record: ContentRecord
    aside: SetAside
    done: str = ""
    why_not: str = ""

    @property
    def is_open(self) -> bool:
        """Whether something can still be done for it."""
        return not self.done and not self.finding.is_refused

    @property
    def needs_bytes(self) -> bool:
        """Whether a copy of it would do; sidecars are made again instead."""
        return self.is_open and self.file.role != "sidecar"


def digests_wanted(cases: list[Case]) -> set[bytes]:
    """Return the SHA-256 of the files that copies are looked for."""
    return {case.file.sha256 for case in cases if case.needs_bytes}


def file_of(record: ContentRecord | None, file: RecordedFile) -> RecordedFile | None:
    """Return what a record says now of the file that has the role of ``file``."""
    return next((one for one in files_of(record) if one.role == file.role), None) if record is not None else None
