"""The Library API's JSON as values, and what becomes of it.

Shapes: https://developers.google.com/photos/library/reference/rest/v1/mediaItems; 64-bit numbers come as strings.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from syncengine.api import Album, AlbumRef, MediaItem
from syncengine_plugins.google.photos.addresses import Addresses
from syncengine_plugins.google.photos.entries import Shown, listed_item, read_entry
from syncengine_plugins.google.photos.facts import without_addresses


class Shot(msgspec.Struct, frozen=True, rename="camel"):
    """``Photo`` or ``Video``: what took it. Only a video has a status."""

    camera_make: str = ""
    camera_model: str = ""
    status: str = ""


class Metadata(msgspec.Struct, frozen=True, rename="camel"):
    """``MediaMetadata``."""

    creation_time: str = ""
    width: int = 0
    height: int = 0
    photo: Shot | None = None
    video: Shot | None = None


class PhotoRecord(msgspec.Struct, frozen=True, rename="camel"):
    """``MediaItem``."""

    id: str
    filename: str = ""
    description: str = ""
    mime_type: str = ""
    base_url: str = ""
    media_metadata: Metadata = Metadata()


class AlbumRecord(msgspec.Struct, frozen=True, rename="camel"):
    """``Album``; an empty one has no count."""

    id: str
    title: str = ""
    media_items_count: int = 0


class BatchResult(msgspec.Struct, frozen=True, rename="camel"):
    """One entry of the answer to ``batchGet``: an item, or a status that says why there is none."""

    media_item: Any = None


class BatchAnswer(msgspec.Struct, frozen=True, rename="camel"):
    """The answer to ``batchGet``."""

    media_item_results: list[BatchResult] | None = None


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an item besides its own record: its albums, in order, and whether the user marked it."""

    albums: tuple[AlbumRef, ...] = ()
    favorite: bool = False


def read_photo(raw: Any) -> PhotoRecord | None:
    """Return a listed item, or ``None`` for what cannot be one."""
    return read_entry(raw, PhotoRecord)


def read_album(raw: Any) -> Album | None:
    """Return a listed album, or ``None`` for what cannot be one."""
    record = read_entry(raw, AlbumRecord)
    if record is None:
        return None
    return Album(id=record.id, title=record.title, count=max(record.media_items_count, 0), raw=without_addresses(raw))


def item_of(raw: Any, record: PhotoRecord, standing: Standing, addresses: Addresses) -> MediaItem:
    """Return the item that a record stands for."""
    metadata = record.media_metadata
    shot = metadata.video or metadata.photo or Shot()
    shown = Shown(
        id=record.id,
        filename=record.filename,
        mime_type=record.mime_type,
        created=metadata.creation_time,
        width=metadata.width,
        height=metadata.height,
        camera_make=shot.camera_make,
        camera_model=shot.camera_model,
        status=metadata.video.status if metadata.video else "",
    )
    names = [record.filename, record.description, metadata.creation_time, standing.favorite]
    token = _fingerprint([*names, *sorted(album.id for album in standing.albums)])
    return msgspec.structs.replace(
        listed_item(raw, shown, addresses, api="google-photos", metadata_token=token),
        description=record.description,
        favorite=standing.favorite,
        albums=standing.albums,
    )


def _fingerprint(facts: list[Any]) -> str:
    return hashlib.sha256(msgspec.json.encode(facts)).hexdigest()[:32]
