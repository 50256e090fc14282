"""Every regular file below a directory, in a stable order, with one directory's names in memory at a time."""

from __future__ import annotations

import os
import stat
import unicodedata
from collections.abc import Iterator

from syncengine.api import FileStat
from syncengine_plugins.destinations.filesystem.places import as_file
from syncengine_plugins.destinations.filesystem.tree import PRIVATE, Directory, Tree


def walk(tree: Tree, prefix: str, *, compose: bool) -> Iterator[FileStat]:
    """Yield the files below ``prefix``; links are neither followed nor yielded.

    ``.syncengine`` is no part of the library: it is walked only when ``prefix`` names it.

    Args:
        tree: the directories.
        prefix: a directory relative to the root, empty for all of it.
        compose: the file system lists names in NFD and finds them by NFC, so they are handed out in NFC.

    Raises:
        ItemError: ``prefix`` leaves the root, or a directory cannot be read.
        FatalError: the destination cannot be read.
    """
    pending: list[Iterator[str]] = [iter((prefix,))]
    while pending:
        path = next(pending[-1], None)
        if path is None:
            pending.pop()
            continue
        try:
            found = _look(tree, path, is_directory=len(pending) == 1)
            if isinstance(found, FileStat):
                yield found
            elif found is not None:
                pending.append(iter(_names(found, compose=compose)))
            elif len(pending) == 1:
                tree.check_root()
        except OSError as error:
            raise tree.explain(error, path or tree.location) from error


def _look(tree: Tree, path: str, *, is_directory: bool) -> FileStat | Directory | None:
    if is_directory:
        return _there(tree, path)
    parent, _, name = path.rpartition("/")
    directory = tree.find(parent)
    if directory is None:
        return None
    try:
        found = os.lstat(name, dir_fd=directory.fd)
    except FileNotFoundError:
        return None
    if stat.S_ISREG(found.st_mode):
        return as_file(path, found)
    return _there(tree, path) if stat.S_ISDIR(found.st_mode) else None


def _there(tree: Tree, path: str) -> Directory | None:
    """Return the directory that is there now: another profile may have removed one and made it again."""
    directory = tree.find(path)
    if directory is not None and path and directory.is_gone():
        tree.forget()
        directory = tree.find(path)
    return directory


def _names(directory: Directory, *, compose: bool) -> list[str]:
    with directory.entries() as entries:
        names = [unicodedata.normalize("NFC", entry.name) if compose else entry.name for entry in entries]
    names.sort()
    if not directory.path:
        return [name for name in names if name != PRIVATE]
    return [f"{directory.path}/{name}" for name in names]
