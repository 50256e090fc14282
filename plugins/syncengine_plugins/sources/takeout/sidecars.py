"""Reads one JSON member of a Takeout: a photo's sidecar, an album, or something else, told apart by content.

Field names and their traps: ``photoTakenTime`` is UTC without a zone and may be "0", missing or negative; ``geoData``
of 0, 0 means no place; flags are present only when true; localised ``formatted`` strings are never read.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from syncengine.api import ItemState, Location

MAX_BYTES = 4 * 1024 * 1024
"""A sidecar has about 1 KB; the largest album JSON, with all its comments, some 100 KB."""

MAX_DEPTH = 64
"""Real ones nest five deep; deeper ones would break whoever writes ``raw`` again."""

_EARLIEST = -4544208000  # 1826-01-01T00:00:00Z, the year of the first photograph
_LATEST = 7258118400  # 2200-01-01T00:00:00Z
_WHOLE_NUMBER = re.compile(r"[+-]?[0-9]{1,12}", re.ASCII)
_SURROGATE = re.compile("[\ud800-\udfff]")
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
_FLAGS = (("archived", ItemState.ARCHIVED), ("trashed", ItemState.TRASHED), ("inLockedFolder", ItemState.LOCKED))
_ASSET_FIELDS = frozenset({"photoTakenTime", "imageViews", "googlePhotosOrigin", "geoDataExif", "creationTime"})
_ALBUM_FIELDS = frozenset({"access", "enrichments", "sharedAlbumComments"})
_PHOTO_URL = "https://photos.google.com/photo/"


class AssetSidecar(msgspec.Struct, frozen=True, kw_only=True):
    """What Google knows of one photo or video.

    Args:
        title: original file name, never cut and without counter; empty when unknown; may lack an extension.
        instant: capture time, milliseconds since the epoch in UTC; None when missing, zero or absurd.
        created: when it came into Google Photos, likewise.
        description: the user's caption.
        location: the place by the user's or Google's word.
        exif_location: the place by the file's own metadata.
        people: names of the people in it.
        favorite: marked by the user.
        states: archived, trashed, locked, partner-shared.
        url: the item's page in Google Photos.
        raw: the JSON as it was; only what JSON in UTF-8 cannot say (lone surrogates, NaN, huge numbers) is replaced.
    """

    title: str = ""
    instant: int | None = None
    created: int | None = None
    description: str = ""
    location: Location | None = None
    exif_location: Location | None = None
    people: tuple[str, ...] = ()
    favorite: bool = False
    states: tuple[ItemState, ...] = ()
    url: str = ""
    raw: dict[str, Any] = {}


class AlbumJson(msgspec.Struct, frozen=True, kw_only=True):
    """What Google knows of one album.

    Args:
        title: as the user wrote it; may be empty.
        description: the album's text.
        instant: its date, milliseconds since the epoch in UTC.
        access: ``protected``, ``shared`` or empty.
        raw: the JSON as it was, as in ``AssetSidecar``.
    """

    title: str = ""
    description: str = ""
    instant: int | None = None
    access: str = ""
    raw: dict[str, Any] = {}


class OtherJson(msgspec.Struct, frozen=True, kw_only=True):
    """A JSON that describes no photo and no album; ``reason`` says what it is or why it cannot be read."""

    reason: str


def parse_json(data: bytes) -> AssetSidecar | AlbumJson | OtherJson:
    """Read a JSON member of a Takeout.

    Args:
        data: its bytes, in UTF-8, -16 or -32, with or without byte order mark.

    Returns:
        A photo's sidecar, an album, or something else with the reason. Nothing is raised for any input; a field of the
        wrong type counts as missing.
    """
    if len(data) > MAX_BYTES:
        return OtherJson(reason=f"larger than {MAX_BYTES // 1024 // 1024} MB, so no sidecar")
    try:
        content = _decode(data)
    except (ValueError, RecursionError) as error:
        return OtherJson(reason="nested too deeply" if isinstance(error, RecursionError) else "not JSON")
    if not isinstance(content, dict):
        return OtherJson(reason="not a JSON object")
    if "externalOrderId" in content:
        return OtherJson(reason="print order")
    if not _ASSET_FIELDS.isdisjoint(content) or _text(content, "url").startswith(_PHOTO_URL):
        return _asset(content)
    return _album(content)


def _asset(content: dict[str, Any]) -> AssetSidecar:
    return AssetSidecar(
        title=_text(content, "title"),
        instant=_instant(content, "photoTakenTime"),
        created=_instant(content, "creationTime"),
        description=_text(content, "description"),
        location=_location(content.get("geoData")),
        exif_location=_location(content.get("geoDataExif")),
        people=_people(content.get("people")),
        favorite=content.get("favorited") is True,
        states=tuple(_states(content)),
        url=_text(content, "url"),
        raw=content,
    )


def _album(content: dict[str, Any]) -> AlbumJson | OtherJson:
    wrapped = content.get("albumData")
    album = wrapped if isinstance(wrapped, dict) else content
    untitled = album is wrapped or ("date" in album and not _ALBUM_FIELDS.isdisjoint(album))
    if not isinstance(album.get("title"), str) and not untitled:
        return OtherJson(reason="neither photo nor album")
    return AlbumJson(
        title=_text(album, "title"),
        description=_text(album, "description"),
        instant=_instant(album, "date"),
        access=_text(album, "access"),
        raw=content,
    )


def _decode(data: bytes) -> Any:
    """Parse JSON into values that any JSON encoder can write again as UTF-8."""
    text = data.decode(json.detect_encoding(data), "replace")
    content = json.loads(text, parse_int=_integer, parse_float=_real, parse_constant=_constant)
    if text.count("{") + text.count("[") > MAX_DEPTH and _depth(content) > MAX_DEPTH:
        raise RecursionError
    return _without_surrogates(content) if _SURROGATE_ESCAPE.search(text) else content


def _integer(digits: str) -> int | str:
    """Return the number, or its digits where it takes more than 64 bits."""
    if len(digits) > 20 or not -(2**63) <= int(digits) < 2**64:
        return digits
    return int(digits)


def _real(digits: str) -> float | str:
    number = float(digits)
    return number if math.isfinite(number) else digits


def _constant(_name: str) -> None:
    return None


def _depth(content: Any) -> int:
    depth, level = 0, [content]
    while level and depth <= MAX_DEPTH:
        level = [
            child
            for value in level
            if isinstance(value, dict | list)
            for child in (value.values() if isinstance(value, dict) else value)
        ]
        depth += 1
    return depth


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_without_surrogates(child) for child in value]
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(child) for key, child in value.items()}
    return value


def _text(content: dict[str, Any], field: str) -> str:
    value = content.get(field)
    return value if isinstance(value, str) else ""


def _instant(content: dict[str, Any], field: str) -> int | None:
    """Return milliseconds since the epoch from ``{field: {"timestamp": "1562163725"}}``."""
    time = content.get(field)
    seconds = time.get("timestamp") if isinstance(time, dict) else None
    if isinstance(seconds, str) and _WHOLE_NUMBER.fullmatch(seconds.strip()):
        seconds = int(seconds)
    if not isinstance(seconds, int) or isinstance(seconds, bool):
        return None
    return seconds * 1000 if seconds != 0 and _EARLIEST <= seconds < _LATEST else None


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _location(place: Any) -> Location | None:
    if not isinstance(place, dict):
        return None
    latitude, longitude = _number(place.get("latitude")), _number(place.get("longitude"))
    if latitude is None or longitude is None or (latitude == 0 and longitude == 0):
        return None
    if abs(latitude) > 90 or abs(longitude) > 180:
        return None
    # Google writes an altitude of 0.0 where it knows none.
    return Location(latitude, longitude, _number(place.get("altitude")) or None)


def _people(people: Any) -> tuple[str, ...]:
    if not isinstance(people, list):
        return ()
    names = (person.get("name") for person in people if isinstance(person, dict))
    return tuple(name for name in names if isinstance(name, str) and name)


def _states(content: dict[str, Any]) -> Iterator[ItemState]:
    for field, state in _FLAGS:
        if content.get(field) is True:
            yield state
    origin = content.get("googlePhotosOrigin")
    if isinstance(origin, dict) and isinstance(origin.get("fromPartnerSharing"), dict):
        yield ItemState.PARTNER_SHARED
