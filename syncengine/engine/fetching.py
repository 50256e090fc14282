"""Fetching batch after batch: in threads, and where the library lies on a local disk, in processes."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import msgspec

from syncengine.engine.account import Account
from syncengine.engine.bringing import Bringer
from syncengine.engine.parts import RunParts
from syncengine.engine.work import METADATA_ONLY, Batch, Work
from syncengine.errors import FatalError

#: Space that is left alone at the destination, so that state, logs and other programs can go on.
SPACE_RESERVE = 64 << 20

#: What a process is given at once: enough that handing it over costs little, and little enough that a stop need not
#: wait for a line of movies.
_MOST_ITEMS = 32
_MOST_BYTES = 32 << 20


class _Begun(msgspec.Struct, frozen=True):
    """A batch under way: what threads are fetching of it, and what reading processes are."""

    batch: Batch
    threads: list[Future[None]]
    processes: list[tuple[Batch, Future[bytes]]]


class Fetcher:
    """Fetches batches, one ahead of the one that is handed on.

    Args:
        parts: the run.
        account: counts the bytes.
    """

    def __init__(self, parts: RunParts, account: Account) -> None:
        self._parts = parts
        self._bringer = Bringer(parts, account)

    def fetch(self, batches: Iterable[Batch]) -> Generator[Batch, None, None]:
        """Yield each batch once all its items are in staging, or have failed."""
        pool = ThreadPoolExecutor(self._transfers(), thread_name_prefix="fetch")
        ahead: deque[_Begun] = deque()
        try:
            yield from self._fetch_ahead(batches, ahead, pool)
        except FatalError:
            # The source or the space came to its end; what was fetched before is stored first.
            while ahead and not self._parts.is_ending:
                yield self._settle(ahead.popleft(), pool)
            raise
        finally:
            if self._parts.reading is not None:
                self._parts.reading.close()
            pool.shutdown(wait=True, cancel_futures=True)

    def _fetch_ahead(
        self, batches: Iterable[Batch], ahead: deque[_Begun], pool: ThreadPoolExecutor
    ) -> Generator[Batch, None, None]:
        for batch in batches:
            fitting = self._fitting(batch)
            ahead.append(self._begin(fitting, pool))
            if len(fitting) < len(batch):
                raise self._no_space(batch[len(fitting)])
            if len(ahead) > 1:
                yield self._settle(ahead.popleft(), pool)
        while ahead:
            yield self._settle(ahead.popleft(), pool)

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

    def _begin(self, batch: Batch, pool: ThreadPoolExecutor) -> _Begun:
        """Have a batch fetched: by processes what they can read, as soon as they are ready, and by threads the rest."""
        reading = self._parts.reading
        plain = [work for work in batch if _is_plain(work)] if reading is not None else []
        if reading is None or not reading.are_ready_for(len(plain)):
            return _Begun(batch, self._in_threads(batch, pool), [])
        others = [work for work in batch if not _is_plain(work)]
        begun = [(some, reading.begin([work.item for work in some])) for some in _in_chunks(plain)]
        return _Begun(batch, self._in_threads(others, pool), begun)

    def _settle(self, begun: _Begun, pool: ThreadPoolExecutor) -> Batch:
        """Wait for a batch; what a process could not bring, threads try again, where errors are told and retried."""
        left: Batch = []
        for works, future in begun.processes:
            left += self._taken(works, future)
        for thread in (*begun.threads, *self._in_threads(left, pool)):
            thread.result()
        return begun.batch

    def _taken(self, works: Batch, future: Future[bytes]) -> Batch:
        """Take what a process brought; return the works for which it brought nothing."""
        assert self._parts.reading is not None  # nosec B101: it was it that began
        if self._parts.is_ending:
            future.cancel()
        left: Batch = []
        for work, asset in zip(works, self._parts.reading.finish(future, len(works)), strict=True):
            if asset is None:
                left.append(work)
            else:
                self._bringer.take(work, asset)
        return left

    def _in_threads(self, works: Sequence[Work], pool: ThreadPoolExecutor) -> list[Future[None]]:
        """Have works fetched by threads that share them.

        One future for each thread and not for each work: handing a work over costs as much as reading a small file.
        """
        queue = iter(works)
        return [pool.submit(self._fetch_from, queue) for _ in range(min(len(works), self._transfers()))]

    def _fetch_from(self, queue: Iterator[Work]) -> None:
        try:
            for work in queue:
                self._bringer.bring(work)
        except BaseException:
            deque(queue, maxlen=0)  # The batch is not handed on, so the others need not fetch the rest of it.
            raise


def _is_plain(work: Work) -> bool:
    """Return whether all that is asked for are the source's bytes of an item, described."""
    return work.is_listed and not work.original_at and work.why not in METADATA_ONLY


def _in_chunks(works: Sequence[Work]) -> Iterator[Batch]:
    """Yield works in their order, as many at once as a process is given."""
    chunk: Batch = []
    size = 0
    for work in works:
        if len(chunk) == _MOST_ITEMS or size >= _MOST_BYTES:
            yield chunk
            chunk, size = [], 0
        chunk.append(work)
        size += work.item.size or 0
    if chunk:
        yield chunk
