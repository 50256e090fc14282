"""A directory on a disk or a mounted NAS share."""

from __future__ import annotations

import errno
import itertools
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, BinaryIO, Literal

from syncengine.api import (
    Capabilities,
    Destination,
    FatalError,
    FileStat,
    Meta,
    PluginOptions,
    Upload,
)
from syncengine_plugins.destinations.filesystem.opening import Opened, open_root
from syncengine_plugins.destinations.filesystem.times import set_mtime
from syncengine_plugins.destinations.filesystem.upload import FileUpload
from syncengine_plugins.destinations.filesystem.walk import walk


class FilesystemOptions(PluginOptions, frozen=True):
    """Options of ``filesystem``."""

    path: Annotated[
        str,
        Meta(min_length=1, description="Directory that the library is kept in: a disk or a mounted NAS share."),
    ]


class FilesystemDestination(Destination[FilesystemOptions]):
    """Keeps the library in a directory.

    Nothing is ever written through a link inside of it, and nothing takes another file's place. Temporary files are
    below ``.syncengine/tmp`` in a directory of this run.
    """

    Options = FilesystemOptions

    def __init__(self, options: FilesystemOptions) -> None:
        super().__init__(options)
        self._root = os.path.abspath(os.path.expanduser(options.path))
        self._opened: Opened | None = None
        self._uploads = itertools.count()

    def open(self, *, create: bool = True) -> None:
        """Check the root by trying, and make its skeleton; a missing parent is a mount that is not there."""
        if self._opened is None:
            self._opened = open_root(self._root, create=create)

    def close(self) -> None:
        """Remove this run's temporary files and let go."""
        opened, self._opened = self._opened, None
        if opened is not None:
            opened.close()

    @property
    def _here(self) -> Opened:
        if self._opened is None:
            raise FatalError(f"the destination {self._root} is not open")
        return self._opened

    @property
    def identity(self) -> str:
        """The id in ``.syncengine/format.json``."""
        return self._here.identity

    @property
    def location(self) -> str:
        """Absolute path of the root."""
        return self._root

    @property
    def capabilities(self) -> Capabilities:
        """What trying it out at ``open`` has shown."""
        return self._here.probed.capabilities

    def staging(self) -> Path | None:
        """This run's own directory below ``.syncengine/tmp``; gone after ``close``."""
        return Path(self._here.run.path)

    def begin(self, path: str) -> Upload:
        """Start a file in this run's own directory."""
        here = self._here
        here.places.check(path)
        temporary = os.path.join(here.run.path, f".upload-{next(self._uploads)}")
        try:
            return FileUpload(temporary, path, here.places)
        except FileNotFoundError as error:
            here.places.tree.check_root()
            raise FatalError(
                f"{here.run.path} was removed during the run", advice="run again; what was finished is intact"
            ) from error
        except OSError as error:
            raise here.places.explain(error, path) from error

    def place(self, staged: Path, path: str, *, mtime: float | None = None, replace: bool = False) -> None:
        """Rename ``staged`` to its place; copy it first when it is on another file system."""
        places = self._here.places
        places.check(path)
        source = os.fspath(staged)
        try:
            if mtime is not None:
                set_mtime(source, mtime)
            places.put(source, path, replace=replace)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise places.explain(error, path) from error
            super().place(staged, path, mtime=mtime, replace=replace)

    def flush(self) -> None:
        """Call ``syncfs`` once, or ``fsync`` for everything touched where that is not enough."""
        self._here.flush()

    def stat(self, path: str) -> FileStat | None:
        """Return the regular file at ``path``, or ``None``; a missing root is no missing file."""
        return self._here.places.stat(path)

    def list(self, prefix: str) -> Iterator[FileStat]:
        """Yield the files below ``prefix``; ``.syncengine`` only where it is asked for."""
        return walk(self._here.places.tree, prefix, compose=self._here.probed.decomposes)

    def missing(self, paths: Iterable[str]) -> set[str]:
        """Return those of ``paths`` at which there is no file.

        A path that leaves the root, or leads through a link, counts as missing: one of them does not hide the rest.
        """
        return self._here.listings.missing(paths)

    def read(self, path: str) -> BinaryIO:
        """Open the regular file at ``path``."""
        return self._here.places.read(path)

    def link(self, existing: str, path: str, *, kind: Literal["hardlink", "symlink"]) -> None:
        """Make a link; ``ItemError`` when the file system refuses (too many names, none at all)."""
        if kind == "hardlink":
            self._here.places.hardlink(existing, path)
        else:
            self._here.places.symlink(existing, path)

    def link_target(self, path: str) -> str | None:
        """Return where the link at ``path`` leads by its own word; nobody goes there."""
        return self._here.places.link_target(path)

    def move(self, path: str, to: str) -> None:
        """Rename one file or link."""
        self._here.places.move(path, to)

    def set_mtime(self, path: str, mtime: float) -> None:
        """Give a file another time where it lies; its hard links have it as well."""
        self._here.places.set_mtime(path, mtime)

    def remove(self, path: str) -> None:
        """Remove one file or link."""
        self._here.places.remove(path)

    def prune(self, path: str) -> None:
        """Remove the empty directories above ``path``; what another program keeps in one lets it stay."""
        self._here.places.prune(path)

    def free_space(self) -> int | None:
        """Return what an ordinary user may still write there, in bytes."""
        places = self._here.places
        try:
            found = os.fstatvfs(places.tree.root.fd)
        except OSError as error:
            raise places.explain(error, self._root) from error
        # Some network file systems do not know and say nought of nought.
        return found.f_bavail * found.f_frsize if found.f_blocks else None
