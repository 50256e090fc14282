"""A stream of known size that is read where one wishes, whatever its bytes come from."""

from __future__ import annotations

import io
import os
from abc import abstractmethod


class PositionedStream(io.RawIOBase):
    """A seekable stream; who derives from it reads at ``_at``.

    Args:
        size: bytes.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self._size, self._at = size, 0

    def readable(self) -> bool:
        """Return true."""
        return True

    def seekable(self) -> bool:
        """Return true."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Move to ``offset`` bytes from where ``whence`` says; never before the beginning."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]  # typeshed names a private type
        """Fill ``buffer`` with what comes next, or with a part of it."""
        chunk = self._read_next(len(buffer))
        buffer[: len(chunk)] = chunk
        self._at += len(chunk)
        return len(chunk)

    @abstractmethod
    def _read_next(self, most: int) -> bytes:
        """Return what stands at ``_at``: at most so many bytes, none at the end."""
