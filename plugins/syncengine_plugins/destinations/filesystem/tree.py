"""The directories below the root, each opened without following a link, and kept open for the next file.

A path is resolved component by component with ``openat(O_NOFOLLOW)``, so a link that somebody plants inside the root
leads nowhere. An open directory is remembered, so a file costs no look-up of its directory.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections import OrderedDict
from collections.abc import Iterator

from syncengine.api import FatalError, ItemError
from syncengine_plugins.destinations.filesystem.failures import NOT_A_DIRECTORY, explain, went_away

_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_OPEN_DIRECTORIES = 128

#: The destination's own directory: format, temporary files, trash.
PRIVATE = ".syncengine"
TEMPORARY = "/".join((PRIVATE, "tmp"))


def split_path(path: str) -> tuple[str, str]:
    """Return (directory, name) of a path relative to the root.

    The directory's own components are checked where it is opened (``Tree.find``).

    Raises:
        ItemError: the path cannot be one below the root.
    """
    directory, slash, name = path.rpartition("/")
    _check_component(name, path)
    if slash and not directory:
        raise _refusal(path)
    return directory, name


def _check_component(name: str, path: str) -> None:
    if name in ("", ".", "..") or "\\" in name or "\0" in name:
        raise _refusal(path)
    try:
        os.fsencode(name)
    except UnicodeEncodeError:
        raise _refusal(path) from None


def _refusal(path: str) -> ItemError:
    return ItemError(f"{path!r} is no path inside the destination", advice="check layout.path of the profile")


def _identity(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino


class Directory:
    """An open directory. It is closed when the last user lets go of it, so no thread loses it while working in it.

    Args:
        fd: its file descriptor; owned from now on.
        path: relative to the root, empty for the root.
    """

    __slots__ = ("fd", "identity", "path")

    def __init__(self, fd: int, path: str) -> None:
        self.fd = fd
        self.path = path
        self.identity = _identity(os.fstat(fd))

    def __del__(self) -> None:
        with contextlib.suppress(OSError):
            os.close(self.fd)

    @contextlib.contextmanager
    def entries(self) -> Iterator[Iterator[os.DirEntry[str]]]:
        """Give what is in it. Opened anew: threads that read one descriptor would share its position."""
        fd = os.open(".", _FLAGS, dir_fd=self.fd)
        try:
            with os.scandir(fd) as entries:
                yield entries
        finally:
            os.close(fd)

    def is_gone(self) -> bool:
        """Return whether it was removed while it was open."""
        try:
            return os.fstat(self.fd).st_nlink == 0
        except OSError:
            return True


class Tree:
    """The root and the directories below it.

    Args:
        root: absolute path of the root; it may itself lead through links, it is the user's word.

    Raises:
        OSError: the root cannot be opened as a directory.
    """

    def __init__(self, root: str) -> None:
        self.location = root
        self.root = Directory(os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC), "")
        self._known: OrderedDict[str, Directory] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, path: str) -> Directory | None:
        """Return the directory at ``path`` (empty for the root), or ``None`` when it is not there.

        Raises:
            ItemError: the path leaves the root or leads through a link.
            OSError: the system refuses.
        """
        return self._cached(path) or self._walk(path, create=False)

    def make(self, path: str) -> Directory:
        """Return the directory at ``path``, made when it was not there. Raises as ``find`` does."""
        directory = self._cached(path) or self._walk(path, create=True)
        if directory is None:  # pragma: no cover - the walk makes what it does not find
            raise went_away(self.location)
        return directory

    def _cached(self, path: str) -> Directory | None:
        if not path:
            return self.root
        with self._lock:
            directory = self._known.get(path)
            if directory is not None:
                self._known.move_to_end(path)
            return directory

    def _walk(self, path: str, *, create: bool) -> Directory | None:
        here = self.root
        components = path.split("/")
        for name in components:
            _check_component(name, path)
        for depth, name in enumerate(components, 1):
            below = "/".join(components[:depth])
            found = self._cached(below) or self._enter(here, name, below, create=create)
            if found is None:
                return None
            here = found
        return here

    def _enter(self, parent: Directory, name: str, path: str, *, create: bool) -> Directory | None:
        try:
            try:
                fd = os.open(name, _FLAGS, dir_fd=parent.fd)
            except FileNotFoundError:
                if not create:
                    return None
                with contextlib.suppress(FileExistsError):
                    os.mkdir(name, dir_fd=parent.fd)
                fd = os.open(name, _FLAGS, dir_fd=parent.fd)
        except OSError as error:
            if error.errno in NOT_A_DIRECTORY:
                raise explain(error, path, self.location) from error
            raise
        return self._remember(Directory(fd, path))

    def _remember(self, directory: Directory) -> Directory:
        with self._lock:
            known = self._known.setdefault(directory.path, directory)
            while len(self._known) > _OPEN_DIRECTORIES:
                self._known.popitem(last=False)
            return known

    def drop(self, path: str) -> None:
        """Let go of one directory: it was removed."""
        with self._lock:
            self._known.pop(path, None)

    def forget(self) -> None:
        """Let go of every remembered directory but the root: one of them vanished, others may have."""
        with self._lock:
            self._known.clear()

    def check_root(self) -> None:
        """Raise ``FatalError`` when the root's path does not lead to the directory that was opened any more."""
        try:
            seen = os.stat(self.location)
        except OSError as error:
            raise went_away(self.location, os.strerror(error.errno or 0)) from error
        if _identity(seen) != self.root.identity:
            raise went_away(self.location, "another directory is there now")

    def is_in_place(self, path: str, identity: tuple[int, int]) -> bool:
        """Return whether ``path`` still leads to the directory that was once opened there.

        Args:
            path: relative to the root.
            identity: ``Directory.identity`` of then.
        """
        try:
            seen = os.stat(os.path.join(self.location, path), follow_symlinks=not path)
        except OSError:
            return False
        return _identity(seen) == identity

    def explain(self, error: OSError, path: str) -> ItemError | FatalError:
        """Return what ``error`` at ``path`` means; a missing root is told from a missing file."""
        try:
            self.check_root()
        except FatalError as gone:
            return gone
        return explain(error, path, self.location)
