"""Checking that the root can be used, and making its skeleton."""

from __future__ import annotations

import contextlib
import errno
import os

import msgspec

from syncengine.api import FatalError, ItemError
from syncengine_plugins.destinations.filesystem.durability import Durability
from syncengine_plugins.destinations.filesystem.failures import explain
from syncengine_plugins.destinations.filesystem.format_file import ensure_format, read_format
from syncengine_plugins.destinations.filesystem.listings import Listings
from syncengine_plugins.destinations.filesystem.places import Places
from syncengine_plugins.destinations.filesystem.probe import Probed, probe
from syncengine_plugins.destinations.filesystem.renaming import Renamer
from syncengine_plugins.destinations.filesystem.run_directory import RunDirectory, clean
from syncengine_plugins.destinations.filesystem.tree import PRIVATE, TEMPORARY, Tree

_LOCK_FILE = "place.lock"


class Opened(msgspec.Struct, kw_only=True):
    """What an open destination holds.

    Args:
        identity: of the destination.
        run: this run's own directory.
        lock_fd: file that all users of the destination share.
        probed: what the file system can do.
        places: works on single names.
        listings: works on many.
        durability: makes them last.
    """

    identity: str
    run: RunDirectory
    lock_fd: int
    probed: Probed
    places: Places
    listings: Listings
    durability: Durability

    def flush(self) -> None:
        """Make everything durable. Raises ``FatalError``."""
        self.run.stay_alive()
        self.durability.flush()

    def close(self) -> None:
        """Remove this run's temporary files and let go."""
        self.run.close()
        os.close(self.lock_fd)


def open_root(root: str, *, create: bool) -> Opened:
    """Open the destination at ``root``.

    Args:
        root: absolute path.
        create: make it when it is missing and its parent is there.

    Raises:
        FatalError: with what to do.
    """
    tree = _open_tree(root, create=create)
    try:
        with contextlib.ExitStack() as undo:
            opened = _prepare(tree, undo)
            undo.pop_all()
            return opened
    except ItemError as error:
        raise FatalError(f"{root} cannot be used: {error.reason}", advice=error.advice) from error
    except OSError as error:
        raise _unusable(error, root) from error


def _open_tree(root: str, *, create: bool) -> Tree:
    try:
        return Tree(root)
    except FileNotFoundError:
        pass
    except NotADirectoryError:
        raise FatalError(f"{root} is not a directory", advice="choose a directory as the destination's path") from None
    except OSError as error:
        raise _unusable(error, root) from error
    parent = os.path.dirname(root)
    if not os.path.isdir(parent):
        raise FatalError(
            f"{root} does not exist, nor does {parent}",
            advice=f"mount the disk or NAS that belongs there, or make {parent} yourself",
        )
    if not create:
        raise FatalError(f"{root} does not exist", advice="make it, or check the destination's path")
    try:
        with contextlib.suppress(FileExistsError):
            os.mkdir(root)
        return Tree(root)
    except OSError as error:
        raise _unusable(error, root) from error


def _prepare(tree: Tree, undo: contextlib.ExitStack) -> Opened:
    private = os.path.join(tree.location, PRIVATE)
    # Read before anything is written: what a newer version made is left as it is.
    read_format(private)
    tree.make(TEMPORARY)
    temporary = os.path.join(tree.location, TEMPORARY)
    clean(temporary)
    run = RunDirectory(temporary)
    undo.callback(run.close)
    lock_fd = os.open(os.path.join(private, _LOCK_FILE), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    undo.callback(os.close, lock_fd)
    renamer = Renamer(lock_fd)
    probed = probe(run.path, renamer)
    identity = ensure_format(private, run.path, renamer).id
    listings = Listings(tree)
    durability = Durability(tree, run.path)
    return Opened(
        identity=identity,
        run=run,
        lock_fd=lock_fd,
        probed=probed,
        places=Places(tree, renamer, durability, listings),
        listings=listings,
        durability=durability,
    )


def _unusable(error: OSError, root: str) -> FatalError:
    if error.errno in (errno.EACCES, errno.EPERM):
        return FatalError(
            f"no permission to write to {root}",
            advice="check the owner and mode of the directory, and the options that it is mounted with",
        )
    meaning = explain(error, error.filename or root, root)
    if isinstance(meaning, FatalError):
        return meaning
    advice = meaning.advice or f"see what is in the way in {os.path.join(root, PRIVATE)}, then run again"
    return FatalError(f"{root} cannot be used: {meaning.reason}", advice=advice)
