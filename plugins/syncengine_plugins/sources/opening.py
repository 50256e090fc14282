"""Opens files that may have been swapped for something else since they were listed."""

from __future__ import annotations

import errno
import os
import stat

# A link is not followed, and a pipe that took the file's place does not block.
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def open_regular(path: str | bytes, *, directory: int | None = None) -> int:
    """Return a file descriptor of a regular file.

    Args:
        path: absolute, or relative to ``directory``.
        directory: an open directory.

    Raises:
        OSError: it cannot be opened; ``ELOOP`` for a link, ``ENXIO`` for a directory, pipe, socket or device.
    """
    handle = os.open(path, _OPEN, dir_fd=directory)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(errno.ENXIO, "Not a regular file", path)
    return handle


def read_start(path: str, size: int, *, directory: int | None = None) -> bytes:
    """Return up to ``size`` bytes from the start of a regular file; raises ``OSError`` as ``open_regular``."""
    handle = open_regular(path, directory=directory)
    try:
        return os.pread(handle, size, 0)
    finally:
        os.close(handle)
