"""Reading a whole store: every record, and what records say of each other. Only reads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import msgspec

from syncengine.records import ContentRecord
from syncengine.state.codec import Codec
from syncengine.state.counters import COUNTERS
from syncengine.state.environment import Environment
from syncengine.state.failures import RecordDamagedError
from syncengine.state.keys import OWNER_SIZE, album_key
from syncengine.state.scanning import pages
from syncengine.state.writing import ALBUMS, BYTES, CONTENTS, ITEMS, RUNS, Owners, content_paths, items_owner

_REBUILD = "run 'syncengine state rebuild' for it"

#: How the values of each table are read; the table of versions and marks is read when the store is opened.
_CODECS: dict[str, Codec[Any]] = {
    "items": ITEMS,
    "contents": CONTENTS,
    "paths": BYTES,
    "fingerprints": BYTES,
    "albums": ALBUMS,
    "members": BYTES,
    "runs": RUNS,
    "counters": COUNTERS,
}

Entry = tuple[bytes, bytes]


class StateProblem(msgspec.Struct, frozen=True):
    """Something that is wrong with a store.

    Args:
        table: where.
        what: what is wrong.
        advice: what to do.
    """

    table: str
    what: str
    advice: str = _REBUILD


class Checked(msgspec.Struct, kw_only=True):
    """What was read.

    Args:
        records: how many, by table.
        problems: what is wrong, the first ones of each kind.
        count: how many problems there are in all.
    """

    records: dict[str, int] = {}
    problems: list[StateProblem] = []
    count: int = 0

    def add(self, problem: StateProblem, most: int = 100) -> None:
        """Take a problem; only the first ones are kept, all are counted."""
        self.count += 1
        if len(self.problems) < most:
            self.problems.append(problem)


def check_records(environment: Environment, checked: Checked) -> None:
    """Read every record of every table: its checksum, and whether it can be understood."""
    for table, codec in _CODECS.items():
        count = 0
        for page in pages(environment, table, b""):
            count += len(page)
            try:
                codec.decode_each(value for _, value in page)
            except RecordDamagedError:
                for problem in _damaged(table, codec, page):
                    checked.add(problem)
        checked.records[table] = count


def check_references(environment: Environment, identity: str, profiles: list[str], checked: Checked) -> None:
    """Look at what the records of one destination say of each other.

    Args:
        environment: the open store; its records are sound.
        identity: the destination's.
        profiles: the names of its profiles, for their items.
        checked: takes the problems.
    """
    owners = Owners.of(identity)
    for problem in _contents(environment, owners):
        checked.add(problem)
    for problem in _values(environment, "paths", owners.destination, "a path is of a content that is not there"):
        checked.add(problem)
    for problem in _values(environment, "paths", owners.finds, "a path is of a find that is not there", owners):
        checked.add(problem)
    for problem in _values(environment, "members", owners.destination, "an album has a member that is not there"):
        checked.add(problem)
    lost = "a fingerprint is of a content that is not there"
    for problem in _values(environment, "fingerprints", owners.destination, lost):
        checked.add(problem)
    for profile in profiles:
        for problem in _items(environment, profile, identity, owners):
            checked.add(problem)


def _damaged(table: str, codec: Codec[Any], page: list[Entry]) -> Iterator[StateProblem]:
    for key, value in page:
        try:
            codec.decode(value)
        except RecordDamagedError as error:
            yield StateProblem(table, f"{error} (key {key.hex()})")


def _contents(environment: Environment, owners: Owners) -> Iterator[StateProblem]:
    """Look at contents: under their own key, at paths that are theirs, members of their albums."""
    for page in pages(environment, "contents", owners.destination):
        records = CONTENTS.decode_each(value for _, value in page)
        for (key, _), record in zip(page, records, strict=True):
            if key != owners.destination + record.content:
                yield StateProblem("contents", f"{record.path} is recorded under the key of another content")
        wanted = [(key, record) for record in records for key in content_paths(owners, record)]
        yield from _not_owned(environment, "paths", wanted, "its path belongs to nobody or to another content")
        members = [
            (album_key(owners.destination, album.id) + record.content, record)
            for record in records
            for album in record.albums
        ]
        yield from _not_owned(environment, "members", members, "an album does not know it as its member")


def _not_owned(
    environment: Environment, table: str, wanted: list[tuple[bytes, ContentRecord]], what: str
) -> Iterator[StateProblem]:
    found = _found(environment, table, [key for key, _ in wanted])
    for key, record in wanted:
        value = found.get(key)
        if value is None or BYTES.decode(value) != record.content:
            yield StateProblem(table, f"{record.path}: {what}")


def _values(
    environment: Environment, table: str, prefix: bytes, what: str, owners: Owners | None = None
) -> Iterator[StateProblem]:
    """Look at entries whose values are contents."""
    owner = owners.destination if owners is not None else prefix
    for page in pages(environment, table, prefix):
        contents = [owner + content for content in BYTES.decode_each(value for _, value in page)]
        found = _found(environment, "contents", contents)
        for content in contents:
            if content not in found:
                yield StateProblem(table, f"{what}: {content[OWNER_SIZE:].hex()}")


def _items(environment: Environment, profile: str, identity: str, owners: Owners) -> Iterator[StateProblem]:
    for page in pages(environment, "items", items_owner(profile, identity)):
        records = ITEMS.decode_each(value for _, value in page)
        contents = [owners.destination + record.content for record in records]
        found = _found(environment, "contents", contents)
        for record, content in zip(records, contents, strict=True):
            if content not in found:
                yield StateProblem("items", f"an item of profile {profile} ({record.path}) has no content")


def _found(environment: Environment, table: str, keys: list[bytes]) -> dict[bytes, bytes]:
    with environment.read(len(keys)) as txn, txn.cursor(environment.tables[table]) as cursor:
        return dict(cast(list[Entry], cursor.getmulti(keys)))


def differences(
    first: Environment, second: Environment, table: str, prefix: bytes
) -> Iterator[tuple[bytes, bytes | None, bytes | None]]:
    """Yield (key, value in the first, value in the second) of the entries that are not the same in two stores."""
    entries = [_entries(environment, table, prefix) for environment in (first, second)]
    heads = [next(stream, None) for stream in entries]
    while heads[0] is not None or heads[1] is not None:
        key = min(head[0] for head in heads if head is not None)
        values = [head[1] if head is not None and head[0] == key else None for head in heads]
        if values[0] != values[1]:
            yield key, values[0], values[1]
        heads = [
            next(stream, None) if value is not None else head
            for stream, value, head in zip(entries, values, heads, strict=True)
        ]


def _entries(environment: Environment, table: str, prefix: bytes) -> Iterator[Entry]:
    for page in pages(environment, table, prefix):
        yield from page
