"""Reads a zip archive's central directory as a stream, entry by entry.

The standard library's ``zipfile`` keeps the whole directory in memory (a gigabyte for a million members), gives up on
the whole archive when one name in it is not what its flag says, and reads the directory again whenever an archive is
opened. A photo library needs none of that: entries go straight into the index, which holds a member's offset from then
on. Formats: APPNOTE.TXT 6.3.9 (PKWARE), sections 4.3.12 to 4.3.16 and 4.5.3.
"""

from __future__ import annotations

import os
import stat
import struct
from collections.abc import Iterator
from typing import BinaryIO

import msgspec

from syncengine_plugins.sources.takeout.damage import PartDamagedError

_END = struct.Struct("<4s4H2LH")
_END_SIGNATURE = b"PK\x05\x06"
_LOCATOR = struct.Struct("<4sLQL")
_LOCATOR_SIGNATURE = b"PK\x06\x07"
_END64 = struct.Struct("<4sQ2H2L4Q")
_END64_SIGNATURE = b"PK\x06\x06"
_ENTRY = struct.Struct("<4s4B4HL2L5H2L")
_ENTRY_SIGNATURE = b"PK\x01\x02"
_LONGEST_COMMENT = 0xFFFF
_UNIX = 3
_ZIP64 = 0x0001
_BUFFER = 1 << 20

STORED, DEFLATED = 0, 8


class ZipEntry(msgspec.Struct, frozen=True):
    """One entry of the directory.

    Args:
        name: as bytes, untouched.
        utf8: the entry says that its name is UTF-8.
        method: compression method.
        encrypted: the bytes cannot be read without a password.
        crc: CRC-32 of the uncompressed bytes.
        packed: compressed bytes.
        size: uncompressed bytes, as declared.
        offset: of the local header in the file.
        mode: Unix type and permissions, 0 when the archive was not made on Unix.
        stamp: modification time as the archive has it, ``20250101T000000Z`` without a promise about the zone; or empty.
    """

    name: bytes
    utf8: bool
    method: int
    encrypted: bool
    crc: int
    packed: int
    size: int
    offset: int
    mode: int
    stamp: str

    @property
    def is_directory(self) -> bool:
        """Whether it is a directory."""
        return self.name.endswith(b"/") or stat.S_ISDIR(self.mode)

    @property
    def is_special(self) -> bool:
        """Whether it is a symlink, device, pipe or socket."""
        return stat.S_IFMT(self.mode) not in {0, stat.S_IFREG, stat.S_IFDIR}


class _Extent(msgspec.Struct, frozen=True):
    """Where the directory is: offset, bytes, number of entries, and what to add to every offset in it."""

    offset: int
    size: int
    entries: int
    shift: int


def read_directory(stream: BinaryIO) -> Iterator[ZipEntry]:
    """Yield every entry of the archive in ``stream`` (seekable), in the directory's order.

    Raises:
        PartDamagedError: at once when there is no directory (a download that is not finished has none), later when it
            breaks off.
    """
    length = stream.seek(0, os.SEEK_END)
    extent = _find(stream, length)
    stream.seek(extent.offset)
    buffer, at, left = b"", 0, extent.size
    for number in range(extent.entries):
        while len(buffer) - at < _ENTRY.size or len(buffer) - at < _entry_length(buffer, at):
            more = stream.read(min(_BUFFER, left))
            if not more:
                raise PartDamagedError(f"its directory breaks off after {number} of {extent.entries} members")
            left -= len(more)
            buffer, at = buffer[at:] + more, 0
        yield _entry(buffer, at, extent.shift)
        at += _entry_length(buffer, at)


