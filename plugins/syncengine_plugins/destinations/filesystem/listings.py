"""Telling at which of many paths there is no file, with one directory listing for many of them."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator
from itertools import islice, repeat

import msgspec

from syncengine.api import ItemError
from syncengine_plugins.destinations.filesystem.tree import Directory, Tree, split_path

_CHUNK = 1 << 14
_MOST_NAMES = 100_000
_MOST_LISTINGS = 4096
#: Listing a directory costs about as much per name as a sixteenth of a ``stat``.
_NAMES_PER_STAT = 16


class _Listing(msgspec.Struct):
    """What is known of a directory: how many names it had, and the names of its regular files while that is valid."""

    count: int
    changed: int = 0
    files: frozenset[str] | None = None


class Listings:
    """The names in the directories that were asked for last. Memory is bounded by the number of names.

    A listing is valid while the directory's own mtime stays as it was. A name that is not in it is looked for once
    more by ``stat``: a NAS may list names in another normalisation (NFD) or case than it finds them by.

    Args:
        tree: the destination's directories.
    """

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._listings: OrderedDict[str, _Listing] = OrderedDict()
        self._names = 0
        self._generation = 0
        self._lock = threading.Lock()

    def forget(self, directory: str) -> None:
        """Note that this run changed the names in ``directory``."""
        with self._lock:
            self._generation += 1
            listing = self._listings.get(directory)
            if listing is not None and listing.files is not None:
                self._names -= listing.count
                listing.files = None

    def missing(self, paths: Iterable[str]) -> set[str]:
        """Return those of ``paths`` at which there is no regular file that can be reached without a link."""
        absent: set[str] = set()
        iterator = iter(paths)
        while chunk := list(islice(iterator, _CHUNK)):
            for prefix, group in _by_directory(chunk).items():
                absent.update(self._missing_in(prefix, group))
        if absent:
            self._tree.check_root()
        return absent

    def _missing_in(self, prefix: str, group: list[str]) -> Iterator[str]:
        try:
            # An absolute prefix has no directory before its slash, so it is looked for, and refused, with it.
            directory = self._find(prefix[:-1] or prefix)
        except ItemError:
            directory = None
        if directory is None:
            return (prefix + name for name in group)
        files = self._files(directory, len(group))
        unlisted: Collection[str] = group if files is None else set(group).difference(files)
        return (prefix + name for name in unlisted if not self._is_file(directory, name))

    def _find(self, path: str) -> Directory | None:
        try:
            directory = self._tree.find(path)
            if directory is not None and path and directory.is_gone():
                self._tree.forget()
                directory = self._tree.find(path)
        except OSError as error:
            raise self._tree.explain(error, path) from error
        return directory

    def _files(self, directory: Directory, wanted: int) -> frozenset[str] | None:
        """Return the names of the directory's regular files, or ``None`` where asking for each is cheaper."""
        try:
            changed = os.fstat(directory.fd).st_mtime_ns
            with self._lock:
                generation = self._generation
                listing = self._listings.get(directory.path)
                if listing is not None:
                    self._listings.move_to_end(directory.path)
                    if listing.files is not None and listing.changed == changed:
                        return listing.files
                    if listing.count > wanted * _NAMES_PER_STAT:
                        return None
                elif wanted < 4:
                    return None
            return self._list(directory, changed, generation)
        except OSError as error:
            raise self._tree.explain(error, directory.path) from error

    def _list(self, directory: Directory, changed: int, generation: int) -> frozenset[str] | None:
        with directory.entries() as entries:
            files = frozenset(
                entry.name for entry in islice(entries, _MOST_NAMES + 1) if entry.is_file(follow_symlinks=False)
            )
        listing = _Listing(len(files), changed, files if len(files) <= _MOST_NAMES else None)
        with self._lock:
            if generation != self._generation:
                listing.files = None
            self._drop(directory.path)
            self._listings[directory.path] = listing
            self._names += listing.count if listing.files is not None else 0
            while self._names > _MOST_NAMES or len(self._listings) > _MOST_LISTINGS:
                self._drop(next(iter(self._listings)))
        return files if len(files) <= _MOST_NAMES else None

    def _drop(self, path: str) -> None:
        listing = self._listings.pop(path, None)
        if listing is not None and listing.files is not None:
            self._names -= listing.count

    def _is_file(self, directory: Directory, name: str) -> bool:
        try:
            split_path(name)
            return _is_regular(os.stat(name, dir_fd=directory.fd, follow_symlinks=False))
        except (FileNotFoundError, ItemError):
            return False
        except OSError as error:
            meaning = self._tree.explain(error, f"{directory.path}/{name}")
            if isinstance(meaning, ItemError):
                return False
            raise meaning from error


def _is_regular(found: os.stat_result) -> bool:
    return found.st_mode & 0o170000 == 0o100000


def _by_directory(paths: list[str]) -> dict[str, list[str]]:
    """Return the names below each prefix; a prefix is empty or ends with the slash before the name."""
    groups: dict[str, list[str]] = {}
    last = ""
    group: list[str] = []
    for directory, slash, name in map(str.rpartition, paths, repeat("/")):
        if directory != last or not directory:
            last = directory
            group = groups.setdefault(directory + slash, [])
        group.append(name)
    return groups
