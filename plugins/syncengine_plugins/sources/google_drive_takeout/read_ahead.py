"""Keeps the packed bytes of photos that were brought along with their sidecars, until they are asked for."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from syncengine_plugins.sources.google_drive_takeout.drive_files import DriveFile

LARGEST = 512 << 20
_UNFINISHED = ".new"
_SHARE = 8  # of the free space, this part may be used at most
_KEPT_SECONDS = 3 * 86400  # who wanted it has asked by then


class ReadAhead:
    """A directory of the cache with one file for each stretch. May be used from several threads.

    Args:
        directory: made when it is needed; what an earlier run left in it is used for some days.
        largest: bytes that it may take.
    """

    def __init__(self, directory: Path, largest: int = LARGEST) -> None:
        self._directory, self._largest = directory, largest
        self._lock = threading.Lock()
        self._sizes: dict[str, int] = {}
        with suppress(OSError):
            for path in directory.iterdir():
                facts = path.stat()
                if path.suffix == _UNFINISHED or time.time() - facts.st_mtime > _KEPT_SECONDS:
                    path.unlink()
                else:
                    self._sizes[path.name] = facts.st_size

    def keep_only(self, files: Collection[DriveFile]) -> None:
        """Drop what belongs to other files than these, as they are now."""
        wanted = {file.key for file in files}
        for name in tuple(self._sizes):
            if name.rpartition("-")[0] not in wanted:
                self._drop(name)

    def room(self) -> int:
        """Return the bytes that may still be put here."""
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            free = shutil.disk_usage(self._directory).free // _SHARE
        except OSError:
            return 0
        with self._lock:
            return max(0, min(self._largest - sum(self._sizes.values()), free))

    def put(self, file: DriveFile, start: int, content: Iterable[bytes], length: int) -> bool:
        """Keep a stretch of a file; return whether all of it came and there was space for it."""
        name = f"{file.key}-{start}"
        unfinished = self._directory / f"{name}{_UNFINISHED}"
        try:
            with open(unfinished, "wb") as kept:
                written = sum(map(kept.write, content))
            if written != length:
                return False
            os.replace(unfinished, self._directory / name)
        except OSError:
            return False
        finally:
            unfinished.unlink(missing_ok=True)
        with self._lock:
            self._sizes[name] = length
        return True

    def has(self, file: DriveFile, start: int) -> bool:
        """Return whether a stretch of a file is here."""
        return f"{file.key}-{start}" in self._sizes

    @contextmanager
    def take(self, file: DriveFile, start: int) -> Iterator[BinaryIO | None]:
        """Lend a stretch of a file, ``None`` where it is not here; it is gone afterwards."""
        name = f"{file.key}-{start}"
        with self._lock:
            known = self._sizes.get(name) is not None
        if not known:
            yield None
            return
        try:
            with open(self._directory / name, "rb", buffering=0) as stretch:
                yield stretch
        except FileNotFoundError:
            yield None
        finally:
            self._drop(name)

    def _drop(self, name: str) -> None:
        with self._lock:
            self._sizes.pop(name, None)
        with suppress(OSError):
            (self._directory / name).unlink(missing_ok=True)
