"""What the user has at Google."""

from __future__ import annotations

from pathlib import Path

from syncengine.testing.google.control.clock import Clock
from syncengine.testing.google.drive.files import Drive
from syncengine.testing.google.photos.items import Photos


class Library:
    """Everything of one user: ``drive`` and ``photos``.

    Args:
        clock: dates what is added; ``None`` takes the machine's.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.drive = Drive(self.clock)
        self.photos = Photos(self.clock)
        self._directory: Path | None = None

    @classmethod
    def of_directory(cls, directory: Path, clock: Clock | None = None) -> Library:
        """A library of files on disk.

        Args:
            directory: its ``drive`` folder becomes My Drive, and the photos and videos of its ``photos`` folder the
                photo library, with a folder as an album. Without either, the whole directory is both.
            clock: as above.
        """
        library = cls(clock)
        library._directory = directory
        library.rescan()
        return library

    def rescan(self) -> None:
        """Bring files that were added, changed or taken away on disk up to date."""
        if self._directory is None:
            return
        drive, photos = self._directory / "drive", self._directory / "photos"
        if not drive.is_dir() and not photos.is_dir():
            drive = photos = self._directory
        if drive.is_dir():
            self.drive.add_directory(drive)
        if photos.is_dir():
            self.photos.add_directory(photos)
