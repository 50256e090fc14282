"""What the Library API is asked: albums, searches, and items by id.

Reference: https://developers.google.com/photos/library/reference/rest
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from syncengine_plugins.google.call import Call
from syncengine_plugins.google.limits import LIBRARY
from syncengine_plugins.google.photos.paging import pages
from syncengine_plugins.google.session import GoogleSession
from syncengine_plugins.sources.google_photos.records import BatchAnswer, read_photo

_ITEMS_A_PAGE = 100
_ALBUMS_A_PAGE = 50
#: How many items ``batchGet`` gives at once.
BATCH = 50


class LibraryApi:
    """The Library API, for reading. May be used from several threads.

    Args:
        session: signed in.
    """

    def __init__(self, session: GoogleSession) -> None:
        self._session = session
        self._root = f"{session.endpoints.library}/v1"

    def albums(self) -> Iterator[Any]:
        """Yield the JSON of every album. Raises ``FatalError`` when the list cannot be read to its end."""

        def call(token: str) -> Call:
            params = [("pageSize", str(_ALBUMS_A_PAGE)), *([("pageToken", token)] if token else [])]
            return Call(what="the list of albums", url=f"{self._root}/albums", api=LIBRARY, params=tuple(params))

        for _, entries in pages(self._session, call):
            yield from entries

    def search(self, what: str, question: Mapping[str, Any]) -> Iterator[list[Any]]:
        """Yield the JSON of the items that a question finds, page by page.

        Args:
            what: what is asked for, for messages.
            question: ``albumId`` or ``filters``; the same for all pages.

        Raises:
            FatalError: the list cannot be read to its end.
            GoogleAnswerError: 404, there is no such album.
        """

        def call(token: str) -> Call:
            body = {**question, "pageSize": _ITEMS_A_PAGE, **({"pageToken": token} if token else {})}
            return Call(what=what, url=f"{self._root}/mediaItems:search", method="POST", api=LIBRARY, body=body)

        for _, entries in pages(self._session, call):
            yield entries

    def addresses(self, item_ids: Sequence[str]) -> dict[str, str]:
        """Return fresh addresses of up to 50 items; those that are gone are left out."""
        params = tuple(("mediaItemIds", item_id) for item_id in item_ids)
        call = Call(
            what="new addresses of photos", url=f"{self._root}/mediaItems:batchGet", api=LIBRARY, params=params, tries=2
        )
        answer = self._session.json(call, BatchAnswer)
        records = [read_photo(result.media_item) for result in answer.media_item_results or ()]
        wanted = set(item_ids)
        return {record.id: record.base_url for record in records if record is not None and record.id in wanted}
