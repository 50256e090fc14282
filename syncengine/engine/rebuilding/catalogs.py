"""The catalog of all runs, written into the state in the order in which it came about."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, NamedTuple, Self

from syncengine.api import Destination, FileStat, ItemError
from syncengine.engine.catalog import CatalogLine, Changes, parse
from syncengine.engine.rebuilding.task import MOST_NAMED, RebuildTask, Rebuilt

CATALOG = "metadata/catalog"
_SUFFIX = ".jsonl"
#: Lines that are written in one transaction. Each touches some pages of the store, wherever its key happens to lie, and
#: all of them stay in memory until the transaction is over.
_BATCH = 10_000

#: Lines that are handed on together.
_BLOCK = 1_000
_MOST_OPEN = 50

_Opener = Callable[[], BinaryIO]


def has_catalog(task: RebuildTask) -> bool:
    """Whether any catalog says something; that of a run that was killed before it recorded anything is empty."""
    there = (stat.size for stat in listed(task.destination, CATALOG) if stat.path.endswith(_SUFFIX))
    return any(there) or any(path.stat().st_size for _, path in task.spools)


def runs_with_catalog(task: RebuildTask) -> set[str]:
    """Return the ids of the runs whose catalog is there, or still on this machine."""
    return {catalog.run for catalog in _catalogs(task)}


def listed(destination: Destination[Any], prefix: str) -> Iterator[FileStat]:
    """Yield the files below a directory; none where something else has its name, which the run's papers then meet."""
    with suppress(ItemError):
        yield from destination.list(prefix)


class Loaded(NamedTuple):
    """What was read: the profiles whose items it is about, and how many items each run's catalog tells of."""

    profiles: set[str]
    items: Counter[str]


def load_catalogs(task: RebuildTask, rebuilt: Rebuilt) -> Loaded:
    """Write all lines of all catalogs into the state, run by run."""
    changes = Changes()
    items: Counter[str] = Counter()
    with _Writer(task) as writer:
        for catalog, block in _in_order(list(_catalogs(task)), rebuilt):
            items[catalog.run] += sum(line.item is not None for line in block)
            for line in block:
                if changes.has_removals and not line.is_removal:
                    writer.write(changes)
                    changes = Changes()
                try:
                    changes.add(line)
                except ValueError as error:
                    _note_damage(catalog.name, str(error), rebuilt)
            rebuilt.lines += len(block)
            if changes.count >= _BATCH:
                writer.write(changes)
                changes = Changes()
                task.progress.note(f"making the state again: {rebuilt.lines:,} lines of the catalog")
        writer.write(changes)
    return Loaded(writer.profiles, items)


class _Writer:
    """Writes changes into the state, one lot while the next is being read.

    Args:
        task: the rebuilding.
    """

    def __init__(self, task: RebuildTask) -> None:
        self._task = task
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="rebuild")
        self._under_way: Future[None] | None = None
        #: Whose items were written.
        self.profiles: set[str] = set()

    def write(self, changes: Changes) -> None:
        """Begin to write some changes, once those before are written; raises what went wrong with those."""
        self._task.check_stop()
        batches = changes.batches()
        self.profiles.update(profile for profile, batch in batches if batch.items)
        self._settle()
        if batches:
            self._under_way = self._pool.submit(self._task.part.write, batches)

    def _settle(self) -> None:
        if self._under_way is not None:
            self._under_way.result()
            self._under_way = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._settle()
        finally:
            self._pool.shutdown()


class _Catalog(NamedTuple):
    """The catalog of one run: its id, what to call the file, and how to open it."""

    run: str
    name: str
    opener: _Opener

    @property
    def begun(self) -> float:
        """When the run began, in milliseconds since 1970, as its id says it; else it is taken to overlap no other."""
        try:
            moment = datetime.strptime(self.run, "%Y%m%dT%H%M%S%fZ").replace(tzinfo=UTC)
        except ValueError:
            return math.inf
        return moment.timestamp() * 1000


def _catalogs(task: RebuildTask) -> Iterator[_Catalog]:
    """Yield the catalogs in the order of the runs."""
    found: list[_Catalog] = []
    for stat in listed(task.destination, CATALOG):
        run = stat.path.rpartition("/")[2].removesuffix(_SUFFIX)
        if stat.path.endswith(_SUFFIX):
            found.append(_Catalog(run, stat.path, partial(task.destination.read, stat.path)))
    # A run that was killed while it delivered its catalog has it in both places; the local one is whole.
    found += [_Catalog(run, str(path), partial(_open_local, path)) for run, path in task.spools]
    found.sort(key=lambda catalog: catalog.run)
    yield from found


def _in_order(catalogs: list[_Catalog], rebuilt: Rebuilt) -> Iterator[tuple[_Catalog, list[CatalogLine]]]:
    """Yield all lines with their catalogs, run by run; those of runs that overlap, by their moments.

    A catalog is opened when the lines before have come to the moment in which its run began. A clock that was wrong may
    make many runs seem to overlap: no more than some are read at once.
    """
    waiting = deque(catalogs)
    under_way: list[_Stream] = []
    while waiting or under_way:
        now = min((stream.moment for stream in under_way), default=math.inf)
        while waiting and (not under_way or (waiting[0].begun <= now and len(under_way) < _MOST_OPEN)):
            stream = _Stream(waiting.popleft(), rebuilt)
            under_way.append(stream)
            now = min(now, stream.moment)
        earliest = min(under_way, key=lambda stream: stream.moment)
        if block := earliest.block():
            yield earliest.catalog, block
        under_way = [stream for stream in under_way if not stream.is_over]


class _Stream:
    """One catalog on its way, a block of lines after another; each block was written in one moment.

    Args:
        catalog: to read.
        rebuilt: is told about damage.
    """

    def __init__(self, catalog: _Catalog, rebuilt: Rebuilt) -> None:
        rebuilt.catalogs += 1
        self.catalog = catalog
        self.moment = catalog.begun if catalog.begun != math.inf else 0.0
        self.is_over = False
        self._lines = _lines(catalog.name, catalog.opener, rebuilt)

    def block(self) -> list[CatalogLine]:
        """Return the lines up to the next moment, or a part of them."""
        block: list[CatalogLine] = []
        for line in self._lines:
            if line.t is not None:
                self.moment = max(self.moment, line.t)
                return block
            block.append(line)
            if len(block) == _BLOCK:
                return block
        self.is_over = True
        return block


def _open_local(path: Path) -> BinaryIO:
    return path.open("rb")


def _lines(name: str, opener: _Opener, rebuilt: Rebuilt) -> Iterator[CatalogLine]:
    """Yield the lines of one catalog that can be read."""
    try:
        with closing(opener()) as stream:
            for line in stream:
                try:
                    yield parse(line)
                except ValueError as error:
                    if line.endswith(b"\n"):
                        _note_damage(name, str(error), rebuilt)
                    else:
                        rebuilt.cut += 1
                        rebuilt.warnings.append(f"{name} ends in the middle of a line: its run was killed")
    except (ItemError, OSError) as error:
        _note_damage(name, f"it cannot be read: {error}", rebuilt)


def _note_damage(name: str, why: str, rebuilt: Rebuilt) -> None:
    rebuilt.damaged += 1
    if rebuilt.damaged <= MOST_NAMED:
        rebuilt.warnings.append(f"{name}: a line is damaged ({why}); what it said is taken from metadata files")
