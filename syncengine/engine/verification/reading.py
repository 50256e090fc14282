"""Reading recorded files back: hashed by a few threads, handed on in their order.

``hashlib`` and reads let other threads run meanwhile, so threads do here what elsewhere takes processes.
"""

from __future__ import annotations

import errno
import hashlib
import os
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, BinaryIO

import msgspec

from syncengine.api import Destination, ItemError
from syncengine.engine.verification.documents import Documents
from syncengine.engine.verification.findings import Finding, FindingKind
from syncengine.engine.verification.recorded import RecordedFile
from syncengine.errors import FatalError, InterruptedRunError

#: Bytes of one read: so many stay in the processor's cache until they are hashed.
_CHUNK = 1 << 18
#: Files that are read by one thread in one go end at so many, or at so many bytes.
_BATCH_FILES = 64
_BATCH_BYTES = 16 << 20
#: From so many bytes on the kernel is told that a file is read from its beginning to its end.
_LARGE = 4 << 20
#: Bytes of a large file after which it is told how far it is read; a multiple of what one read brings.
_TOLD = 64 << 20
#: The disk or the file system says that these very bytes are lost.
_LOST_BYTES = frozenset({errno.EIO, errno.EBADMSG, errno.EUCLEAN, errno.EILSEQ})


class Reading(msgspec.Struct, frozen=True, gc=False):
    """What reading one file has shown.

    Args:
        file: what was recorded.
        size: bytes that were read.
        told: how many of them were told while it was read.
        finding: what is wrong with it, if anything is.
        metadata: what is wrong with its metadata file, if anything is.
    """

    file: RecordedFile
    size: int
    finding: Finding | None
    metadata: Finding | None = None
    told: int = 0


class Reader:
    """Reads files of a destination and compares them with what was recorded.

    Args:
        destination: open.
        documents: looks at the metadata file of each stored file.
        stop: set when it is to end soon.
        tell: told while a large file is being read, from several threads: so many more bytes of it.
    """

    def __init__(
        self,
        destination: Destination[Any],
        documents: Documents,
        stop: threading.Event,
        tell: Callable[[int], None] = lambda size: None,
    ) -> None:
        self._destination = destination
        self._documents = documents
        self._stop = stop
        self._tell = tell
        self._mine = threading.local()

    def read_all(self, files: Iterable[RecordedFile], threads: int) -> Generator[Reading, None, None]:
        """Yield the reading of each file, in order.

        Raises:
            FatalError: the destination cannot be read any more.
            InterruptedRunError: it was asked to stop.
        """
        pool = ThreadPoolExecutor(threads, thread_name_prefix="verify")
        ahead: deque[Future[list[Reading]]] = deque()
        try:
            for batch in _batches(files):
                ahead.append(pool.submit(self._read_batch, batch))
                if len(ahead) > 2 * threads:
                    yield from ahead.popleft().result()
            while ahead:
                yield from ahead.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _read_batch(self, files: list[RecordedFile]) -> list[Reading]:
        return [self.read(file) for file in files]

    def read(self, file: RecordedFile) -> Reading:
        """Read one file, and look at its metadata file. Raises as ``read_all`` does."""
        size, finding = 0, None
        try:
            with self._destination.read(file.path) as stream:
                size, digest = self.digest(stream, file.size or 0, self._tell)
            finding = _compared(file, size, digest)
        except FileNotFoundError:
            finding = self._missing(file)
        except ItemError as error:
            finding = _found(file, FindingKind.UNREADABLE, str(error), is_refused=True)
        except FatalError as error:
            if not isinstance(error.__cause__, OSError) or error.__cause__.errno not in _LOST_BYTES:
                raise
            finding = _found(file, FindingKind.UNREADABLE, str(error))
        except OSError as error:
            self._destination.stat(file.path)  # A destination that went away says so here, and ends the verification.
            finding = _found(file, FindingKind.UNREADABLE, f"it cannot be read: {error.strerror or error}")
        metadata = self._documents.look_at(file) if file.role == "stored" else None
        return Reading(file, size, finding, metadata, size - size % _TOLD)

    def _missing(self, file: RecordedFile) -> Finding:
        is_link = False
        with suppress(ItemError):
            is_link = self._destination.link_target(file.path) is not None
        reason = "a symbolic link is in its place" if is_link else "there is no regular file of that name"
        return _found(file, FindingKind.MISSING, reason)

    def digest(
        self, stream: BinaryIO, expected: int, tell: Callable[[int], None] = lambda size: None
    ) -> tuple[int, bytes]:
        """Return how many bytes a stream holds, and their SHA-256.

        Args:
            stream: at its beginning.
            expected: how many there should be.
            tell: told of each further ``_TOLD`` bytes.

        Raises:
            InterruptedRunError: it was asked to stop.
        """
        if expected >= _LARGE:
            with suppress(OSError, AttributeError):  # Not every destination's stream is a file of this system.
                os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_SEQUENTIAL)
        digest = hashlib.sha256()
        size = 0
        buffer = self._buffer()
        fill = getattr(stream, "readinto", None)
        while True:
            if fill is not None:
                count = fill(buffer)
                chunk = buffer[:count]
            else:
                chunk = memoryview(stream.read(_CHUNK))
                count = len(chunk)
            if not count:
                return size, digest.digest()
            digest.update(chunk)
            size += count
            if size % _TOLD < count:
                tell(_TOLD)
            if self._stop.is_set():
                raise InterruptedRunError

    def _buffer(self) -> memoryview:
        """Return this thread's own buffer: to get a new one for each file costs as much as a small file's hash."""
        if not hasattr(self._mine, "buffer"):
            self._mine.buffer = memoryview(bytearray(_CHUNK))
        buffer: memoryview = self._mine.buffer
        return buffer


def _compared(file: RecordedFile, size: int, digest: bytes) -> Finding | None:
    if digest == file.sha256:
        return None
    if file.role == "sidecar":
        return _found(file, FindingKind.FLIPPED, "it was changed since it was written; photo programs do that")
    if file.size is None or size == file.size:
        return _found(file, FindingKind.FLIPPED, "its bytes are not those that were recorded")
    if size < file.size:
        return _found(file, FindingKind.TRUNCATED, f"it has {size:,} bytes instead of {file.size:,}")
    return _found(file, FindingKind.GROWN, f"it has {size:,} bytes instead of {file.size:,}")


def _found(file: RecordedFile, kind: FindingKind, reason: str, *, is_refused: bool = False) -> Finding:
    return Finding(kind=kind, path=file.path, reason=reason, file=file, is_refused=is_refused)


def _batches(files: Iterable[RecordedFile]) -> Iterator[list[RecordedFile]]:
    batch: list[RecordedFile] = []
    size = 0
    for file in files:
        batch.append(file)
        size += file.size or 0
        if len(batch) >= _BATCH_FILES or size >= _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
