"""Metadata files and XMP sidecars made again from the state, for those that are lost or damaged."""

from __future__ import annotations

import mimetypes
from datetime import tzinfo
from pathlib import Path

import msgspec

from syncengine.api import AppliedTransform, Asset, CaptureTime, Kind, MediaItem
from syncengine.engine import metadata_file
from syncengine.engine.metadata_file import MetadataFile
from syncengine.records import ContentRecord

NOTE = "this file was lost and made again from what the state remembers"


def document_of(record: ContentRecord, source: str, zone: tzinfo) -> MetadataFile:
    """Return the metadata file of a content, as far as the state knows it.

    Args:
        record: the content's.
        source: the source plugin's name.
        zone: for the local time.
    """
    is_video = (mimetypes.guess_type(record.name)[0] or "").startswith("video/")
    taken = CaptureTime(origin="mtime", instant=round(record.mtime * 1000)) if record.mtime is not None else None
    item = MediaItem(
        id=record.item,
        name=record.name,
        kind=Kind.VIDEO if is_video else Kind.PHOTO,
        content_token=record.content.hex(),
        taken=taken,
        albums=record.albums,
        origins=record.origins,
        notes=(NOTE, record.failure) if record.failure else (NOTE,),
    )
    fetched = Asset(
        path=Path(),
        name=record.name,
        kind=item.kind,
        item=item,
        sha256=record.source_sha256,
        size=record.source_size,
    )
    stored = msgspec.structs.replace(
        fetched, sha256=record.stored_sha256, size=record.stored_size, applied=_applied(record.recipe)
    )
    return metadata_file.describe(
        source, stored, fetched, path=record.path, original_path=record.original_path, zone=zone
    )


def _applied(recipe: str) -> tuple[AppliedTransform, ...]:
    """Return the transforms that a recipe names, as the metadata file tells of them."""
    try:
        stages = msgspec.json.decode(recipe, type=list[tuple[str, dict[str, msgspec.Raw]]]) if recipe else []
    except msgspec.MsgspecError:
        return ()
    return tuple(AppliedTransform(name=name) for name, _ in stages)
