"""The catalog at the destination: every change of the state, line by line, so that the state can be made again.

``metadata/catalog/<run>.jsonl``; a later line replaces an earlier one about the same. Runs sort by their id; where two
of them went on at the same time, the moments that stand between their lines tell which line is the later one. Bytes are
in hex, what is empty is left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import starmap

import msgspec

from syncengine.engine.clean_text import encoded_lines
from syncengine.model import AlbumRef
from syncengine.records import AlbumRecord, ContentRecord, ItemRecord, StateBatch

VERSION = 1

_DIGEST = 32


class _Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A record as a line has it."""


class _Content(_Entry, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    content: str
    path: str = ""
    source_sha256: str = ""
    stored_sha256: str = ""
    source_size: int
    stored_size: int
    mtime: float | None = None
    item: str = ""
    name: str = ""
    profile: str = ""
    albums: tuple[AlbumRef, ...] = ()
    origins: tuple[str, ...] = ()
    original_path: str = ""
    recipe: str = ""
    failure: str = ""
    copies: tuple[tuple[str, str, str, str, int], ...] = ()
    near: tuple[tuple[str, str, int], ...] = ()
    sidecar_path: str = ""
    sidecar_sha256: str = ""
    restored: str = ""
    stored_name: str = ""
    kind: str = ""
    camera: str = ""
    taken: tuple[str, int | None, str | None, int | None] | None = None
    guessed: bool = False


class _Item(_Entry, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    profile: str
    id: str
    content_token: str = ""
    metadata_token: str = ""
    content: str = ""
    outcome: str = ""
    path: str = ""
    method: str = ""
    original_path: str = ""


class _Fingerprint(msgspec.Struct, frozen=True, gc=False):
    method: str
    fingerprint: str
    content: str


class _Album(_Entry, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    id: str = ""
    title: str = ""
    directory: str = ""
    description: str = ""
    raw: str = ""


class _GoneItem(msgspec.Struct, frozen=True, gc=False):
    profile: str
    id: str


class CatalogLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One line; exactly one of its fields beside ``v`` is set.

    Args:
        v: version of this format; a line of version 1 does not say it.
        content: a stored content: the fields of its record.
        item: an item of a profile: ``profile``, ``id``, and the fields of its record.
        fingerprint: by which a content is recognised: ``method``, ``fingerprint``, ``content``.
        album: an album at the destination: the fields of its record.
        gone_item: an item that the profile no longer has: ``profile``, ``id``.
        gone_content: a content that is no longer there: its key.
        t: when the lines that follow were written, in milliseconds since 1970.
    """

    v: int = 1
    content: _Content | None = None
    item: _Item | None = None
    fingerprint: _Fingerprint | None = None
    album: _Album | None = None
    gone_item: _GoneItem | None = None
    gone_content: str | None = None
    t: int | None = None

    @property
    def is_removal(self) -> bool:
        """Whether it says that something is gone."""
        return self.gone_item is not None or self.gone_content is not None


class Change(msgspec.Struct, frozen=True):
    """What one line says, as records again.

    Args:
        profile: whose items ``batch`` is about; empty where it holds none.
        batch: what the line adds to the state.
    """

    profile: str
    batch: StateBatch


def moment(now: float) -> bytes:
    """Return the line that says when the following ones were written; ``now`` is in seconds since 1970."""
    return msgspec.json.encode(CatalogLine(t=int(now * 1000))) + b"\n"


def encode(batch: StateBatch, profile: str) -> bytes:
    """Return the lines of what a profile's run adds to the state, each with its line feed."""
    return encoded_lines(msgspec.json.Encoder(), list(_lines(batch, profile)))


def decode(line: bytes) -> Change:
    """Return what one line says.

    Raises:
        ValueError: it is no line of this format, or was cut off.
    """
    changes = Changes()
    changes.add(parse(line))
    ((profile, batch),) = changes.batches() or [("", StateBatch())]
    return Change(profile, batch)


def parse(line: bytes) -> CatalogLine:
    """Return one line as it stands.

    Raises:
        ValueError: it is no line of this format, or was cut off.
    """
    try:
        found = _DECODER.decode(line)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:  # The last: nested too deeply.
        raise ValueError(f"not a line of the catalog: {error}") from error
    if found.v > VERSION:
        raise ValueError(f"a line of the catalog by a newer syncengine (version {found.v})")
    return found


class Changes:
    """The records of many lines, to be written into a state together.

    A removal must not be followed by anything else: a state takes removals last.
    """

    def __init__(self) -> None:
        self.count = 0
        self.has_removals = False
        self._shared = StateBatch()
        self._items: dict[str, StateBatch] = {}

    def add(self, line: CatalogLine) -> None:
        """Take what a line says.

        Raises:
            ValueError: it has something else where a hash belongs.
        """
        try:
            self._take(line)
        except ValueError as error:
            raise ValueError(f"not a line of the catalog: {error}") from error
        self.has_removals |= line.is_removal
        self.count += 1

    def _take(self, line: CatalogLine) -> None:
        shared = self._shared
        if line.content is not None:
            shared.contents.append(_content(line.content))
        elif line.item is not None:
            self._of(line.item.profile).items.append((line.item.id, _item(line.item)))
        elif line.fingerprint is not None:
            shared.fingerprints.append(_fingerprint(line.fingerprint))
        elif line.album is not None:
            album = line.album
            record = AlbumRecord(album.id, album.title, album.directory, album.description, album.raw)
            shared.albums.append(record)
        elif line.gone_item is not None:
            self._of(line.gone_item.profile).gone_items.append(line.gone_item.id)
        elif line.gone_content is not None:
            shared.gone_contents.append(_key(line.gone_content))

    def batches(self) -> list[tuple[str, StateBatch]]:
        """Return (profile, what to write), that which is no profile's with an empty name first; empty for nothing."""
        shared = [("", self._shared)] if self._shared != StateBatch() else []
        return [*shared, *self._items.items()]

    def _of(self, profile: str) -> StateBatch:
        if profile not in self._items:
            self._items[profile] = StateBatch()
        return self._items[profile]


_DECODER = msgspec.json.Decoder(CatalogLine)


def _lines(batch: StateBatch, profile: str) -> Iterable[CatalogLine]:
    """Yield the lines in the order in which a state takes them."""
    for content in batch.contents:
        yield CatalogLine(content=_content_entry(content))
    for identity, item in batch.items:
        yield CatalogLine(item=_item_entry(profile, identity, item))
    for method, fingerprint, key in batch.fingerprints:
        yield CatalogLine(fingerprint=_Fingerprint(method, fingerprint.hex(), key.hex()))
    for album in batch.albums:
        yield CatalogLine(album=_Album(**msgspec.structs.asdict(album)))
    for identity in batch.gone_items:
        yield CatalogLine(gone_item=_GoneItem(profile, identity))
    for key in batch.gone_contents:
        yield CatalogLine(gone_content=key.hex())


def _content_entry(record: ContentRecord) -> _Content:
    facts = msgspec.structs.asdict(record)
    for name in ("content", "source_sha256", "stored_sha256", "sidecar_sha256"):
        facts[name] = facts[name].hex()
    facts["near"] = tuple((content.hex(), method, distance) for content, method, distance in record.near)
    return _Content(**facts)


def _item_entry(profile: str, identity: str, record: ItemRecord) -> _Item:
    facts = {**msgspec.structs.asdict(record), "id": identity, "content": record.content.hex()}
    return _Item(profile=profile, **facts)


def _content(entry: _Content) -> ContentRecord:
    unhex = bytes.fromhex
    return ContentRecord(
        content=_key(entry.content),
        path=entry.path,
        source_sha256=unhex(entry.source_sha256),
        stored_sha256=unhex(entry.stored_sha256),
        source_size=entry.source_size,
        stored_size=entry.stored_size,
        mtime=entry.mtime,
        item=entry.item,
        name=entry.name,
        profile=entry.profile,
        albums=entry.albums,
        origins=entry.origins,
        original_path=entry.original_path,
        recipe=entry.recipe,
        failure=entry.failure,
        copies=entry.copies,
        near=tuple(starmap(_near, entry.near)) if entry.near else (),
        sidecar_path=entry.sidecar_path,
        sidecar_sha256=unhex(entry.sidecar_sha256),
        restored=entry.restored,
        stored_name=entry.stored_name,
        kind=entry.kind,
        camera=entry.camera,
        taken=entry.taken,
        guessed=entry.guessed,
    )


def _near(content: str, method: str, distance: int) -> tuple[bytes, str, int]:
    return bytes.fromhex(content), method, distance


def _item(entry: _Item) -> ItemRecord:
    return ItemRecord(
        entry.content_token,
        entry.metadata_token,
        bytes.fromhex(entry.content),
        entry.outcome,
        entry.path,
        entry.method,
        entry.original_path,
    )


def _fingerprint(entry: _Fingerprint) -> tuple[str, bytes, bytes]:
    return entry.method, bytes.fromhex(entry.fingerprint), bytes.fromhex(entry.content)


def _key(text: str) -> bytes:
    key = bytes.fromhex(text)
    if len(key) != _DIGEST:
        raise ValueError(f"{text!r} is no SHA-256")
    return key
