"""Reads the bytes of photos and videos out of the parts, from several threads at once, checked as they pass."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO, Protocol

import msgspec

from syncengine_plugins.sources.opening import open_regular
from syncengine_plugins.sources.takeout.damage import MemberDamagedError, PartDamagedError
from syncengine_plugins.sources.takeout.index import PartRow
from syncengine_plugins.sources.takeout.members import printable
from syncengine_plugins.sources.takeout.parts import file_fingerprint
from syncengine_plugins.sources.takeout.tgz_fetch import Between, TgzFetcher
from syncengine_plugins.sources.takeout.zip_directory import STORED
from syncengine_plugins.sources.takeout.zip_stream import CHUNK, StoredMember, checked, zip_chunks

_LARGEST_IN_MEMORY = 64 << 20


class Copy(msgspec.Struct, frozen=True, array_like=True):
    """Where one copy of an item's bytes lies.

    Args:
        part: id of its part in the index.
        path: in the archive; for a directory, as an archive would have it.
        raw: the file's name in its directory, as the file system has it; ``None`` in archives.
        size: bytes.
        crc: CRC-32, when known.
        offset: zip: of the local header; tgz: in the unpacked stream.
        packed: bytes in the archive.
        method: zip's compression method.
        mtime: nanoseconds, of a file in a directory.
    """

    part: int
    path: str
    raw: bytes | None
    size: int
    crc: int | None
    offset: int
    packed: int
    method: int
    mtime: int


def origin(copy: Copy, part: PartRow) -> str:
    """Return where a copy lies, for people."""
    path = printable(copy.path)
    return f"{part.name}/{path.rpartition('/')[2]}" if part.kind == "tree" else f"{part.name}!{path}"


class Copies(Protocol):
    """Reads copies wherever their parts lie. ``chunks`` may be asked from several threads at once."""

    def chunks(self, copy: Copy, part: PartRow) -> Iterator[bytes]:
        """Yield the bytes of a copy, held against its size and checksum; raises as ``Archives.chunks`` does."""
        ...

    def stream(self, copy: Copy, part: PartRow, *, unpack: bool) -> AbstractContextManager[BinaryIO | None]:
        """Open a copy as a seekable stream, as ``Archives.stream`` does."""
        ...

    def close(self) -> None:
        """Let go of everything."""
        ...


class Archives:
    """Opens members of parts that lie in a folder.

    A zip is opened for each member and holds no state in between; a tgz stays open where the last member ended.

    Args:
        scratch: for members of a tgz that are passed over before they are asked for.
        between: as ``TgzFetcher`` wants it.
    """

    def __init__(self, scratch: Path, between: Between) -> None:
        self._tgz = TgzFetcher(scratch, between)

    def chunks(self, copy: Copy, part: PartRow) -> Iterator[bytes]:
        """Yield the bytes of a copy, held against its size and checksum.

        Raises:
            MemberDamagedError: the bytes are not what they should be, or the part changed since it was listed.
            OSError: the part cannot be read.
        """
        if part.kind != "tgz":
            yield from direct_chunks(copy, part)
            return
        try:
            yield from checked(self._tgz.chunks(copy.offset, copy.size, part), copy.size, copy.crc)
        except PartDamagedError as error:
            raise MemberDamagedError(f"the archive cannot be read: {error}") from error

    @contextmanager
    def stream(self, copy: Copy, part: PartRow, *, unpack: bool) -> Iterator[BinaryIO | None]:
        """Open a copy as a seekable stream, or give ``None`` where that would cost too much.

        Args:
            copy: what to open.
            part: its part.
            unpack: a compressed member may be unpacked in memory for it.

        Raises:
            MemberDamagedError, OSError: as in ``chunks``.
        """
        if part.kind == "tree":
            with open(open_regular(_file_path(copy, part)), "rb") as file:
                yield file
        elif part.kind == "zip" and copy.method == STORED:
            with _opened(part) as handle:
                yield io.BufferedReader(StoredMember(partial(os.pread, handle), copy.offset, copy.size), 1 << 16)
        elif part.kind == "zip" and unpack and copy.size <= _LARGEST_IN_MEMORY:
            yield io.BytesIO(b"".join(self.chunks(copy, part)))
        else:
            yield None

    def close(self) -> None:
        """Let go of every part and of the scratch files."""
        self._tgz.close()


def direct_chunks(copy: Copy, part: PartRow) -> Iterator[bytes]:
    """Yield the bytes of a copy in a zip or a folder; as ``Archives.chunks``, but for a tgz."""
    unchecked = _file_chunks(copy, part) if part.kind == "tree" else _zip_chunks(copy, part)
    try:
        yield from checked(unchecked, copy.size, copy.crc)
    except PartDamagedError as error:
        raise MemberDamagedError(f"the archive cannot be read: {error}") from error


def _zip_chunks(copy: Copy, part: PartRow) -> Iterator[bytes]:
    with _opened(part) as handle:
        yield from zip_chunks(partial(os.pread, handle), copy.offset, copy.packed, copy.method)


@contextmanager
def _opened(part: PartRow) -> Iterator[int]:
    handle = os.open(part.path, os.O_RDONLY | os.O_NONBLOCK)  # a pipe that took the archive's place does not block
    try:
        if file_fingerprint(os.fstat(handle)) != part.fingerprint:
            raise MemberDamagedError("the archive was replaced since it was listed; the next run reads it again")
        yield handle
    finally:
        os.close(handle)


def _file_path(copy: Copy, part: PartRow) -> bytes:
    return os.path.join(os.fsencode(part.path), copy.raw or b"")


def _file_chunks(copy: Copy, part: PartRow) -> Iterator[bytes]:
    handle = open_regular(_file_path(copy, part))  # nothing else may have taken the place of a file that was listed
    with open(handle, "rb", buffering=0) as file:
        if os.fstat(handle).st_mtime_ns != copy.mtime:
            raise MemberDamagedError("the file changed since it was listed; the next run reads it again")
        while chunk := file.read(CHUNK):
            yield chunk
        if os.fstat(handle).st_mtime_ns != copy.mtime:
            raise MemberDamagedError("the file changed while it was being read; the next run reads it again")
