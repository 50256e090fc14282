"""Running a part of the pipeline ahead of the next one, with a bounded queue between them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

T = TypeVar("T")

#: Seconds after which a blocked producer looks whether anybody still wants what it has.
_POLL = 0.2


class _End:
    """The producer is through, well or not."""


class InBackground(Generic[T]):
    """An iterator that reads a generator in a thread of its own, at most ``ahead`` elements ahead.

    An error of the producer is raised where the consumer reaches it. ``close`` ends the thread after closing the
    producer there, so that its ``finally`` runs where the rest of it ran.

    Args:
        producer: read from the new thread only.
        ahead: how many finished elements may wait.
        name: of the thread, for profilers and tracebacks.
    """

    def __init__(self, producer: Generator[T, None, None], *, ahead: int, name: str) -> None:
        self._producer = producer
        self._queue: queue.Queue[T | _End] = queue.Queue(maxsize=ahead)
        self._unwanted = threading.Event()
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._done = self._executor.submit(self._produce)

    def __iter__(self) -> Iterator[T]:
        try:
            while not isinstance(element := self._queue.get(), _End):
                yield element
            self._done.result()
        finally:
            self.close()

    def close(self) -> None:
        """Stop the producer and wait for its thread."""
        self._unwanted.set()
        self._executor.shutdown(wait=True)

    def _produce(self) -> None:
        try:
            for element in self._producer:
                if not self._put(element):
                    break
        finally:
            try:
                self._producer.close()
            finally:
                self._put(_End())

    def _put(self, element: T | _End) -> bool:
        while not self._unwanted.is_set():
            try:
                self._queue.put(element, timeout=_POLL)
            except queue.Full:
                continue
            return True
        return False