def _find(stream: BinaryIO, length: int) -> _Extent:
    """Find the end record, and with it the directory (section 4.3.16; ZIP64 in 4.3.14 and 4.3.15)."""
    start = max(0, length - _END.size - _LONGEST_COMMENT)
    stream.seek(start)
    tail = stream.read(length - start)
    at = len(tail)
    while (at := tail.rfind(_END_SIGNATURE, 0, at)) >= 0:
        if at + _END.size > len(tail):
            continue
        _, disk, first_disk, _, entries, size, offset, comment = _END.unpack_from(tail, at)
        if at + _END.size + comment > len(tail):
            continue
        if disk not in {0, 0xFFFF} or first_disk not in {0, 0xFFFF}:
            raise PartDamagedError("it is one volume of a split archive")
        end = start + at
        if 0xFFFF in {entries, disk, first_disk} or 0xFFFFFFFF in {size, offset}:
            end, entries, size, offset = _find64(stream, end) or (end, entries, size, offset)
        shift = end - size - offset
        if shift >= 0 and entries * _ENTRY.size <= size:
            return _Extent(offset + shift, size, entries, shift)
    raise PartDamagedError("it has no directory at its end: truncated, or its download is not finished")


def _find64(stream: BinaryIO, end: int) -> tuple[int, int, int, int] | None:
    """Return (its own offset, entries, size, offset of the directory) by the ZIP64 end record, if there is one."""
    if end < _LOCATOR.size:
        return None
    stream.seek(end - _LOCATOR.size)
    signature, _, where, _ = _LOCATOR.unpack(stream.read(_LOCATOR.size))
    if signature != _LOCATOR_SIGNATURE:
        return None
    # Bytes in front of the archive move the record; then it stands directly before its locator.
    for place in (where, end - _LOCATOR.size - _END64.size):
        if 0 <= place <= end - _LOCATOR.size - _END64.size:
            stream.seek(place)
            fields = _END64.unpack(stream.read(_END64.size))
            if fields[0] == _END64_SIGNATURE:
                return place, fields[7], fields[8], fields[9]
    raise PartDamagedError("its ZIP64 end record is damaged")


def _entry_length(buffer: bytes, at: int) -> int:
    name, extra, comment = struct.unpack_from("<3H", buffer, at + 28)
    return _ENTRY.size + int(name) + int(extra) + int(comment)


def _entry(buffer: bytes, at: int, shift: int) -> ZipEntry:
    fields = _ENTRY.unpack_from(buffer, at)
    if fields[0] != _ENTRY_SIGNATURE:
        raise PartDamagedError("its directory is damaged")
    system, flags, method = fields[2], fields[5], fields[6]
    packed, size, name_length, extra_length, attributes, offset = (*fields[10:14], fields[17], fields[18])
    name_at = at + _ENTRY.size
    extra_at = name_at + name_length
    if 0xFFFFFFFF in {packed, size, offset}:
        size, packed, offset = _wide(buffer[extra_at : extra_at + extra_length], size, packed, offset)
    return ZipEntry(
        name=buffer[name_at:extra_at],
        utf8=bool(flags & 0x800),
        method=method,
        encrypted=bool(flags & 0x2041),
        crc=fields[9],
        packed=packed,
        size=size,
        offset=offset + shift,
        mode=attributes >> 16 if system == _UNIX else 0,
        stamp=_stamp(fields[8], fields[7]),
    )


def _wide(extra: bytes, *narrow: int) -> tuple[int, ...]:
    """Replace each value that did not fit into 32 bits by that of the ZIP64 extra field (section 4.5.3)."""
    at = 0
    while at + 4 <= len(extra):
        tag, length = struct.unpack_from("<HH", extra, at)
        if tag == _ZIP64:
            field = extra[at + 4 : at + 4 + length]
            values = iter(struct.unpack(f"<{len(field) // 8}Q", field[: len(field) // 8 * 8]))
            return tuple(next(values, value) if value == 0xFFFFFFFF else value for value in narrow)
        at += 4 + length
    return narrow


def _stamp(day: int, clock: int) -> str:
    if day <= 0x21:  # 1980-01-01, what tools write that know no time
        return ""
    return (
        f"{1980 + (day >> 9)}{day >> 5 & 15:02}{day & 31:02}T"
        f"{clock >> 11:02}{clock >> 5 & 63:02}{(clock & 31) * 2:02}Z"
    )
