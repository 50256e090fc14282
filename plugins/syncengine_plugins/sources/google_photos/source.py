"""The ``google-photos`` source: what the user's own OAuth client uploaded to Google Photos."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec

from syncengine.api import (
    Album,
    AlbumRef,
    CredentialStore,
    FatalError,
    Inventory,
    ItemError,
    MediaItem,
    Meta,
    RunContext,
    Selection,
    SignedIn,
    SignInScreen,
    SignInWay,
    Sink,
)
from syncengine_plugins.google.answers import GoogleAnswerError
from syncengine_plugins.google.limits import LIBRARY_BYTES
from syncengine_plugins.google.photos.addresses import Addresses
from syncengine_plugins.google.photos.entries import Locator
from syncengine_plugins.google.photos.facts import completed
from syncengine_plugins.google.photos.fetching import PhotoFetcher, refuse_unready
from syncengine_plugins.google.scopes import LIBRARY_READ
from syncengine_plugins.google.source import GoogleOptions, GoogleSource
from syncengine_plugins.sources.google_photos import questions
from syncengine_plugins.sources.google_photos.library_api import BATCH, LibraryApi
from syncengine_plugins.sources.google_photos.notebook import Notebook
from syncengine_plugins.sources.google_photos.records import PhotoRecord, item_of, read_album, read_photo
from syncengine_plugins.sources.google_photos.tally import Tally

#: What the user should know before counting on this source; said at every sign-in.
ONLY_OWN_UPLOADS = (
    "since 2025-03-31 Google shows an app only the photos and albums that the app itself uploaded: everything else in "
    "the library is invisible here; for a whole library use google-drive-takeout or takeout"
)
_KEPT_AT_ONCE = 100


class GooglePhotosOptions(GoogleOptions, frozen=True):
    """Options of the ``google-photos`` source."""

    list_all: Annotated[
        bool,
        Meta(
            description="List the whole library even where 'select' wants a part of it: the account then covers "
            "everything, and it takes more of the 10,000 requests that Google allows a day."
        ),
    ] = False


class GooglePhotosSource(GoogleSource[GooglePhotosOptions]):
    """Lists what the Library API shows. Bytes are photos without their place, and videos that Google encoded anew."""

    Options = GooglePhotosOptions

    def __init__(self, options: GooglePhotosOptions) -> None:
        super().__init__(options)
        self._tally = Tally()

    def wanted_scopes(self) -> tuple[str, ...]:
        """Return the scope that reads what the app created."""
        return (LIBRARY_READ,)

    def sign_in(self, store: CredentialStore, screen: SignInScreen, *, way: SignInWay = "browser") -> SignedIn:
        """Sign in, and say what this source cannot see."""
        done = super().sign_in(store, screen, way=way)
        return msgspec.structs.replace(done, warnings=(*done.warnings, ONLY_OWN_UPLOADS))

    def open(self, context: RunContext) -> None:
        """Open a session; touches no network. Raises ``FatalError`` when nobody signed in."""
        super().open(context)
        self._api = LibraryApi(self.session)
        self._fetcher = PhotoFetcher(self.session, LIBRARY_BYTES, bearer=False)

    def scan(self, select: Selection) -> Iterator[MediaItem]:
        """Yield the items, newest first; of selected albums, album by album.

        Unless ``list_all`` is set, Google is only asked for what ``select`` may want: its albums, or else its dates,
        its kind, the favourites; the inventory says so.
        """
        tally = self._tally = Tally(select if not self.options.list_all else Selection())
        with Notebook(self.context.scratch) as notes:
            self._note_favorites(notes)
            begun = self.clock.steady()
            self._note_albums(notes, tally)
            if tally.narrowed.albums:
                for entries in notes.kept(_KEPT_AT_ONCE):
                    yield from self._items(entries, notes, tally, begun)
            else:
                for entries in self._search("the list of photos", questions.selected(tally.narrowed)):
                    yield from self._items(entries, notes, tally, None)

    def inventory(self) -> Inventory:
        """Return the totals of the last scan, and what was left out."""
        return self._tally.inventory()

    def fetch(self, item: MediaItem, into: Sink) -> None:
        """Write the bytes of a photo (``=d``), or of a video as Google encoded it (``=dv``)."""
        if not isinstance(item.locator, Locator):
            raise ItemError(f"{item.name} was not listed in this run")
        refuse_unready(item.name, item.locator.status)
        self._fetcher.fetch(item, item.locator.addresses, into)

    def describe(self, item: MediaItem, path: Path) -> MediaItem:
        """Return the item with what its bytes say; what Google says wins."""
        return completed(item, path)

    def albums(self) -> Iterator[Album]:
        """Yield every album that the app created."""
        seen = set[str]()
        try:
            for raw in self._api.albums():
                album = read_album(raw)
                if album is not None and album.id not in seen:
                    seen.add(album.id)
                    yield album
        except GoogleAnswerError as error:
            raise _refused(error) from None

    def _note_favorites(self, notes: Notebook) -> None:
        for entries in self._search("the list of favourites", questions.FAVORITES):
            notes.note_favorites(_records(entries))

    def _note_albums(self, notes: Notebook, tally: Tally) -> None:
        """Note who is in which album; where only some albums are wanted, keep what is in them."""
        for album in self.albums():
            ref = AlbumRef(album.id, album.title)
            if not tally.narrowed.wants_album(ref):
                continue
            tally.albums += 1
            place = notes.open_album(ref)
            try:
                for entries in self._api.search(f"album {album.title!r}", questions.in_album(album.id)):
                    if self.context.stopping():
                        return
                    notes.note_members(place, _records(entries))
                    if tally.narrowed.albums:
                        notes.keep(entries)
            except GoogleAnswerError as error:
                tally.missing.append(f"album {album.title!r}: {error.reason}")

    def _search(self, what: str, question: Mapping[str, Any]) -> Iterator[list[Any]]:
        try:
            for entries in self._api.search(what, question):
                if self.context.stopping():
                    return
                yield entries
        except GoogleAnswerError as error:
            raise _refused(error) from None

    def _items(self, entries: Sequence[Any], notes: Notebook, tally: Tally, since: float | None) -> Iterator[MediaItem]:
        read = [(raw, record) for raw in entries if (record := read_photo(raw)) is not None]
        tally.unreadable += len(entries) - len(read)
        found = {record.id: record.base_url for _, record in read}
        addresses = Addresses(found, _Renewal(self._api, tuple(found)), self.clock, since=since)
        for raw, record in read:
            if notes.is_new(record.id):
                item = item_of(raw, record, notes.standing(record.id), addresses)
                tally.count(item.kind)
                yield item


class _Renewal:
    """Asks for the addresses of listed items again, 50 at a time."""

    def __init__(self, api: LibraryApi, item_ids: tuple[str, ...]) -> None:
        self._api = api
        self._ids = item_ids

    def __call__(self, item_id: str) -> Mapping[str, str]:
        """Return the address of an item, and of those beside it."""
        begin = self._ids.index(item_id) // BATCH * BATCH
        try:
            return self._api.addresses(self._ids[begin : begin + BATCH])
        except GoogleAnswerError:
            # one of them may be what Google cannot make sense of
            return self._api.addresses((item_id,))


def _refused(error: GoogleAnswerError) -> FatalError:
    return FatalError(error.reason, advice="what was stored stays; run again later")


def _records(entries: Sequence[Any]) -> list[PhotoRecord]:
    return [record for record in map(read_photo, entries) if record is not None]
