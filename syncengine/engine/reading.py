"""Reading a local library in processes of its own: hashing and describing on every core, whatever the main one does."""

from __future__ import annotations

import logging
import pickle  # nosec B403  # between our own processes only
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
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
#: So many items are read sooner than processes have started.
_FIRST_ITEMS = 384


class ReadingProcesses:
    """Processes that bring items into staging; they begin to start when there are enough items.

    A process that ends costs nothing but time: what it was given is answered as not brought, and nothing is given to
    processes any more.

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
        self._items = 0
        self._starting: Future[ProcessPoolExecutor] | None = None
        self._is_given_up = False

    def are_ready_for(self, count: int) -> bool:
        """Return whether so many more items would be begun at once; nobody waits for processes to start."""
        self._items += count
        if self._starting is None and self._items > _FIRST_ITEMS and not self._is_given_up:
            self._start()
        return self._starting is not None and self._starting.done() and not self._is_given_up

    def begin(self, items: Sequence[MediaItem]) -> Future[bytes]:
        """Have a process bring some items into staging; ``finish`` waits for them."""
        assert self._starting is not None  # nosec B101: whoever begins has asked whether they are ready
        try:
            return self._starting.result().submit(reading_process.read_here, pickle.dumps(items))
        except Exception as error:  # noqa: BLE001 # pylint: disable=broad-exception-caught  # as in ``finish``
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
            self._give_up("the reading processes cannot go on; the main process does alone")
            return [None] * count
        return assets_of(answer)

    def close(self) -> None:
        """Forget what was not begun, and end the processes after what they are at."""
        if self._starting is not None and self._starting.exception() is None:
            self._starting.result().shutdown(wait=True, cancel_futures=True)

    def _start(self) -> None:
        """Have the processes start, and somebody else wait for it."""
        reader = self._reader()
        if reader is None:
            self._is_given_up = True
            return
        try:
            setting = pickle.dumps((reader, self._zone, self._staging))
        except _NOT_SENDABLE:
            self._give_up("the source cannot be read in other processes")
            return
        waiting = ThreadPoolExecutor(1, thread_name_prefix="reading-start")
        self._starting = waiting.submit(_started_pool, self._processes, self._context, setting)
        waiting.shutdown(wait=False)

    def _give_up(self, why: str) -> None:
        """Have everything from now on read by the main process, and say so once."""
        if not self._is_given_up:
            _LOG.warning(why, exc_info=True)
        self._is_given_up = True


def _started_pool(processes: int, context: BaseContext, setting: bytes) -> ProcessPoolExecutor:
    """Return processes that have answered."""
    # Imported here: a run that changes nothing needs none of it.
    from concurrent.futures import ProcessPoolExecutor

    pool = ProcessPoolExecutor(
        processes, mp_context=context, initializer=reading_process.start_reading, initargs=(setting,)
    )
    try:
        for answer in [pool.submit(reading_process.are_you_there) for _ in range(processes)]:
            answer.result()
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    return pool


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
