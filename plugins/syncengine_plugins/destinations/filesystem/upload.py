"""A file that is written to the run's own directory and takes its final name when it is whole."""

from __future__ import annotations

import contextlib
import errno
import math
import os

from syncengine.api import Upload
from syncengine_plugins.destinations.filesystem.places import Places

_TIME_REFUSED = frozenset({errno.EINVAL, errno.EOVERFLOW, errno.ERANGE, errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP})
#: The last second that every file system can hold: signed 32 bits.
_LATEST = (1 << 31) - 1


def set_mtime(file: int | str, seconds: float) -> None:
    """Set a file's mtime as well as its file system can hold it.

    A time before 1970 or far in the future that is refused is brought to the nearest end of 1970 to 2038; a file
    system that refuses that as well keeps its own time. No item fails because of it.

    Args:
        file: descriptor or path.
        seconds: since the epoch; microseconds are kept.

    Raises:
        OSError: the file cannot be reached at all.
    """
    if math.isnan(seconds):
        return
    for wanted in (seconds, min(max(seconds, 0), _LATEST)):
        try:
            # Through microseconds: a float has no more digits, and the nanoseconds would be noise.
            moment = round(wanted * 1_000_000) * 1000
            os.utime(file, ns=(moment, moment))
        except OverflowError:
            continue
        except OSError as error:
            if error.errno not in _TIME_REFUSED:
                raise
        else:
            return


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
