"""Reads the bytes of zip members by their offset, without the archive's directory, from several threads at once."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator

from syncengine_plugins.sources.takeout.damage import MemberDamagedError
from syncengine_plugins.sources.takeout.positioned import PositionedStream
from syncengine_plugins.sources.takeout.zip_directory import STORED

CHUNK = 1 << 20
#: Reads the archive: at most so many bytes from an offset on, fewer at its end. ``partial(os.pread, handle)`` is one.
ReadAt = Callable[[int, int], bytes]
_HEADER = struct.Struct("<4s5H3L2H")
_SIGNATURE = b"PK\x03\x04"
_GUESS = 1024  # what the local header's name and extra field rarely exceed


def zip_chunks(read: ReadAt, offset: int, packed: int, method: int) -> Iterator[bytes]:
    """Yield a member's bytes as they come, unchecked (``checked`` does that).

    Args:
        read: reads the archive; asked for one stretch after the other, without gaps.
        offset: of the local header.
        packed: compressed bytes.
        method: stored or deflated.

    Raises:
        MemberDamagedError: no member there, or its compressed bytes are damaged.
    """
    raw = _packed_chunks(read, offset, packed)
    return raw if method == STORED else _inflated(raw)


def checked(chunks: Iterator[bytes], size: int, crc: int | None) -> Iterator[bytes]:
    """Yield ``chunks`` and hold them against the declared size and CRC-32.

    Raises:
        MemberDamagedError: more bytes than declared (at once, nothing of the excess is yielded), fewer, or other ones.
    """
    seen, running = 0, 0
    for chunk in chunks:
        seen += len(chunk)
        if seen > size:
            raise MemberDamagedError(f"it holds more than the {size} bytes it declares")
        if crc is not None:
            running = zlib.crc32(chunk, running)
        yield chunk
    if seen < size:
        raise MemberDamagedError(f"it ends after {seen} of {size} bytes")
    if crc is not None and running != crc:
        raise MemberDamagedError(f"its checksum is {running:08x}, the archive says {crc:08x}")


def header_length(first: bytes) -> int:
    """Return the bytes of a local header with its name and extra field, by its first 30 bytes (4.3.7).

    Raises:
        MemberDamagedError: no member begins there.
    """
    if len(first) < _HEADER.size or not first.startswith(_SIGNATURE):
        raise MemberDamagedError("there is no member where the archive's directory says")
    fields = _HEADER.unpack_from(first)
    return _HEADER.size + int(fields[9]) + int(fields[10])


def _packed_chunks(read: ReadAt, offset: int, packed: int) -> Iterator[bytes]:
    first = read(min(CHUNK, _HEADER.size + _GUESS + packed), offset)
    start = header_length(first)
    at, end = offset + len(first), offset + start + packed
    if data := first[start : start + packed]:
        yield data
    at = max(at, offset + start)
    while at < end:
        chunk = read(min(CHUNK, end - at), at)
        if not chunk:
            raise MemberDamagedError("the archive ends in the middle of it")
        at += len(chunk)
        yield chunk


def _inflated(raw: Iterator[bytes]) -> Iterator[bytes]:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        for chunk in raw:
            left = chunk
            while left and not inflater.eof:
                # The limit keeps a chunk of a bomb from becoming a gigabyte of memory.
                yield inflater.decompress(left, CHUNK)
                left = inflater.unconsumed_tail
        if rest := inflater.flush():
            yield rest
    except zlib.error as error:
        raise MemberDamagedError(f"its compressed bytes are damaged ({error})") from error


class StoredMember(PositionedStream):
    """A seekable view of a stored member, for who reads a few bytes here and there.

    Args:
        read: reads the archive.
        offset: of the local header.
        size: bytes of the member.

    Raises:
        MemberDamagedError: no member there.
    """

    def __init__(self, read: ReadAt, offset: int, size: int) -> None:
        super().__init__(size)
        self._read = read
        self._start = offset + header_length(read(_HEADER.size, offset))

    def _read_next(self, most: int) -> bytes:
        return self._read(max(0, min(most, self._size - self._at)), self._start + self._at)
