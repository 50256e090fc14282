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

import msgspec

from syncengine.api import Asset, ItemReader, MediaItem
from syncengine.engine import reading_process
from syncengine.engine.child_process import start_server
from syncengine.engine.reading_process import Answer, Brought

if TYPE_CHECKING:
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing.synchronize import Event

_LOG = logging.getLogger(__name__)

#: So many items are read sooner than processes have started.
_FIRST_ITEMS = 384
#: Seconds between looks whether the run is to end.
_POLL = 0.2


class _Started(msgspec.Struct, frozen=True):
    """Processes, one of which has answered, and what tells them that no further item is wanted."""

    pool: ProcessPoolExecutor
    stopping: Event


class ReadingProcesses:
    """Processes that bring items into staging; they begin to start when there are enough items.

    Trouble with them costs nothing but time: what they were given is answered as not brought, and nothing is given to
    them any more.

    Args:
        reader: returns what they read with, or ``None``; asked when they are to start.
        processes: how many.
        context: how they are made.
        zone: for capture times that know no zone.
        staging: where each makes a directory of its own.
        is_ending: whether the run is asked to end.
    """

    def __init__(
        self,
        reader: Callable[[], ItemReader | None],
        *,
        processes: int,
        context: BaseContext,
        zone: tzinfo,
        staging: Path,
        is_ending: Callable[[], bool],
    ) -> None:
        self._reader = reader
        self._processes = processes
        self._context = context
        self._zone = zone
        self._staging = staging
        self._is_ending = is_ending
        self._items = 0
        self._starting: Future[_Started] | None = None
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
        begun: Future[bytes] = Future()
        try:
            packed = pickle.dumps(items)
        except Exception:  # noqa: BLE001 # pylint: disable=broad-exception-caught  # a plugin's item; read here instead
            begun.cancel()
            return begun
        try:
            return self._starting.result().pool.submit(reading_process.read_here, packed)
        except Exception as error:  # noqa: BLE001 # pylint: disable=broad-exception-caught  # the processes' border
            begun.set_exception(error)
            return begun

    def finish(self, begun: Future[bytes], count: int) -> list[Asset | None]:
        """Wait for what was begun; not for long once the run is to end.

        Args:
            begun: what ``begin`` returned.
            count: items that it was given.

        Returns:
            For each item its bytes in staging, or ``None`` where they have to be brought in another way.
        """
        try:
            answer: Answer = pickle.loads(self._wait(begun))  # nosec B301  # made by our own reading process
            return assets_of(answer)
        except CancelledError:
            return [None] * count
        except Exception:  # noqa: BLE001 # pylint: disable=broad-exception-caught  # the processes' border
            self._give_up("the reading processes cannot go on; the main process does alone")
            return [None] * count

    def close(self) -> None:
        """Forget what was not begun, and end the processes after the item that each is at."""
        if self._starting is not None and self._starting.exception() is None:
            self._starting.result().stopping.set()
            self._starting.result().pool.shutdown(wait=True, cancel_futures=True)

    def _wait(self, begun: Future[bytes]) -> bytes:
        while True:
            try:
                return begun.result(timeout=_POLL)
            except TimeoutError:
                if begun.done():
                    raise
            if self._is_ending() and self._starting is not None:
                self._starting.result().stopping.set()
                begun.cancel()

    def _start(self) -> None:
        """Have the processes start, and somebody else wait for it."""
        reader = self._reader()
        if reader is None:
            self._is_given_up = True
            return
        try:
            setting = pickle.dumps((reader, self._zone, self._staging))
        except Exception:  # noqa: BLE001 # pylint: disable=broad-exception-caught  # a plugin's reader
            self._give_up("the source cannot be read in other processes")
            return
        waiting = ThreadPoolExecutor(1, thread_name_prefix="reading-start")
        self._starting = waiting.submit(_started, self._processes, self._context, setting)
        waiting.shutdown(wait=False)

    def _give_up(self, why: str) -> None:
        """Have everything from now on read by the main process, and say so once."""
        # The processes hear what a terminal or a service manager sends to all, and end before the run does.
        if not self._is_given_up and not self._is_ending():
            _LOG.warning(why, exc_info=True)
        self._is_given_up = True


def _started(processes: int, context: BaseContext, setting: bytes) -> _Started:
    """Return processes once there is an answer for each; one that is quick may answer for the others."""
    # Imported here: a run that changes nothing needs none of it.
    from concurrent.futures import ProcessPoolExecutor

    start_server(context)
    stopping = context.Event()
    pool = ProcessPoolExecutor(
        processes, mp_context=context, initializer=reading_process.start_reading, initargs=(setting, stopping)
    )
    try:
        for answer in [pool.submit(reading_process.are_you_there) for _ in range(processes)]:
            answer.result()
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    return _Started(pool, stopping)


def assets_of(answer: Answer) -> list[Asset | None]:
    """Return what a reading process brought, as the pipeline has it."""
    directory, brought = answer
    return [None if packed is None else _asset(directory, packed) for packed in brought]


def _asset(directory: Path, packed: bytes) -> Asset:
    brought: Brought = pickle.loads(packed)  # nosec B301  # made by our own reading process
    item = brought.item
    return Asset(
        path=directory / brought.name,
        name=item.name,
        kind=item.kind,
        item=item,
        size=brought.size,
        sha256=brought.sha256,
    )
