"""What a destination promises: a file is absent or whole, and what was flushed is durable."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Literal

import msgspec

from syncengine.api.plugin import OptionsT, Plugin

_COPY_CHUNK = 1 << 20


class FileStat(msgspec.Struct, frozen=True):
    """A file at the destination: path relative to the root with ``/``, bytes, seconds since the epoch."""

    path: str
    size: int
    mtime: float


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What a destination can do, found out by trying, not by guessing.

    Args:
        hardlinks: two names for one file.
        symlinks: relative links.
        rename: a finished file takes its final name in one step.
        case_sensitive: ``a.jpg`` and ``A.jpg`` can stand side by side.
    """

    hardlinks: bool = False
    symlinks: bool = False
    rename: bool = True
    case_sensitive: bool = True


class TargetExistsError(Exception):
    """A file is already there under the wanted name; nothing was changed.

    Args:
        path: relative to the destination's root.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(f"{path} already exists")


class Upload(ABC):
    """A file on its way: invisible under its final name until ``commit``."""

    @abstractmethod
    def write(self, data: bytes | bytearray | memoryview, /) -> int:
        """Append ``data`` and return its length. Raises ``FatalError`` when the destination is full or gone."""

    @abstractmethod
    def commit(self, *, mtime: float | None = None, replace: bool = False) -> None:
        """Give the file its final name, whole, in one step.

        Args:
            mtime: seconds since the epoch.
            replace: take the place of a file of that name (only the engine's own files are written so).

        Raises:
            TargetExistsError: a file of that name is there and ``replace`` is false; the upload is aborted.
            FatalError: the destination is full, read-only or gone; the upload is aborted.
        """

    @abstractmethod
    def abort(self) -> None:
        """Leave nothing behind; may be called twice and after ``commit``, where it does nothing."""


class Destination(Plugin[OptionsT], ABC):
    """Where the library is kept. Paths are relative to its root, ``/``-separated, NFC, already made safe.

    A path that would leave the root (``..``, absolute, through a symlink that was planted inside) is refused with
    ``ItemError``, whoever asks. All methods but ``open`` and ``close`` may be called from several threads.
    """

    @abstractmethod
    def open(self, *, create: bool = True) -> None:
        """Check that the destination is there, writable and of a known format version; make its skeleton.

        Args:
            create: make the root when it is missing and its parent is there.

        Raises:
            FatalError: missing, read-only, not a directory, of a newer format; with what to do.
        """

    def close(self) -> None:
        """Remove this run's temporary files and let go; may be called twice, and without ``open``."""

    @property
    @abstractmethod
    def identity(self) -> str:
        """A name that stays the same when the destination is mounted elsewhere; known after ``open``."""

    @property
    @abstractmethod
    def location(self) -> str:
        """Where it is, for people."""

    @property
    @abstractmethod
    def capabilities(self) -> Capabilities:
        """What it can do; known after ``open``."""

    def staging(self) -> Path | None:
        """Return a local directory from which ``place`` is a rename, or ``None`` when there is none."""
        return None

    @abstractmethod
    def begin(self, path: str) -> Upload:
        """Start a file. Raises ``ItemError`` for a path that leaves the root, ``FatalError`` when it cannot write."""

    def place(self, staged: Path, path: str, *, mtime: float | None = None, replace: bool = False) -> None:
        """Give a finished local file its place, and consume it.

        Args:
            staged: a local file, flushed if it came from ``staging()``.
            path: its final name.
            mtime: seconds since the epoch.
            replace: as in ``Upload.commit``.

        Raises:
            TargetExistsError: a file is there already; ``staged`` is kept.
        """
        upload = self.begin(path)
        try:
            with staged.open("rb") as stream:
                while chunk := stream.read(_COPY_CHUNK):
                    upload.write(chunk)
            upload.commit(mtime=mtime, replace=replace)
        finally:
            upload.abort()
        staged.unlink()

    @abstractmethod
    def flush(self) -> None:
        """Return when everything written, staged and placed so far survives a power cut."""

    @abstractmethod
    def stat(self, path: str) -> FileStat | None:
        """Return what is at ``path`` (a regular file, no link), or ``None``."""

    @abstractmethod
    def list(self, prefix: str) -> Iterator[FileStat]:
        """Yield every regular file below the directory ``prefix``, sorted within each directory."""

    def missing(self, paths: Iterable[str]) -> set[str]:
        """Return those of ``paths`` at which there is no file."""
        return {path for path in paths if self.stat(path) is None}

    @abstractmethod
    def read(self, path: str) -> BinaryIO:
        """Open a file for reading. Raises ``FileNotFoundError``."""

    @abstractmethod
    def link(self, existing: str, path: str, *, kind: Literal["hardlink", "symlink"]) -> None:
        """Make ``path`` another name of ``existing``. Raises ``TargetExistsError`` when something else is there;
        does nothing when the very link is there."""

    def link_target(self, path: str) -> str | None:
        """Return where the symbolic link at ``path`` leads, without following it.

        Returns:
            A path relative to the root; empty for a link that leads out of it. ``None`` when there is no link, and
            always where there are none.
        """
        del path
        return None

    @abstractmethod
    def move(self, path: str, to: str) -> None:
        """Rename within the destination. Raises ``TargetExistsError``, ``FileNotFoundError``."""

    def set_mtime(self, path: str, mtime: float) -> None:
        """Give a file another modification time, in seconds since the epoch. Raises ``FileNotFoundError``.

        Where a destination cannot do that in place, this writes the file again and lets it take its own place.
        """
        upload = self.begin(path)
        try:
            with self.read(path) as stream:
                while chunk := stream.read(_COPY_CHUNK):
                    upload.write(chunk)
            upload.commit(mtime=mtime, replace=True)
        finally:
            upload.abort()

    @abstractmethod
    def remove(self, path: str) -> None:
        """Remove one file. Raises ``FileNotFoundError``."""

    def prune(self, path: str) -> None:
        """Remove the directories above ``path`` that are empty now, never the root or its first level.

        Does nothing where there are no directories of their own. A file that is placed there later makes them again.
        """
        del path

    @abstractmethod
    def free_space(self) -> int | None:
        """Return the bytes that can still be written, or ``None`` when nobody knows."""
