"""The Picker API's JSON as values, and what becomes of it.

Shapes: https://developers.google.com/photos/picker/reference/rest/v1/sessions and .../mediaItems.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from syncengine.api import Kind, MediaItem
from syncengine_plugins.google.photos.addresses import Addresses
from syncengine_plugins.google.photos.entries import Shown, listed_item, read_entry

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


def read_picked(raw: Any) -> PickedRecord | None:
    """Return a picked item, or ``None`` for what cannot be one."""
    return read_entry(raw, PickedRecord)


def item_of(raw: Any, record: PickedRecord, addresses: Addresses) -> MediaItem:
    """Return the item that a record stands for."""
    file = record.media_file
    metadata = file.media_file_metadata
    shown = Shown(
        id=record.id,
        filename=file.filename,
        mime_type=file.mime_type,
        created=record.create_time,
        width=metadata.width,
        height=metadata.height,
        camera_make=metadata.camera_make,
        camera_model=metadata.camera_model,
        status=metadata.video_metadata.processing_status if metadata.video_metadata else "",
        kind=_KINDS.get(record.type),
    )
    token = f"{record.create_time} {file.filename}"
    return listed_item(raw, shown, addresses, api="google-picker", metadata_token=token)


def seconds(duration: str) -> float | None:
    """Return the seconds of a duration such as ``3.5s``, or ``None`` when it is none."""
    found = _DURATION.fullmatch(duration)
    return float(found[1] + (found[2] or "")) if found else None
