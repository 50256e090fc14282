"""Google Drive as a shelf of Takeout archives."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import msgspec

from syncengine.api import FatalError, RunContext
from syncengine_plugins.google.clock import Clock
from syncengine_plugins.google.session import GoogleSession
from syncengine_plugins.sources.google_drive_takeout.byte_ranges import ByteRanges
from syncengine_plugins.sources.google_drive_takeout.clean_stop import clean_stop
from syncengine_plugins.sources.google_drive_takeout.copies import DriveCopies
from syncengine_plugins.sources.google_drive_takeout.drive_files import DriveFile, parts_of
from syncengine_plugins.sources.google_drive_takeout.listing import DriveListing
from syncengine_plugins.sources.google_drive_takeout.memory import MemberMemory
from syncengine_plugins.sources.google_drive_takeout.neighbours import Neighbours
from syncengine_plugins.sources.google_drive_takeout.read_ahead import ReadAhead
from syncengine_plugins.sources.google_drive_takeout.sidecars import SidecarReader
from syncengine_plugins.sources.google_drive_takeout.tail import TailStream
from syncengine_plugins.sources.google_drive_takeout.whole_archives import WholeArchives
from syncengine_plugins.sources.google_drive_takeout.zip_members import ZipMembers
from syncengine_plugins.sources.takeout.damage import MemberDamagedError, PartDamagedError, PartUnreachableError
from syncengine_plugins.sources.takeout.ingest import read_tgz, zip_members
from syncengine_plugins.sources.takeout.intake import PartIntake
from syncengine_plugins.sources.takeout.members import Listed, Member
from syncengine_plugins.sources.takeout.parts import (
    FoundParts,
    PartFile,
    file_fingerprint,
    is_named_takeout,
    tells_takeout,
)
from syncengine_plugins.sources.takeout.reading import Archives, Copies
from syncengine_plugins.sources.takeout.shelf import Checksums, Shelf
from syncengine_plugins.sources.takeout.tgz_fetch import Between

_BUFFER = 256 << 10


class DriveShelf(Shelf):
    """The Takeout archives in a Google Drive, as they are when they are first looked for.

    Args:
        session: signed in.
        folder: as ``DriveListing.archives`` wants it.
        context: the engine's.
        clock: for the pauses.
    """

    advice = "if it fails again, check the archive in Google Drive, or make a new export"
    #: What is verified may go to Drive's trash, part by part.
    keeps_parts = False

    def __init__(self, session: GoogleSession, folder: str, context: RunContext, clock: Clock) -> None:
        self._folder, self._tick, self._scratch = folder, context.tick, context.scratch
        self._at_once = context.downloads
        self.listing = DriveListing(session)
        self._ranges = ByteRanges(session, self.listing, clock, context)
        try:
            context.cache.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FatalError(
                f"the cache {context.cache} cannot be used: {error.strerror or error}",
                advice="check that its disk is writable and not full",
            ) from error
        self._memory = MemberMemory(context.cache / "members.sqlite")
        self._ahead = ReadAhead(context.cache / "ahead")
        self._neighbours = Neighbours(self._ahead)
        self._archives = WholeArchives(context.cache / "archives", self._ranges)
        self._files: dict[str, DriveFile] = {}
        self._found: FoundParts | None = None
        #: New photos will be fetched after the scan, so those beside new sidecars are brought along.
        self.bring_photos = False

    def close(self) -> None:
        """Keep what was remembered."""
        self._memory.close()

    def find(self) -> FoundParts:
        """See ``Shelf``. What appears in the Drive later belongs to the next run."""
        if self._found is None:
            with clean_stop("looking for Takeout archives in Google Drive"):
                files = self.listing.archives(self._folder)
            found = parts_of(files)
            self._files = {file.id: file for file in files if file.is_archive and file.is_safe}
            self._ahead.keep_only(self._files.values())
            self._archives.keep_only(self._files.values())
            missing = ("Google Drive did not search everything",) if self.listing.incomplete else ()
            warnings = tuple(_tgz_warning(part) for part in found.parts if part.kind == "tgz")
            self._found = FoundParts(found.parts, (*found.missing, *missing), (*found.warnings, *warnings))
        return self._found

    def files(self, ids: Iterable[str]) -> list[DriveFile]:
        """Return some of the files that ``find`` has found, as they were then."""
        return [self._files[one] for one in ids if one in self._files]

    def is_takeout(self, part: PartFile) -> bool:
        """See ``Shelf``."""
        if is_named_takeout(part.name):
            return True
        if part.kind == "tgz":
            return False  # it would have to be downloaded to be looked into
        try:
            with self._reading(part) as file, self._directory(file) as stream:
                members = (listed for listed in zip_members(stream, file.length) if isinstance(listed, Member))
                return any(tells_takeout(member.path) for member in members)
        except (PartDamagedError, PartUnreachableError):
            return True

    def directory(self, part: PartFile) -> Iterator[Listed] | None:
        """See ``Shelf``; what it costs is spared when the part is read."""
        return self._listed(part) if part.kind == "zip" else None

    def _listed(self, part: PartFile) -> Iterator[Listed]:
        with self._reading(part) as file, self._directory(file, keep=True) as stream:
            yield from zip_members(stream, file.length)

    def read(self, part: PartFile, intake: PartIntake, checksums: Checksums) -> Iterator[None]:
        """See ``Shelf``."""
        del checksums
        self._memory.begin_archive()
        with self._reading(part) as file:
            if part.kind == "tgz":
                self._tick(f"downloading {part.name}, {file.length >> 20} MB")
                path = self._archives.path(file)
                local = msgspec.structs.replace(part, path=str(path), fingerprint=file_fingerprint(path.stat()))
                read_tgz(local, intake)
            else:
                yield from self._read_zip(file, intake)
            self._ranges.require_unchanged(file)
        self._memory.end_archive()

    def copies(self, scratch: Path, between: Between) -> Copies:
        """See ``Shelf``."""
        zips = ZipMembers(self._ranges, self._ahead, self._neighbours)
        return DriveCopies(self._files, self._ranges, zips, self._archives, Archives(scratch, between))

    def known_identifier(self, name: str, size: int, crc: int | None) -> str | None:
        """See ``Shelf``."""
        return self._memory.identifier(name, size, crc or 0)

    def keep_identifier(self, name: str, size: int, crc: int | None, identifier: str) -> None:
        """See ``Shelf``."""
        self._memory.keep_identifier(name, size, crc or 0, identifier)

    def require_presence(self) -> None:
        """See ``Shelf``; whether Google can be reached shows itself at every request."""

    def lost(self) -> tuple[str, ...]:
        """See ``Shelf``."""
        known = self._ranges.lost()
        return tuple(f"{self._files[one].name}: {reason}" for one, reason in known.items() if one in self._files)

    @contextmanager
    def _reading(self, part: PartFile) -> Iterator[DriveFile]:
        """Give a part's file; what goes wrong with it concerns the part, or ends the run."""
        try:
            with clean_stop(f"reading {part.name} in Google Drive"):
                yield self._files[part.path]
        except MemberDamagedError as error:
            raise PartUnreachableError(str(error)) from error

    @contextmanager
    def _directory(self, file: DriveFile, *, keep: bool = False) -> Iterator[BinaryIO]:
        """Open an archive of which only the end will be read; ``keep``: it will be read again."""
        kept = self._scratch / f"directory-{file.key}"
        tail = TailStream(
            lambda start, end: self._ranges.read(file, start, end, scanning=True), file.length, self._scratch, kept
        )
        with io.BufferedReader(tail, _BUFFER) as stream:
            yield stream
            if tail.start == 0 and file.length:
                stream.seek(0)
                _check_md5(file, stream)
            if keep:
                tail.keep(kept)
            else:
                kept.unlink(missing_ok=True)

    def _read_zip(self, file: DriveFile, intake: PartIntake) -> Iterator[None]:
        sidecars = SidecarReader(file, self._ranges, self._memory, self._ahead, self._neighbours, at_once=self._at_once)

        def read(member: Member) -> bytes:
            try:
                return sidecars.read(member)
            except MemberDamagedError as error:
                if reason := self._ranges.lost().get(file.id):
                    raise PartUnreachableError(reason) from error
                raise

        intake.read = read
        try:
            with self._directory(file) as stream:
                soon = intake.early.expects if intake.early.is_at_work else None
                sidecars.prepare(zip_members(stream, file.length), bring_photos=self.bring_photos, soon=soon)
                for listed in zip_members(stream, file.length):
                    intake.take(listed)
                    yield
        finally:
            sidecars.close()


def _check_md5(file: DriveFile, stream: BinaryIO) -> None:
    """Hold an archive that was read as a whole, being small, against Drive's MD5."""
    digest = hashlib.md5(stream.read(), usedforsecurity=False).hexdigest()
    if file.md5 and digest != file.md5:
        raise MemberDamagedError("its MD5 is not what Google Drive says; the next run reads it again")


def _tgz_warning(part: PartFile) -> str:
    return f"{part.name}: it is downloaded as a whole; choose .zip in Google Takeout, which is read in place"
