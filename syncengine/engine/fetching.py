"""Bringing an item's bytes into staging, hashing them on the way, and asking the source what they say."""

from __future__ import annotations

import errno
import hashlib
import itertools
import logging
import os
import threading
from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from syncengine.api import Asset, ItemError, MediaItem
from syncengine.engine.account import Account
from syncengine.engine.parts import RunParts
from syncengine.engine.retrying import retrying
from syncengine.engine.throttle import Throttle
from syncengine.engine.work import Batch, Work
from syncengine.errors import FatalError, SyncEngineError

_LOG = logging.getLogger(__name__)

#: Space that is left alone at the destination, so that state, logs and other programs can go on.
SPACE_RESERVE = 64 << 20

#: A name in staging at which there never is a file; fetched ones are numbered.
_NOTHING_FETCHED = "nothing-fetched"


class HashingSink:
    """A new file in staging that hashes and counts what is written to it.

    Args:
        path: must not exist.
        throttle: is asked before each chunk.

    Raises:
        FatalError: the file cannot be made.
    """

    def __init__(self, path: Path, throttle: Throttle) -> None:
        self.path = path
        self.size = 0
        self._throttle = throttle
        self._hash = hashlib.sha256()
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise staging_failed(error, path) from error

    def write(self, data: bytes | bytearray | memoryview, /) -> int:
        """Append ``data``. Raises ``FatalError`` when the disk is full or gone."""
        self._throttle.take(len(data))
        self._hash.update(data)
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(self._file, rest) :]
        except OSError as error:
            raise staging_failed(error, self.path) from error
        self.size += len(data)
        return len(data)

    def close(self) -> bytes:
        """Finish the file and return its SHA-256."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
        return self._hash.digest()


def staging_failed(error: OSError, path: Path) -> FatalError:
    """Return what a failed write into staging means for the run."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return FatalError(
            f"no space left in {path.parent}", advice="make room and run again; what was stored is intact"
        )
    return FatalError(f"cannot write {path}: {error.strerror}", advice="check that the destination is still there")


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
        self._unwanted = threading.Event()

    def give_up(self) -> None:
        """Fetch nothing more; what is under way in a thread is still finished. Does no harm at the end of a run."""
        self._unwanted.set()

    def fetch(self, batches: Iterable[Batch]) -> Generator[Batch, None, None]:
        """Yield each batch once all its items are in staging, or have failed."""
        pool = ThreadPoolExecutor(self._parts.downloads, thread_name_prefix="fetch")
        ahead: deque[tuple[Batch, list[Future[None]]]] = deque()
        try:
            for batch in batches:
                self._check_space(batch)
                ahead.append((batch, [pool.submit(self._fetch_one, work) for work in batch]))
                if len(ahead) > 1:
                    yield _settled(*ahead.popleft())
            while ahead:
                yield _settled(*ahead.popleft())
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _check_space(self, batch: Batch) -> None:
        free = self._parts.destination.free_space()
        needed = sum(work.item.size or 0 for work in batch if work.why != "metadata changed")
        if free is not None and free < needed + SPACE_RESERVE:
            raise FatalError(
                f"the destination has {free >> 20} MiB free, and the next {len(batch)} items need "
                f"{(needed + SPACE_RESERVE) >> 20} MiB",
                advice="make room and run again; what was stored is intact",
            )

    def _fetch_one(self, work: Work) -> None:
        if self._parts.stop.is_set() or self._unwanted.is_set():
            return
        try:
            if work.why == "metadata changed":
                work.item = self._parts.source.describe(work.item, self._parts.staging / _NOTHING_FETCHED)
            else:
                self._bring(work)
        except ItemError as error:
            work.failure, work.lost = _sentence(error), True
        except SyncEngineError:
            raise
        except Exception as error:  # noqa: BLE001 # pylint: disable=broad-exception-caught  # the item's border
            _LOG.exception("the source failed on %r", work.item.id)
            work.failure, work.lost = f"internal error in the source: {type(error).__name__}: {error}", True

    def _bring(self, work: Work) -> None:
        asset = retrying(lambda: self._stage(work.item), self._parts.stop)
        work.item = asset.item
        work.rule = self._parts.select.rejects(work.item, self._parts.zone, described=True) or ""
        if work.rule:
            asset.path.unlink()
        else:
            work.fetched = work.asset = asset

    def _stage(self, item: MediaItem) -> Asset:
        """Bring the bytes of an item into a new file in staging; leave nothing there when that fails."""
        path = self._parts.staging / f"f{next(self._numbers)}"
        sink = HashingSink(path, self._throttle)
        try:
            self._parts.source.fetch(item, sink)
            digest = sink.close()
            self._account.count_fetched(sink.size)
            item = self._parts.source.describe(item, path)
        except BaseException:
            sink.close()
            path.unlink(missing_ok=True)
            raise
        return Asset(path=path, name=item.name, kind=item.kind, item=item, size=sink.size, sha256=digest)


def _settled(batch: Batch, futures: list[Future[None]]) -> Batch:
    for future in futures:
        future.result()
    return batch


def _sentence(error: ItemError) -> str:
    return f"{error.reason}; {error.advice}" if error.advice else error.reason
