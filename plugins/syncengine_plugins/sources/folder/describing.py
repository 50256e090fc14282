"""Completes an item from its bytes and its sidecars: capture time, place, caption, people, camera."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from syncengine.api import CaptureTime, Kind, MediaItem
from syncengine_plugins.media.filenames import capture_time_from_name
from syncengine_plugins.media.reading import MediaFacts, read_media
from syncengine_plugins.sources.folder.names import path_of
from syncengine_plugins.sources.folder.sidecars import SidecarFacts, read_sidecars


def complete(item: MediaItem, path: Path, root: str) -> MediaItem:
    """Return the item with what its file and its sidecars say.

    Args:
        item: as listed; its locator holds the names of its sidecars.
        path: the file's bytes.
        root: the source's root, for sidecars and for the still of a Live Photo.

    Returns:
        The capture time is that of EXIF, else of the movie header, else of XMP or a Takeout sidecar, else of the still
        that a movie belongs to, else of the file's name, else the file's mtime; its origin says which.
    """
    facts = read_media(path, item.name)
    directory = os.path.dirname(f"{root}/{path_of(item.id) or ''}")
    beside = read_sidecars(directory, item.locator) if item.locator else SidecarFacts()
    return msgspec.structs.replace(
        item,
        kind=facts.kind if facts.media_type else item.kind,
        taken=_taken(item, facts, beside, root),
        description=beside.description or facts.description,
        location=beside.location,
        exif_location=facts.exif_location or beside.exif_location,
        people=beside.people,
        favorite=beside.favorite,
        states=beside.states,
        camera=facts.camera,
        notes=tuple(dict.fromkeys((*item.notes, *facts.notes, *beside.notes))),
        raw=beside.raw,
    )


def _taken(item: MediaItem, facts: MediaFacts, beside: SidecarFacts, root: str) -> CaptureTime | None:
    return (
        facts.taken or beside.taken or _time_of_still(item, root) or capture_time_from_name(item.name) or _mtime(item)
    )


def _time_of_still(item: MediaItem, root: str) -> CaptureTime | None:
    """Return the time of the still that a movie without a time of its own belongs to."""
    still = path_of(item.paired_with) if item.kind is Kind.VIDEO and item.paired_with else None
    return read_media(Path(root, still), os.path.basename(still)).taken if still is not None else None


def _mtime(item: MediaItem) -> CaptureTime | None:
    """Return the mtime as it was listed, which stands in the content token."""
    _, _, nanoseconds = item.content_token.partition(":")
    return CaptureTime(origin="mtime", instant=int(nanoseconds) // 1_000_000) if nanoseconds else None
