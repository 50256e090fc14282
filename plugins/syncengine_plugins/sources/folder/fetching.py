"""Reads a file's bytes, and says so when they are not those that were listed."""

from __future__ import annotations

import errno
import os
import threading

from syncengine.api import ItemError, RetryableError, Sink
from syncengine_plugins.sources.folder.names import name_of
from syncengine_plugins.sources.opening import open_regular

_CHUNK = 1 << 20


def content_token(found: os.stat_result) -> str:
    """Return what changes when the bytes change: size and mtime in nanoseconds."""
    return f"{found.st_size}:{found.st_mtime_ns}"


class Reader:
    """Reads files in chunks of 1 MiB, with one buffer for each thread."""

    def __init__(self) -> None:
        self._local = threading.local()

    def read(self, path: str, token: str, into: Sink) -> None:
        """Write all bytes of a file into ``into``.

        Args:
            path: the file.
            token: its ``content_token`` when it was listed.
            into: copies what it wants to keep.

        Raises:
            ItemError: it is gone, unreadable or no regular file.
            RetryableError: it changed since it was listed or while it was read, or reading failed.
        """
        label = name_of(os.path.basename(path))
        try:
            handle = open_regular(path)
        except OSError as error:
            raise _cannot_open(label, error) from error
        try:
            buffer, left = self._buffer(), os.fstat(handle).st_size
            # No read beyond the size of now: a file that grows meanwhile has another token at the end.
            while left > 0 and (size := _fill(handle, buffer, label)):
                into.write(buffer[:size])
                left -= size
            found = os.fstat(handle)
        finally:
            os.close(handle)
        if content_token(found) != token:
            raise RetryableError(
                f"{label} changed since it was listed", advice="the next run lists it anew and stores it"
            )

    def _buffer(self) -> memoryview:
        buffer: memoryview | None = getattr(self._local, "buffer", None)
        if buffer is None:
            buffer = self._local.buffer = memoryview(bytearray(_CHUNK))
        return buffer


def _fill(handle: int, buffer: memoryview, label: str) -> int:
    try:
        return os.readv(handle, [buffer])
    except OSError as error:
        raise RetryableError(f"{label} cannot be read: {error.strerror}", advice="check the disk or share") from error


def _cannot_open(label: str, error: OSError) -> ItemError:
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return ItemError(f"{label} is not there any more")
    if error.errno in (errno.EACCES, errno.EPERM):
        return ItemError(
            f"{label} cannot be read: {error.strerror}", advice="give the user of this run read permission"
        )
    if error.errno in (errno.ELOOP, errno.ENXIO):
        return ItemError(f"{label} is not a regular file any more")
    return RetryableError(f"{label} cannot be opened: {error.strerror}", advice="check the disk or share")
