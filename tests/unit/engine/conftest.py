"""One backup that tests run again and again: in-memory library and destination, the real state."""

from __future__ import annotations

import contextlib
import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from syncengine.api import (
    Asset,
    Deduplicator,
    Destination,
    Match,
    PluginOptions,
    RunContext,
    RunReport,
    Selection,
    Source,
    Transform,
)
from syncengine.engine import runner, spool
from syncengine.engine.image_work import work_on
from syncengine.engine.intents import Intents, read_orphans
from syncengine.engine.layout import PathTemplate, recipe_of
from syncengine.engine.papers import Papers
from syncengine.engine.parts import AlbumStyle, Reading, RunParts
from syncengine.engine.recipe import Upkeep
from syncengine.engine.removals import Mirror
from syncengine.engine.silence import Silent
from syncengine.engine.steady_destination import SteadyDestination
from syncengine.engine.workers import Worked
from syncengine.model import LedgerLine
from syncengine.records import ContentRecord
from syncengine.state.store import StateStore
from syncengine.testing.memory.destination import MemoryDestination, MemoryDestinationOptions
from syncengine.testing.memory.source import MemoryLibrary, MemorySource, MemorySourceOptions

ROME = ZoneInfo("Europe/Rome")


class ExactDedup(Deduplicator[PluginOptions]):
    """SHA-256, as the bundled plugin does it."""

    @property
    def method(self) -> str:
        return "sha256"

    def fingerprint(self, asset: Asset) -> bytes | None:
        return asset.sha256

    def match(self, fingerprint: bytes) -> Match | None:
        content = self.index.get(fingerprint)
        return Match(content) if content is not None else None


class WorkHere:
    """Image work in this process, at once."""

    def __init__(self, transforms: tuple[Transform[Any], ...], dedups: tuple[Deduplicator[Any], ...]) -> None:
        self._plugins = (transforms, dedups)

    def submit(self, asset: Asset, workdir: Path) -> Future[Worked]:
        future: Future[Worked] = Future()
        future.set_result(work_on(asset, *self._plugins, workdir))
        return future

    def kill(self) -> None:
        """Nothing is under way."""


class Told:
    """An observer that remembers."""

    def __init__(self) -> None:
        self.lines: list[LedgerLine] = []
        self.started: list[str] = []
        self.finished: list[RunReport] = []

    def run_started(self, profile: str, run: str) -> None:
        self.started.append(run)

    def item_finished(self, profile: str, line: LedgerLine) -> None:
        self.lines.append(line)

    def run_finished(self, profile: str, report: RunReport) -> None:
        self.finished.append(report)


class Backup:
    """A library, a destination, a state; ``run`` backs up once and can be called again after changes."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.library = MemoryLibrary()
        self.destination: Destination[Any] = MemoryDestination(MemoryDestinationOptions())
        self.source: Callable[[], Source[Any]] = lambda: MemorySource(MemorySourceOptions(), self.library)
        self.transforms: tuple[Transform[Any], ...] = ()
        self.dedups: Callable[[], tuple[Deduplicator[Any], ...]] = lambda: (ExactDedup(PluginOptions()),)
        self.select = Selection()
        self.limit: int | None = None
        self.layout = "photos/{taken:%Y}/{taken:%m}/{name}"
        self.albums: AlbumStyle = "auto"
        self.mirror: Mirror | None = None
        self.metadata: tuple[str, ...] = ("json",)
        self.profile = "test"
        self.recipe = ""
        self.remake = False
        self.relayout = False
        self.told = Told()
        self.stop = threading.Event()
        self.exclusive: Callable[[], AbstractContextManager[None]] = contextlib.nullcontext
        self.runs = 0
        #: Makes what reads beside the run, of the open source and the staging directory.
        self.reading: Callable[[Source[Any], Path], Reading | None] = lambda source, staging: None
        self.destination.open()

    def run(self, *, rehearse: bool = False) -> RunReport:
        """Run once and return the account."""
        with self.parts() as parts:
            return runner.rehearse(parts) if rehearse else runner.run(parts)

    def parts(self) -> AbstractContextManager[RunParts]:
        """Give the parts of one run, open."""
        return _opened(self)

    def files(self, prefix: str = "photos") -> dict[str, bytes]:
        """Return path and content of every file below a directory of the destination."""
        return {stat.path: self.read(stat.path) for stat in self.destination.list(prefix)}

    def read(self, path: str) -> bytes:
        """Return a file of the destination."""
        with self.destination.read(path) as stream:
            return stream.read()

    def document(self, path: str) -> dict[str, Any]:
        """Return the metadata file of a stored file."""
        found: dict[str, Any] = msgspec.json.decode(self.read(f"metadata/{path}.json"))
        return found

    def ledger(self, report: RunReport) -> list[LedgerLine]:
        """Return the ledger of a run."""
        return msgspec.json.Decoder(LedgerLine).decode_lines(self.read(f"logs/ledger_{report.run}.jsonl"))

    def contents(self) -> list[ContentRecord]:
        """Return what the state holds of the destination."""
        with StateStore.open(self.directory / "state") as store:
            return list(store.bind(self.profile, self.destination.identity).all_contents())


@contextmanager
def _opened(backup: Backup) -> Iterator[RunParts]:
    """Open everything that a run needs, as the application does it."""
    backup.runs += 1
    run = f"run-{backup.runs:03d}"
    with ExitStack() as stack:
        store = stack.enter_context(StateStore.open(backup.directory / "state"))
        source = stack.enter_context(backup.source())
        shutil.rmtree(backup.directory / "staging", ignore_errors=True)
        for name in ("cache", "scratch", "staging"):
            (backup.directory / name).mkdir(exist_ok=True)
        source.open(RunContext(cache=backup.directory / "cache", scratch=backup.directory / "scratch", zone=ROME))
        destination = SteadyDestination(backup.destination, backup.stop)
        spools = backup.directory / "spool"
        before = spool.leftovers(spools)
        orphans = read_orphans(before)
        (spools / run).mkdir(parents=True)
        if orphans:
            Intents(spools / run, orphans)
        for leftover in before:
            spool.deliver(leftover, Papers(destination, backup.directory / "staging"))
        dedups = backup.dedups()
        yield RunParts(
            run=run,
            profile=backup.profile,
            source_label="memory",
            destination_label="memory",
            source=source,
            destination=destination,
            state=store.bind(backup.profile, backup.destination.identity),
            transforms=backup.transforms,
            deduplicators=dedups,
            workers=WorkHere(backup.transforms, dedups),
            select=backup.select,
            limit=backup.limit,
            template=PathTemplate(backup.layout, ROME),
            zone=ROME,
            albums=backup.albums,
            metadata=backup.metadata,
            recipe=backup.recipe or recipe_of([(type(one).__name__, {}) for one in backup.transforms]),
            downloads=3,
            bandwidth=None,
            staging=backup.directory / "staging",
            spool=spools / run,
            recovering=bool(before),
            orphans=orphans,
            progress=Silent(),
            observers=backup.told,
            stop=backup.stop,
            failed=threading.Event(),
            exclusive=backup.exclusive,
            reading=backup.reading(source, backup.directory / "staging"),
            upkeep=Upkeep(remake=backup.remake, relayout=backup.relayout, directory=backup.directory),
            mirror=backup.mirror,
        )


@pytest.fixture
def backup(tmp_path: Path) -> Iterator[Backup]:
    """A backup of an empty library."""
    made = Backup(tmp_path)
    yield made
    made.destination.close()
