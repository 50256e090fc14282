"""What writes into Photos: uploads, new items and albums."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import Any

from syncengine.testing.google.accounts import scopes
from syncengine.testing.google.content.bytes import BytesContent, Content
from syncengine.testing.google.photos.items import PhotoAlbum, PhotoItem, Photos
from syncengine.testing.google.photos.resources import album_resource, item_resource
from syncengine.testing.google.photos.urls import MediaUrls
from syncengine.testing.google.wire.message import Answer, Request, json_answer, text_answer
from syncengine.testing.google.wire.problems import bad_request
from syncengine.testing.google.wire.routing import LIBRARY, Route, route

UPLOAD_LIFE = 86400
APPEND = frozenset({scopes.LIBRARY_APPEND})
EDIT = frozenset({scopes.LIBRARY_EDIT})


@dataclass(frozen=True)
class Upload:
    """Bytes that wait to become an item.

    Args:
        content: the bytes.
        filename: from ``X-Goog-Upload-File-Name``; may be empty.
        mime_type: from ``X-Goog-Upload-Content-Type``; may be empty.
        expires: seconds since 1970.
    """

    content: Content
    filename: str
    mime_type: str
    expires: float


class WritingEndpoints:
    """What writes to ``photoslibrary.googleapis.com``.

    Args:
        photos: the user's items and albums.
        urls: makes ``baseUrl``.
    """

    def __init__(self, photos: Photos, urls: MediaUrls) -> None:
        self._photos = photos
        self._urls = urls
        self._uploads: dict[str, Upload] = {}
        self._known: dict[str, str] = {}

    def routes(self) -> list[Route]:
        """Their addresses."""
        items, albums = "/v1/mediaItems", "/v1/albums"
        both = APPEND | EDIT
        writing = [
            ("uploads", "POST", "/v1/uploads", self.upload, APPEND),
            ("mediaItems.batchCreate", "POST", f"{items}:batchCreate", self.batch_create, APPEND),
            ("mediaItems.patch", "PATCH", f"{items}/{{id}}", self.patch_item, EDIT),
            ("albums.create", "POST", albums, self.create_album, APPEND),
            ("albums.patch", "PATCH", f"{albums}/{{id}}", self.patch_album, EDIT),
            ("albums.batchAddMediaItems", "POST", f"{albums}/{{id}}:batchAddMediaItems", self.add_items, both),
            ("albums.batchRemoveMediaItems", "POST", f"{albums}/{{id}}:batchRemoveMediaItems", self.remove_items, EDIT),
        ]
        return [
            route(f"library.{name}", verb, LIBRARY, path, do, scopes=needed) for name, verb, path, do, needed in writing
        ]

    def upload(self, request: Request) -> Answer:
        """Take bytes and hand a token out, as plain text."""
        if request.headers.get("x-goog-upload-protocol", "") != "raw":
            raise bad_request("Only the raw upload protocol is emulated.")
        if not request.body:
            raise bad_request("The upload is empty.")
        token = secrets.token_urlsafe(80)
        self._uploads[token] = Upload(
            BytesContent(request.body),
            request.headers.get("x-goog-upload-file-name", ""),
            request.headers.get("x-goog-upload-content-type", ""),
            self._photos.clock.now() + UPLOAD_LIFE,
        )
        return text_answer(token, kind="text/plain")

    def batch_create(self, request: Request) -> Answer:
        """Make items of uploads, at most 50."""
        body = request.json()
        wanted = body.get("newMediaItems") or []
        if not wanted or len(wanted) > 50:
            raise bad_request("Request must have less than 50 items.")
        album = self._photos.own_album(str(body["albumId"])) if body.get("albumId") else None
        results = [self._create(one, album, request) for one in wanted]
        return json_answer({"newMediaItemResults": results}, 200 if all("mediaItem" in one for one in results) else 207)

    def create_album(self, request: Request) -> Answer:
        """Make an album."""
        title = str((request.json().get("album") or {}).get("title", ""))
        if not title or len(title) > 500:
            raise bad_request("The album's title is missing or longer than 500 characters.")
        return json_answer(album_resource(self._photos.add_album(title), self._photos, self._urls, request))

    def patch_item(self, request: Request) -> Answer:
        """Change an item's description."""
        item = self._photos.own_item(request.parts["id"])
        if request.one("updateMask") != "description":
            raise bad_request("Only the description can be changed.")
        item.description = str(request.json().get("description", ""))
        return json_answer(item_resource(item, self._urls, request))

    def patch_album(self, request: Request) -> Answer:
        """Change an album's title or cover."""
        album, body = self._photos.own_album(request.parts["id"]), request.json()
        wanted = request.one("updateMask").replace("_", "").lower().split(",")
        if not set(wanted) <= {"title", "coverphotomediaitemid"}:
            raise bad_request("Only the title and the cover can be changed.")
        if "title" in wanted:
            album.title = str(body.get("title", ""))
        if "coverphotomediaitemid" in wanted:
            album.cover = str(body.get("coverPhotoMediaItemId", ""))
        return json_answer(album_resource(album, self._photos, self._urls, request))

    def add_items(self, request: Request) -> Answer:
        """Put items into an album, all or none."""
        album, wanted = self._photos.own_album(request.parts["id"]), self._wanted(request)
        album.items += [one for one in wanted if one not in album.items]
        return json_answer({})

    def remove_items(self, request: Request) -> Answer:
        """Take items out of an album, all or none."""
        album, wanted = self._photos.own_album(request.parts["id"]), self._wanted(request)
        if not set(wanted) <= set(album.items):
            raise bad_request("Request contains an invalid media item id.")
        album.items = [one for one in album.items if one not in wanted]
        return json_answer({})

    def _create(self, new: dict[str, Any], album: PhotoAlbum | None, request: Request) -> dict[str, Any]:
        """One new item, or why there is none."""
        simple = new.get("simpleMediaItem") or {}
        token = str(simple.get("uploadToken", ""))
        upload = self._uploads.pop(token, None)
        if upload is None or self._photos.clock.now() >= upload.expires:
            return {"uploadToken": token, "status": {"code": 3, "message": "NOT_IMAGE"}}
        item = self._item_of(upload, str(simple.get("fileName") or upload.filename or "upload.jpg"))
        item.description = str(new.get("description", "")) or item.description
        if album is not None and item.id not in album.items:
            album.items.append(item.id)
        value = item_resource(item, self._urls, request)
        return {"uploadToken": token, "status": {"message": "Success"}, "mediaItem": value}

    def _item_of(self, upload: Upload, filename: str) -> PhotoItem:
        """The item of some bytes: the same bytes are the same item, which keeps its first name."""
        digest = hashlib.sha256(upload.content.read(0, upload.content.size)).hexdigest()
        known = self._photos.items.get(self._known.get(digest, ""))
        if known is None:
            known = self._photos.add(filename, upload.content, mime_type=upload.mime_type)
            self._known[digest] = known.id
        return known

    def _wanted(self, request: Request) -> list[str]:
        """The items of a request, at most 50, each of them known.

        Raises:
            ApiError: 400.
        """
        wanted = [str(one) for one in request.json().get("mediaItemIds") or []]
        if not 1 <= len(wanted) <= 50 or not set(wanted) <= self._photos.items.keys():
            raise bad_request("Request contains an invalid media item id.")
        return wanted
