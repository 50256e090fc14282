"""What the Picker API is asked: sessions, and what was picked in them.

Reference: https://developers.google.com/photos/picker/reference/rest
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from syncengine.api import FatalError
from syncengine_plugins.google.call import Call
from syncengine_plugins.google.limits import PICKER
from syncengine_plugins.google.photos.paging import Page, pages
from syncengine_plugins.google.session import GoogleSession
from syncengine_plugins.sources.google_picker.records import PickingSession, read_picked

#: The most that Google lets a user pick at once.
MOST_ITEMS = 2000
_ITEMS_A_PAGE = 100
# What stands in a path must be one part of it, and neither ``.`` nor ``..``.
_SESSION_ID = re.compile(r"[A-Za-z0-9_\-=~.]{0,200}[A-Za-z0-9_\-=~]")
_WHAT = "the photos that were picked"


class PickerApi:
    """The Picker API. May be used from several threads.

    Args:
        session: signed in.
    """

    def __init__(self, session: GoogleSession) -> None:
        self._session = session
        self._root = f"{session.endpoints.picker}/v1"

    def create(self) -> PickingSession:
        """Open a picking session."""
        body = {"pickingConfig": {"maxItemCount": str(MOST_ITEMS)}}
        url = f"{self._root}/sessions"
        call = Call(what="a new picking session", url=url, method="POST", api=PICKER, body=body, tries=3)
        return _checked(self._session.json(call, PickingSession))

    def get(self, session_id: str) -> PickingSession:
        """Return how a session stands. Raises ``GoogleAnswerError`` (404) when it has ended."""
        call = Call(what="the picking session", url=f"{self._root}/sessions/{session_id}", api=PICKER)
        return _checked(self._session.json(call, PickingSession), session_id)

    def delete(self, session_id: str) -> None:
        """Close a session."""
        url = f"{self._root}/sessions/{session_id}"
        self._session.run(Call(what="the end of the picking session", url=url, method="DELETE", api=PICKER, tries=2))

    def items(self, session_id: str) -> Iterator[tuple[str, list[Any]]]:
        """Yield each page's token and JSON.

        Raises:
            FatalError: the list cannot be read to its end.
            GoogleAnswerError: 404, the session has ended.
        """
        return pages(self._session, lambda token: self._list(session_id, token))

    def addresses(self, session_id: str, token: str) -> dict[str, str]:
        """Return fresh addresses of the items on a page, by listing that page again; its order stays."""
        page = self._session.json(self._list(session_id, token), Page)
        records = [read_picked(raw) for raw in page.entries]
        return {record.id: record.media_file.base_url for record in records if record is not None}

    def _list(self, session_id: str, token: str) -> Call:
        params = [("sessionId", session_id), ("pageSize", str(_ITEMS_A_PAGE))]
        if token:
            params.append(("pageToken", token))
        return Call(what=_WHAT, url=f"{self._root}/mediaItems", api=PICKER, params=tuple(params))


def is_session_id(text: str) -> bool:
    """Return whether a text may stand in an address as a session's id."""
    return _SESSION_ID.fullmatch(text) is not None


def _checked(session: PickingSession, wanted: str = "") -> PickingSession:
    if not is_session_id(session.id) or (wanted and session.id != wanted):
        raise FatalError("Google answered with a picking session that is none", advice="run again later")
    return session
