"""The Picker API's JSON as values, and what becomes of it.

Shapes: https://developers.google.com/photos/picker/reference/rest/v1/sessions and .../mediaItems.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from syncengine.api import Kind, MediaItem
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
_DURATION = re.compile(r"(\d{1,9})(\.\d{1,9})?s")
_KINDS = {"PHOTO": Kind.PHOTO, "VIDEO": Kind.VIDEO}


class PollingConfig(msgspec.Struct, frozen=True, rename="camel"):
    """How often to ask, and for how long; durations such as ``3.5s``."""

    poll_interval: str = ""
    timeout_in: str = ""


class PickingSession(msgspec.Struct, frozen=True, rename="camel"):
    """``PickingSession``. ``polling_config`` is there until the user is done."""

    id: str
    picker_uri: str = ""
    polling_config: PollingConfig | None = None
    expire_time: str = ""
    media_items_set: bool = False


class VideoMetadata(msgspec.Struct, frozen=True, rename="camel"):
    """``VideoMetadata``."""

    processing_status: str = ""


class FileMetadata(msgspec.Struct, frozen=True, rename="camel"):
    """``MediaFileMetadata``."""

    width: int = 0
    height: int = 0
    camera_make: str = ""
    camera_model: str = ""
    video_metadata: VideoMetadata | None = None


class MediaFile(msgspec.Struct, frozen=True, rename="camel"):
    """``MediaFile``."""

    base_url: str = ""
    mime_type: str = ""
    filename: str = ""
    media_file_metadata: FileMetadata = FileMetadata()


class PickedRecord(msgspec.Struct, frozen=True, rename="camel"):
    """``PickedMediaItem``. The id is the same in every session."""

    id: str
    create_time: str = ""
    type: str = ""
    media_file: MediaFile = MediaFile()


class Locator(msgspec.Struct, frozen=True):
    """How to fetch an item: where its bytes are, and whether a video is ready (``processingStatus``)."""

    addresses: Addresses
    status: str = ""


def read_picked(raw: Any) -> PickedRecord | None:
    """Return a picked item, or ``None`` for what cannot be one."""
    try:
        record = msgspec.convert(raw, PickedRecord, strict=False)
    except msgspec.ValidationError:
        return None
    return record if 0 < len(record.id) <= _LONGEST_ID else None


def item_of(raw: Any, record: PickedRecord, addresses: Addresses) -> MediaItem:
    """Return the item that a record stands for; the bytes of an id stay the same but for edits in Google Photos."""
    file = record.media_file
    metadata = file.media_file_metadata
    name = item_name(file.filename, record.id, file.mime_type)
    kind = _KINDS.get(record.type) or kind_from(file.mime_type, name)
    return MediaItem(
        id=record.id,
        name=name,
        kind=kind,
        content_token=f"{file.mime_type} {metadata.width}x{metadata.height}",
        metadata_token=f"{record.create_time} {file.filename}",
        taken=instant(record.create_time),
        camera=camera_of(metadata.camera_make, metadata.camera_model),
        origins=(f"google-picker:{record.id}",),
        notes=(REENCODED,) if kind is Kind.VIDEO else (),
        raw=without_addresses(raw),
        locator=Locator(addresses, metadata.video_metadata.processing_status if metadata.video_metadata else ""),
    )


def seconds(duration: str) -> float | None:
    """Return the seconds of a duration such as ``3.5s``, or ``None`` when it is none."""
    found = _DURATION.fullmatch(duration)
    return float(found[1] + (found[2] or "")) if found else None
