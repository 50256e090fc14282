"""Makes one item of the copies of a photo or video and of all that sidecars, folders and albums say about it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any, Self

import msgspec

from syncengine.api import AlbumRef, CaptureTime, ItemState, Kind, Location, MediaItem
from syncengine_plugins.sources.takeout.folders import FolderRole
from syncengine_plugins.sources.takeout.index import PartRow, unpack_json
from syncengine_plugins.sources.takeout.names import kind_of
from syncengine_plugins.sources.takeout.reading import Copy, origin
from syncengine_plugins.sources.takeout.sidecars import AssetSidecar, parse_json

_FOLDER_STATES = {
    FolderRole.ARCHIVE: ItemState.ARCHIVED,
    FolderRole.TRASH: ItemState.TRASHED,
    FolderRole.LOCKED: ItemState.LOCKED,
}
_ELSEWHERE = frozenset(_FOLDER_STATES.values())


class Folder(msgspec.Struct, frozen=True):
    """A logical folder of one export.

    Args:
        path: inside the Google Photos container, NFC.
        role: what it is.
        stamp: when its export was made.
    """

    path: str
    role: FolderRole
    stamp: str


class AlbumEntry(msgspec.Struct, kw_only=True):
    """An album while its members are being counted."""

    path: str
    title: str
    description: str = ""
    json: bytes | None = None
    count: int = 0


class MemberRow(msgspec.Struct, frozen=True):
    """One copy of an item: where it lies and which sidecar is its own."""

    key: str
    mate: str
    title: str
    name: str
    folder: int
    sidecar: int | None
    rule: str
    approximate: bool
    copy: Copy

    @classmethod
    def of(cls, row: tuple[Any, ...]) -> Self:
        """Make one of a row of the index: key, first place, mate, title ... approximate, then the copy's fields."""
        key, _, mate, title, name, folder, sidecar, rule, approximate, *copy = row
        return cls(key, mate or "", title, name, folder, sidecar, rule, bool(approximate), Copy(*copy))


class SidecarRecord(msgspec.Struct, frozen=True):
    """A sidecar of an item, its own or one from an album without files; ``approximate``: it may be a twin's."""

    id: int
    folder: int
    name: str
    digest: int
    json: bytes
    approximate: bool = False


