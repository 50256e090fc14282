"""Files on their way: written beside their final place, hashed while they are written."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from datetime import tzinfo
from pathlib import Path

from syncengine.engine.throttle import Throttle
from syncengine.errors import FatalError, ItemError
from syncengine.model import MediaItem


class HashingSink:
    """A new file in staging that hashes and counts what is written to it.

    Args:
        path: must not exist.
        throttle: is asked before each chunk.

    Raises:
        FatalError: the file cannot be made.
    """

    def __init__(self, path: Path, throttle: Throttle) -> None:
        self.path = path
        self.size = 0
        self._throttle = throttle
        self._hash = hashlib.sha256()
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise staging_failed(error, path) from error

    def write(self, data: bytes | bytearray | memoryview, /) -> int:
        """Append ``data``.

        Raises:
            ItemError: the file has grown larger than the file system can hold.
            FatalError: the disk is full or gone.
        """
        self._throttle.take(len(data))
        self._hash.update(data)
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(self._file, rest) :]
        except OSError as error:
            if error.errno == errno.EFBIG:
                what = "it is larger than the destination's file system can hold"
                raise ItemError(what, advice="FAT32 ends at 4 GiB") from error
            raise staging_failed(error, self.path) from error
        self.size += len(data)
        return len(data)

    def close(self) -> bytes:
        """Finish the file and return its SHA-256."""
        if self._file >= 0:
            _begin_writing_out(self._file)
            os.close(self._file)
            self._file = -1
        return self._hash.digest()


def bring_in(path: Path, throttle: Throttle, fetch: Callable[[HashingSink], None]) -> tuple[int, bytes]:
    """Make a new file of what is fetched; leave nothing there when that fails.

    Args:
        path: must not exist.
        throttle: is asked before each chunk.
        fetch: writes the bytes; what it raises is raised.

    Returns:
        Bytes and SHA-256.
    """
    sink = HashingSink(path, throttle)
    try:
        fetch(sink)
        return sink.size, sink.close()
    except BaseException:
        sink.close()
        path.unlink(missing_ok=True)
        raise


def check_time(item: MediaItem, zone: tzinfo) -> None:
    """Refuse a capture time that no calendar has, before names and folders are made of it. Raises ``ItemError``."""
    if item.taken is None:
        return
    try:
        item.taken.at(zone)
        item.taken.timestamp(zone)
    except (ValueError, OverflowError, TypeError) as error:
        raise ItemError(f"its capture time makes no sense: {error}") from error


def _begin_writing_out(file: int) -> None:
    """Have the system write a file to the disk from now on, so that the batch's flush finds little left to wait for.

    That is what Linux makes of the advice for pages that are not on the disk yet; elsewhere it does no harm.
    """
    if hasattr(os, "posix_fadvise"):  # macOS has none
        with suppress(OSError):
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)


def write_staged(path: Path, content: bytes) -> None:
    """Write a whole new file into staging. Raises ``FatalError`` when the disk is full or gone."""
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
        try:
            rest = memoryview(content)
            while rest:
                rest = rest[os.write(file, rest) :]
        finally:
            os.close(file)
    except OSError as error:
        raise staging_failed(error, path) from error


def staging_failed(error: OSError, path: Path) -> FatalError:
    """Return what a failed write into staging means for the run."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return FatalError(
            f"no space left in {path.parent}", advice="make room and run again; what was stored is intact"
        )
    return FatalError(f"cannot write {path}: {error.strerror}", advice="check that the destination is still there")
