"""A file that is written to the run's own directory and takes its final name when it is whole."""

from __future__ import annotations

import contextlib
import os

from syncengine.api import Upload
from syncengine_plugins.destinations.filesystem.places import Places
from syncengine_plugins.destinations.filesystem.times import set_mtime


class FileUpload(Upload):
    """An upload.

    Args:
        temporary: absolute path of the temporary file, which must not exist.
        path: final name, relative to the root.
        places: gives the file that name.

    Raises:
        OSError: the temporary file cannot be made.
    """

    def __init__(self, temporary: str, path: str, places: Places) -> None:
        self._temporary = temporary
        self._path = path
        self._places = places
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        self._fd = os.open(temporary, flags, 0o666)

    def write(self, data: bytes | bytearray | memoryview, /) -> int:
        """Append ``data``, all of it."""
        with memoryview(data) as view:
            total = view.nbytes
            try:
                done = os.write(self._fd, view)
                while done < total:
                    done += os.write(self._fd, view.cast("B")[done:])
            except OSError as error:
                raise self._places.explain(error, self._path) from error
        return total

    def commit(self, *, mtime: float | None = None, replace: bool = False) -> None:
        """Close the file, then name it."""
        try:
            self._finish(mtime, durable=replace and self._places.holds(self._path))
            self._places.put(self._temporary, self._path, replace=replace)
            self._temporary = ""
        except OSError as error:
            raise self._places.explain(error, self._path) from error
        finally:
            self.abort()

    def _finish(self, mtime: float | None, *, durable: bool) -> None:
        """Write everything out. What will replace a file is made durable first, or a power cut could take both."""
        if mtime is not None:
            set_mtime(self._fd, mtime)
        if durable:
            os.fsync(self._fd)
        # A network file system may report a full disk as late as here, so the file is closed before it is named.
        fd, self._fd = self._fd, -1
        os.close(fd)

    def abort(self) -> None:
        """Remove the temporary file."""
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            with contextlib.suppress(OSError):
                os.close(fd)
        if self._temporary:
            with contextlib.suppress(OSError):
                os.unlink(self._temporary)
            self._temporary = ""
