"""One destination's part of the store, of all its profiles, as it is made again from what is at the destination."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, cast

import lmdb

from syncengine.model import RunReport
from syncengine.records import StateBatch
from syncengine.state.codec import Codec
from syncengine.state.environment import Environment
from syncengine.state.keys import owner_key
from syncengine.state.writing import RUNS, Owners, items_owner, put_items, put_shared

#: Tables whose keys begin with the destination's prefix.
SHARED_TABLES = ("contents", "paths", "fingerprints", "albums", "members")

_MARK = b"unfinished\0"
_MARKS: Codec[str] = Codec(str)
#: So many entries are forgotten in one transaction.
_FORGOTTEN_AT_ONCE = 20_000


class DestinationPart:
    """What a store holds of one destination, for all profiles.

    Making it again is no single transaction, it would be too large: a mark says from the first to the last step that
    the part is not whole, and whoever finds the mark begins again.

    Args:
        environment: the open store.
        identity: the destination's.
    """

    def __init__(self, environment: Environment, identity: str) -> None:
        self._store = environment
        self._identity = identity
        self._owners = Owners.of(identity)
        self._cleared: set[str] = set()

    def is_empty(self) -> bool:
        """Whether no content of the destination is known."""
        with self._store.read() as txn, txn.cursor(self._store.tables["contents"]) as cursor:
            prefix = self._owners.destination
            return not (cursor.set_range(prefix) and bytes(cursor.key()).startswith(prefix))

    def is_unfinished(self) -> bool:
        """Whether somebody began to make the part again and did not come to the end."""
        with self._store.read() as txn:
            return txn.get(self._mark(), db=self._store.tables["meta"]) is not None

    def has_finds(self) -> bool:
        """Whether files are known that were met at the destination and that no item is known of."""
        with self._store.read() as txn, txn.cursor(self._store.tables["paths"]) as cursor:
            return cursor.set_range(self._owners.finds) and bytes(cursor.key()).startswith(self._owners.finds)

    def begin(self) -> None:
        """Mark the part as not whole, and forget all of it but the items of profiles that nobody names."""
        mark, meta = self._mark(), self._store.tables["meta"]
        self._store.write(lambda txn: txn.put(mark, _MARKS.encode(self._identity), db=meta))
        self._cleared.clear()
        for table in SHARED_TABLES:
            self._forget(table, self._owners.destination)
        self._forget("paths", self._owners.finds)

    def sparingly(self) -> AbstractContextManager[None]:
        """Keep what is read of the store from adding up in memory, while something goes through all of it."""
        return self._store.sparingly()

    def forget_items(self, profile: str) -> None:
        """Forget the items of a profile; those that are written afterwards stay."""
        if profile not in self._cleared:
            self._cleared.add(profile)
            self._forget("items", items_owner(profile, self._identity))

    def write(self, batches: Sequence[tuple[str, StateBatch]]) -> None:
        """Write batches of several profiles in one durable transaction.

        Args:
            batches: (profile, batch); an empty profile where a batch is about no items. The items that a profile had
                before ``begin`` are forgotten with its first batch.
        """
        for profile, batch in batches:
            if batch.items or batch.gone_items:
                self.forget_items(profile)
        self._store.write(partial(self._write, batches))

    def save_runs(self, reports: Sequence[RunReport]) -> None:
        """Remember the accounts of runs, each with its profile's."""
        entries = [(owner_key(report.profile) + report.run.encode(), RUNS.encode(report)) for report in reports]
        runs = self._store.tables["runs"]

        def put(txn: lmdb.Transaction) -> None:
            with txn.cursor(runs) as cursor:
                cursor.putmulti(entries)

        self._store.write(put)

    def finish(self) -> None:
        """Take the mark away: the part is whole."""
        mark, meta = self._mark(), self._store.tables["meta"]
        self._store.write(lambda txn: txn.delete(mark, db=meta))

    def _mark(self) -> bytes:
        return _MARK + self._owners.destination

    def _write(self, batches: Sequence[tuple[str, StateBatch]], txn: lmdb.Transaction) -> None:
        for profile, batch in batches:
            put_shared(txn, self._store.tables, self._owners, batch)
            put_items(txn, self._store.tables, items_owner(profile, self._identity), batch)

    def _forget(self, table: str, prefix: bytes) -> None:
        while self._store.write(partial(_forget_some, self._store.tables[table], prefix)):
            pass


def unfinished(environment: Environment) -> Iterator[str]:
    """Yield the identities of the destinations whose part is not whole."""
    with environment.read() as txn, txn.cursor(environment.tables["meta"]) as cursor:
        there = cursor.set_range(_MARK)
        while there and bytes(cursor.key()).startswith(_MARK):
            yield _MARKS.decode(cast(bytes, cursor.value()))
            there = cursor.next()


def _forget_some(table: Any, prefix: bytes, txn: lmdb.Transaction) -> bool:
    """Forget some entries; return whether there may be more."""
    with txn.cursor(table) as cursor:
        there = cursor.set_range(prefix)
        for _ in range(_FORGOTTEN_AT_ONCE):
            if not there or not bytes(cursor.key()).startswith(prefix):
                return False
            there = cursor.delete()
    return True
