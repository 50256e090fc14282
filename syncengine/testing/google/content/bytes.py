"""What the emulator serves as bytes: from memory, from disk, or made up while they are read."""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Protocol, runtime_checkable

CHUNK = 256 * 1024
_BLOCK = random.Random(0).randbytes(64 * 1024)  # nosec B311: filler that looks compressed, no secret


@runtime_checkable
class Content(Protocol):
    """Bytes that can be read from any place."""

    @property
    def size(self) -> int:
        """How many bytes there are."""

    def read(self, offset: int, length: int) -> bytes:
        """Bytes from ``offset`` on.

        Args:
            offset: at which byte to start, from 0.
            length: how many bytes; fewer come back where the content ends.
        """


class BytesContent:
    """Bytes in memory.

    Args:
        payload: the bytes.
    """

    def __init__(self, payload: bytes) -> None:
        self._payload = payload

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return len(self._payload)

    def read(self, offset: int, length: int) -> bytes:
        """Bytes from ``offset`` on, at most ``length``."""
        return self._payload[offset : offset + length]


class FileContent:
    """A file on disk, of the size that it had when this was made.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._size = path.stat().st_size

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return self._size

    def read(self, offset: int, length: int) -> bytes:
        """Bytes from ``offset`` on, at most ``length``."""
        with self.path.open("rb", buffering=0) as file:
            file.seek(offset)
            return file.read(min(length, self._size - offset)) or b""


class PaddedContent:
    """A head of its own and a tail of filler that takes no memory: a photo of any size.

    Decoders of JPEG and most other formats overlook what follows the picture's end.

    Args:
        head: the bytes at the beginning; make it different for different contents.
        size: how many bytes there are altogether, at least ``len(head)``.
    """

    def __init__(self, head: bytes, size: int) -> None:
        self._head = head
        self._size = max(size, len(head))

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return self._size

    def read(self, offset: int, length: int) -> bytes:
        """Bytes from ``offset`` on, at most ``length``."""
        end = min(offset + length, self._size)
        if end <= offset:
            return b""
        head = self._head[offset:end]
        tail_from = max(offset, len(self._head)) - len(self._head)
        return head + _filler(tail_from, end - offset - len(head))

    def crc32(self) -> int:
        """The CRC-32 of all bytes, without reading the filler again for each content of one size."""
        tail = self._size - len(self._head)
        return combine_crc32(zlib.crc32(self._head), _filler_crc32(tail), tail)


def chunks(content: Content, start: int = 0, length: int | None = None) -> Iterator[bytes]:
    """A content in pieces of ``CHUNK`` bytes.

    Args:
        content: what is read.
        start: at which byte to begin.
        length: how many bytes; ``None`` means to the end.
    """
    end = content.size if length is None else start + length
    while start < end:
        piece = content.read(start, min(CHUNK, end - start))
        if not piece:
            return
        yield piece
        start += len(piece)


def crc32_of(content: Content) -> int:
    """The CRC-32 of a content; cheap for those that know it by themselves."""
    if isinstance(content, PaddedContent):
        return content.crc32()
    value = 0
    for piece in chunks(content):
        value = zlib.crc32(piece, value)
    return value


def _filler(offset: int, length: int) -> bytes:
    """Filler from ``offset`` on."""
    start = offset % len(_BLOCK)
    repeated = _BLOCK * ((start + length) // len(_BLOCK) + 1)
    return repeated[start : start + length]


@lru_cache(maxsize=1024)
def _filler_crc32(length: int) -> int:
    """The CRC-32 of the first ``length`` bytes of filler."""
    value = 0
    for offset in range(0, length, CHUNK):
        value = zlib.crc32(_filler(offset, min(CHUNK, length - offset)), value)
    return value


def combine_crc32(first: int, second: int, second_length: int) -> int:
    """The CRC-32 of two byte strings one after the other.

    A CRC is the remainder of a polynomial over GF(2), so appending n bytes multiplies the first one's remainder by
    x^(8n).

    Args:
        first: CRC-32 of the first string.
        second: CRC-32 of the second string.
        second_length: length of the second string in bytes.
    """
    return _times(_power_of_x(8 * second_length), first) ^ second


def _times(left: int, right: int) -> int:
    """The product of two polynomials modulo the CRC's, bits in reflected order (the highest bit is x^0)."""
    product = 0
    for bit in range(31, -1, -1):
        if left >> bit & 1:
            product ^= right
        right = right >> 1 ^ 0xEDB88320 if right & 1 else right >> 1
    return product


@lru_cache(maxsize=1024)
def _power_of_x(exponent: int) -> int:
    """``x ** exponent`` modulo the CRC's polynomial, by squaring."""
    result, base = 1 << 31, 1 << 30
    while exponent:
        if exponent & 1:
            result = _times(base, result)
        base = _times(base, base)
        exponent >>= 1
    return result
