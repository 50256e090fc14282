"""Bringing an item's bytes into staging, hashing them on the way, and asking the source what they say."""

from __future__ import annotations

import itertools
import logging
import os
import threading
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from syncengine.api import Asset, ItemError, MediaItem
from syncengine.engine.account import Account
from syncengine.engine.parts import RunParts
from syncengine.engine.remaking import read_original
from syncengine.engine.retrying import retrying
from syncengine.engine.staging import HashingSink
from syncengine.engine.throttle import Throttle
from syncengine.engine.work import METADATA_ONLY, MOVED, PAPERS_MISSING, REMAKE, Batch, Work
from syncengine.errors import FatalError, RetryableError, SyncEngineError

_LOG = logging.getLogger(__name__)

#: Space that is left alone at the destination, so that state, logs and other programs can go on.
SPACE_RESERVE = 64 << 20

#: A name in staging at which there never is a file; fetched ones are numbered.
_NOTHING_FETCHED = "nothing-fetched"


class Fetcher:
    """Fetches batches with a pool of threads, one batch ahead of the one that is handed on.

    Args:
        parts: the run.
        account: counts the bytes.
    """

    def __init__(self, parts: RunParts, account: Account) -> None:
        self._parts = parts
        self._account = account
        self._throttle = Throttle(parts.bandwidth)
        self._numbers = itertools.count()
        self._mine = threading.local()

    def fetch(self, batches: Iterable[Batch]) -> Generator[Batch, None, None]:
        """Yield each batch once all its items are in staging, or have failed."""
        pool = ThreadPoolExecutor(self._transfers(), thread_name_prefix="fetch")
        ahead: deque[tuple[Batch, list[Future[None]]]] = deque()
        try:
            yield from self._fetch_ahead(batches, ahead, pool)
        except FatalError:
            # The source or the space came to its end; what was fetched before is stored first.
            while ahead and not self._parts.is_ending:
                yield _settled(*ahead.popleft())
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _fetch_ahead(
        self, batches: Iterable[Batch], ahead: deque[tuple[Batch, list[Future[None]]]], pool: ThreadPoolExecutor
    ) -> Generator[Batch, None, None]:
        for batch in batches:
            fitting = self._fitting(batch)
            queue = iter(fitting)
            ahead.append((fitting, [pool.submit(self._fetch_from, queue) for _ in range(self._transfers())]))
            if len(fitting) < len(batch):
                raise self._no_space(batch[len(fitting)])
            if len(ahead) > 1:
                yield _settled(*ahead.popleft())
        while ahead:
            yield _settled(*ahead.popleft())

    def _transfers(self) -> int:
        if self._parts.source.reads_local_disk:
            return min(self._parts.downloads, len(os.sched_getaffinity(0)))
        return self._parts.downloads

    def _fitting(self, batch: Batch) -> Batch:
        """Return the part of a batch, from its beginning, for which there is space at the destination."""
        free = self._parts.destination.free_space()
        if free is None:
            return batch
        free -= SPACE_RESERVE
        for position, work in enumerate(batch):
            free -= 0 if work.why in METADATA_ONLY else work.item.size or 0
            if free < 0:
                return batch[:position]
        return batch

    def _no_space(self, work: Work) -> FatalError:
        free = self._parts.destination.free_space() or 0
        return FatalError(
            f"the destination has {free >> 20} MiB free, {SPACE_RESERVE >> 20} MiB of which are left alone, and "
            f"{work.item.name} does not fit",
            advice="make room and run again; what was stored is intact",
        )

    def _fetch_from(self, queue: Iterator[Work]) -> None:
        """Fetch works from a batch that the threads share until nothing is left of it.

        One future for each thread and not for each work: handing a work over costs as much as reading a small file.
        """
        try:
            for work in queue:
                self._fetch_one(work)
        except BaseException:
            deque(queue, maxlen=0)  # The batch is not handed on, so the others need not fetch the rest of it.
            raise

    def _fetch_one(self, work: Work) -> None:
        if self._parts.is_ending:
            work.drop()
            return
        try:
            if work.why == "metadata changed":
                work.item = self._parts.source.describe(work.item, self._parts.staging / _NOTHING_FETCHED)
                _check_time(work.item, self._parts)
            elif work.why == PAPERS_MISSING:
                asset = self._stage(work)
                asset.path.unlink()
                work.item = asset.item
            elif work.why != MOVED:
                self._bring(work)
        except ItemError as error:
            if self._parts.stop.is_set() and isinstance(error, RetryableError):
                work.drop()
            else:
                work.fail(_sentence(error))
        except SyncEngineError:
            raise
        except Exception as error:  # noqa: BLE001 # pylint: disable=broad-exception-caught  # the item's border
            _LOG.exception("the source failed on %r", work.item.id)
            work.fail(f"internal error in the source: {type(error).__name__}: {error}")

    def _bring(self, work: Work) -> None:
        asset = retrying(lambda: self._stage(work), self._parts.stop)
        work.item = asset.item
        if work.why == REMAKE:
            work.fetched = work.asset = asset
            return
        work.rule = self._parts.select.rejects(work.item, self._parts.zone, described=True) or ""
        if work.rule:
            asset.path.unlink()
        else:
            work.fetched = work.asset = asset

    def _own_directory(self) -> Path:
        """Return this thread's directory in staging: a kernel makes files in one directory one after the other."""
        if not hasattr(self._mine, "directory"):
            self._mine.directory = self._parts.staging / f"fetch-{threading.get_native_id()}"
            self._mine.directory.mkdir(exist_ok=True)
        directory: Path = self._mine.directory
        return directory

    def _stage(self, work: Work) -> Asset:
        """Bring the bytes of an item into a new file in staging; leave nothing there when that fails."""
        item = work.item
        path = self._own_directory() / f"f{next(self._numbers)}"
        sink = HashingSink(path, self._throttle)
        try:
            if work.original_at:
                read_original(self._parts.destination, work.original_at, sink)
            else:
                self._parts.source.fetch(item, sink)
                self._account.count_fetched(sink.size)
            digest = sink.close()
            if work.is_listed:
                item = self._parts.source.describe(item, path)
            _check_time(item, self._parts)
        except BaseException:
            sink.close()
            path.unlink(missing_ok=True)
            raise
        return Asset(path=path, name=item.name, kind=item.kind, item=item, size=sink.size, sha256=digest)


def _settled(batch: Batch, futures: list[Future[None]]) -> Batch:
    for future in futures:
        future.result()
    return batch


def _check_time(item: MediaItem, parts: RunParts) -> None:
    """Refuse a capture time that no calendar has, before names and folders are made of it."""
    if item.taken is None:
        return
    try:
        item.taken.at(parts.zone)
        item.taken.timestamp(parts.zone)
    except (ValueError, OverflowError, TypeError) as error:
        raise ItemError(f"its capture time makes no sense: {error}") from error


def _sentence(error: ItemError) -> str:
    return f"{error.reason}; {error.advice}" if error.advice else error.reason
