"""Fetches an item from whichever of its copies can be read."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator

from syncengine.api import FatalError, ItemError, RetryableError, Sink
from syncengine_plugins.sources.takeout.damage import MemberDamagedError
from syncengine_plugins.sources.takeout.index import PartRow
from syncengine_plugins.sources.takeout.reading import Copies, Copy, origin
from syncengine_plugins.sources.takeout.shelf import Shelf

_WHOLE = 8 << 20
_PASSING = frozenset({errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.EAGAIN, errno.EHOSTDOWN, errno.EHOSTUNREACH})


class Fetcher:
    """Hands out items' bytes, checked.

    Args:
        shelf: where the parts are, to tell a missing part from a missing disk.
        archives: reads them.
        parts: returns every part by its id, as last listed.
    """

    def __init__(self, shelf: Shelf, archives: Copies, parts: Callable[[], dict[int, PartRow]]) -> None:
        self._shelf, self._archives, self._parts = shelf, archives, parts
        self._damaged: dict[Copy, str] = {}

    def fetch(self, copies: tuple[Copy, ...], into: Sink) -> None:
        """Write the bytes of the first copy that can be read.

        Raises:
            RetryableError: a copy turned out damaged when some of it was written; the next try reads another.
            ItemError: no copy can be read.
            FatalError: the parts are gone.
        """
        for copy in copies:
            if copy in self._damaged:
                continue
            written = self._write(copy, into)
            if copy not in self._damaged:
                return
            if written and any(other not in self._damaged for other in copies):
                raise RetryableError(self._damaged[copy] + "; there is another copy", after=0)
            if written:
                break
        raise ItemError(
            "; ".join(self._damaged[copy] for copy in copies if copy in self._damaged) or "it has no copy to read",
            advice=self._shelf.advice,
        )

    def _write(self, copy: Copy, into: Sink) -> int:
        """Write a copy; on damage, remember it. Returns how many bytes were written."""
        part = self._parts().get(copy.part)
        if part is None:
            self._damaged[copy] = f"{copy.path}: its archive is not part of the library any more"
            return 0
        written = 0
        chunks = self._chunks(copy, part)
        while True:
            # The sink's own errors are not the archive's, so only reading is guarded.
            try:
                chunk = next(chunks, None)
            except MemberDamagedError as error:
                self._damaged[copy] = f"{origin(copy, part)}: {error}"
                return written
            except OSError as error:
                self._damaged[copy] = self._unreadable(error, origin(copy, part))
                return written
            if chunk is None:
                return written
            written += into.write(chunk)

    def _chunks(self, copy: Copy, part: PartRow) -> Iterator[bytes]:
        """Yield a copy's bytes; a small one as a whole, so that nothing of a damaged one is written."""
        chunks = self._archives.chunks(copy, part)
        if copy.size > _WHOLE:
            yield from chunks
        else:
            yield b"".join(chunks)

    def _unreadable(self, error: OSError, place: str) -> str:
        self._shelf.require_presence()
        if error.errno == errno.ENOSPC:
            raise FatalError("the scratch directory is full", advice="make room and run again") from error
        if error.errno in _PASSING:
            raise RetryableError(f"{place}: it cannot be read ({error.strerror})") from error
        return f"{place}: it cannot be read ({error.strerror or error})"
