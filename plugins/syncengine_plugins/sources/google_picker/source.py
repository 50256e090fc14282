"""The ``google-picker`` source: what a person picks on Google's own page."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from syncengine.api import (
    Album,
    CredentialStore,
    FatalError,
    Inventory,
    ItemError,
    Kind,
    MediaItem,
    RunContext,
    Selection,
    SignedIn,
    SignInScreen,
    SignInWay,
    Sink,
)
from syncengine_plugins.google.answers import GoogleAnswerError
from syncengine_plugins.google.limits import PICKER_BYTES
from syncengine_plugins.google.photos.addresses import Addresses
from syncengine_plugins.google.photos.entries import Locator
from syncengine_plugins.google.photos.facts import completed
from syncengine_plugins.google.photos.fetching import PhotoFetcher, refuse_unready
from syncengine_plugins.google.scopes import PICKER_READ
from syncengine_plugins.google.source import GoogleOptions, GoogleSource
from syncengine_plugins.sources.google_picker.invitation import PLAINLY
from syncengine_plugins.sources.google_picker.memory import Memory, OpenSession
from syncengine_plugins.sources.google_picker.picker_api import PickerApi
from syncengine_plugins.sources.google_picker.picking import Picking
from syncengine_plugins.sources.google_picker.records import item_of, read_picked

_LOG = logging.getLogger(__name__)
#: In so many runs what failed is tried; then the session is closed, whatever is left.
_MOST_ROUNDS = 3


class GooglePickerOptions(GoogleOptions, frozen=True):
    """Options of the ``google-picker`` source."""


class GooglePickerSource(GoogleSource[GooglePickerOptions]):
    """Lists what was picked. A session whose picks were not all fetched is taken up again by the next run."""

    Options = GooglePickerOptions

    def __init__(self, options: GooglePickerOptions) -> None:
        super().__init__(options)
        self._memory: Memory | None = None
        self._picked: OpenSession | None = None
        self._wanted: set[str] = set()
        self._failed: set[str] = set()
        self._videos = self._listed = self._unreadable = 0
        self._read_to_end = False

    def wanted_scopes(self) -> tuple[str, ...]:
        """Return the scope that reads what is picked."""
        return (PICKER_READ,)

    def sign_in(self, store: CredentialStore, screen: SignInScreen, *, way: SignInWay = "browser") -> SignedIn:
        """Sign in, and say what is lost on this way."""
        done = super().sign_in(store, screen, way=way)
        return msgspec.structs.replace(done, warnings=(*done.warnings, PLAINLY))

    def open(self, context: RunContext) -> None:
        """Open a session; touches no network. Raises ``FatalError`` when nobody signed in."""
        super().open(context)
        self._memory = Memory(context.cache)
        self._api = PickerApi(self.session)
        self._picking = Picking(self._api, self.session, self._memory, self.clock, context)
        self._fetcher = PhotoFetcher(self.session, PICKER_BYTES, bearer=True)

    def close(self) -> None:
        """Close the picking session if it has served its purpose, and let go; may be called twice."""
        memory, self._memory = self._memory, None
        try:
            if memory is not None:
                self._conclude(memory)
        except FatalError as error:  # what was stored is stored; the next run takes the picking up again
            _LOG.warning("%s", error)
        finally:
            if memory is not None:
                memory.close()
            self._picked = None
            super().close()

    def scan(self, select: Selection) -> Iterator[MediaItem]:
        """Wait until somebody picked, the first time; then yield the picks in their order."""
        self._wanted, self._read_to_end = set(), False
        self._videos = self._listed = self._unreadable = 0
        if self._picked is None:
            self._picked = self._picking.picked()
        if self._picked is None:
            return
        seen = set[str]()
        try:
            for token, entries in self._api.items(self._picked.id):
                if self.context.stopping():
                    return
                for item in self._items(self._picked.id, token, entries):
                    if item.id not in seen:
                        seen.add(item.id)
                        self._count(item, select)
                        yield item
        except GoogleAnswerError as error:
            raise _session_gone(error) from None
        self._read_to_end = True

    def inventory(self) -> Inventory:
        """Return the totals of the picking, and what is still to be fetched of it."""
        warnings = [PLAINLY[0].upper() + PLAINLY[1:]] if self._listed else []
        if left := len(self._memory.not_fetched(self._wanted)) if self._memory is not None else 0:
            warnings.append(f"{left:,} of the picked items are not fetched; the next run tries the same picks again")
        lost = f"{self._unreadable:,} picked items that Google lists in a way that makes no sense"
        missing = (lost,) if self._unreadable else ()
        counts = {"items": self._listed, "media": self._listed, "videos": self._videos}
        return Inventory(
            complete=not missing,
            missing=missing,
            counts=counts,
            warnings=tuple(warnings),
            partial=True,  # A picking says nothing about what was not picked.
        )

    def fetch(self, item: MediaItem, into: Sink) -> None:
        """Write the bytes of a photo (``=d``), or of a video as Google encoded it (``=dv``)."""
        if not isinstance(item.locator, Locator) or self._memory is None:
            raise ItemError(f"{item.name} was not picked in this run")
        try:
            refuse_unready(item.name, item.locator.status)
            self._fetcher.fetch(item, item.locator.addresses, into)
        except ItemError:
            self._failed.add(item.id)
            raise
        self._memory.note_fetched(item.id)

    def describe(self, item: MediaItem, path: Path) -> MediaItem:
        """Return the item with what its bytes say; what Google says wins."""
        return completed(item, path)

    def albums(self) -> Iterator[Album]:
        """Yield nothing: the Picker tells no albums."""
        return iter(())

    def _items(self, session_id: str, token: str, entries: list[object]) -> Iterator[MediaItem]:
        read = [(raw, record) for raw in entries if (record := read_picked(raw)) is not None]
        self._unreadable += len(entries) - len(read)
        found = {record.id: record.media_file.base_url for _, record in read}
        addresses = Addresses(found, _Renewal(self._api, session_id, token), self.clock)
        for raw, record in read:
            yield item_of(raw, record, addresses)

    def _count(self, item: MediaItem, select: Selection) -> None:
        self._listed += 1
        self._videos += item.kind is Kind.VIDEO
        if select.rejects(item, self.context.zone, described=False) is None:
            self._wanted.add(item.id)

    def _conclude(self, memory: Memory) -> None:
        """Close the session when its picks are fetched, or what is left fails again and again; else keep it."""
        if self._picked is None or not self._read_to_end:
            return
        left = memory.not_fetched(self._wanted)
        if left - self._failed:  # interrupted, a rehearsal, or limited: they are still to be tried
            return
        rounds = self._picked.rounds + 1
        if left and rounds < _MOST_ROUNDS:
            memory.keep(OpenSession(self._picked.id, rounds))
            return
        memory.forget()
        try:
            self._api.delete(self._picked.id)
        except (ItemError, FatalError) as error:
            _LOG.warning("the picking session could not be closed, and ends by itself: %s", error)


class _Renewal:
    """Asks for the addresses of picked items again, page by page."""

    def __init__(self, api: PickerApi, session_id: str, token: str) -> None:
        self._api = api
        self._session_id = session_id
        self._token = token

    def __call__(self, item_id: str) -> Mapping[str, str]:
        """Return the address of an item, and of those on its page."""
        try:
            return self._api.addresses(self._session_id, self._token)
        except GoogleAnswerError as error:
            if error.status == 404:
                raise _session_gone(error) from None
            raise


def _session_gone(error: GoogleAnswerError) -> FatalError:
    return FatalError(
        f"the picking session has ended at Google before everything was fetched ({error.reason})",
        advice="run again and pick what is missing; what is stored is not fetched again",
    )
