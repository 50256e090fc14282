"""Photos Picker API v1: sessions and what was picked in them."""

from __future__ import annotations

from typing import Any

from syncengine.testing.google.accounts import scopes
from syncengine.testing.google.control.clock import rfc3339
from syncengine.testing.google.photos.items import Photos
from syncengine.testing.google.photos.resources import picked_resource
from syncengine.testing.google.photos.sessions import MOST_ITEMS, PickingSessions, Session
from syncengine.testing.google.photos.urls import MediaUrls
from syncengine.testing.google.wire.message import Answer, Request, json_answer, text_answer
from syncengine.testing.google.wire.paging import page, page_size
from syncengine.testing.google.wire.problems import ApiError, bad_request, not_found
from syncengine.testing.google.wire.routing import MEDIA, PHOTOS, PICKER, Route, route

READ = frozenset({scopes.PICKER})


class PickerEndpoints:
    """What ``photospicker.googleapis.com`` answers.

    Args:
        sessions: the sessions.
        photos: what can be picked.
        urls: makes ``baseUrl``.
    """

    def __init__(self, sessions: PickingSessions, photos: Photos, urls: MediaUrls) -> None:
        self._sessions = sessions
        self._photos = photos
        self._urls = urls

    def routes(self) -> list[Route]:
        """Their addresses, and the page on which the user picks."""
        one = "/v1/sessions/{id}"
        return [
            route("picker.sessions.create", "POST", PICKER, "/v1/sessions", self.create, scopes=READ),
            route("picker.sessions.get", "GET", PICKER, one, self.get, scopes=READ),
            route("picker.sessions.delete", "DELETE", PICKER, one, self.delete, scopes=READ),
            route("picker.mediaItems.list", "GET", PICKER, "/v1/mediaItems", self.list_items, scopes=READ),
            route("user.pick", "GET", PHOTOS, "/picker/{id}", self.pick),
            route("user.pick", "GET", PHOTOS, "/picker/{id}/autoclose", self.pick),
        ]

    def create(self, request: Request) -> Answer:
        """Open a session."""
        wanted = (request.json().get("pickingConfig") or {}).get("maxItemCount", str(MOST_ITEMS))
        if not str(wanted).isdigit():
            raise bad_request("Invalid value at 'session.picking_config.max_item_count' (TYPE_INT64).")
        session = self._sessions.create(request.account, int(wanted), request.one("requestId"))
        return json_answer(self._resource(session, request))

    def get(self, request: Request) -> Answer:
        """How a session stands."""
        session = self._sessions.find(request.parts["id"], request.account)
        self._sessions.poll(session)
        return json_answer(self._resource(session, request))

    def delete(self, request: Request) -> Answer:
        """Close a session."""
        self._sessions.delete(self._sessions.find(request.parts["id"], request.account).id)
        return json_answer({})

    def list_items(self, request: Request) -> Answer:
        """What was picked, in one order for good."""
        if not request.one("sessionId"):
            raise bad_request("The session ID is required.")
        session = self._sessions.find(request.one("sessionId"), request.account)
        if session.picked is None:
            message = "The user has not finished picking media items."
            raise ApiError(400, message, word="FAILED_PRECONDITION")
        size = page_size(request, request.number("pageSize", 50), 50, 100)
        some, token = page(request, session.picked, size, request.one("pageToken"), session.id)
        items = [self._photos.items[one] for one in some if one in self._photos.items]
        found = [picked_resource(item, self._urls, request) for item in items]
        return json_answer(({"mediaItems": found} if found else {}) | token)

    def pick(self, request: Request) -> Answer:
        """The page on which the user picks: opening it picks the selection. It is dead after Done."""
        session = self._sessions.open.get(request.parts["id"])
        if session is None or session.picked is not None:
            raise not_found("This link does not work any more.")
        self._sessions.pick(session.id)
        return text_answer(f"<h1>Done</h1><p>{len(session.picked or [])} items were picked.</p>")

    def _resource(self, session: Session, request: Request) -> dict[str, Any]:
        """A session's JSON; polling advice is there until the user is done."""
        value: dict[str, Any] = {
            "id": session.id,
            "pickerUri": f"{request.base(PHOTOS)}/picker/{session.id}",
            "expireTime": rfc3339(session.expires),
            "pickingConfig": {"maxItemCount": str(session.most)},
        }
        if session.picked is not None:
            return value | {"mediaItemsSet": True}
        left = max(self._sessions.timeout - (self._sessions.clock.now() - session.created), 0)
        interval = _duration(self._sessions.poll_interval)
        return value | {"pollingConfig": {"pollInterval": interval, "timeoutIn": _duration(left)}}


class MediaEndpoints:
    """What ``lh3.googleusercontent.com`` answers.

    Args:
        urls: opens the names.
    """

    def __init__(self, urls: MediaUrls) -> None:
        self._urls = urls

    def routes(self) -> list[Route]:
        """Their addresses: only the Picker's need a token."""
        return [
            route("media.library", "GET", MEDIA, "/lr/{name}", lambda request: self._urls.open(request, "library")),
            route(
                "media.picker",
                "GET",
                MEDIA,
                "/ppa/{name}",
                lambda request: self._urls.open(request, "picker"),
                scopes=READ,
            ),
        ]


def _duration(seconds: float) -> str:
    """A duration as Google's JSON has it."""
    return f"{seconds:.9f}".rstrip("0").rstrip(".") + "s"
