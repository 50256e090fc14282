"""Names below the root: giving one, finding what has one, taking one away."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from typing import BinaryIO, TypeVar

from syncengine.api import FatalError, FileStat, ItemError, TargetExistsError
from syncengine_plugins.destinations.filesystem.durability import Durability
from syncengine_plugins.destinations.filesystem.failures import VANISHED
from syncengine_plugins.destinations.filesystem.listings import Listings
from syncengine_plugins.destinations.filesystem.renaming import Renamer
from syncengine_plugins.destinations.filesystem.times import set_mtime
from syncengine_plugins.destinations.filesystem.tree import PRIVATE, TEMPORARY, Directory, Tree, split_path

ResultT = TypeVar("ResultT")

_OURS = (f"{TEMPORARY}/", f"{PRIVATE}/format.json")
_NO_HARDLINK = frozenset({errno.EMLINK, errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EXDEV, errno.EINVAL})
#: POSIX lets rmdir(2) say either of a directory that holds something.
_NOT_EMPTY = frozenset({errno.ENOTEMPTY, errno.EEXIST})


class Places:
    """Works on single names, each in a directory that was reached without following a link.

    Args:
        tree: the directories.
        renamer: renames without replacing.
        durability: is told what was touched.
        listings: is told what changed.
    """

    def __init__(self, tree: Tree, renamer: Renamer, durability: Durability, listings: Listings) -> None:
        self.tree = tree
        self._renamer = renamer
        self._durability = durability
        self._listings = listings

    def check(self, path: str) -> None:
        """Refuse a path that nothing may be written to. Raises ``ItemError``, ``FatalError``."""
        directory, _ = split_path(path)
        if path == TEMPORARY or path.startswith(_OURS):
            raise ItemError(f"{path!r} belongs to syncengine itself", advice="check layout.path of the profile")
        try:
            self.tree.find(directory)
        except OSError as error:
            raise self.explain(error, path) from error

    def put(self, source: str, path: str, *, replace: bool) -> None:
        """Rename a file of this file system to its place.

        Args:
            source: absolute path.
            path: relative to the root.
            replace: take the place of a file.

        Raises:
            TargetExistsError: something is there and ``replace`` is false.
            OSError: ``EXDEV``, the source is on another file system than the root.
            ItemError: this path cannot be.
            FatalError: nothing can be written.
        """

        def rename(directory: Directory, name: str) -> None:
            if replace:
                os.rename(source, name, dst_dir_fd=directory.fd)
            else:
                self._renamer.rename(source, None, name, directory.fd)

        try:
            self._change(path, rename)
        except OSError as error:
            if error.errno == errno.EXDEV and os.stat(source).st_dev == self.tree.root.identity[0]:
                raise self._elsewhere(path) from error
            raise

    def _elsewhere(self, path: str) -> FatalError:
        return FatalError(
            f"{split_path(path)[0] or path} is on another file system than the destination {self.tree.location}",
            advice="point the destination's path at that file system itself, or mount it elsewhere",
        )

    def _change(self, path: str, act: Callable[[Directory, str], None]) -> None:
        """Do something in the directory of ``path``; once more when that directory had vanished."""
        parent, name = split_path(path)
        for again in (True, False):
            try:
                directory = self.tree.make(parent)
                act(directory, name)
            except FileExistsError:
                raise TargetExistsError(path) from None
            except OSError as error:
                if error.errno == errno.EXDEV:
                    raise
                if not (again and error.errno in VANISHED):
                    raise self.explain(error, path) from error
                self.tree.forget()
            else:
                self._listings.forget(parent)
                self._durability.touched(directory, name)
                return

    def _look(self, path: str, act: Callable[[Directory, str], ResultT]) -> ResultT | None:
        """Do something with what is at ``path``, or return ``None`` when nothing is there."""
        parent, name = split_path(path)
        try:
            for again in (True, False):
                directory = self.tree.find(parent)
                if directory is None:
                    break
                try:
                    return act(directory, name)
                except OSError as error:
                    # A server that forgot the file (ESTALE) has not said that there is none.
                    if error.errno not in VANISHED or (error.errno == errno.ESTALE and not again):
                        raise
                    if error.errno == errno.ENOENT and not directory.is_gone():
                        break
                    self.tree.forget()
        except OSError as error:
            raise self.explain(error, path) from error
        # Nothing there, or no root there: the two must not look alike.
        self.tree.check_root()
        return None

    def lstat(self, path: str) -> os.stat_result | None:
        """Return what is at ``path`` without following a link. Raises ``ItemError``, ``FatalError``."""
        return self._look(path, lambda directory, name: os.lstat(name, dir_fd=directory.fd))

    def holds(self, path: str) -> bool:
        """Return whether anything is at ``path``."""
        return self.lstat(path) is not None

    def stat(self, path: str) -> FileStat | None:
        """Return the regular file at ``path``, or ``None``."""
        found = self.lstat(path)
        return None if found is None or not stat.S_ISREG(found.st_mode) else as_file(path, found)

    def read(self, path: str) -> BinaryIO:
        """Open the regular file at ``path``. Raises ``FileNotFoundError``."""
        return open(self._open(path)[1], "rb")

    def set_mtime(self, path: str, mtime: float) -> None:
        """Give the regular file at ``path`` another time. Raises ``FileNotFoundError``."""
        self.check(path)
        directory, fd = self._open(path)
        try:
            set_mtime(fd, mtime)
        except OSError as error:
            raise self.explain(error, path) from error
        finally:
            os.close(fd)
        self._durability.touched(directory, split_path(path)[1])

    def _open(self, path: str) -> tuple[Directory, int]:
        def open_file(directory: Directory, name: str) -> tuple[Directory, int] | None:
            try:
                flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
                return directory, os.open(name, flags, dir_fd=directory.fd)
            except OSError as error:
                if error.errno in (errno.ELOOP, errno.ENXIO):
                    return None
                raise

        found = self._look(path, open_file)
        if found is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        if not stat.S_ISREG(os.fstat(found[1]).st_mode):
            os.close(found[1])
            raise FileNotFoundError(errno.ENOENT, "not a regular file", path)
        return found

    def hardlink(self, existing: str, path: str) -> None:
        """Make ``path`` another name of the file ``existing``."""
        self.check(path)
        held = self._existing(existing)
        parent, name = split_path(existing)

        def link(directory: Directory, new: str) -> None:
            source = self.tree.make(parent)
            os.link(name, new, src_dir_fd=source.fd, dst_dir_fd=directory.fd, follow_symlinks=False)

        self._link(path, link, lambda found: (found.st_dev, found.st_ino) == (held.st_dev, held.st_ino))

    def symlink(self, existing: str, path: str) -> None:
        """Make ``path`` a relative link to the file ``existing``."""
        self.check(path)
        self._existing(existing)
        target = os.path.relpath("/" + existing, "/" + split_path(path)[0])

        def link(directory: Directory, new: str) -> None:
            os.symlink(target, new, dir_fd=directory.fd)

        def is_same(found: os.stat_result) -> bool:
            return stat.S_ISLNK(found.st_mode) and self._target(path) == target

        self._link(path, link, is_same)

    def _link(
        self, path: str, make: Callable[[Directory, str], None], is_same: Callable[[os.stat_result], bool]
    ) -> None:
        def act(directory: Directory, name: str) -> None:
            try:
                make(directory, name)
            except OSError as error:
                if error.errno in _NO_HARDLINK:
                    raise ItemError(
                        f"the destination makes no link at {path} ({os.strerror(error.errno or 0)})",
                        advice="layout.albums: copy or manifest needs no links",
                    ) from error
                raise

        try:
            self._change(path, act)
        except TargetExistsError:
            found = self.lstat(path)
            if found is None or not is_same(found):
                raise

    def link_target(self, path: str) -> str | None:
        """Return the path that a symbolic link names; empty when that is outside, ``None`` when there is no link."""
        found = self.lstat(path)
        target = self._target(path) if found is not None and stat.S_ISLNK(found.st_mode) else None
        if target is None:
            return None
        leads = os.path.normpath(os.path.join(split_path(path)[0], target))
        return "" if leads in (".", "..") or leads.startswith(("/", "../")) else leads

    def _target(self, path: str) -> str | None:
        return self._look(path, lambda directory, name: os.readlink(name, dir_fd=directory.fd))

    def _existing(self, path: str) -> os.stat_result:
        found = self.lstat(path)
        if found is None or not stat.S_ISREG(found.st_mode):
            raise ItemError(f"{path} is not there to be linked to")
        return found

    def move(self, path: str, to: str) -> None:
        """Rename a file or link. Raises ``TargetExistsError``, ``FileNotFoundError``."""
        self.check(path)
        self.check(to)
        self._only_file(path)
        parent, name = split_path(path)

        def rename(directory: Directory, new: str) -> None:
            source = self.tree.make(parent)
            self._renamer.rename(name, source.fd, new, directory.fd)
            self._listings.forget(parent)
            self._durability.touched(source, name)

        try:
            self._change(to, rename)
        except OSError as error:
            raise self.explain(error, to) from error

    def remove(self, path: str) -> None:
        """Remove a file or link. Raises ``FileNotFoundError``."""
        self.check(path)
        self._only_file(path)

        def unlink(directory: Directory, name: str) -> bool:
            os.unlink(name, dir_fd=directory.fd)
            self._listings.forget(directory.path)
            self._durability.touched(directory, name)
            return True

        if self._look(path, unlink) is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)

    def prune(self, path: str) -> None:
        """Remove the directories above ``path`` that are empty, but never the root or its first level."""
        self.check(path)
        directory, _ = split_path(path)
        while "/" in directory and self._remove_empty(directory):
            directory, _ = split_path(directory)

    def _remove_empty(self, path: str) -> bool:
        """Remove a directory; return whether there is none now."""
        parent, name = split_path(path)
        try:
            above = self.tree.find(parent)
            if above is None:
                return True
            os.rmdir(name, dir_fd=above.fd)
        except FileNotFoundError:
            self.tree.forget()
            return True
        except OSError as error:
            if error.errno in _NOT_EMPTY:
                return False
            meaning = self.explain(error, path)
            if isinstance(meaning, ItemError):
                return False
            raise meaning from error
        self.tree.drop(path)
        self._listings.forget(parent)
        self._durability.removed(path)
        self._durability.touched(above, name)
        return True

    def _only_file(self, path: str) -> None:
        found = self.lstat(path)
        if found is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        if not (stat.S_ISREG(found.st_mode) or stat.S_ISLNK(found.st_mode)):
            raise ItemError(f"{path} is neither a file nor a link at the destination; it is left alone")

    def explain(self, error: OSError, path: str) -> ItemError | FatalError:
        """Return what an operating system error at ``path`` means."""
        return self.tree.explain(error, path)


def as_file(path: str, found: os.stat_result) -> FileStat:
    """Return what the engine is told of a file."""
    return FileStat(path, found.st_size, found.st_mtime)
