"""The catalog at the destination: every change of the state, line by line, so that the state can be made again.

``metadata/catalog/<run>.jsonl``; a later line replaces an earlier one about the same, and runs sort by their id.
Bytes are in hex, what is empty is left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec

from syncengine.engine.clean_text import encoded_lines
from syncengine.records import AlbumRecord, ContentRecord, ItemRecord, StateBatch

RecordT = TypeVar("RecordT", bound=msgspec.Struct)

VERSION = 1


class CatalogLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line; exactly one of its fields beside ``v`` is set.

    Args:
        v: version of this format.
        content: a stored content: the fields of its record.
        item: an item of a profile: ``profile``, ``id``, and the fields of its record.
        fingerprint: by which a content is recognised: ``method``, ``fingerprint``, ``content``.
        album: an album at the destination: the fields of its record.
        gone_item: an item that the profile no longer has: ``profile``, ``id``.
        gone_content: a content that is no longer there: its key.
    """

    v: int = VERSION
    content: dict[str, Any] | None = None
    item: dict[str, Any] | None = None
    fingerprint: dict[str, str] | None = None
    album: dict[str, Any] | None = None
    gone_item: dict[str, str] | None = None
    gone_content: str | None = None


class Change(msgspec.Struct, frozen=True):
    """What one line says, as records again.

    Args:
        profile: whose items ``batch`` is about; empty where it holds none.
        batch: what the line adds to the state.
    """

    profile: str
    batch: StateBatch


def encode(batch: StateBatch, profile: str) -> bytes:
    """Return the lines of what a profile's run adds to the state, each with its line feed."""
    return encoded_lines(msgspec.json.Encoder(), list(_lines(batch, profile)))


def decode(line: bytes) -> Change:
    """Return what one line says.

    Raises:
        ValueError: it is no line of this format, or was cut off.
    """
    try:
        found = _DECODER.decode(line)
        about = found.item if found.item is not None else found.gone_item
        change = Change(about["profile"] if about is not None else "", _batch(found))
    except (msgspec.MsgspecError, KeyError, ValueError, TypeError) as error:
        raise ValueError(f"not a line of the catalog: {error}") from error
    if found.v > VERSION:
        raise ValueError(f"a line of the catalog by a newer syncengine (version {found.v})")
    return change


_DECODER = msgspec.json.Decoder(CatalogLine)


def _lines(batch: StateBatch, profile: str) -> Iterable[CatalogLine]:
    """Yield the lines in the order in which a state takes them."""
    for content in batch.contents:
        yield CatalogLine(content=_entry(content))
    for identity, item in batch.items:
        yield CatalogLine(item={"profile": profile, "id": identity, **_entry(msgspec.structs.replace(item, id=""))})
    for method, fingerprint, key in batch.fingerprints:
        yield CatalogLine(fingerprint={"method": method, "fingerprint": fingerprint.hex(), "content": key.hex()})
    for album in batch.albums:
        yield CatalogLine(album=_entry(album))
    for identity in batch.gone_items:
        yield CatalogLine(gone_item={"profile": profile, "id": identity})
    for key in batch.gone_contents:
        yield CatalogLine(gone_content=key.hex())


def _batch(line: CatalogLine) -> StateBatch:
    found, item = line.fingerprint, line.item
    return StateBatch(
        contents=[_record(line.content, ContentRecord)] if line.content is not None else [],
        items=[(item["id"], _record(item, ItemRecord, id=""))] if item is not None else [],
        fingerprints=[_fingerprint(**found)] if found is not None else [],
        albums=[_record(line.album, AlbumRecord)] if line.album is not None else [],
        gone_items=[line.gone_item["id"]] if line.gone_item is not None else [],
        gone_contents=[bytes.fromhex(line.gone_content)] if line.gone_content is not None else [],
    )


def _fingerprint(method: str, fingerprint: str, content: str) -> tuple[str, bytes, bytes]:
    return method, bytes.fromhex(fingerprint), bytes.fromhex(content)


def _entry(record: msgspec.Struct) -> dict[str, Any]:
    """Return a record's fields; bytes become hex, what is empty is left out."""
    entry = {name: _plain(value) for name, value in msgspec.structs.asdict(record).items()}
    return {name: value for name, value in entry.items() if value not in ("", (), None)}


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, tuple):
        return tuple(_plain(element) for element in value)
    return value


def _record(entry: dict[str, Any], kind: type[RecordT], **facts: Any) -> RecordT:
    """Return the record of an entry, with some ``facts`` that are not the entry's; what was left out is empty again."""
    facts = entry | facts
    for field in msgspec.structs.fields(kind):
        if field.type is bytes:
            facts[field.name] = bytes.fromhex(facts.get(field.name, ""))
        elif field.type is str:
            facts.setdefault(field.name, "")
        elif not field.required:
            facts.setdefault(field.name, field.default)
    facts["near"] = [(bytes.fromhex(content), *how) for content, *how in facts.get("near", ())]
    facts.setdefault("mtime", None)
    return msgspec.convert([facts[field.name] for field in msgspec.structs.fields(kind)], kind)
