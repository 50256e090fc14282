"""The ``google-drive-takeout`` source: Takeout archives in Google Drive, read where they lie."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from syncengine.api import Album, FatalError, Inventory, MediaItem, Meta, RunContext, Selection, Sink
from syncengine_plugins.google import scopes
from syncengine_plugins.google.source import GoogleOptions, GoogleSource
from syncengine_plugins.sources.google_drive_takeout.byte_ranges import StoppingError, UnreachableError
from syncengine_plugins.sources.google_drive_takeout.clean_stop import LATER, clean_stop
from syncengine_plugins.sources.google_drive_takeout.finished_archives import FinishedArchives
from syncengine_plugins.sources.google_drive_takeout.shelf import DriveShelf
from syncengine_plugins.sources.takeout.describing import describe
from syncengine_plugins.sources.takeout.fetching import Fetcher
from syncengine_plugins.sources.takeout.ingest import FOREIGN
from syncengine_plugins.sources.takeout.library import Library
from syncengine_plugins.sources.takeout.reading import Copy

_MOST_FAILURES = 10
_ADVICE = (
    "make an export at https://takeout.google.com with the delivery method 'Add to Drive' and .zip archives, wait until"
    " Google reports that it is done, and check `folder` if it is set"
)


class GoogleDriveTakeoutOptions(GoogleOptions, frozen=True, kw_only=True):
    """Google Takeout archives of Google Photos in Google Drive; only new photos are downloaded."""

    folder: Annotated[
        str,
        Meta(
            description="Name of the Drive folder with the archives, or `id:` and its id; empty finds everything in the"
            " Drive that is named takeout-*.zip or takeout-*.tgz."
        ),
    ] = ""
    trash_finished: Annotated[
        bool,
        Meta(
            description="Move archives to the trash of Google Drive once a run has read them wholly and `syncengine"
            " verify` has found everything intact; the sign-in then asks for the right to change files."
        ),
    ] = False


class GoogleDriveTakeoutSource(GoogleSource[GoogleDriveTakeoutOptions]):
    """Lists and reads the photos and videos of all exports in a Drive as one library."""

    Options = GoogleDriveTakeoutOptions

    def __init__(self, options: GoogleDriveTakeoutOptions) -> None:
        super().__init__(options)
        self._shelf: DriveShelf | None = None
        self._library: Library | None = None
        self._fetcher: Fetcher | None = None
        self._finished = FinishedArchives(Path())
        self._began = datetime.now(UTC)
        self._failures = 0
        self._lock = threading.Lock()

    def wanted_scopes(self) -> tuple[str, ...]:
        """Return the scopes that these options need: the one that reads Drive, or the one that may change it."""
        return (scopes.DRIVE_FULL,) if self.options.trash_finished else (scopes.DRIVE_READ,)

    def open(self, context: RunContext) -> None:
        """See ``Source``. Raises ``FatalError`` when nobody signed in, or when there is no archive."""
        super().open(context)
        shelf = self._shelf = DriveShelf(self.session, self.options.folder, context, self.clock)
        found = shelf.find()
        self._finished = FinishedArchives(context.cache / "read-archives.json")
        is_released = self.options.trash_finished and self._finished.were_released
        if not found.parts and not found.missing and not is_released:
            place = f"the Drive folder {self.options.folder!r}" if self.options.folder else "this Google Drive"
            raise FatalError(f"there are no archives of Google Takeout in {place}", advice=_ADVICE)
        library = self._library = Library(shelf, found, context)
        self._fetcher = Fetcher(shelf, library.archives, lambda: library.parts)

    def close(self) -> None:
        """See ``Source``."""
        if self._library is not None:
            self._library.close()
        if self._shelf is not None:
            self._shelf.close()
        self._library = self._fetcher = self._shelf = None
        super().close()

    def scan(self, select: Selection) -> Iterator[MediaItem]:
        """Yield every item, archives in the order of their members; see ``Source``."""
        library, shelf = self._opened
        self._began = datetime.now(UTC)
        shelf.bring_photos = select.is_empty
        with suppress(StoppingError), clean_stop("reading the archives in Google Drive"):
            yield from library.scan()

    def inventory(self) -> Inventory:
        """See ``Source``; counted as the ``takeout`` source does."""
        with clean_stop("reading the archives in Google Drive"):
            library, shelf = self._opened
            inventory = library.inventory()
            if self.options.trash_finished and inventory.complete:
                read = [part.path for part in library.parts.values() if not part.problem and part.kind != FOREIGN]
                self._finished.remember(self._began, shelf.files(read))
            return inventory

    @property
    def lets_go(self) -> bool:
        """See ``Source``."""
        return self.options.trash_finished

    def release_verified(self, run_started: datetime) -> list[str]:
        """Move the archives that the run has read to Drive's trash, where the options ask for it; see ``Source``."""
        if not self.options.trash_finished:
            return []
        with clean_stop("moving archives to the trash of Google Drive"):
            return self._finished.release(run_started, self.session, self._opened[1].listing)

    def albums(self) -> Iterator[Album]:
        """See ``Source``."""
        with clean_stop("reading the archives in Google Drive"):
            yield from self._opened[0].albums()

    def fetch(self, item: MediaItem, into: Sink) -> None:
        """Write the bytes of the first copy that can be read; see ``Source``.

        Raises:
            RetryableError: this copy turned out damaged, the next try reads it again, or another.
            ItemError: no copy can be read.
            FatalError: Google does not give anything any more.
        """
        if self._fetcher is None:
            raise FatalError("the google-drive-takeout source is not open")
        copies: tuple[Copy, ...] = item.locator or ()
        try:
            self._fetcher.fetch(copies, into)
        except UnreachableError as error:
            self._count(failed=True)
            if self._failures >= _MOST_FAILURES:
                raise FatalError(
                    f"Google Drive gave nothing {self._failures} times in a row: {error}", advice=LATER
                ) from error
            raise
        self._count(failed=False)

    def describe(self, item: MediaItem, path: Path) -> MediaItem:
        """See ``Source``."""
        return describe(item, path)

    def _count(self, *, failed: bool) -> None:
        with self._lock:
            self._failures = self._failures + 1 if failed else 0

    @property
    def _opened(self) -> tuple[Library, DriveShelf]:
        if self._library is None or self._shelf is None:
            raise FatalError("the google-drive-takeout source is not open")
        return self._library, self._shelf
