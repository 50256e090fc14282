"""Random access to a stream that reads little: a head once, then only what is asked for, and never without bound."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import BinaryIO

#: Reads ``size`` bytes at ``offset``; fewer at the end of what there is, none outside it.
ReadAt = Callable[[int, int], bytes]

_HEAD = 64 << 10
_READS = 8192
_BYTES = 32 << 20


class Window:
    """A file as something to look into at any offset.

    A hostile file can point anywhere any number of times; after 8192 reads or 32 MiB a window shows nothing more, so
    that every parser above it ends. Errors of the stream are remembered in ``error`` and look like the file's end.

    Args:
        stream: seekable; its position is not kept.
        head: bytes to read at once from the start.
    """

    __slots__ = ("_bytes", "_reads", "_stream", "error", "head")

    def __init__(self, stream: BinaryIO, head: int = _HEAD) -> None:
        self._stream = stream
        self._reads = _READS
        self._bytes = _BYTES
        self.error = ""
        self.head = b""
        self.head = self._read(0, head)

    def at(self, offset: int, size: int) -> bytes:
        """Return up to ``size`` bytes at ``offset``."""
        end = offset + size
        if offset < 0 or size <= 0:
            return b""
        return self.head[offset:end] if end <= len(self.head) else self._read(offset, size)

    def _read(self, offset: int, size: int) -> bytes:
        self._reads -= 1
        if self._reads < 0 or size > self._bytes or offset > 1 << 62:
            return b""
        try:
            self._stream.seek(offset)
            found = self._stream.read(size)
        except (OSError, ValueError, EOFError, zlib.error) as error:
            self.error = reason(error)
            return b""
        self._bytes -= len(found)
        return found


def reason(error: Exception) -> str:
    """Return why reading failed, for people and without the path."""
    return (error.strerror if isinstance(error, OSError) else "") or str(error) or type(error).__name__


def within(read: ReadAt, base: int) -> ReadAt:
    """Return a reader whose offsets count from ``base``."""
    return lambda offset, size: read(base + offset, size) if offset >= 0 else b""


def over(block: bytes) -> ReadAt:
    """Return a reader of bytes in memory."""
    return lambda offset, size: block[offset : offset + size] if offset >= 0 and size > 0 else b""
