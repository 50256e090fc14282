"""Reads ``.tgz`` archives as what they are: one stream, forward only, never unpacked to disk.

``tarfile`` does the parsing, over a stream that keeps a hostile header from asking for a gigabyte of memory, and that
notices where an archive breaks off: ``tarfile`` alone takes a damaged header for the end.
"""

from __future__ import annotations

import gzip
import io
import os
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from syncengine_plugins.sources.takeout.damage import PartDamagedError
from syncengine_plugins.sources.takeout.members import (
    Directory,
    Member,
    Refused,
    decode_name,
    shown,
    stamp_of,
    tidy_path,
    unsafe_path,
)

CHUNK = 1 << 20
_LARGEST_READ = 16 << 20
_LONGEST_TAIL = 64 << 20
_BLOCK = 512


class _Forward(io.RawIOBase):
    """The unpacked stream, as ``tarfile`` wants it: it can be read and sought forward.

    Args:
        path: the archive.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._stream = gzip.GzipFile(path)
        self._at = 0
        self.last_block = b""

    def read(self, size: int = -1, /) -> bytes:
        """Read exactly ``size`` bytes, fewer at the end."""
        if not 0 <= size <= _LARGEST_READ:
            raise PartDamagedError("a header in it asks for more memory than any file name needs")
        chunk = self._stream.read(size)
        self._at += len(chunk)
        if size == _BLOCK:
            self.last_block = chunk
        return chunk

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Skip forward to ``offset`` (from the start)."""
        if whence != os.SEEK_SET or offset < self._at:
            raise PartDamagedError("a header in it points backwards")
        while self._at < offset:
            skipped = len(self._stream.read(min(CHUNK, offset - self._at)))
            if not skipped:
                raise PartDamagedError("it breaks off")
            self._at += skipped
        return self._at

    def tell(self) -> int:
        """Return the position in the unpacked stream."""
        return self._at

    def drain(self) -> None:
        """Read what follows the last member, so that gzip's own checksum is checked."""
        end = self._at + _LONGEST_TAIL
        while self._at < end and (chunk := self._stream.read(CHUNK)):
            self._at += len(chunk)

    def close(self) -> None:
        """Close the archive."""
        self._stream.close()
        super().close()


class _Headers(tarfile.TarFile):
    """``tarfile`` with the one list of its own that has to be kept short."""

    members: list[tarfile.TarInfo]


class TgzReader:
    """Walks through a ``.tgz``; the bytes of a member can be read until the next one is asked for.

    Args:
        path: the archive.
    """

    def __init__(self, path: Path) -> None:
        self._stream = _Forward(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the archive."""
        self._stream.close()

    def members(self) -> Iterator[Member | Refused | Directory]:
        """Yield every entry.

        Raises:
            PartDamagedError: the archive breaks off or is damaged here; what came before is good.
        """
        try:
            archive = _Headers(fileobj=self._stream, encoding="utf-8", errors="surrogateescape")
            ordinal = 0
            while (entry := archive.next()) is not None:
                archive.members.clear()  # tarfile keeps every header it has seen
                yield _judge(entry, ordinal)
                ordinal += 1
            if self._stream.last_block.strip(b"\0"):
                raise PartDamagedError("a header in it is damaged")
            self._stream.drain()
        except (tarfile.TarError, EOFError, zlib.error, OSError, ValueError) as error:
            raise PartDamagedError(f"it breaks off or is damaged ({error})") from error

    def chunks(self, offset: int, size: int) -> Iterator[bytes]:
        """Yield ``size`` bytes at ``offset`` of the unpacked stream, which must not lie behind the current position.

        Raises:
            PartDamagedError: the archive breaks off or is damaged.
        """
        try:
            self._stream.seek(offset)
            left = size
            while left:
                chunk = self._stream.read(min(CHUNK, left))
                if not chunk:
                    raise PartDamagedError("it breaks off")
                left -= len(chunk)
                yield chunk
        except (EOFError, zlib.error, OSError) as error:
            raise PartDamagedError(f"it breaks off or is damaged ({error})") from error

    @property
    def position(self) -> int:
        """Bytes of the unpacked stream that are behind."""
        return self._stream.tell()


def _judge(entry: tarfile.TarInfo, ordinal: int) -> Member | Refused | Directory:
    path = decode_name(entry.name.encode("utf-8", "surrogateescape"))
    if reason := unsafe_path(path):
        return Refused(shown(path), reason)
    if entry.isdir():
        return Directory(path)
    if not entry.isreg():
        return Refused(shown(path), "it is a link or a device, not a file")
    if entry.issparse() or entry.size < 0:
        return Refused(shown(path), "it is a sparse file", lost=True)
    stamp = stamp_of(entry.mtime)
    return Member(path=tidy_path(path), ordinal=ordinal, size=entry.size, offset=entry.offset_data, stamp=stamp)
