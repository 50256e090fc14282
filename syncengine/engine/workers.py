"""Image work in processes of its own, so that a crash, a hang or a flood of memory in a decoder costs one item.

Pebble's pool runs the processes and kills what takes too long. What is added here: an item's failure is a result and
not an exception, plugins are sent once and not with every item, a pool that broke is made again, and what a killed
worker left on the disk is removed.
"""

from __future__ import annotations

import itertools
import shutil
import signal
import threading
import uuid
from collections.abc import Sequence
from concurrent.futures import Future, wait
from concurrent.futures import TimeoutError as TookTooLongError
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing.context import BaseContext
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import msgspec

from syncengine.engine import image_process
from syncengine.engine.child_process import start_server
from syncengine.engine.image_work import AnyDeduplicator, AnyTransform, Worked, needs_work
from syncengine.errors import FatalError
from syncengine.model import Asset

if TYPE_CHECKING:
    from pebble import ProcessPool

__all__ = ["ImageWorkers", "Worked", "needs_work"]

_ITEMS_PER_PROCESS = 1000  # decoders leak; a new process costs a fraction of a second
_MOST_BREAKDOWNS = 5
_LOOK_EVERY = 1.0


class _Task(msgspec.Struct, eq=False):
    """One item under way: what it is, what is waited for, and where a worker may leave files."""

    asset: Asset
    parent: Path
    future: Future[Worked]
    pool: ProcessPool
    workdir: Path


