"""Making what was written survive a power cut: one ``syncfs`` for a whole batch where that can be trusted."""

from __future__ import annotations

import ctypes
import errno
import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from syncengine.api import FatalError
from syncengine_plugins.destinations.filesystem.libc import LIBC
from syncengine_plugins.destinations.filesystem.tree import Directory, Tree

#: Behind these, ``syncfs`` hands the pages over but does not ask the other side to make them durable.
_NEEDS_FSYNC = re.compile(r"fuse.*|cifs|smb3|9p|vboxsf")
_SYNCFS_UNKNOWN = frozenset({errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP})
_FSYNC_UNKNOWN = frozenset({errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP})
_MOST_TOUCHED = 4096


def file_system_of(device: int, mountinfo: Path = Path("/proc/self/mountinfo")) -> str:
    """Return the type of the mounted file system with that device number, empty when it is not known.

    Args:
        device: ``st_dev`` of a file on it.
        mountinfo: see proc(5).
    """
    wanted = f"{os.major(device)}:{os.minor(device)}"
    try:
        lines = mountinfo.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    for line in lines:
        mount, _, rest = line.partition(" - ")
        if mount.split(" ")[2:3] == [wanted]:
            return rest.split(" ")[0]
    return ""


def syncfs_is_enough(device: int) -> bool:
    """Return whether ``syncfs`` alone makes files on that device durable and reports what went wrong.

    Before Linux 5.8 it forgets write errors, see syncfs(2); ``fsync`` of each file then reports them.
    """
    release = re.match(r"(\d+)\.(\d+)", os.uname().release)
    recent = release is not None and (int(release[1]), int(release[2])) >= (5, 8)
    return recent and not _NEEDS_FSYNC.fullmatch(file_system_of(device))


class _Touched(NamedTuple):
    """A directory in which something changed since the last flush, and what."""

    identity: tuple[int, int]
    names: set[str]


class Durability:
    """Remembers what was touched since the last flush, and flushes it.

    Args:
        tree: the destination's directories.
        staging: the run's directory for files that are not placed yet.
    """

    def __init__(self, tree: Tree, staging: str) -> None:
        self._tree = tree
        self._staging = staging
        self._each_file = not syncfs_is_enough(os.fstat(tree.root.fd).st_dev)
        self._has_syncfs = LIBC.syncfs is not None
        self._touched: dict[str, _Touched] = {}
        self._count = 0
        self._lock = threading.Lock()

    def touched(self, directory: Directory, name: str) -> None:
        """Note that ``name`` in ``directory`` was written, named or removed.

        Bounded: where each file has to be flushed, too many of them are flushed at once.
        """
        with self._lock:
            touched = self._touched.get(directory.path)
            if touched is None:
                touched = self._touched[directory.path] = _Touched(directory.identity, set())
            if not self._each_file:
                return
            touched.names.add(name)
            self._count += 1
            if self._count <= _MOST_TOUCHED:
                return
        self._flush_each(self._take())

    def removed(self, path: str) -> None:
        """Note that the directory ``path`` is gone on purpose, so nobody misses it at the next flush."""
        with self._lock:
            touched = self._touched.pop(path, None)
            self._count -= len(touched.names) if touched is not None else 0

    def _take(self) -> dict[str, _Touched]:
        with self._lock:
            taken, self._touched, self._count = self._touched, {}, 0
            return taken

    def flush(self) -> None:
        """Return when everything written and placed so far is durable, and still where it was placed.

        Raises:
            FatalError: it is not.
        """
        # Asked first: what is touched from here on belongs to the next flush.
        taken = self._take()
        each_file = self._each_file
        try:
            if self._has_syncfs:
                each_file = not self._sync_all() or each_file
            if each_file or not self._has_syncfs:
                self._flush_staging()
                self._flush_each(taken)
        except OSError as error:
            raise _not_durable(error, self._tree) from error
        self._check_places(taken)

    def _sync_all(self) -> bool:
        """Call ``syncfs``; return whether the file system knows it."""
        syncfs = LIBC.syncfs
        if syncfs is None:  # pragma: no cover - the caller looked
            return False
        while syncfs(self._tree.root.fd) != 0:
            code = ctypes.get_errno()
            if code in _SYNCFS_UNKNOWN:
                self._has_syncfs, self._each_file = False, True
                return False
            if code != errno.EINTR:
                raise OSError(code, os.strerror(code))
        return True

    def _flush_staging(self) -> None:
        for directory, _, names in os.walk(self._staging):
            for name in names:
                _fsync(os.path.join(directory, name), None)

    def _flush_each(self, taken: dict[str, _Touched]) -> None:
        for path, touched in taken.items():
            directory = self._tree.find(path)
            if directory is None:
                continue
            for name in touched.names:
                _fsync(name, directory.fd)
            _fsync_fd(directory.fd)
            # A directory may be as new as its files, so the names above it are flushed as well.
            for above in _ancestors(path):
                held = self._tree.find(above)
                if held is not None:
                    _fsync_fd(held.fd)

    def _check_places(self, taken: dict[str, _Touched]) -> None:
        self._tree.check_root()
        for path, touched in taken.items():
            if not self._tree.is_in_place(path, touched.identity):
                raise FatalError(
                    f"{path} at the destination {self._tree.location} was moved or replaced during the run",
                    advice="leave the destination alone while a run is under way, then run again",
                )


def _ancestors(path: str) -> Iterator[str]:
    while path:
        path = path.rpartition("/")[0]
        yield path


def _not_durable(error: OSError, tree: Tree) -> FatalError:
    known = tree.explain(error, tree.location)
    if isinstance(known, FatalError):
        return known
    return FatalError(
        f"what was written to {tree.location} cannot be made durable ({os.strerror(error.errno or 0)})",
        advice="check the disk or the network; the batch is done again in the next run",
    )


def _fsync(name: str, directory: int | None) -> None:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        fd = os.open(name, flags, dir_fd=directory)
    except OSError as error:
        # Removed or moved since, or a link, which is part of its directory.
        if error.errno in (errno.ENOENT, errno.ELOOP):
            return
        raise
    try:
        _fsync_fd(fd)
    finally:
        os.close(fd)


def _fsync_fd(fd: int) -> None:
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno not in _FSYNC_UNKNOWN:
            raise
