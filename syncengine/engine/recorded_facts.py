"""What a record knows of its content beyond the bytes, so that a path can be made of it without reading anything."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import cast

import msgspec

from syncengine.api import Asset, CaptureTime, Kind, MediaItem
from syncengine.engine.metadata_file import MetadataFile, album_refs
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


def record_of(document: MetadataFile, content: bytes, profile: str) -> ContentRecord:
    """Return the record of a content as its metadata file tells it; who else holds it is not told, so it is a guess.

    A failed transform leaves the untouched file and a remark. What else the last remark may have been, the run that
    goes through the file again finds the same bytes in place and changes nothing.

    Args:
        document: the metadata file.
        content: the key of the content.
        profile: that stored it, or empty.

    Raises:
        ValueError: it has something else where a hash belongs.
    """
    record = ContentRecord(
        content=content,
        path=document.stored.path,
        source_sha256=bytes.fromhex(document.original.sha256),
        stored_sha256=bytes.fromhex(document.stored.sha256),
        source_size=document.original.size,
        stored_size=document.stored.size,
        mtime=_timestamp(document),
        item=document.source.id,
        name=document.name,
        profile=profile,
        albums=album_refs(document),
        origins=document.source.origins,
        failure=document.notes[-1] if document.notes and not document.transforms else "",
        guessed=True,
    )
    stem, extension = split_extension(document.name)[0], split_extension(document.stored.path)[1]
    return with_facts(record, document, stem + extension if document.transforms else document.name)


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


def _timestamp(document: MetadataFile) -> float | None:
    taken = document.taken
    if taken is None:
        return None
    if taken.instant is not None:
        return taken.instant / 1000
    try:
        return datetime.fromisoformat(taken.local).timestamp()
    except (ValueError, OverflowError):
        return None
