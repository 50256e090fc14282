"""Picking sessions, and the user who picks."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field

from syncengine.testing.google.control.clock import Clock
from syncengine.testing.google.photos.items import Photos
from syncengine.testing.google.wire.problems import ApiError, not_found

MOST_ITEMS = 2000
LIFE = 7 * 86400


@dataclass
class Session:
    """One session.

    Args:
        id: its id.
        account: whose it is.
        most: how many items may be picked.
        created: seconds since 1970.
        expires: seconds since 1970.
        picked: ids of items in their order; ``None`` until the user is done.
        polls: how often the client asked.
    """

    id: str
    account: str
    most: int
    created: float
    expires: float
    picked: list[str] | None = field(default=None)
    polls: int = 0


class PickingSessions:
    """The sessions, and what their user does.

    ``pick_at_poll``: at which ``sessions.get`` the user is done (``None``: only when ``pick`` says so).
    ``selection``: ids of what the user picks then (``None``: everything, newest first).
    ``poll_interval`` and ``timeout`` are in seconds; ``life`` too (how long a session lives is not documented).

    Args:
        photos: what can be picked.
        clock: by which sessions age.
    """

    def __init__(self, photos: Photos, clock: Clock) -> None:
        self._photos = photos
        self.clock = clock
        self._lock = threading.RLock()
        self._by_request: dict[str, str] = {}
        self.open: dict[str, Session] = {}
        self.pick_at_poll: int | None = None
        self.selection: list[str] | None = None
        self.poll_interval = 5.0
        self.timeout = 1800.0
        self.life = LIFE
        self.most_open = 100
        self.has_photos_account = True

    def create(self, account: str, most: int, request_id: str = "") -> Session:
        """Open a session.

        Args:
            account: whose.
            most: how many items may be picked; lowered to 2000.
            request_id: the same one gets the same session again.

        Raises:
            ApiError: ``FAILED_PRECONDITION``, no Photos account; ``RESOURCE_EXHAUSTED``, too many sessions.
        """
        with self._lock:
            again = self.open.get(self._by_request.get(request_id, "")) if request_id else None
            if again is not None:
                return again
            if not self.has_photos_account:
                raise ApiError(
                    400, "The user does not have an active Google Photos account.", word="FAILED_PRECONDITION"
                )
            if len([one for one in self.open.values() if one.account == account]) >= self.most_open:
                raise ApiError(429, "The user has too many sessions.")
            now = self.clock.now()
            session = Session(str(uuid.uuid4()), account, min(most or MOST_ITEMS, MOST_ITEMS), now, now + self.life)
            self.open[session.id] = session
            self._by_request[request_id] = session.id
        return session

    def find(self, session_id: str, account: str) -> Session:
        """A session that still lives.

        Raises:
            ApiError: 404, there is none of this user's.
        """
        session = self.open.get(session_id)
        if session is None or session.account != account or self.clock.now() >= session.expires:
            raise not_found("Requested entity was not found.")
        return session

    def poll(self, session: Session) -> None:
        """The client asks once more; the user may be done by now."""
        session.polls += 1
        done = self.pick_at_poll is not None and session.polls >= self.pick_at_poll
        if done and session.picked is None:
            self.pick(session.id)

    def pick(self, session_id: str = "", item_ids: Iterable[str] | None = None) -> Session:
        """The user picks and presses Done.

        Args:
            session_id: which session; empty means the newest one.
            item_ids: what is picked; ``None`` means ``selection``.

        Raises:
            LookupError: there is no such session or item.
        """
        with self._lock:
            session = self.open[session_id] if session_id else list(self.open.values())[-1]
            chosen = self.selection if item_ids is None else list(item_ids)
            if chosen is None:
                chosen = [item.id for item in self._photos.listed(app_created=False)]
            session.picked = [self._photos.items[one].id for one in chosen[: session.most]]
        return session

    def delete(self, session_id: str) -> None:
        """Forget a session."""
        with self._lock:
            self.open.pop(session_id, None)
