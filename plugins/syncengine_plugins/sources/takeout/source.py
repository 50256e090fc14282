"""The ``takeout`` source: Google Takeout archives, read where they lie."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec

from syncengine.api import (
    Album,
    FatalError,
    Inventory,
    MediaItem,
    Meta,
    PluginOptions,
    RunContext,
    Selection,
    Sink,
    Source,
)
from syncengine_plugins.sources.takeout.describing import describe
from syncengine_plugins.sources.takeout.fetching import Fetcher
from syncengine_plugins.sources.takeout.library import Library
from syncengine_plugins.sources.takeout.local_shelf import LocalShelf
from syncengine_plugins.sources.takeout.reader import TakeoutReader, without_nonce
from syncengine_plugins.sources.takeout.reading import Copy

_ADVICE = "download the archives of Google Takeout (takeout-*.zip) into it, or set `path` to where they are"


class TakeoutOptions(PluginOptions, frozen=True, kw_only=True):
    """Google Takeout archives of Google Photos: any mixture of zip and tgz parts and unpacked exports."""

    path: Annotated[
        str,
        Meta(min_length=1, description="Folder that holds the archives or unpacked exports, or one single archive."),
    ]
    reread: Annotated[
        bool,
        Meta(
            description="Read the bytes of every photo again, instead of trusting that one of the same title, size and"
            " checksum in the archive is the same."
        ),
    ] = False


class TakeoutSource(Source[TakeoutOptions]):
    """Lists and reads the photos and videos of all exports in a folder as one library."""

    Options = TakeoutOptions
    reads_local_disk = True

    def __init__(self, options: TakeoutOptions) -> None:
        super().__init__(options)
        self._library: Library | None = None
        self._fetcher: Fetcher | None = None
        # Differs in every run, so that no recorded token equals it; `describe` takes it off again.
        self._nonce = f"!{secrets.token_hex(4)}" if options.reread else ""

    def open(self, context: RunContext) -> None:
        """See ``Source``. Raises ``FatalError`` when there is no Takeout at the path."""
        super().open(context)
        root = Path(self.options.path).expanduser()
        shelf = LocalShelf(root)
        found = shelf.find()
        if not found.missing and not any(shelf.is_takeout(part) for part in found.parts):
            wanted = "takeout-*.zip, takeout-*.tgz, or an unpacked Takeout folder"
            raise FatalError(f"there is no Google Takeout in {root}: looked for {wanted}", advice=_ADVICE)
        library = self._library = Library(shelf, found, context)
        self._fetcher = Fetcher(shelf, library.archives, lambda: library.parts)

    def close(self) -> None:
        """See ``Source``."""
        if self._library is not None:
            self._library.close()
        self._library = self._fetcher = None

    def scan(self, select: Selection) -> Iterator[MediaItem]:
        """Yield every item, archives in the order of their members; see ``Source``."""
        del select
        for item in self._opened.scan():
            yield msgspec.structs.replace(item, content_token=item.content_token + self._nonce) if self._nonce else item

    def inventory(self) -> Inventory:
        """See ``Source``; every member of every part is in exactly one of ``media``, ``sidecars``, ``album files``,
        ``other``, ``refused`` and ``directories``, which add up to ``members``; ``items`` and ``copies`` to ``media``.
        """
        return self._opened.inventory()

    def albums(self) -> Iterator[Album]:
        """See ``Source``."""
        return self._opened.albums()

    def fetch(self, item: MediaItem, into: Sink) -> None:
        """Write the bytes of the first copy that can be read; see ``Source``.

        Raises:
            RetryableError: this copy turned out damaged, the next try reads another.
            ItemError: no copy can be read.
            FatalError: the archives are gone.
        """
        copies: tuple[Copy, ...] = item.locator or ()
        self._opened_fetcher.fetch(copies, into)

    def describe(self, item: MediaItem, path: Path) -> MediaItem:
        """See ``Source``."""
        return describe(without_nonce(item, self._nonce), path)

    def reader(self) -> TakeoutReader | None:
        """Return what reads zips and folders elsewhere; the members of a tgz are read one after the other, here."""
        parts = self._opened.parts
        if any(part.kind == "tgz" for part in parts.values()):
            return None
        return TakeoutReader(parts, self._nonce)

    @property
    def _opened(self) -> Library:
        if self._library is None:
            raise FatalError("the takeout source is not open")
        return self._library

    @property
    def _opened_fetcher(self) -> Fetcher:
        if self._fetcher is None:
            raise FatalError("the takeout source is not open")
        return self._fetcher
