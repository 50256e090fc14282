"""Handing image work to worker processes, and taking the results in order."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from concurrent.futures import CancelledError, Future

from syncengine.api import Asset
from syncengine.engine.parts import RunParts
from syncengine.engine.work import REMAKE, Batch, Work
from syncengine.engine.workers import Worked, needs_work

#: Seconds between looks whether the run was interrupted.
_POLL = 0.2


class Transforming:
    """The transform stage, in two halves so that the processes always have the next batch waiting.

    Args:
        parts: the run.
    """

    def __init__(self, parts: RunParts) -> None:
        self._parts = parts

    def start(self, batches: Iterable[Batch]) -> Generator[Batch, None, None]:
        """Submit every item that a transform or a decoding fingerprint wants."""
        for batch in batches:
            for work in batch:
                if work.is_to_store and work.fetched is not None:
                    self._start(work, work.fetched)
            yield batch

    def finish(self, batches: Iterable[Batch]) -> Generator[Batch, None, None]:
        """Wait for the results of each batch."""
        for batch in batches:
            for work in batch:
                if work.pending is not None:
                    self._take(work, work.pending)
            yield batch

    def _start(self, work: Work, fetched: Asset) -> None:
        if not needs_work(fetched, self._parts.transforms, self._parts.deduplicators):
            return
        if self._parts.is_ending:
            work.drop()  # Without its work it must not be stored: the next run would take it for done.
        else:
            work.pending = self._parts.workers.submit(fetched, self._parts.staging)

    def _take(self, work: Work, pending: Future[Worked]) -> None:
        worked = self._wait(pending)
        if worked is None:
            work.drop()
            return
        if worked.failure and work.why == REMAKE:
            work.fail(f"it could not be made again, so the file stays as it was: {worked.failure}")
            return
        work.failure = worked.failure
        work.asset = worked.assets[0]
        work.decoded = worked.fingerprints
        work.remarks = worked.notes

    def _wait(self, pending: Future[Worked]) -> Worked | None:
        """Return the result, or ``None`` when the run was interrupted before there was one."""
        while True:
            try:
                return pending.result(timeout=_POLL)
            except TimeoutError:
                if self._parts.is_ending:
                    self._parts.workers.kill()
            except CancelledError:
                return None
