"""Giving a file its final name without ever taking the place of another file.

There are three ways, tried in this order; the first that the file system knows is used:

1. ``renameat2(RENAME_NOREPLACE)``: the kernel refuses in one step. Local Linux file systems and SMB know it, NFS and
   some FUSE file systems do not (``EINVAL``).
2. ``link`` and ``unlink``: ``link`` never replaces. The file has both names for a moment.
3. A look and a ``rename`` under a lock that every syncengine at this destination takes. Another program that makes
   the same name between the look and the rename would lose; file systems with neither of the above (FAT over old
   FUSE drivers) leave nothing better: an empty placeholder would be a half file after a crash.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from syncengine_plugins.destinations.filesystem.libc import AT_FDCWD, LIBC

_RENAME_NOREPLACE = 1  # linux/fs.h
_UNKNOWN_TO_RENAME = frozenset({errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP})
_UNKNOWN_TO_LINK = frozenset({errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL, errno.EMLINK, errno.EACCES})

_Way = Callable[[str, int | None, str, int], None]


class Renamer:
    """Renames without replacing, in the best way that the file system knows.

    Args:
        lock_fd: an open file at the destination that all its users share; locked for the third way only.
    """

    def __init__(self, lock_fd: int) -> None:
        self._lock_fd = lock_fd
        self._threads = threading.Lock()
        self._ways: tuple[tuple[_Way, frozenset[int]], ...] = (
            (rename_no_replace, _UNKNOWN_TO_RENAME),
            (_link_and_unlink, _UNKNOWN_TO_LINK),
            (self._look_and_rename, frozenset()),
        )

    def choose(self, directory: int, source: str, target: str) -> None:
        """Find out the first way that works by renaming ``source`` to ``target`` in one directory.

        Raises:
            OSError: none works.
        """
        for at, (way, unknown) in enumerate(self._ways):
            try:
                way(source, directory, target, directory)
            except OSError as error:
                if error.errno not in unknown:
                    raise
            else:
                self._ways = self._ways[at:]
                return

    def rename(self, source: str, source_dir: int | None, target: str, target_dir: int) -> None:
        """Rename, or raise ``FileExistsError`` when anything has the name ``target``.

        ``EINVAL`` may also mean a name that the file system cannot hold, so the next way is tried for this call
        alone, and the last one's error is the answer.

        Args:
            source: a name in ``source_dir``, or a path where that is ``None``.
            source_dir: file descriptor of a directory.
            target: a name in ``target_dir``.
            target_dir: file descriptor of a directory.

        Raises:
            OSError: what the system says.
        """
        for way, unknown in self._ways:
            try:
                way(source, source_dir, target, target_dir)
            except OSError as error:
                if error.errno not in unknown:
                    raise
            else:
                return

    def _look_and_rename(self, source: str, source_dir: int | None, target: str, target_dir: int) -> None:
        with self._alone():
            try:
                os.lstat(target, dir_fd=target_dir)
            except FileNotFoundError:
                os.rename(source, target, src_dir_fd=source_dir, dst_dir_fd=target_dir)
            else:
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), target)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with self._threads:
            # A file system without locks still has the lock between this process's threads.
            with suppress(OSError):
                fcntl.flock(self._lock_fd, fcntl.LOCK_EX)
            try:
                yield
            finally:
                with suppress(OSError):
                    fcntl.flock(self._lock_fd, fcntl.LOCK_UN)


def rename_no_replace(source: str, source_dir: int | None, target: str, target_dir: int) -> None:
    """Call ``renameat2(RENAME_NOREPLACE)``; raises ``OSError``, ``ENOSYS`` where libc has none."""
    renameat2 = LIBC.renameat2
    if renameat2 is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    held = AT_FDCWD if source_dir is None else source_dir
    if renameat2(held, os.fsencode(source), target_dir, os.fsencode(target), _RENAME_NOREPLACE) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), target)


def _link_and_unlink(source: str, source_dir: int | None, target: str, target_dir: int) -> None:
    os.link(source, target, src_dir_fd=source_dir, dst_dir_fd=target_dir, follow_symlinks=False)
    os.unlink(source, dir_fd=source_dir)
