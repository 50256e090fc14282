"""Reads photos and videos out of archives in Drive, from several threads at once, checked as they pass."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import BinaryIO

import msgspec

from syncengine.api import RetryableError
from syncengine_plugins.sources.google_drive_takeout.byte_ranges import ByteRanges
from syncengine_plugins.sources.google_drive_takeout.drive_files import DriveFile
from syncengine_plugins.sources.google_drive_takeout.whole_archives import WholeArchives
from syncengine_plugins.sources.google_drive_takeout.zip_members import ZipMembers
from syncengine_plugins.sources.takeout.damage import MemberDamagedError
from syncengine_plugins.sources.takeout.index import PartRow
from syncengine_plugins.sources.takeout.parts import file_fingerprint
from syncengine_plugins.sources.takeout.reading import Archives, Copy
from syncengine_plugins.sources.takeout.zip_stream import checked

_LARGEST_IN_MEMORY = 16 << 20


class DriveCopies:
    """Opens members of archives in Drive.

    Args:
        files: every archive by its id.
        ranges: knows which archives are gone.
        zips: reads members of zips.
        archives: has whole copies of what is no zip.
        local: reads those copies.
    """

    def __init__(
        self,
        files: Mapping[str, DriveFile],
        ranges: ByteRanges,
        zips: ZipMembers,
        archives: WholeArchives,
        local: Archives,
    ) -> None:
        self._files, self._ranges, self._zips = files, ranges, zips
        self._archives, self._local = archives, local
        self._doubtful: set[Copy] = set()

    def chunks(self, copy: Copy, part: PartRow) -> Iterator[bytes]:
        """Yield the bytes of a copy, held against its size and checksum.

        Raises:
            MemberDamagedError: the bytes are not what they should be, or the archive is gone or another one.
            RetryableError: they were spoiled, maybe on the way.
            ItemError, FatalError: as ``ByteRanges.read``.
        """
        file = self._files.get(part.path)
        if file is None or file.fingerprint != part.fingerprint:
            raise MemberDamagedError("the archive was replaced since it was listed; the next run reads it again")
        if part.kind == "tgz":
            yield from self._local.chunks(copy, self._downloaded(file, part))
            return
        try:
            yield from checked(self._zips.chunks(copy, file), copy.size, copy.crc)
        except MemberDamagedError as error:
            raise self._judged(copy, file, error) from error

    @contextmanager
    def stream(self, copy: Copy, part: PartRow, *, unpack: bool) -> Iterator[BinaryIO | None]:
        """Open a copy as a seekable stream, or give ``None`` where that would cost too much; see ``Archives.stream``.

        Reading in a copy here and there would cost a request each time, so it is read as a whole, and only where the
        caller cannot do without.
        """
        wanted = unpack and copy.size <= _LARGEST_IN_MEMORY
        yield io.BytesIO(b"".join(self.chunks(copy, part))) if wanted else None

    def close(self) -> None:
        """Let go of everything."""
        self._local.close()

    def _downloaded(self, file: DriveFile, part: PartRow) -> PartRow:
        path = self._archives.path(file)
        return msgspec.structs.replace(part, path=str(path), fingerprint=file_fingerprint(path.stat()))

    def _judged(self, copy: Copy, file: DriveFile, error: MemberDamagedError) -> Exception:
        """Return what damage means: the first time it may have happened on the way."""
        self._ranges.require_present(file)
        if copy not in self._doubtful:
            self._doubtful.add(copy)
            return RetryableError(f"{file.name}!{copy.path}: {error}", after=0)
        self._ranges.require_unchanged(file)
        return error
