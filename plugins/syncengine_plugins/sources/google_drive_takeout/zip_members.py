"""Brings the bytes of zip members: from the cache, alone, or together with new ones that lie beside them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress

from syncengine.api import ItemError
from syncengine_plugins.sources.google_drive_takeout.byte_ranges import ByteRanges
from syncengine_plugins.sources.google_drive_takeout.drive_files import DriveFile
from syncengine_plugins.sources.google_drive_takeout.forward_reader import ForwardReader, packed_member
from syncengine_plugins.sources.google_drive_takeout.neighbours import Group, Neighbours
from syncengine_plugins.sources.google_drive_takeout.read_ahead import ReadAhead
from syncengine_plugins.sources.google_drive_takeout.sidecars import stretch_of
from syncengine_plugins.sources.google_drive_takeout.spans import Wish
from syncengine_plugins.sources.takeout.damage import MemberDamagedError
from syncengine_plugins.sources.takeout.members import Member
from syncengine_plugins.sources.takeout.reading import Copy
from syncengine_plugins.sources.takeout.zip_stream import ReadAt, zip_chunks


class ZipMembers:
    """Reads members of zips in Drive, unchecked. May be used from several threads.

    Args:
        ranges: reads Drive.
        ahead: has what was brought before it was asked for.
        neighbours: says what to bring together.
    """

    def __init__(self, ranges: ByteRanges, ahead: ReadAhead, neighbours: Neighbours) -> None:
        self._ranges, self._ahead, self._neighbours = ranges, ahead, neighbours

    def chunks(self, copy: Copy, file: DriveFile) -> Iterator[bytes]:
        """Yield the bytes of a copy, as they come; raises as ``zip_chunks`` and ``ByteRanges.read`` do."""
        while True:
            with self._ahead.take(file, copy.offset) as kept:
                if kept is not None:
                    self._neighbours.used(file, copy.offset)
                    yield from zip_chunks(
                        _kept_reader(kept.fileno(), copy.offset), copy.offset, copy.packed, copy.method
                    )
                    return
            group = self._neighbours.claim(file, copy.offset)
            try:
                if group.leads:
                    self._neighbours.used(file, copy.offset)
                    yield from self._led(copy, file, group)
                    return
                self._help(file, group)
            finally:
                self._neighbours.release(file, group)

    def _led(self, copy: Copy, file: DriveFile, group: Group) -> Iterator[bytes]:
        """Yield a copy, then bring what is behind it in the same request."""
        start, end = stretch_of(Member(path=copy.path, offset=copy.offset, packed=copy.packed))
        reader = self._reader(file, start, max(end, *(wish.end for wish in group.wishes)))
        try:
            # What is read of the next member here would be missing there.
            border = group.wishes[1].start if len(group.wishes) > 1 else file.length
            own = _up_to(reader, border)
            yield from zip_chunks(own, copy.offset, copy.packed, copy.method)
            self._keep(file, reader, group.wishes[1:])
        finally:
            reader.finish()

    def _help(self, file: DriveFile, group: Group) -> None:
        """Bring what will be asked for soon, while somebody else brings what was asked for."""
        if not group.wishes:
            return
        reader = self._reader(file, group.wishes[0].start, max(wish.end for wish in group.wishes))
        try:
            self._keep(file, reader, group.wishes)
        finally:
            reader.finish()

    def _keep(self, file: DriveFile, reader: ForwardReader, wishes: Sequence[Wish]) -> None:
        """Keep members that nobody asked for yet; who does, and does not find them, will see what is wrong."""
        with suppress(MemberDamagedError, ItemError):
            for wish in wishes:
                length, pieces = packed_member(reader, wish.start, wish.packed)
                self._neighbours.brought(file, wish, pieces, length)

    def _reader(self, file: DriveFile, start: int, end: int) -> ForwardReader:
        return ForwardReader(lambda first, last: self._ranges.read(file, first, last), start, end, file.length)


def _kept_reader(handle: int, start: int) -> ReadAt:
    return lambda length, at: os.pread(handle, length, at - start)


def _up_to(read: ReadAt, border: int) -> ReadAt:
    return lambda length, at: read(min(length, border - at), at)
