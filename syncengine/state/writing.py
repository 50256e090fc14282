"""What a batch writes into the store, in keys and values, sorted so that neighbours are written together."""

from __future__ import annotations

from typing import Any, NamedTuple, cast

import lmdb
import msgspec

from syncengine.model import RunReport
from syncengine.records import AlbumRecord, ContentRecord, ItemRecord, StateBatch
from syncengine.state.codec import Codec
from syncengine.state.fingerprints import drop_fingerprints, put_fingerprint
from syncengine.state.format import Tables
from syncengine.state.keys import album_key, item_keys, owner_key, path_key, plain_id

ITEMS = Codec(ItemRecord)
CONTENTS = Codec(ContentRecord)
ALBUMS = Codec(AlbumRecord)
BYTES = Codec(bytes)
RUNS = Codec(RunReport)

Encoded = list[tuple[bytes, bytes]]


class Owners(NamedTuple):
    """The prefixes under which a destination keeps what is its own.

    Args:
        destination: of all that is not a profile's.
        finds: of the paths of finds. A find is a file that was met at the destination and that no item is known of;
            its path is nobody's, so that the content to which it turns out to belong can take it.
    """

    destination: bytes
    finds: bytes

    @classmethod
    def of(cls, identity: str) -> Owners:
        """Return those of a destination."""
        return cls(owner_key(identity), owner_key(f"{identity}\0finds"))


def items_owner(profile: str, identity: str) -> bytes:
    """Return the prefix of a profile's items: what an item became is only true at the destination where it did."""
    return owner_key(f"{profile}\0{identity}")


def is_find(record: ContentRecord) -> bool:
    """Whether a content is a file that was met at the destination, and no item is known of it."""
    return not (record.item or record.profile)


def put_items(txn: lmdb.Transaction, tables: Tables, owner: bytes, batch: StateBatch) -> None:
    """Write a batch's items, and forget those that are gone."""
    keys = item_keys(owner, [identity for identity, _ in batch.items])
    puts = [
        (key, ITEMS.encode(record if plain_id(key) is not None else msgspec.structs.replace(record, id=identity)))
        for key, (identity, record) in zip(keys, batch.items, strict=True)
    ]
    _put_sorted(txn, tables["items"], puts)
    for key in item_keys(owner, batch.gone_items):
        txn.delete(key, db=tables["items"])


def put_shared(txn: lmdb.Transaction, tables: Tables, owners: Owners, batch: StateBatch) -> None:
    """Write what a batch says of the destination, and forget what is gone from it."""
    if batch.contents:
        _put_contents(txn, tables, owners, batch.contents)
    for method in {method for method, _, _ in batch.fingerprints}:
        prefix = owners.destination + owner_key(method)
        found = [(fingerprint, content) for name, fingerprint, content in batch.fingerprints if name == method]
        for fingerprint, content in sorted(found, key=_first):  # stable: the first of a fingerprint stays it
            put_fingerprint(txn, tables["fingerprints"], prefix, fingerprint, content)
    for key, album in zip(
        item_keys(owners.destination, [album.id for album in batch.albums]), batch.albums, strict=True
    ):
        txn.put(key, ALBUMS.encode(album), db=tables["albums"])
    if batch.gone_contents:
        _drop_contents(txn, tables, owners, batch.gone_contents)


def content_paths(owners: Owners, record: ContentRecord) -> set[bytes]:
    """Return the keys of the paths that a content owns."""
    owner = owners.finds if is_find(record) else owners.destination
    return {path_key(owner, path) for path in (record.path, record.original_path) if path}


def _put_contents(txn: lmdb.Transaction, tables: Tables, owners: Owners, records: list[ContentRecord]) -> None:
    known = _known(txn, tables, owners, {record.content for record in records})
    claims: dict[bytes, bytes | None] = {}
    members: dict[bytes, bytes | None] = {}
    for record in records:
        before = known.get(record.content)
        if before is not None:
            _give_up(txn, tables, owners, before, claims)
            members.update((key, None) for key, _ in _memberships(owners, before))
        claims.update((path, record.content) for path in content_paths(owners, record))
        members.update(_memberships(owners, record))
        known[record.content] = record
    _drop_finds(txn, tables, owners, claims)
    _set_sorted(txn, tables["paths"], claims)
    _set_sorted(txn, tables["members"], members)
    owner = owners.destination
    _put_sorted(txn, tables["contents"], [(owner + key, CONTENTS.encode(record)) for key, record in known.items()])


