"""Directories for what a command needs only while it runs; what killed ones left is removed by those after them."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from contextlib import ExitStack, suppress
from pathlib import Path

_PREFIX = "syncengine-scratch-"
#: Stands in every such directory, so that nobody's directory of a similar name is taken for one.
_MARK = ".scratch-of-syncengine"
#: Seconds that a directory is left alone, since it is made just before it is locked.
_YOUNG = 60.0
_OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def temporary_directory(stack: ExitStack) -> Path:
    """Return a new directory in ``$TMPDIR`` that goes with ``stack``; those that nobody holds any more are removed."""
    _clear(Path(tempfile.gettempdir()))
    path = Path(tempfile.mkdtemp(prefix=_PREFIX))
    stack.callback(shutil.rmtree, path, ignore_errors=True)
    lock = os.open(path, _OPEN)
    stack.callback(os.close, lock)
    with suppress(OSError):  # A file system without locks: then nobody can tell that it is left over either.
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    (path / _MARK).write_bytes(b"")
    return path


def _clear(parent: Path) -> None:
    with suppress(OSError):
        for path in parent.glob(f"{_PREFIX}*"):
            with suppress(OSError):
                if _is_left_over(path):
                    shutil.rmtree(path, ignore_errors=True)


def _is_left_over(path: Path) -> bool:
    """Return whether a directory is this user's, marked, not new, and of a process that has ended."""
    handle = os.open(path, _OPEN)
    try:
        found = os.fstat(handle)
        if found.st_uid != os.geteuid() or time.time() - found.st_mtime < _YOUNG or not (path / _MARK).is_file():
            return False
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.close(handle)
    return True