class ItemRow(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """An item as the index keeps it: a ``MediaItem`` without what is kept elsewhere (raw JSON) or follows (origins)."""

    id: str
    name: str
    kind: Kind
    content_token: str
    metadata_token: str
    size: int
    instant: int | None
    description: str
    location: Location | None
    exif_location: Location | None
    people: tuple[str, ...]
    favorite: bool
    states: tuple[ItemState, ...]
    albums: tuple[AlbumRef, ...]
    paired_with: str
    notes: tuple[str, ...]
    copies: tuple[Copy, ...]


class Merged(msgspec.Struct, frozen=True):
    """An item, and the id of the sidecar that describes it."""

    row: ItemRow
    sidecar: int | None

    @property
    def albums(self) -> tuple[AlbumRef, ...]:
        """The albums that it is in."""
        return self.row.albums


_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(ItemRow).decode


def pack_item(row: ItemRow) -> bytes:
    """Return an item's row as bytes."""
    return _pack(row)


def row_id(packed: bytes) -> str:
    """Return the id of the item that ``pack_item`` packed."""
    return _unpack(packed).id


class Merger:
    """Merges copies into items.

    Args:
        folders: every folder by its id.
        titles: every album's title by its folder's path.
    """

    def __init__(self, folders: dict[int, Folder], titles: dict[str, str]) -> None:
        self._folders, self._titles = folders, titles

    def merge(self, members: list[MemberRow], sidecars: list[SidecarRecord]) -> Merged:
        """Return the item that ``members`` are copies of.

        Args:
            members: at least one, in the order in which they are to be read.
            sidecars: all that tell of it.
        """
        first = members[0]
        chosen = max(sidecars, key=self._rank, default=None)
        said = _parsed(chosen)
        albums = self._albums([*(one.folder for one in members), *(one.folder for one in sidecars)])
        states = self._states(members, sidecars, said)
        row = ItemRow(
            id=first.key,
            name=first.title,
            kind=kind_of(first.name),
            content_token=_content_token(members),
            metadata_token=_metadata_token(said, albums, states, first.mate),
            size=first.copy.size,
            instant=said.instant,
            description=said.description,
            location=said.location,
            exif_location=said.exif_location,
            people=said.people,
            favorite=said.favorite,
            states=states,
            albums=albums,
            paired_with=first.mate,
            notes=tuple(self._notes(members, chosen)),
            copies=tuple(member.copy for member in members),
        )
        return Merged(row, chosen.id if chosen else None)

    def _rank(self, sidecar: SidecarRecord) -> tuple[object, ...]:
        """Sort the best last: newest export, surely its own, from the year's folder; then by content, never by part."""
        folder = self._folders[sidecar.folder]
        year = folder.role is FolderRole.YEAR
        return folder.stamp, not sidecar.approximate, year, folder.path, sidecar.name, sidecar.digest

    def _albums(self, folders: Iterable[int]) -> tuple[AlbumRef, ...]:
        paths = {self._folders[folder].path for folder in folders}
        return tuple(AlbumRef(path, self._titles[path]) for path in sorted(paths) if path in self._titles)

    def _states(
        self, members: list[MemberRow], sidecars: list[SidecarRecord], said: AssetSidecar
    ) -> tuple[ItemState, ...]:
        """Return the states by the sidecar's flags; where it has none, by the folders of the newest export."""
        states = set(said.states)
        if not states & _ELSEWHERE:
            numbers = {*(one.folder for one in members), *(one.folder for one in sidecars)}
            folders = [self._folders[number] for number in numbers]
            newest = max(folder.stamp for folder in folders)
            roles = {folder.role for folder in folders if folder.stamp == newest}
            states |= {_FOLDER_STATES[role] for role in roles if role in _FOLDER_STATES}
        return tuple(sorted(states))

    def _notes(self, members: list[MemberRow], chosen: SidecarRecord | None) -> Iterable[str]:
        if chosen is None:
            yield "no sidecar"
        else:
            rules = {member.rule for member in members if member.sidecar == chosen.id}
            yield from (f"sidecar {rule}" for rule in sorted(rules) if rule.startswith("borrowed"))
            if chosen.approximate and rules:
                yield f"approximate sidecar match ({', '.join(sorted(rules))})"
        if any(self._folders[member.folder].role is FolderRole.FAILED_VIDEOS for member in members):
            yield "among the videos that Google Photos failed to process"


def unpack_item(packed: bytes, sidecar: bytes | None, parts: dict[int, PartRow]) -> MediaItem:
    """Make a ``MediaItem`` of what the index keeps.

    Args:
        packed: by ``pack_item``.
        sidecar: the packed JSON that describes it, if there is one.
        parts: every part by its id.
    """
    row = _unpack(packed)
    return MediaItem(
        id=row.id,
        name=row.name,
        kind=row.kind,
        content_token=row.content_token,
        metadata_token=row.metadata_token,
        size=row.size,
        taken=CaptureTime(origin="source", instant=row.instant) if row.instant is not None else None,
        description=row.description,
        location=row.location,
        exif_location=row.exif_location,
        people=row.people,
        favorite=row.favorite,
        states=row.states,
        albums=row.albums,
        origins=tuple(origin(copy, parts[copy.part]) for copy in row.copies),
        paired_with=row.paired_with,
        notes=row.notes,
        raw=msgspec.json.decode(unpack_json(sidecar)) if sidecar is not None else None,
        locator=row.copies,
    )


def _parsed(sidecar: SidecarRecord | None) -> AssetSidecar:
    content = parse_json(unpack_json(sidecar.json)) if sidecar is not None else None
    return content if isinstance(content, AssetSidecar) else AssetSidecar()


def _content_token(members: list[MemberRow]) -> str:
    first = members[0].copy
    crc = next((member.copy.crc for member in members if member.copy.crc is not None), None)
    return f"{first.size}-{crc:08x}" if crc is not None else f"{first.size}@{first.mtime}"


def _metadata_token(said: AssetSidecar, albums: tuple[AlbumRef, ...], states: tuple[ItemState, ...], mate: str) -> str:
    """Return a hash of all that is said, except what every export says differently: views, and dates in words."""
    if not (said.raw or albums or states or mate):
        return ""
    lasting = {key: _without_words(value) for key, value in said.raw.items() if key != "imageViews"}
    text = msgspec.json.encode((lasting, albums, states, mate), order="deterministic")
    return hashlib.blake2b(text, digest_size=12).hexdigest()


def _without_words(value: Any) -> Any:
    if isinstance(value, dict) and "formatted" in value:
        return {key: inner for key, inner in value.items() if key != "formatted"}
    return value
