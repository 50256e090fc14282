"""Walks a directory tree: one ``scandir`` per directory, links never followed, every omission told to the tally."""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Iterator

from syncengine.api import FatalError
from syncengine_plugins.sources.folder.names import id_of, name_of
from syncengine_plugins.sources.folder.tally import Tally

#: A directory that holds this one is a backup's destination.
DESTINATION_MARK = ".syncengine"

_OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Directories that NAS systems, desktops and cameras fill for themselves, in lower case; hidden names are left out too.
_SYSTEM_FOLDERS = frozenset(
    {"@eadir", "@tmp", "@recycle", "@recently-snapshot", "#recycle", "#snapshot", "$recycle.bin", "lost+found"}
    | {"system volume information", "__macosx"}
)
_SYSTEM_FILES = frozenset({"thumbs.db", "ehthumbs.db", "desktop.ini", "picasa.ini", "icon\r"})


class Directory:
    """One directory and what is in it, open for as long as it is looked at.

    Args:
        prefix: path relative to the root with a final ``/``; empty for the root.
        handle: its file descriptor.
    """

    __slots__ = ("files", "folders", "handle", "links", "prefix", "special")

    def __init__(self, prefix: str, handle: int) -> None:
        self.prefix = prefix
        self.handle = handle
        self.files: list[str] = []
        self.folders: list[str] = []
        self.links: list[str] = []
        self.special: list[str] = []

    def read(self) -> None:
        """List the directory; raises ``OSError`` when that fails, keeping what was found."""
        files, folders = self.files, self.folders
        with os.scandir(self.handle) as entries:
            for entry in entries:
                if entry.is_file(follow_symlinks=False):
                    files.append(entry.name)
                elif entry.is_dir(follow_symlinks=False):
                    folders.append(entry.name)
                else:
                    (self.links if entry.is_symlink() else self.special).append(entry.name)

    def keep(self, tally: Tally, *, include_hidden: bool) -> bool:
        """Sort, and leave out what is no person's own; false when that is the whole directory."""
        if DESTINATION_MARK in self.folders:
            tally.leave_out("destinations", id_of(self.prefix))
            return False
        found = len(self.files) + len(self.folders) + len(self.links) + len(self.special)
        self.files = self._kept(self.files, _SYSTEM_FILES, tally, include_hidden=include_hidden)
        self.folders = self._kept(self.folders, _SYSTEM_FOLDERS, tally, include_hidden=include_hidden)
        for why, names in (("links", self.links), ("special", self.special)):
            for name in sorted(names):
                tally.leave_out(why, id_of(self.prefix + name))
        tally.entries += found - len(self.folders)
        return True

    def _kept(self, names: list[str], system: frozenset[str], tally: Tally, *, include_hidden: bool) -> list[str]:
        names.sort()
        # In sorted order the hidden names stand together, and most directories have none of either sort.
        if bisect_left(names, ".") == bisect_left(names, "/") and system.isdisjoint(map(str.lower, names)):
            return names
        kept = [name for name in names if not _is_system(name, system, include_hidden=include_hidden)]
        for name in sorted(set(names).difference(kept)):
            tally.leave_out("hidden", id_of(self.prefix + name))
        return kept


def _is_system(name: str, system: frozenset[str], *, include_hidden: bool) -> bool:
    if name[0] == ".":
        # Finder's and Android's leavings are never photos, whatever their extension says.
        return not include_hidden or name.startswith(("._", ".Trash", ".trashed-", ".pending-", ".DS_Store"))
    return name.lower() in system


class Tree:
    """A root directory that is known to be the same one for as long as the run lasts.

    Args:
        path: the root.
        include_hidden: list names that begin with a dot as well.

    Raises:
        FatalError: it is missing, no directory, unreadable, or the destination of a backup.
    """

    def __init__(self, path: str, *, include_hidden: bool) -> None:
        self.path = os.path.realpath(os.path.expanduser(path))
        self.label = name_of(self.path)
        self._include_hidden = include_hidden
        try:
            with os.scandir(self.path) as entries:
                is_destination = any(entry.name == DESTINATION_MARK and entry.is_dir() for entry in entries)
            self._identity = self._identify()
        except OSError as error:
            raise FatalError(
                f"cannot read the folder {self.label}: {error.strerror}",
                advice="check source.folder.path in the profile, and that the disk or share is mounted",
            ) from error
        if is_destination:
            raise FatalError(
                f"{self.label} is the destination of a backup (it holds {DESTINATION_MARK})",
                advice="to back up a backup, give its photos folder as source.folder.path",
            )

    def _identify(self) -> tuple[int, int]:
        found = os.stat(self.path)
        return found.st_dev, found.st_ino

    def check_root(self) -> None:
        """Raise ``FatalError`` when the root is gone or is another directory now, such as an empty mount point."""
        try:
            same = self._identify() == self._identity
        except OSError:
            same = False
        if not same:
            raise FatalError(
                f"the folder {self.label} went away while it was read",
                advice="mount the disk or share again and run again; what was stored is intact",
            )

    def walk(self, tally: Tally) -> Iterator[Directory]:
        """Yield every directory with its files, parents before children, in the order of their names.

        Args:
            tally: told of what is left out and what cannot be read.

        Raises:
            FatalError: the root went away.
        """
        waiting = [""]
        while waiting:
            prefix = waiting.pop()
            handle = self._open(prefix, tally)
            if handle is None:
                continue
            try:
                directory = Directory(prefix, handle)
                self._read(directory, tally)
                if directory.keep(tally, include_hidden=self._include_hidden):
                    waiting.extend(f"{prefix}{name}/" for name in reversed(directory.folders))
                    yield directory
            finally:
                os.close(handle)
        self.check_root()

    def _open(self, prefix: str, tally: Tally) -> int | None:
        try:
            # Without the final slash, which would let the system follow a link.
            return os.open(f"{self.path}/{prefix}".rstrip("/") or "/", _OPEN)
        except OSError as error:
            self.miss(prefix, error, tally)
            return None

    def _read(self, directory: Directory, tally: Tally) -> None:
        try:
            directory.read()
        except OSError as error:
            self.miss(directory.prefix, error, tally)

    def miss(self, path: str, error: OSError, tally: Tally) -> None:
        """Note what cannot be read, unless the whole root went away, which is a ``FatalError``."""
        self.check_root()
        tally.miss(id_of(path), error)
