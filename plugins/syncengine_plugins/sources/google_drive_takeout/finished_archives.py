"""Archives that were read, and that may go to the trash of Google Drive once everything in them was verified.

What a scan has read is written down with the moment at which the scan began, so that what appeared in Drive later is
never mistaken for it. Losing this file keeps archives where they are.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from syncengine.api import FatalError, ItemError
from syncengine_plugins.google.answers import GoogleAnswerError
from syncengine_plugins.google.call import Call
from syncengine_plugins.google.limits import DRIVE, DRIVE_EDIT
from syncengine_plugins.google.session import GoogleSession
from syncengine_plugins.sources.google_drive_takeout.drive_files import DriveFile
from syncengine_plugins.sources.google_drive_takeout.listing import DriveListing

_MOST_SCANS = 20


class ReadArchive(msgspec.Struct, frozen=True):
    """An archive as it was when it was read: id in Drive, name, fingerprint, MD5 in hexadecimal or empty."""

    id: str
    name: str
    fingerprint: str
    md5: str


class _Scan(msgspec.Struct, frozen=True):
    began: datetime
    archives: tuple[ReadArchive, ...]


class _Scans(msgspec.Struct, frozen=True):
    """Scans, oldest first.

    Args:
        scans: the last ones.
        forgotten: when the last one began that is not among them any more.
        released: archives were moved to the trash since.
    """

    scans: tuple[_Scan, ...] = ()
    forgotten: datetime = datetime(1, 1, 1, tzinfo=UTC)
    released: bool = False


class FinishedArchives:
    """Remembers what was read, and moves it to the trash.

    Args:
        path: of the file; its directory exists.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def were_released(self) -> bool:
        """Whether archives were moved to the trash, so that it is no wonder when there are none."""
        return self._read().released

    def remember(self, began: datetime, files: Iterable[DriveFile]) -> None:
        """Write down what a scan has read wholly, of a library that was complete.

        Args:
            began: when it began, aware.
            files: as they were found before that.
        """
        known = self._read()
        archives = tuple(ReadArchive(file.id, file.name, file.fingerprint, file.md5) for file in files)
        scans = (*(scan for scan in known.scans if scan.began != began), _Scan(began, archives))
        forgotten = max((scan.began for scan in scans[:-_MOST_SCANS]), default=known.forgotten)
        self._write(msgspec.structs.replace(known, scans=scans[-_MOST_SCANS:], forgotten=forgotten))

    def release(self, run_started: datetime, session: GoogleSession, listing: DriveListing) -> list[str]:
        """Move what the run that began then has read to the trash, as far as it is still the same.

        Returns:
            What was done or left, a sentence each.

        Raises:
            FatalError: signed out, or the scope is missing.
        """
        said: list[str] = []
        for archive in self._read_by(run_started):
            try:
                said += _release_one(archive, session, listing)
            except GoogleAnswerError as error:
                if error.status != 404:
                    said.append(f"{archive.name} stays in Google Drive: {error}")
            except ItemError as error:
                said.append(f"{archive.name} stays in Google Drive: {error}")
        if said:
            self._write(msgspec.structs.replace(self._read(), released=True))
        return said

    def _read_by(self, run_started: datetime) -> tuple[ReadArchive, ...]:
        """Return what the first scan since then has read: that was the run's own, for nothing runs beside it."""
        known = self._read()
        if run_started <= known.forgotten:
            return ()
        scan = next((scan for scan in known.scans if scan.began >= run_started), None)
        return scan.archives if scan is not None else ()

    def _read(self) -> _Scans:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=_Scans)
        except (OSError, msgspec.MsgspecError):
            return _Scans()

    def _write(self, scans: _Scans) -> None:
        new = self._path.with_suffix(".new")
        try:
            new.write_bytes(msgspec.json.encode(scans))
            os.replace(new, self._path)
        except OSError as error:
            raise FatalError(
                f"the cache {self._path} cannot be written: {error.strerror or error}",
                advice="check that its disk is writable and not full",
            ) from error


def _release_one(archive: ReadArchive, session: GoogleSession, listing: DriveListing) -> list[str]:
    now = listing.file(archive.id, f"the archive {archive.name}")
    if now.trashed:
        return []
    if (now.fingerprint, now.md5) != (archive.fingerprint, archive.md5):
        return [f"{archive.name} stays in Google Drive: it was changed since it was read"]
    session.run(
        Call(
            what=f"moving {archive.name} to the trash", url=f"{session.endpoints.drive}/files/{archive.id}",
            method="PATCH", api=DRIVE, units=DRIVE_EDIT, params=(("supportsAllDrives", "true"),),
            body={"trashed": True},
        )
    )  # fmt: skip
    return [f"{archive.name} was moved to the trash of Google Drive"]
