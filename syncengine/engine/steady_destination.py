"""A destination whose calls are tried again when what failed may pass."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Literal, TypeVar

from syncengine.api import Capabilities, Destination, FileStat, Upload
from syncengine.engine.retrying import retrying
from syncengine.errors import FatalError, RetryableError

T = TypeVar("T")


class SteadyDestination(Destination[Any]):
    """Tries every call again, a bounded number of times, after a ``RetryableError``.

    The last try's error of a call about one file is that file's. A call that the whole run rests on (``open``,
    ``flush``, ``missing``, ``list``, ``free_space``) ends the run instead: no single item is to blame for it.

    Args:
        inner: does the work.
        stop: ends the waits, and the tries with them.
    """

    def __init__(self, inner: Destination[Any], stop: threading.Event) -> None:
        super().__init__(inner.options)
        self._inner = inner
        self._stop = stop

    def open(self, *, create: bool = True) -> None:
        """Open; a failure is the run's."""
        self._for_the_run(partial(self._inner.open, create=create))

    def close(self) -> None:
        """Close, once: a run that ends does not wait."""
        self._inner.close()

    @property
    def identity(self) -> str:
        """The inner one's."""
        return self._inner.identity

    @property
    def location(self) -> str:
        """The inner one's."""
        return self._inner.location

    @property
    def capabilities(self) -> Capabilities:
        """The inner one's."""
        return self._inner.capabilities

    def staging(self) -> Path | None:
        """Return the inner one's."""
        return self._inner.staging()

    def begin(self, path: str) -> Upload:
        """Start a file; only the start is tried again, since half a file cannot be."""
        return self._for_a_file(partial(self._inner.begin, path))

    def place(self, staged: Path, path: str, *, mtime: float | None = None, replace: bool = False) -> None:
        """Place a file, from its first byte in each try."""
        self._for_a_file(partial(self._inner.place, staged, path, mtime=mtime, replace=replace))

    def flush(self) -> None:
        """Flush; a failure is the run's."""
        self._for_the_run(self._inner.flush)

    def stat(self, path: str) -> FileStat | None:
        """Return what is at ``path``."""
        return self._for_a_file(partial(self._inner.stat, path))

    def list(self, prefix: str) -> Iterator[FileStat]:
        """List; what fails after the first file is not tried again."""
        return self._for_the_run(partial(self._inner.list, prefix))

    def missing(self, paths: Iterable[str]) -> set[str]:
        """Return the missing ones; a failure is the run's."""
        return self._for_the_run(partial(self._inner.missing, tuple(paths)))

    def read(self, path: str) -> BinaryIO:
        """Open a file for reading."""
        return self._for_a_file(partial(self._inner.read, path))

    def link(self, existing: str, path: str, *, kind: Literal["hardlink", "symlink"]) -> None:
        """Link."""
        self._for_a_file(partial(self._inner.link, existing, path, kind=kind))

    def link_target(self, path: str) -> str | None:
        """Return where a link leads."""
        return self._for_a_file(partial(self._inner.link_target, path))

    def move(self, path: str, to: str) -> None:
        """Rename."""
        self._for_a_file(partial(self._inner.move, path, to))

    def set_mtime(self, path: str, mtime: float) -> None:
        """Give a file another time."""
        self._for_a_file(partial(self._inner.set_mtime, path, mtime))

    def remove(self, path: str) -> None:
        """Remove a file."""
        self._for_a_file(partial(self._inner.remove, path))

    def prune(self, path: str) -> None:
        """Remove empty directories."""
        self._for_a_file(partial(self._inner.prune, path))

    def free_space(self) -> int | None:
        """Return the free bytes; a failure is the run's."""
        return self._for_the_run(self._inner.free_space)

    def _for_a_file(self, call: Callable[[], T]) -> T:
        return retrying(call, self._stop)

    def _for_the_run(self, call: Callable[[], T]) -> T:
        try:
            return retrying(call, self._stop)
        except RetryableError as error:
            raise FatalError(
                error.reason, advice=error.advice or "see that the destination answers, then run again"
            ) from error
