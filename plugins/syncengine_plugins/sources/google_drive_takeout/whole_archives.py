"""Downloads archives that cannot be read in place (``.tgz``) into the cache, once."""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from syncengine.api import FatalError
from syncengine_plugins.sources.google_drive_takeout.byte_ranges import ByteRanges
from syncengine_plugins.sources.google_drive_takeout.drive_files import DriveFile
from syncengine_plugins.sources.takeout.damage import MemberDamagedError

_CHUNK = 1 << 20
_RESERVE = 256 << 20


class WholeArchives:
    """Copies of archives. May be used from several threads; one download at a time.

    Args:
        directory: made when it is needed.
        ranges: reads Drive.
    """

    def __init__(self, directory: Path, ranges: ByteRanges) -> None:
        self._directory, self._ranges = directory, ranges
        self._lock = threading.Lock()

    def keep_only(self, files: Collection[DriveFile]) -> None:
        """Drop the copies of other files than these, as they are now."""
        wanted = {_name(file) for file in files}
        with suppress(OSError):
            for path in self._directory.iterdir():
                if path.name.removesuffix(".part") not in wanted:
                    path.unlink(missing_ok=True)

    def path(self, file: DriveFile) -> Path:
        """Return where the copy of a file is, after downloading it if it must be.

        A download that was cut goes on where it ended, in the next run too.

        Raises:
            MemberDamagedError: the file is gone, changed, or its MD5 is not what Drive says.
            UnreachableError: Google does not give the bytes.
            FatalError: no space.
        """
        final = self._directory / _name(file)
        with self._lock:
            if not _has(final, file.length):
                try:
                    self._download(file, final.with_name(f"{final.name}.part"))
                    os.replace(final.with_name(f"{final.name}.part"), final)
                except OSError as error:
                    raise FatalError(
                        f"{file.name} cannot be kept in {self._directory}: {error.strerror or error}",
                        advice="make room there, or have Google Takeout make .zip archives, which are read in place",
                    ) from error
        return final

    def _download(self, file: DriveFile, partial: Path) -> None:
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        done = partial.stat().st_size if partial.exists() else 0
        if shutil.disk_usage(self._directory).free < file.length - done + _RESERVE:
            raise FatalError(
                f"{file.name} has {file.length >> 20} MB, for which {self._directory} has no room",
                advice="make room there, or have Google Takeout make .zip archives, which are read in place",
            )
        with open(partial, "ab") as copy:
            for chunk in self._ranges.read(file, done, file.length, scanning=True):
                copy.write(chunk)
            copy.flush()
            os.fsync(copy.fileno())
        if file.md5 and _md5(partial) != file.md5:
            partial.unlink()
            self._ranges.require_unchanged(file)
            raise MemberDamagedError("its MD5 is not what Google Drive says; the next run downloads it again")


def _has(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except OSError:
        return False


def _md5(path: Path) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    with open(path, "rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _name(file: DriveFile) -> str:
    return f"{file.key}.tgz"
