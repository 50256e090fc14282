"""Items, albums and picked items as JSON."""

from __future__ import annotations

from typing import Any

from syncengine.testing.google.control.clock import rfc3339
from syncengine.testing.google.photos.items import PhotoAlbum, PhotoItem, Photos
from syncengine.testing.google.photos.urls import MediaUrls
from syncengine.testing.google.wire.message import Request

PAGE = "https://photos.google.com/lr"


def item_resource(item: PhotoItem, urls: MediaUrls, request: Request) -> dict[str, Any]:
    """A ``MediaItem`` of the Library API: sizes are strings."""
    metadata: dict[str, Any] = {"width": str(item.width), "height": str(item.height)}
    if item.created is not None:
        metadata["creationTime"] = rfc3339(item.created).replace(".000Z", "Z")
    if item.is_video:
        metadata["video"] = {**item.camera, "status": item.status}
    else:
        metadata["photo"] = dict(item.camera)
    value: dict[str, Any] = {
        "id": item.id,
        "productUrl": f"{PAGE}/photo/{item.id}",
        "baseUrl": urls.base_url(request, item, "library"),
        "mimeType": item.mime_type,
        "mediaMetadata": metadata,
        "filename": item.filename,
    }
    return value | ({"description": item.description} if item.description else {})


def album_resource(album: PhotoAlbum, photos: Photos, urls: MediaUrls, request: Request) -> dict[str, Any]:
    """An ``Album`` of the Library API: the count is a string, and empty albums have neither count nor cover."""
    value: dict[str, Any] = {"id": album.id, "title": album.title, "productUrl": f"{PAGE}/album/{album.id}"}
    value["isWriteable"] = True
    cover = photos.items.get(album.cover or (album.items[0] if album.items else ""))
    if cover is not None:
        value["mediaItemsCount"] = str(len(album.items))
        value["coverPhotoBaseUrl"] = urls.base_url(request, cover, "library")
        value["coverPhotoMediaItemId"] = cover.id
    return value


def picked_resource(item: PhotoItem, urls: MediaUrls, request: Request) -> dict[str, Any]:
    """A ``PickedMediaItem`` of the Picker API: sizes are numbers."""
    camera = dict(item.camera)
    described: dict[str, Any] = {"width": item.width, "height": item.height}
    described |= {name: camera.pop(name) for name in ("cameraMake", "cameraModel") if name in camera}
    if item.is_video:
        described["videoMetadata"] = {**camera, "processingStatus": item.status}
    else:
        described["photoMetadata"] = camera
    value: dict[str, Any] = {"id": item.id, "type": "VIDEO" if item.is_video else "PHOTO"}
    if item.created is not None:
        value["createTime"] = rfc3339(item.created).replace(".000Z", "Z")
    value["mediaFile"] = {
        "baseUrl": urls.base_url(request, item, "picker"),
        "mimeType": item.mime_type,
        "filename": item.filename,
        "mediaFileMetadata": described,
    }
    return value
