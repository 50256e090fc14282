"""What Google says of a photo and what its bytes say, as one item."""

from __future__ import annotations

import mimetypes
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from syncengine.api import CaptureTime, Kind, MediaItem
from syncengine_plugins.media.filenames import capture_time_from_name
from syncengine_plugins.media.reading import merge_instant, read_media
from syncengine_plugins.media.sniff import kind_of

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

REENCODED = "a video as Google encoded it anew; the original is only in Takeout"


def item_name(filename: str, item_id: str, mime_type: str) -> str:
    """Return a file name without folders; where Google tells none, one of the item's id and type."""
    name = "".join("_" if character in "/\\\0" else character for character in filename).strip()
    if name.strip("."):
        return name
    safe_id = "".join(character for character in item_id if character.isalnum() or character in "-_")[:40]
    return f"{safe_id or 'unnamed'}{mimetypes.guess_extension(mime_type) or ''}"


def kind_from(mime_type: str, name: str) -> Kind:
    """Return the kind by Google's media type, else by the name."""
    return kind_of(name, mime_type)


def instant(moment: str) -> CaptureTime | None:
    """Return the capture time that an RFC 3339 timestamp names, or ``None`` when it is none.

    Google's are in UTC and say nothing of the zone in which the photo was taken.
    """
    try:
        at = datetime.fromisoformat(_fraction_cut(moment))
        utc = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
        return CaptureTime(origin="source", instant=(utc - _EPOCH) // _MILLISECOND)
    except (ValueError, OverflowError):
        return None


def camera_of(make: str, model: str) -> str:
    """Return make and model, the make once where the model begins with it."""
    make, model = make.strip(), model.strip()
    return model if model.casefold().startswith(make.casefold()) else f"{make} {model}".strip()


def without_addresses(value: Any) -> Any:
    """Return a copy of Google's JSON without the addresses that open bytes to whoever has them."""
    if isinstance(value, dict):
        return {
            key: without_addresses(inner)
            for key, inner in value.items()
            if not (isinstance(key, str) and key.lower().endswith("baseurl"))
        }
    return [without_addresses(inner) for inner in value] if isinstance(value, list) else value


def completed(item: MediaItem, path: Path) -> MediaItem:
    """Return the item with what its bytes say; what Google says wins, and the caption is Google's alone.

    Args:
        item: as listed.
        path: its bytes; where there is no file, the item is returned as it is.
    """
    if not path.is_file():
        return item
    facts = read_media(path, item.name)
    taken = facts.taken or capture_time_from_name(item.name)
    if item.taken is not None and item.taken.instant is not None:
        taken = merge_instant(item.taken.instant, facts.taken)
    return msgspec.structs.replace(
        item,
        taken=taken,
        exif_location=facts.exif_location,
        camera=item.camera or facts.camera,
        notes=tuple(dict.fromkeys((*item.notes, *facts.notes))),
    )


def _fraction_cut(moment: str) -> str:
    """Return a timestamp with at most six digits of a second; Google writes up to nine, Python reads six."""
    head, dot, tail = moment.partition(".")
    digits = len(tail) - len(tail.lstrip("0123456789"))
    return f"{head}.{tail[: min(digits, 6)]:0<6}{tail[digits:]}" if dot and digits else moment
