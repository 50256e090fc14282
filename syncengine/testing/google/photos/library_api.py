"""Photos Library API v1 as it has been since 2025-03-31: what the app itself created, and nothing else."""

from __future__ import annotations

from typing import Any

from syncengine.testing.google.accounts import scopes
from syncengine.testing.google.photos import search
from syncengine.testing.google.photos.items import PhotoItem, Photos
from syncengine.testing.google.photos.resources import album_resource, item_resource
from syncengine.testing.google.photos.urls import MediaUrls
from syncengine.testing.google.wire.message import Answer, Request, json_answer
from syncengine.testing.google.wire.paging import page, page_size
from syncengine.testing.google.wire.problems import ApiError, bad_request, because
from syncengine.testing.google.wire.routing import LIBRARY, Route, route

READ = frozenset({scopes.LIBRARY_READ})
_SHARING = frozenset({*scopes.ALL_PHOTOS, *scopes.LIBRARY_REMOVED})


class LibraryEndpoints:
    """What reads ``photoslibrary.googleapis.com``.

    Args:
        photos: the user's items and albums.
        urls: makes ``baseUrl``.
    """

    def __init__(self, photos: Photos, urls: MediaUrls) -> None:
        self._photos = photos
        self._urls = urls

    def routes(self) -> list[Route]:
        """Their addresses."""
        items, albums, shared = "/v1/mediaItems", "/v1/albums", "/v1/sharedAlbums"
        reading = [
            ("mediaItems.list", "GET", items, self.list_items),
            ("mediaItems.search", "POST", f"{items}:search", self.search),
            ("mediaItems.batchGet", "GET", f"{items}:batchGet", self.batch_get),
            ("mediaItems.get", "GET", f"{items}/{{id}}", self.get),
            ("albums.list", "GET", albums, self.albums),
            ("albums.get", "GET", f"{albums}/{{id}}", self.album),
        ]
        gone = [
            ("GET", shared),
            ("GET", f"{shared}/{{id}}"),
            ("POST", f"{shared}:join"),
            ("POST", f"{shared}:leave"),
            ("POST", f"{albums}/{{id}}:share"),
            ("POST", f"{albums}/{{id}}:unshare"),
        ]
        return [
            *(route(f"library.{name}", verb, LIBRARY, path, do, scopes=READ) for name, verb, path, do in reading),
            *(route("library.sharing", verb, LIBRARY, path, self.sharing, scopes=_SHARING) for verb, path in gone),
        ]

    def list_items(self, request: Request) -> Answer:
        """All items, newest first."""
        size = page_size(request, request.number("pageSize", 25), 25, 100)
        return self._page(request, self._photos.listed(), size, request.one("pageToken"), None)

    def search(self, request: Request) -> Answer:
        """The items of an album, or those that filters find."""
        body = request.json()
        search.check(body)
        question = {name: value for name, value in body.items() if name not in ("pageSize", "pageToken")}
        size = page_size(request, _integer(body.get("pageSize", 25)), 25, 100)
        if body.get("albumId"):
            album = self._photos.own_album(str(body["albumId"]))
            found = [self._photos.items[one] for one in album.items if one in self._photos.items]
        else:
            passes = search.tests(body.get("filters") or {})
            found = [item for item in self._photos.listed() if all(test(item) for test in passes)]
        if body.get("orderBy") == "MediaMetadata.creation_time":
            found.reverse()
        return self._page(request, found, size, str(body.get("pageToken") or ""), question)

    def get(self, request: Request) -> Answer:
        """One item."""
        return json_answer(item_resource(self._photos.own_item(request.parts["id"]), self._urls, request))

    def batch_get(self, request: Request) -> Answer:
        """Up to 50 items, each found or not, in the order of the request."""
        wanted = request.query.get("mediaItemIds", [])
        if not 1 <= len(wanted) <= 50:
            raise bad_request("Request must have between 1 and 50 media item ids.")
        if len(set(wanted)) != len(wanted):
            raise bad_request("Request must not have duplicate media item ids.")
        return json_answer({"mediaItemResults": [self._result(one, request) for one in wanted]})

    def albums(self, request: Request) -> Answer:
        """All albums."""
        size = page_size(request, request.number("pageSize", 20), 20, 50)
        mine = [album for album in list(self._photos.albums.values()) if album.app_created]
        some, more = page(request, mine, size, request.one("pageToken"))
        return _named("albums", [album_resource(album, self._photos, self._urls, request) for album in some], more)

    def album(self, request: Request) -> Answer:
        """One album."""
        album = self._photos.own_album(request.parts["id"])
        return json_answer(album_resource(album, self._photos, self._urls, request))

    def sharing(self, request: Request) -> Answer:
        """What was taken away on 2025-03-31."""
        raise because("insufficientPermissions")

    def _page(self, request: Request, found: list[PhotoItem], size: int, token: str, question: Any) -> Answer:
        """A page of items."""
        some, more = page(request, found, size, token, question)
        return _named("mediaItems", [item_resource(item, self._urls, request) for item in some], more)

    def _result(self, item_id: str, request: Request) -> dict[str, Any]:
        """One entry of ``batchGet``."""
        try:
            return {"mediaItem": item_resource(self._photos.own_item(item_id), self._urls, request)}
        except ApiError as error:
            return {"status": {"code": 5, "message": error.message}}


def _named(name: str, resources: list[dict[str, Any]], more: dict[str, str]) -> Answer:
    """A page; an empty one has no list at all."""
    return json_answer(({name: resources} if resources else {}) | more)


def _integer(value: Any) -> int:
    """A number of a JSON body.

    Raises:
        ApiError: 400, it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise bad_request("Invalid value at 'page_size' (TYPE_INT32).")
    return value