def _known(txn: lmdb.Transaction, tables: Tables, owners: Owners, contents: set[bytes]) -> dict[bytes, ContentRecord]:
    """Return the records that some contents have already."""
    with txn.cursor(tables["contents"]) as cursor:
        found = cast(Encoded, cursor.getmulti(sorted(owners.destination + key for key in contents)))
    return {record.content: record for record in CONTENTS.decode_each(value for _, value in found)}


def _give_up(
    txn: lmdb.Transaction, tables: Tables, owners: Owners, record: ContentRecord, claims: dict[bytes, bytes | None]
) -> None:
    """Let go of the paths of a record that is replaced, where nobody else has taken them since."""
    owned = BYTES.encode(record.content)
    for path in content_paths(owners, record):
        if path in claims:
            claims[path] = None if claims[path] == record.content else claims[path]
        elif txn.get(path, db=tables["paths"]) == owned:
            claims[path] = None


def _memberships(owners: Owners, record: ContentRecord) -> list[tuple[bytes, bytes]]:
    return [(album_key(owners.destination, album.id) + record.content, record.content) for album in record.albums]


def _drop_finds(txn: lmdb.Transaction, tables: Tables, owners: Owners, claims: dict[bytes, bytes | None]) -> None:
    """Forget the finds at paths that contents take now: what was found there is theirs."""
    with txn.cursor(tables["paths"]) as cursor:
        if not cursor.set_range(owners.finds) or not bytes(cursor.key()).startswith(owners.finds):
            return
    begin = len(owners.destination)
    for path, content in claims.items():
        if content is None or not path.startswith(owners.destination):
            continue
        find = cast(bytes | None, txn.pop(owners.finds + path[begin:], db=tables["paths"]))
        if find is not None and BYTES.decode(find) != content:
            txn.delete(owners.destination + BYTES.decode(find), db=tables["contents"])


def _drop_contents(txn: lmdb.Transaction, tables: Tables, owners: Owners, contents: list[bytes]) -> None:
    """Forget contents, and all by which they are found."""
    known: set[bytes] = set()
    for content in contents:
        old = cast(bytes | None, txn.pop(owners.destination + content, db=tables["contents"]))
        if old is None:
            continue
        record = CONTENTS.decode(old)
        _drop_paths(txn, tables, content_paths(owners, record), content)
        for album in record.albums:
            txn.delete(album_key(owners.destination, album.id) + content, db=tables["members"])
        known.add(content)
    if known:
        drop_fingerprints(txn, tables["fingerprints"], owners.destination, known)


def _drop_paths(txn: lmdb.Transaction, tables: Tables, paths: set[bytes], content: bytes) -> None:
    """Forget paths that a content owned, and nobody since."""
    table, owned = tables["paths"], BYTES.encode(content)
    for path in paths:
        if txn.get(path, db=table) == owned:
            txn.delete(path, db=table)


def _put_sorted(txn: lmdb.Transaction, table: Any, puts: Encoded) -> None:
    """Write entries in the order of their keys; of two with one key the later stays."""
    puts.sort(key=_first)
    with txn.cursor(table) as cursor:
        cursor.putmulti(puts)


def _set_sorted(txn: lmdb.Transaction, table: Any, values: dict[bytes, bytes | None]) -> None:
    """Write entries in the order of their keys; one whose value is none is forgotten."""
    for key in [key for key, value in values.items() if value is None]:
        txn.delete(key, db=table)
    _put_sorted(txn, table, [(key, BYTES.encode(value)) for key, value in values.items() if value is not None])


def _first(entry: tuple[bytes, bytes]) -> bytes:
    return entry[0]
