"""A zip archive that exists only while it is read: gigabytes of members without a byte on disk.

Format: PKWARE's APPNOTE 6.3.10, members stored (method 0), sizes in the local header, ZIP64 where needed.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from syncengine.testing.google.content.bytes import BytesContent, Content, crc32_of

_FULL = 0xFFFFFFFF
_UTF8_NAME = 0x800


@dataclass(frozen=True)
class ArchiveMember:
    """One member.

    Args:
        name: its path in the archive, with ``/``.
        content: its bytes.
        modified: year, month, day, hour, minute, second; local time, from 1980 on.
    """

    name: str
    content: Content
    modified: tuple[int, int, int, int, int, int] = (2026, 1, 1, 0, 0, 0)


class ZipContent:
    """A zip archive of stored members as a ``Content``.

    Args:
        members: in the order in which they lie in the archive.
        zip64: write ZIP64 records although nothing is that large.
    """

    def __init__(self, members: Sequence[ArchiveMember], *, zip64: bool = False) -> None:
        self.members = tuple(members)
        self._starts: list[int] = []
        self._parts: list[Content] = []
        self._size = 0
        directory = bytearray()
        for member in self.members:
            crc, offset = crc32_of(member.content), self._size
            self._append(BytesContent(_local_header(member, crc)))
            self._append(member.content)
            directory += _directory_entry(member, crc, offset, zip64)
        self.directory_offset = self._size
        self._append(BytesContent(bytes(directory)))
        self._append(BytesContent(_end(len(self.members), len(directory), self.directory_offset, zip64)))

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return self._size

    def read(self, offset: int, length: int) -> bytes:
        """Bytes from ``offset`` on, at most ``length``."""
        pieces = []
        end = min(offset + length, self._size)
        index = max(bisect_right(self._starts, offset) - 1, 0)
        while offset < end:
            within = offset - self._starts[index]
            piece = self._parts[index].read(within, min(end - offset, self._parts[index].size - within))
            pieces.append(piece)
            offset += len(piece)
            index += 1
        return b"".join(pieces)

    def _append(self, part: Content) -> None:
        """Lay a part behind the others."""
        if part.size:
            self._starts.append(self._size)
            self._parts.append(part)
            self._size += part.size


def _dos_time(member: ArchiveMember) -> tuple[int, int]:
    """Time and date as MS-DOS counts them."""
    year, month, day, hour, minute, second = member.modified
    return hour << 11 | minute << 5 | second // 2, (year - 1980) << 9 | month << 5 | day


def _local_header(member: ArchiveMember, crc: int) -> bytes:
    """The header before a member's bytes."""
    name, size = member.name.encode(), member.content.size
    large = size >= _FULL
    extra = struct.pack("<HHQQ", 1, 16, size, size) if large else b""
    told = _FULL if large else size
    return (
        struct.pack(
            "<4sHHHHHIIIHH",
            b"PK\3\4",
            45 if large else 20,
            _UTF8_NAME,
            0,
            *_dos_time(member),
            crc,
            told,
            told,
            len(name),
            len(extra),
        )
        + name
        + extra
    )


def _directory_entry(member: ArchiveMember, crc: int, offset: int, zip64: bool) -> bytes:
    """A member's entry in the central directory."""
    name, size = member.name.encode(), member.content.size
    large, far = size >= _FULL, zip64 or offset >= _FULL
    fields = ([size, size] if large else []) + ([offset] if far else [])
    extra = struct.pack(f"<HH{len(fields)}Q", 1, 8 * len(fields), *fields) if fields else b""
    told = _FULL if large else size
    return (
        struct.pack(
            "<4sHHHHHHIIIHHHHHII",
            b"PK\1\2",
            45 if fields else 20,
            45 if fields else 20,
            _UTF8_NAME,
            0,
            *_dos_time(member),
            crc,
            told,
            told,
            len(name),
            len(extra),
            0,
            0,
            0,
            0,
            _FULL if far else offset,
        )
        + name
        + extra
    )


def _end(count: int, directory_size: int, directory_offset: int, zip64: bool) -> bytes:
    """The records that end an archive."""
    large = zip64 or count >= 0xFFFF or directory_offset >= _FULL or directory_size >= _FULL
    record = b""
    if large:
        record = struct.pack(
            "<4sQHHIIQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, count, count, directory_size, directory_offset
        ) + struct.pack("<4sIQI", b"PK\6\7", 0, directory_offset + directory_size, 1)
    told = 0xFFFF if large else count
    return record + struct.pack(
        "<4sHHHHIIH",
        b"PK\5\6",
        0,
        0,
        told,
        told,
        _FULL if large else directory_size,
        _FULL if large else directory_offset,
        0,
    )
