"""What a record knows of its content beyond the bytes, so that a path can be made of it without reading anything."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import msgspec

from syncengine.api import Asset, CaptureTime, Kind, MediaItem
from syncengine.engine.metadata_file import MetadataFile
from syncengine.engine.safe_names import split_extension
from syncengine.model import TimeOrigin
from syncengine.records import ContentRecord

#: Of an item that is not as a source has listed it.
NOT_LISTED = ""


def with_facts(record: ContentRecord, document: MetadataFile, name: str) -> ContentRecord:
    """Return a record with what its metadata file says.

    Args:
        record: of the content.
        document: its metadata file.
        name: name that it is stored under before a layout makes a path of it.
    """
    taken = document.taken
    return msgspec.structs.replace(
        record,
        stored_name="" if name == record.name else name,
        kind=document.kind,
        camera=document.camera,
        taken=None if taken is None else (taken.origin, taken.instant, taken.wall, taken.offset),
    )


def has_facts(record: ContentRecord) -> bool:
    """Whether the record itself knows what a path is made of; records of older versions do not."""
    return bool(record.kind)


def stored_name(record: ContentRecord) -> str:
    """Return the name that a content is stored under before a layout makes a path of it."""
    if record.stored_name or has_facts(record) or record.stored_sha256 == record.source_sha256:
        return record.stored_name or record.name
    # A record of an older version: a transform has mostly changed nothing but the extension.
    return split_extension(record.name)[0] + split_extension(record.path)[1]


def capture_time(record: ContentRecord) -> CaptureTime | None:
    """Return the capture time, or ``None`` when nobody knows it."""
    if record.taken is None:
        return None
    origin, instant, wall, offset = record.taken
    if instant is None and wall is None:
        return None
    return CaptureTime(origin=cast(TimeOrigin, origin), instant=instant, wall=wall, offset=offset)


def item_of(record: ContentRecord) -> MediaItem:
    """Return the item that a content was stored for, as far as the record knows it."""
    return MediaItem(
        id=record.item,
        name=record.name,
        kind=Kind(record.kind or Kind.PHOTO),
        content_token=NOT_LISTED,
        taken=capture_time(record),
        albums=record.albums,
        camera=record.camera,
        origins=record.origins,
    )


def stored_asset(record: ContentRecord) -> Asset:
    """Return the stored file as an asset without bytes."""
    item = item_of(record)
    name = stored_name(record)
    return Asset(
        path=Path(), name=name, kind=item.kind, item=item, size=record.stored_size, sha256=record.stored_sha256
    )


def original_asset(record: ContentRecord) -> Asset:
    """Return the untouched original as an asset without bytes."""
    item = item_of(record)
    return Asset(
        path=Path(), name=record.name, kind=item.kind, item=item, size=record.source_size, sha256=record.source_sha256
    )
