"""The metadata file beside each stored photo: all that the source knew. Schema: ``schemas/metadata.schema.json``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from typing import Any, cast

import msgspec

from syncengine.api import AlbumRef, AppliedTransform, Asset, CaptureTime, Destination, ItemState, Location, MediaItem
from syncengine.engine.clean_text import cleaned
from syncengine.model import TimeOrigin

VERSION = 1
#: What a file's name ends with whose XMP sidecar it is.
SIDECAR = ".xmp"


class SourceFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Where an item came from: the source plugin, the item's id there, every place that holds its bytes."""

    plugin: str
    id: str
    origins: tuple[str, ...] = ()


class StoredFile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A file: path relative to the destination's root (empty when it is not kept), SHA-256 in hex, bytes."""

    sha256: str
    size: int
    path: str = ""


class TakenTime(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A capture time as in ``CaptureTime``, and as the local time that names and folders were made of."""

    origin: str
    local: str
    instant: int | None = None
    wall: str | None = None
    offset: int | None = None


class Locations(msgspec.Struct, frozen=True, kw_only=True):
    """The place by the source's word and by the file's own, kept apart."""

    source: Location | None = None
    exif: Location | None = None


class AlbumEntry(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """An album that the item is in."""

    id: str
    title: str


class MetadataFile(msgspec.Struct, frozen=True, kw_only=True):
    """The metadata file as a value; its fields are those of ``schemas/metadata.schema.json``."""

    version: int = VERSION
    source: SourceFacts
    name: str
    kind: str
    stored: StoredFile
    original: StoredFile
    taken: TakenTime | None = None
    description: str = ""
    location: Locations = Locations()
    people: tuple[str, ...] = ()
    favorite: bool = False
    states: tuple[str, ...] = ()
    archived: bool = False
    albums: tuple[AlbumEntry, ...] = ()
    camera: str = ""
    paired_with: str = ""
    transforms: tuple[AppliedTransform, ...] = ()
    notes: tuple[str, ...] = ()
    raw: Any = None


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(MetadataFile)


def metadata_path(path: str) -> str:
    """Return where the metadata file of the file at ``path`` is."""
    return f"metadata/{path}.json"


def encode(document: MetadataFile) -> bytes:
    """Return the file's bytes: JSON, indented, one line feed at its end."""
    try:
        plain = _ENCODER.encode(document)
    except (UnicodeEncodeError, TypeError, ValueError, OverflowError, RecursionError):
        note = "the source's own JSON could not be kept as it was"
        bare = msgspec.structs.replace(document, raw=None, notes=(*document.notes, note))
        plain = _ENCODER.encode(cleaned(msgspec.to_builtins(bare)))
    return msgspec.json.format(plain, indent=2) + b"\n"


def decode(content: bytes) -> MetadataFile:
    """Return a metadata file as a value. Raises ``msgspec.MsgspecError`` when it is none."""
    return _DECODER.decode(content)


def read(destination: Destination[Any], path: str) -> MetadataFile | None:
    """Return the metadata file of the stored file at ``path``, or ``None`` when it is missing or damaged."""
    try:
        with destination.read(metadata_path(path)) as stream:
            return _DECODER.decode(stream.read())
    except (FileNotFoundError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):  # Or nested too deeply.
        return None


def describe(
    plugin: str, stored: Asset, fetched: Asset, *, path: str, original_path: str, zone: tzinfo
) -> MetadataFile:
    """Return the metadata file of a newly stored item.

    Args:
        plugin: the source plugin's name.
        stored: the asset as it is stored.
        fetched: the asset as the source gave it.
        path: where it is stored.
        original_path: where the fetched bytes are kept as well, or empty.
        zone: for capture times that know no zone.
    """
    item = fetched.item
    notes = [*item.notes, *(note for transform in stored.applied for note in transform.notes)]
    return MetadataFile(
        source=SourceFacts(plugin=plugin, id=item.id, origins=item.origins),
        name=item.name,
        kind=item.kind.value,
        stored=StoredFile(path=path, sha256=stored.sha256.hex(), size=stored.size),
        original=StoredFile(path=original_path, sha256=fetched.sha256.hex(), size=fetched.size),
        taken=_taken(item.taken, zone),
        description=item.description,
        location=Locations(source=item.location, exif=item.exif_location),
        people=item.people,
        favorite=item.favorite,
        states=tuple(state.value for state in item.states),
        archived=ItemState.ARCHIVED in item.states,
        albums=_album_entries(item.albums),
        camera=item.camera,
        paired_with=item.paired_with,
        transforms=stored.applied,
        notes=tuple(notes),
        raw=item.raw,
    )


def refreshed(document: MetadataFile, item: MediaItem, zone: tzinfo) -> MetadataFile:
    """Return the metadata file with what the source says now; what only the bytes said stays.

    ``item`` may be another one than before: one that holds the file still when the other left the source.
    Albums unite: an additive run never takes an item out of one.
    """
    facts: Mapping[str, Any] = {
        "source": msgspec.structs.replace(
            document.source, id=item.id, origins=united(document.source.origins, item.origins)
        ),
        "name": item.name,
        "taken": _refreshed_time(document.taken, item.taken, zone),
        "description": item.description,
        "location": Locations(source=item.location, exif=item.exif_location or document.location.exif),
        "people": item.people,
        "favorite": item.favorite,
        "states": tuple(state.value for state in item.states),
        "archived": ItemState.ARCHIVED in item.states,
        "camera": item.camera or document.camera,
        "paired_with": item.paired_with or document.paired_with,
        "raw": item.raw if item.raw is not None else document.raw,
    }
    return with_albums(msgspec.structs.replace(document, **facts), item.albums)


def rezoned(document: MetadataFile, zone: tzinfo) -> MetadataFile:
    """Return the metadata file with its capture time as the local time of another zone, where it knows none itself."""
    taken = capture_time(document.taken) if document.taken is not None else None
    return document if taken is None else msgspec.structs.replace(document, taken=_taken(taken, zone))


def capture_time(taken: TakenTime) -> CaptureTime | None:
    """Return the capture time that a metadata file tells, or ``None`` when it tells too little."""
    if taken.instant is None and taken.wall is None:
        return None
    origin = cast(TimeOrigin, taken.origin)
    return CaptureTime(origin=origin, instant=taken.instant, wall=taken.wall, offset=taken.offset)


def album_refs(document: MetadataFile) -> tuple[AlbumRef, ...]:
    """Return the albums that a metadata file names."""
    return tuple(AlbumRef(album.id, album.title) for album in document.albums)


def with_albums(document: MetadataFile, albums: tuple[AlbumRef, ...]) -> MetadataFile:
    """Return the metadata file with more albums."""
    return msgspec.structs.replace(document, albums=united_albums(document.albums, _album_entries(albums)))


def with_origins(document: MetadataFile, origins: tuple[str, ...]) -> MetadataFile:
    """Return the metadata file with more places that hold the same bytes."""
    source = msgspec.structs.replace(document.source, origins=united(document.source.origins, origins))
    return msgspec.structs.replace(document, source=source)


def united(first: tuple[Any, ...], second: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the elements of both, each once, those of ``first`` first."""
    return first if not second else tuple(dict.fromkeys((*first, *second)))


def united_albums(first: tuple[Any, ...], second: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the albums of both, each id once; where a title changed, that of ``second``."""
    return first if not second else tuple({album.id: album for album in (*first, *second)}.values())


def _album_entries(albums: tuple[AlbumRef, ...]) -> tuple[AlbumEntry, ...]:
    return tuple(AlbumEntry(id=album.id, title=album.title) for album in albums)


def _taken(taken: CaptureTime | None, zone: tzinfo) -> TakenTime | None:
    if taken is None:
        return None
    return TakenTime(
        origin=taken.origin,
        local=taken.at(zone).isoformat(),
        instant=taken.instant,
        wall=taken.wall,
        offset=taken.offset,
    )


def _refreshed_time(known: TakenTime | None, now: CaptureTime | None, zone: tzinfo) -> TakenTime | None:
    """Return the time as it is now; an unchanged instant keeps the zone that the bytes told."""
    if now is None or (known is not None and known.instant is not None and known.instant == now.instant):
        return known
    offset = now.offset if now.offset is not None or known is None else known.offset
    wall = now.wall if now.offset is not None or offset is None else None
    return _taken(msgspec.structs.replace(now, offset=offset, wall=wall), zone)
