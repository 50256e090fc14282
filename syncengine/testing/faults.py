"""Wrappers with the same contract that raise a given error at the n-th call of a method.

::

    faults = Faults([Fault("commit", FatalError("full"), at=3)])
    destination = FaultyDestination(MemoryDestination(options), faults)
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Literal

import msgspec

from syncengine.api import (
    Album,
    Capabilities,
    Destination,
    FileStat,
    Inventory,
    MediaItem,
    RunContext,
    Selection,
    Sink,
    Source,
    Upload,
)


class Fault(msgspec.Struct, frozen=True):
    """One thing that goes wrong.

    Args:
        method: name of the method; of an upload: ``write``, ``commit``, ``abort``.
        error: what is raised.
        at: at which call, the first is 1.
        times: at how many calls from there on; ``None`` means for ever.
        after: raise when the work is done, instead of doing it.
    """

    method: str
    error: BaseException
    at: int = 1
    times: int | None = 1
    after: bool = False


class Faults:
    """Counts calls, from any thread, and raises what is due.

    Args:
        faults: what goes wrong, and when.
    """

    def __init__(self, faults: Iterable[Fault]) -> None:
        self._faults = tuple(faults)
        self._lock = threading.Lock()
        self.calls: Counter[str] = Counter()

    @contextmanager
    def around(self, method: str) -> Iterator[None]:
        """Count a call of ``method``; raise before or after it."""
        with self._lock:
            self.calls[method] += 1
            number = self.calls[method]
        due = [fault for fault in self._faults if fault.method == method and _is_due(fault, number)]
        for fault in due:
            if not fault.after:
                raise fault.error
        yield
        for fault in due:
            raise fault.error


def _is_due(fault: Fault, number: int) -> bool:
    return number >= fault.at and (fault.times is None or number < fault.at + fault.times)


class FaultyUpload(Upload):
    """An upload that fails when told to.

    Args:
        inner: does the work.
        faults: what goes wrong.
    """

    def __init__(self, inner: Upload, faults: Faults) -> None:
        self._inner = inner
        self._faults = faults

    def write(self, data: bytes | bytearray | memoryview, /) -> int:
        """Counted as ``write``."""
        with self._faults.around("write"):
            return self._inner.write(data)

    def commit(self, *, mtime: float | None = None, replace: bool = False) -> None:
        """Counted as ``commit``."""
        with self._faults.around("commit"):
            self._inner.commit(mtime=mtime, replace=replace)

    def abort(self) -> None:
        """Counted as ``abort``."""
        with self._faults.around("abort"):
            self._inner.abort()


class FaultyDestination(Destination[Any]):
    """A destination that fails when told to.

    Args:
        inner: does the work.
        faults: what goes wrong.
    """

    def __init__(self, inner: Destination[Any], faults: Faults) -> None:
        super().__init__(inner.options)
        self.inner = inner
        self.faults = faults

    def open(self, *, create: bool = True) -> None:
        """Counted, like all that follow, under its own name."""
        with self.faults.around("open"):
            self.inner.open(create=create)

    def close(self) -> None:
        """Close."""
        with self.faults.around("close"):
            self.inner.close()

    @property
    def identity(self) -> str:
        """Of the inner one; never fails."""
        return self.inner.identity

    @property
    def location(self) -> str:
        """Of the inner one; never fails."""
        return self.inner.location

    @property
    def capabilities(self) -> Capabilities:
        """Of the inner one; never fails."""
        return self.inner.capabilities

    def staging(self) -> Path | None:
        """Of the inner one; never fails."""
        return self.inner.staging()

    def begin(self, path: str) -> Upload:
        """Begin; the upload's own methods are counted as well."""
        with self.faults.around("begin"):
            return FaultyUpload(self.inner.begin(path), self.faults)

    def place(self, staged: Path, path: str, *, mtime: float | None = None, replace: bool = False) -> None:
        """Place."""
        with self.faults.around("place"):
            self.inner.place(staged, path, mtime=mtime, replace=replace)

    def flush(self) -> None:
        """Flush."""
        with self.faults.around("flush"):
            self.inner.flush()

    def stat(self, path: str) -> FileStat | None:
        """Stat."""
        with self.faults.around("stat"):
            return self.inner.stat(path)

    def list(self, prefix: str) -> Iterator[FileStat]:
        """List; fails as soon as it is called."""
        with self.faults.around("list"):
            return self.inner.list(prefix)

    def missing(self, paths: Iterable[str]) -> set[str]:
        """Missing."""
        with self.faults.around("missing"):
            return self.inner.missing(paths)

    def read(self, path: str) -> BinaryIO:
        """Read."""
        with self.faults.around("read"):
            return self.inner.read(path)

    def link(self, existing: str, path: str, *, kind: Literal["hardlink", "symlink"]) -> None:
        """Link."""
        with self.faults.around("link"):
            self.inner.link(existing, path, kind=kind)

    def link_target(self, path: str) -> str | None:
        """Link target."""
        with self.faults.around("link_target"):
            return self.inner.link_target(path)

    def move(self, path: str, to: str) -> None:
        """Move."""
        with self.faults.around("move"):
            self.inner.move(path, to)

    def set_mtime(self, path: str, mtime: float) -> None:
        """Set mtime."""
        with self.faults.around("set_mtime"):
            self.inner.set_mtime(path, mtime)

    def remove(self, path: str) -> None:
        """Remove."""
        with self.faults.around("remove"):
            self.inner.remove(path)

    def prune(self, path: str) -> None:
        """Prune."""
        with self.faults.around("prune"):
            self.inner.prune(path)

    def free_space(self) -> int | None:
        """Free space."""
        with self.faults.around("free_space"):
            return self.inner.free_space()


class FaultySource(Source[Any]):
    """A source that fails when told to; ``scan`` and ``albums`` are counted by item, under ``scan`` and ``albums``.

    Args:
        inner: does the work.
        faults: what goes wrong.
    """

    def __init__(self, inner: Source[Any], faults: Faults) -> None:
        super().__init__(inner.options)
        self.inner = inner
        self.faults = faults

    def open(self, context: RunContext) -> None:
        """Open."""
        with self.faults.around("open"):
            self.inner.open(context)

    def close(self) -> None:
        """Close."""
        with self.faults.around("close"):
            self.inner.close()

    def scan(self, select: Selection) -> Iterator[MediaItem]:
        """Scan; the n-th call is the n-th item."""
        for item in self.inner.scan(select):
            with self.faults.around("scan"):
                pass
            yield item

    def inventory(self) -> Inventory:
        """Inventory."""
        with self.faults.around("inventory"):
            return self.inner.inventory()

    def fetch(self, item: MediaItem, into: Sink) -> None:
        """Fetch."""
        with self.faults.around("fetch"):
            self.inner.fetch(item, into)

    def describe(self, item: MediaItem, path: Path) -> MediaItem:
        """Describe."""
        with self.faults.around("describe"):
            return self.inner.describe(item, path)

    def albums(self) -> Iterator[Album]:
        """Albums; the n-th call is the n-th album."""
        for album in self.inner.albums():
            with self.faults.around("albums"):
                pass
            yield album
