"""Completes what sidecars say about an item with what its bytes and its name say."""

from __future__ import annotations

from pathlib import Path

import msgspec

from syncengine.api import Kind, MediaItem


def describe(item: MediaItem, path: Path) -> MediaItem:
    """Return ``item`` with capture time, zone, place by the file and camera, as far as they can be known.

    The sidecar's capture time is an instant without a zone; together with the wall clock of the file it tells the day
    on which the photo was taken, there. Without a sidecar's time the file's counts, then its name's.
    """
    # Imported here: a run without new photos describes none.
    from syncengine_plugins.media.filenames import capture_time_from_name
    from syncengine_plugins.media.reading import merge_instant, read_media

    facts = read_media(path, item.name)
    known = item.taken.instant if item.taken is not None else None
    taken = facts.taken or capture_time_from_name(item.name) if known is None else merge_instant(known, facts.taken)
    return msgspec.structs.replace(
        item,
        kind=facts.kind if item.kind is Kind.OTHER else item.kind,
        taken=taken,
        exif_location=facts.exif_location or item.exif_location,
        camera=facts.camera,
        notes=(*item.notes, *(note for note in facts.notes if note not in item.notes)),
    )
