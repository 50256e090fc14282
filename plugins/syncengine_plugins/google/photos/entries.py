"""An entry of one of Google's lists of photos, and the item that it stands for; the same for every such list."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

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


class Entry(Protocol):
    """Whatever Google lists has an id."""

    @property
    def id(self) -> str:
        """Google's."""
        ...


EntryT = TypeVar("EntryT", bound=Entry)


class Locator(msgspec.Struct, frozen=True):
    """How to fetch an item: where its bytes are, and whether a video is ready (``READY`` and the like)."""

    addresses: Addresses
    status: str = ""


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """What every list says of a photo or video, in Google's words.

    Args:
        id: the same for ever.
        filename: may be empty.
        mime_type: of the bytes.
        created: when it was taken, RFC 3339.
        width: pixels.
        height: pixels.
        camera_make: of what took it.
        camera_model: likewise.
        status: of a video's processing.
        kind: where the list tells it by more than the media type.
    """

    id: str
    filename: str
    mime_type: str
    created: str
    width: int = 0
    height: int = 0
    camera_make: str = ""
    camera_model: str = ""
    status: str = ""
    kind: Kind | None = None


def read_entry(raw: Any, kind: type[EntryT]) -> EntryT | None:
    """Return an entry as a value, or ``None`` for what cannot be one."""
    try:
        entry = msgspec.convert(raw, kind, strict=False)
    except msgspec.ValidationError:
        return None
    return entry if 0 < len(entry.id) <= _LONGEST_ID else None


def listed_item(raw: Any, shown: Shown, addresses: Addresses, *, api: str, metadata_token: str) -> MediaItem:
    """Return the item that an entry stands for.

    The bytes of an id stay the same, but for edits in Google Photos; those mostly show in the size of the picture.

    Args:
        raw: the entry, untouched.
        shown: what it says.
        addresses: where its bytes are.
        api: the source's name, for its origin.
        metadata_token: changes with whatever else is known of it.
    """
    name = item_name(shown.filename, shown.id, shown.mime_type)
    kind = shown.kind or kind_from(shown.mime_type, name)
    return MediaItem(
        id=shown.id,
        name=name,
        kind=kind,
        content_token=f"{shown.mime_type} {shown.width}x{shown.height}",
        metadata_token=metadata_token,
        taken=instant(shown.created),
        camera=camera_of(shown.camera_make, shown.camera_model),
        origins=(f"{api}:{shown.id}",),
        notes=(REENCODED,) if kind is Kind.VIDEO else (),
        raw=without_addresses(raw),
        locator=Locator(addresses, shown.status),
    )
