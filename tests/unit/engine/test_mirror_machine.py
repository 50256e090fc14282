"""Adding, removing, editing, mirroring, restoring, dying in any order: nothing is lost, nothing kept for no reason."""

from __future__ import annotations

import hashlib
import tempfile
from contextlib import closing, suppress
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from syncengine.api import AlbumRef, CaptureTime, FatalError, Kind, MediaItem
from syncengine.engine import restoring, trash
from syncengine.engine.recording import Journal
from syncengine.engine.removals import Mirror
from syncengine.engine.restoring import Restorer
from syncengine.testing.faults import Fault, Faults, FaultyDestination
from syncengine.testing.memory.destination import MemoryDestination, MemoryDestinationOptions
from syncengine.testing.memory.source import content_token
from syncengine.testing.memory.storage import MemoryStorage
from tests.unit.engine.conftest import Backup

MAY = CaptureTime(origin="source", instant=1_558_000_000_000)
NAMES = st.sampled_from("abcd")
CONTENTS = st.sampled_from([b"one", b"two", b"three"])
NOW = "2026-01-01T00:00:00+00:00"


class Mirroring(RuleBasedStateMachine):
    """A library of few items and fewer contents, so that they meet."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        self.backup = Backup(Path(self.directory.name))
        self.storage = MemoryStorage()
        self.good = MemoryDestination(MemoryDestinationOptions(), self.storage)
        self.good.open()
        self.storage.flush()
        self.backup.destination, self.backup.mirror = self.good, Mirror(budget=None)
        self.backup.library.add(_item("stays", b"stays"), b"stays")
        self.ever: set[bytes] = set()
        #: What may stay although nobody lists it: edited away, or brought back.
        self.may_stay: set[bytes] = set()

    def teardown(self) -> None:
        self.directory.cleanup()

    @rule(name=NAMES, content=CONTENTS)
    def add_or_edit(self, name: str, content: bytes) -> None:
        if name in self.backup.library.contents:
            self.may_stay.add(self.backup.library.contents[name])
        self.backup.library.add(_item(name, content), content)

    @rule(name=NAMES)
    def remove(self, name: str) -> None:
        if name in self.backup.library.items:
            self.backup.library.remove(name)

    @rule()
    def mirror(self) -> None:
        report = self.backup.run()
        assert report.complete
        listed = set(self.backup.library.contents.values())
        self.ever |= listed
        there = set(self.backup.files().values())
        assert listed <= there <= listed | self.may_stay
        assert {record.path for record in self.backup.contents()} == set(self.backup.files())
        lines = self.backup.read("metadata/checksums.sha256").decode().splitlines()
        assert {line.partition("  ")[2] for line in lines} == set(self.backup.files())
        self.backup.run()  # What an heir's metadata file had to follow.
        again = self.backup.run()
        assert (again.removed, again.bytes_written) == (0, 0)
        assert again.outcomes["unchanged"] == len(self.backup.library.items)

    @rule(
        method=st.sampled_from(["move", "flush", "place", "remove", "link"]), at=st.integers(1, 12), power=st.booleans()
    )
    def die(self, method: str, at: int, *, power: bool) -> None:
        self.backup.destination = FaultyDestination(
            self.good, Faults([Fault(method, FatalError("power cut"), at=at, times=None)])
        )
        with suppress(FatalError):  # It may die before it has begun.
            self.backup.run()
        if power:
            self.storage.power_cut()
        self.backup.destination = self.good

    @rule()
    def restore(self) -> None:
        with self.backup.parts() as parts, closing(Journal(parts.spool, parts.state, parts.profile)) as journal:
            if parts.recovering:
                restoring.settle(parts.destination, parts.state, journal, NOW)
            restorer = Restorer(parts, journal, NOW)
            restorer.restore([held for held in trash.contents(parts.destination) if held.record is not None])
            restorer.finish()
        self.may_stay |= set(self.backup.files().values())

    @invariant()
    def nothing_is_lost(self) -> None:
        assert self.ever <= self._held()

    def _held(self) -> set[bytes]:
        held = set(self.backup.files().values())
        return held | {content for path, content in self.backup.files(trash.TRASH).items() if path.endswith(".jpg")}


def _item(name: str, content: bytes) -> MediaItem:
    return MediaItem(
        id=name,
        name=f"{hashlib.sha256(content).hexdigest()[:2]}.jpg",
        kind=Kind.PHOTO,
        content_token=content_token(content),
        taken=MAY,
        albums=(AlbumRef("r", "Rome"),) if name in "ab" else (),
    )


TestMirroring = pytest.mark.slow(Mirroring.TestCase)
TestMirroring.settings = settings(deadline=None, max_examples=30, stateful_step_count=12, derandomize=True)
