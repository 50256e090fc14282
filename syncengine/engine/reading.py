"""Reading a local library in processes of its own: hashing and describing on every core, whatever the main one does."""

from __future__ import annotations

import logging
import pickle  # nosec B403  # between our own processes only
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future
from datetime import tzinfo
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import TYPE_CHECKING

from syncengine.api import Asset, ItemReader, MediaItem
from syncengine.engine import reading_process
from syncengine.engine.reading_process import Answer, Brought

if TYPE_CHECKING:
    from concurrent.futures import ProcessPoolExecutor

_LOG = logging.getLogger(__name__)

#: What ``pickle`` raises for what it cannot pack.
_NOT_SENDABLE = (pickle.PicklingError, TypeError, AttributeError)
#: Fewer items are read sooner than processes have started.
_WORTH_PROCESSES = 128


class ReadingProcesses:
    """Processes that bring items into staging; they begin to start with the first items that are worth it.

    A process that ends costs nothing but time: what it was given is answered as not brought, and so is everything
    after it.

    Args:
        reader: returns what they read with, or ``None``; asked when they are to start.
        processes: how many.
        context: how they are made.
        zone: for capture times that know no zone.
        staging: where each makes a directory of its own.
    """

    def __init__(
        self,
        reader: Callable[[], ItemReader | None],
        *,
        processes: int,
        context: BaseContext,
        zone: tzinfo,
        staging: Path,
    ) -> None:
        self._reader = reader
        self._processes = processes
        self._context = context
        self._zone = zone
        self._staging = staging
        self._pool: ProcessPoolExecutor | None = None
        self._starting: list[Future[None]] | None = None

    def are_ready_for(self, count: int) -> bool:
        """Return whether so many items are worth it, and would be begun at once.

        With the first that are worth it the processes begin to start; nobody waits for them.
        """
        if count < _WORTH_PROCESSES:
            return False
        if self._starting is None:
            self._starting = self._start()
        return bool(self._starting) and all(_is_well(future) for future in self._starting)

    def begin(self, items: Sequence[MediaItem]) -> Future[bytes]:
        """Have a process bring some items into staging; ``finish`` waits for them."""
        assert self._pool is not None  # nosec B101: whoever begins has asked whether they are ready
        try:
            return self._pool.submit(reading_process.read_here, pickle.dumps(items))
        except (RuntimeError, *_NOT_SENDABLE) as error:  # the pool broke or is shut down, or an item cannot be sent
            nothing: Future[bytes] = Future()
            nothing.set_exception(error)
            return nothing

    def finish(self, begun: Future[bytes], count: int) -> list[Asset | None]:
        """Wait for what was begun.

        Args:
            begun: what ``begin`` returned.
            count: items that it was given.

        Returns:
            For each item its bytes in staging, or ``None`` where they have to be brought in another way.
        """
        try:
            answer: Answer = pickle.loads(begun.result())  # nosec B301  # made by our own reading process
        except CancelledError:
            return [None] * count
        except Exception:  # noqa: BLE001 # pylint: disable=broad-exception-caught  # the processes' border
            if self._starting:
                _LOG.warning("the reading processes cannot go on; the main process does alone", exc_info=True)
            self._starting = []  # none is ready any more
            return [None] * count
        return assets_of(answer)

    def close(self) -> None:
        """Forget what was not begun, and end the processes after what they are at."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def _start(self) -> list[Future[None]]:
        """Have them start; return what is done when they have, or nothing when there is nothing to read with."""
        reader = self._reader()
        setting = _packed(reader, self._zone, self._staging) if reader is not None else b""
        if not setting:
            return []
        # Imported here: a run that changes nothing needs none of it.
        from concurrent.futures import ProcessPoolExecutor

        self._pool = ProcessPoolExecutor(
            self._processes,
            mp_context=self._context,
            initializer=reading_process.start_reading,
            initargs=(setting,),
        )
        return [self._pool.submit(reading_process.are_you_there) for _ in range(self._processes)]


def _is_well(future: Future[None]) -> bool:
    return future.done() and not future.cancelled() and future.exception() is None


def _packed(reader: ItemReader, zone: tzinfo, staging: Path) -> bytes:
    """Return what a process begins with; nothing when the reader cannot be sent."""
    try:
        return pickle.dumps((reader, zone, staging))
    except _NOT_SENDABLE:
        _LOG.warning("the source cannot be read in other processes", exc_info=True)
        return b""


def assets_of(answer: Answer) -> list[Asset | None]:
    """Return what a reading process brought, as the pipeline has it."""
    directory, brought = answer
    return [None if one is None else _asset(directory, one) for one in brought]


def _asset(directory: Path, brought: Brought) -> Asset:
    item = brought.item
    return Asset(
        path=directory / brought.name,
        name=item.name,
        kind=item.kind,
        item=item,
        size=brought.size,
        sha256=brought.sha256,
    )