class ImageWorkers:
    """Worker processes for transforms and fingerprints; they start with the first item.

    Args:
        workers: processes.
        transforms: in order; they must be picklable.
        deduplicators: those that decode are asked; they must be picklable.
        timeout: seconds that one item may take.
        memory: bytes that one item may use.
        context: how processes are made.

    Raises:
        PluginError: a plugin cannot be sent to another process.
    """

    def __init__(
        self,
        *,
        workers: int,
        transforms: Sequence[AnyTransform],
        deduplicators: Sequence[AnyDeduplicator],
        timeout: float,
        memory: int,
        context: BaseContext,
    ) -> None:
        decoding = tuple(deduplicator for deduplicator in deduplicators if deduplicator.decodes)
        self._plugins = image_process.pack_plugins(tuple(transforms), decoding)
        self._context = context
        self._workers = workers
        self._timeout = timeout
        self._memory = memory
        self._prefix = f"work-{uuid.uuid4().hex[:12]}"
        self._numbers = itertools.count()
        self._lock = threading.RLock()
        self._pool: ProcessPool | None = None
        self._tasks: set[_Task] = set()
        self._breakdowns = 0
        self._ended = threading.Event()
        self._clearing: list[threading.Thread] = []
        self._watch: threading.Thread | None = None

    def submit(self, asset: Asset, workdir: Path) -> Future[Worked]:
        """Start the work on one asset.

        Args:
            asset: fetched; its file stays as it is.
            workdir: a directory of the engine where a new file may be left; many items may share it.

        Returns:
            A future whose result never raises for the item's sake: a transform's error, too much time, too much
            memory and a crash are all a ``Worked`` with a ``failure``. It raises ``FatalError`` when the run cannot
            go on, and ``CancelledError`` after ``kill``.

        Raises:
            FatalError: the processes end again and again.
        """
        future: Future[Worked] = Future()
        with self._lock:
            if not self._ended.is_set():
                self._start(asset, workdir, future)
                return future
        future.cancel()
        return future

    def close(self) -> None:
        """Finish what was submitted, then end the processes. May be called twice, and without ``submit``."""
        with self._lock:
            waiting = [task.future for task in self._tasks]
        wait(waiting)
        self.kill()

    def kill(self) -> None:
        """End the processes now; what was under way is cancelled and leaves no file behind."""
        with self._lock:
            self._ended.set()
            pool, self._pool = self._pool, None
            tasks, self._tasks = self._tasks, set()
            clearing = list(self._clearing)
        if pool is not None:
            pool.stop()  # type: ignore[no-untyped-call]  # pebble annotates only some of its methods
            pool.join()
        for thread in clearing:
            thread.join()
        for task in tasks:
            _remove_what_is_left(task)
            if task.future.cancel():
                task.future.set_running_or_notify_cancel()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            self.kill()

    def _start(self, asset: Asset, parent: Path, future: Future[Worked]) -> None:
        """Hand an item to the pool; a new one when there is none yet, or the old one broke."""
        workdir = parent / f"{self._prefix}-{next(self._numbers)}"
        packed = image_process.pack_task(asset, workdir)
        while True:
            pool = self._running_pool()
            try:
                inner = pool.schedule(image_process.work_here, args=(packed,), timeout=self._timeout)
            except RuntimeError:
                self._break_down(pool)
            else:
                break
        task = _Task(asset, parent, future, pool, workdir)
        self._tasks.add(task)
        inner.add_done_callback(partial(self._finish, task))

    def _running_pool(self) -> ProcessPool:
        if self._breakdowns > _MOST_BREAKDOWNS:
            raise FatalError("the worker processes for image work end again and again", advice="see the log for why")
        if self._watch is None:
            self._watch = threading.Thread(target=self._look_after_pool, name="image-workers-watch", daemon=True)
            self._watch.start()
        if self._pool is None:
            from pebble import ProcessPool  # with the first image: a run that changes nothing needs none of it

            start_server(self._context)
            self._pool = ProcessPool(
                max_workers=self._workers,
                max_tasks=_ITEMS_PER_PROCESS,
                initializer=image_process.start_worker,
                initargs=(self._plugins, self._memory),
                context=self._context,
            )
        return self._pool

    def _look_after_pool(self) -> None:
        """Notice a pool that broke while nobody asked anything of it."""
        while not self._ended.wait(_LOOK_EVERY):
            pool = self._pool
            if pool is not None and not pool.active:
                self._break_down(pool)

    def _break_down(self, pool: ProcessPool) -> None:
        """Let go of a pool that broke, and begin again with the items that it had."""
        with self._lock:
            if pool is not self._pool:
                return
            self._pool = None
            self._breakdowns += 1
            stranded = [task for task in self._tasks if task.pool is pool]
            self._tasks.difference_update(stranded)
            clearing = threading.Thread(target=_clear, args=(pool, stranded), name="image-workers-clear")
            self._clearing.append(clearing)
            clearing.start()
            for task in stranded:
                try:
                    self._start(task.asset, task.parent, task.future)
                except FatalError as error:
                    _deliver(task.future, error)

    def _finish(self, task: _Task, inner: Future[bytes]) -> None:
        error = inner.exception()
        if isinstance(error, BrokenProcessPool):
            self._break_down(task.pool)
            return
        with self._lock:
            if task not in self._tasks:
                return
            self._tasks.remove(task)
            self._breakdowns = 0
        outcome: Worked | BaseException
        try:
            outcome = self._outcome(task, inner, error)
        except BaseException as problem:  # noqa: BLE001  # pylint: disable=W0718  # handed to whoever waits for it
            outcome = problem
        _deliver(task.future, outcome)

    def _outcome(self, task: _Task, inner: Future[bytes], error: BaseException | None) -> Worked:
        if error is None:
            return image_process.unpack_reply(inner.result(), task.asset)
        _remove_what_is_left(task)
        if isinstance(error, TookTooLongError):
            return Worked(assets=(task.asset,), failure=f"image work took longer than {self._timeout:g} s")
        from pebble import ProcessExpired  # loaded with the pool

        if isinstance(error, ProcessExpired):
            return Worked(assets=(task.asset,), failure=_end_of_process(error.exitcode))
        raise FatalError(f"image work cannot be done: {type(error).__name__}: {error}") from error


def _deliver(future: Future[Worked], outcome: Worked | BaseException) -> None:
    if not future.set_running_or_notify_cancel():
        return
    if isinstance(outcome, BaseException):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)


def _end_of_process(status: int) -> str:
    if status == -signal.SIGKILL:
        return "the image decoder was killed by the system (signal 9), most likely for want of memory"
    if status < 0:
        return f"the image decoder crashed (signal {-status})"
    return f"the image decoder ended its process (exit status {status})"


def _clear(pool: ProcessPool, stranded: list[_Task]) -> None:
    pool.join()
    for task in stranded:
        _remove_what_is_left(task)


def _remove_what_is_left(task: _Task) -> None:
    shutil.rmtree(task.workdir, ignore_errors=True)
    for made in task.workdir.parent.glob(f"{task.workdir.name}{image_process.MADE}*"):
        made.unlink(missing_ok=True)
