"""Reading a list of Google's page by page, without trusting it to end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from syncengine.api import FatalError, ItemError
from syncengine_plugins.google.answers import GoogleAnswerError
from syncengine_plugins.google.call import Call
from syncengine_plugins.google.session import GoogleSession

_MOST_EMPTY = 200
_AGAIN = "what was stored stays; run again later"


class Page(msgspec.Struct, frozen=True, rename="camel"):
    """A page of any of the lists of the Photos APIs; only ``next_page_token`` tells whether there is more.

    What is listed is kept as it came: one entry that makes no sense must not cost the whole page.
    """

    media_items: list[Any] | None = None
    albums: list[Any] | None = None
    next_page_token: str | None = None

    @property
    def entries(self) -> list[Any]:
        """What is listed."""
        return self.media_items or self.albums or []


def pages(session: GoogleSession, first: Callable[[str], Call]) -> Iterator[tuple[str, list[Any]]]:
    """Yield each page's token and entries; pages without entries are passed over.

    Args:
        session: asks.
        first: gives the request for the page with a token; an empty token stands for the first page.

    Raises:
        FatalError: the list cannot be read to its end.
        GoogleAnswerError: 404, there is no such list.
    """
    token, seen, empty = "", set[int](), 0
    while True:
        call = first(token)
        try:
            page = session.json(call, Page)
        except ItemError as error:
            if isinstance(error, GoogleAnswerError) and error.status == 404:
                raise
            raise FatalError(f"{call.what} cannot be read to its end: {error.reason}", advice=_AGAIN) from None
        if page.entries:
            yield token, page.entries
        empty = 0 if page.entries else empty + 1
        token = page.next_page_token or ""
        if not token:
            return
        # an empty page may well be followed by itself, until it is filled
        if (page.entries and hash(token) in seen) or empty > _MOST_EMPTY:
            raise FatalError(f"{call.what} goes round in circles at Google", advice=_AGAIN)
        seen.add(hash(token))
