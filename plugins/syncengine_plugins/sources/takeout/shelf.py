"""Where the parts of exports lie, whatever that place is: how they are found, read into the index, and read again."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path

from syncengine_plugins.sources.takeout.intake import PartIntake
from syncengine_plugins.sources.takeout.members import Listed
from syncengine_plugins.sources.takeout.parts import FoundParts, PartFile
from syncengine_plugins.sources.takeout.reading import Copies
from syncengine_plugins.sources.takeout.tgz_fetch import Between

#: Checksums that were computed for the files of an unpacked directory, by path, size and mtime in nanoseconds.
Checksums = dict[tuple[str, int, int], int]


class Shelf(ABC):
    """A place with parts of exports."""

    #: What a person can do about a photo of which no copy can be read.
    advice = "download the archive again, or check it with `unzip -t`"
    #: Whether a part that was here stays here as long as others of its export do.
    keeps_parts = True

    @abstractmethod
    def find(self) -> FoundParts:
        """Return what lies there. Raises ``FatalError`` when it cannot be looked at."""

    @abstractmethod
    def is_takeout(self, part: PartFile) -> bool:
        """Return whether a part belongs to a Takeout, by its name or by what is in it; unreadable ones may."""

    def directory(self, part: PartFile) -> Iterator[Listed] | None:
        """Yield what a part lists, where that is cheap and knowing it before sidecars are read is worth it.

        Returns:
            ``None`` where it is not; then nothing is listed before everything is read.
        """
        del part
        return None

    @abstractmethod
    def read(self, part: PartFile, intake: PartIntake, checksums: Checksums) -> Iterator[None]:
        """Give every member of a part to ``intake``; yield now and then, so that what is certain can be listed.

        Args:
            part: as it was found.
            intake: takes the members.
            checksums: those that are known already.

        Raises:
            PartDamagedError: it cannot be read (any further), or it changed meanwhile.
            PartUnreachableError, OSError: it cannot be read now.
        """

    @abstractmethod
    def copies(self, scratch: Path, between: Between) -> Copies:
        """Return what reads the photos and videos.

        Args:
            scratch: a directory for this run.
            between: as ``TgzFetcher`` wants it.
        """

    def known_identifier(self, name: str, size: int, crc: int | None) -> str | None:
        """Return the content identifier of a half of a Live Photo by its file's name, size and CRC-32, if known."""
        del name, size, crc
        return None

    def keep_identifier(self, name: str, size: int, crc: int | None, identifier: str) -> None:
        """Be told a content identifier that was read, for a shelf where reading is dear."""
        del name, size, crc, identifier

    @abstractmethod
    def require_presence(self) -> None:
        """Raise ``FatalError`` when the place itself is gone, and not only one part."""

    def lost(self) -> tuple[str, ...]:
        """Return the parts that went away while they were being read, each with its reason."""
        return ()
