"""The Library API's JSON as values, and what becomes of it.

Shapes: https://developers.google.com/photos/library/reference/rest/v1/mediaItems; 64-bit numbers come as strings.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from syncengine.api import Album, AlbumRef, Kind, MediaItem
from syncengine_plugins.google.photos.addresses import Addresses
from syncengine_plugins.google.photos.facts import (
    REENCODED,
    camera_of,
    instant,
    item_name,
    kind_from,
    without_addresses,
)

_LONGEST_ID = 1000


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


class Locator(msgspec.Struct, frozen=True):
    """How to fetch an item: where its bytes are, and whether a video is ready (``video.status``)."""

    addresses: Addresses
    status: str = ""


def read_photo(raw: Any) -> PhotoRecord | None:
    """Return a listed item, or ``None`` for what cannot be one."""
    try:
        record = msgspec.convert(raw, PhotoRecord, strict=False)
    except msgspec.ValidationError:
        return None
    return record if 0 < len(record.id) <= _LONGEST_ID else None


def read_album(raw: Any) -> Album | None:
    """Return a listed album, or ``None`` for what cannot be one."""
    try:
        record = msgspec.convert(raw, AlbumRecord, strict=False)
    except msgspec.ValidationError:
        return None
    if not 0 < len(record.id) <= _LONGEST_ID:
        return None
    return Album(id=record.id, title=record.title, count=max(record.media_items_count, 0), raw=without_addresses(raw))


def item_of(raw: Any, record: PhotoRecord, standing: Standing, addresses: Addresses) -> MediaItem:
    """Return the item that a record stands for.

    The bytes of an id stay the same, but for edits in Google Photos; those mostly show in the size of the picture.
    """
    name = item_name(record.filename, record.id, record.mime_type)
    metadata = record.media_metadata
    kind = kind_from(record.mime_type, name)
    shot = metadata.video or metadata.photo or Shot()
    names = [record.filename, record.description, metadata.creation_time, standing.favorite]
    return MediaItem(
        id=record.id,
        name=name,
        kind=kind,
        content_token=f"{record.mime_type} {metadata.width}x{metadata.height}",
        metadata_token=_fingerprint([*names, *sorted(album.id for album in standing.albums)]),
        taken=instant(metadata.creation_time),
        description=record.description,
        favorite=standing.favorite,
        albums=standing.albums,
        camera=camera_of(shot.camera_make, shot.camera_model),
        origins=(f"google-photos:{record.id}",),
        notes=(REENCODED,) if kind is Kind.VIDEO else (),
        raw=without_addresses(raw),
        locator=Locator(addresses, metadata.video.status if metadata.video else ""),
    )


def _fingerprint(facts: list[Any]) -> str:

    return hashlib.sha256(msgspec.json.encode(facts)).hexdigest()[:32]
