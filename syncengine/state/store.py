"""The state of every profile and destination of one state directory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

import lmdb

from syncengine.model import RunReport
from syncengine.records import AlbumRecord, ContentRecord, ItemRecord, StateBatch
from syncengine.state.checking import Checked, check_records, check_references, differences
from syncengine.state.codec import Codec
from syncengine.state.counters import Counters
from syncengine.state.environment import Environment
from syncengine.state.failures import (
    RecordDamagedError,
    StateDamagedError,
    clear_suspicion,
    is_suspect,
    translated,
)
from syncengine.state.fingerprints import Fingerprints
from syncengine.state.keys import album_key, item_keys, owner_key, path_key, plain_id
from syncengine.state.part import DestinationPart
from syncengine.state.scanning import pages
from syncengine.state.setting_aside import STORE
from syncengine.state.sharing import acquire, release
from syncengine.state.writing import (
    ALBUMS,
    BYTES,
    CONTENTS,
    ITEMS,
    RUNS,
    Encoded,
    Owners,
    items_owner,
    put_items,
    put_shared,
)


class StateStore:
    """An open state directory; a context manager. Threads may share it, processes forked off may not.

    Args:
        environment: acquired for this store.
    """

    def __init__(self, environment: Environment) -> None:
        self._environment: Environment | None = environment

    @classmethod
    def open(cls, directory: Path) -> StateStore:
        """Open the store in a state directory, making both when they are missing.

        Args:
            directory: the state directory; the store is ``state.lmdb`` in it.

        Raises:
            FatalError: it cannot be used (permissions, disk, made by a newer syncengine), with what to do.
            StateDamagedError: it is damaged.
        """
        with translated(directory):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        store = cls(acquire(directory / STORE))
        try:
            store._look_closer()
        except BaseException:
            store.close()
            raise
        return store

    def bind(self, profile: str, destination_identity: str) -> ProfileState:
        """Return the state of one profile at one destination; valid until the store is closed."""
        return ProfileState(self._open_environment, profile, destination_identity)

    def part(self, destination_identity: str) -> DestinationPart:
        """Return what is held of one destination, for all profiles; valid until the store is closed."""
        return DestinationPart(self._open_environment, destination_identity)

    def check(self, destination_identity: str, profiles: list[str]) -> Checked:
        """Read every record of the store, and look at what those of one destination say of each other.

        Args:
            destination_identity: the destination.
            profiles: the names of its profiles, for their items.
        """
        checked = Checked()
        check_records(self._open_environment, checked)
        if not checked.count:
            clear_suspicion(self._open_environment.directory)
            check_references(self._open_environment, destination_identity, profiles, checked)
        return checked

    def differences(
        self, other: StateStore, table: str, profile: str, destination_identity: str
    ) -> Iterator[tuple[bytes, bytes | None, bytes | None]]:
        """Yield (key, value here, value there) of what is not the same of one destination in two stores.

        Args:
            other: the other store.
            table: ``items`` of the profile, or another table of the destination.
            profile: whose items.
            destination_identity: the destination.
        """
        owners = Owners.of(destination_identity)
        prefix = items_owner(profile, destination_identity) if table == "items" else owners.destination
        there = other._open_environment  # pylint: disable=protected-access  # of this very class
        return differences(self._open_environment, there, table, prefix)

    def copy(self, target: Path) -> None:
        """Write a compact copy of the whole store as one file, durably.

        Raises:
            FatalError: it cannot be written.
        """
        self._open_environment.copy(target)

    def counters(self) -> Counters:
        """Return the numbers that survive runs; valid until the store is closed."""
        return Counters(self._open_environment)

    def close(self) -> None:
        """Let go; what was committed is durable already. May be called twice."""
        if self._environment is not None:
            release(self._environment)
            self._environment = None

    @property
    def _open_environment(self) -> Environment:
        if self._environment is None:
            raise ValueError("the state is closed")
        return self._environment

    def _look_closer(self) -> None:
        """Read all records where one of them was found damaged; raise ``StateDamagedError`` where that is still so."""
        environment = self._open_environment
        if not is_suspect(environment.directory):
            return
        checked = Checked()
        check_records(environment, checked)
        if checked.count:
            raise StateDamagedError(environment.directory, f"{checked.count:,} records, {checked.problems[0].what}")
        clear_suspicion(environment.directory)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class ProfileState:
    """What ``syncengine.engine.ports.State`` promises, on LMDB.

    Args:
        environment: the open store.
        profile: the profile's name; items and runs are kept under it.
        destination: the destination's identity; all else is kept under it.
    """

    def __init__(self, environment: Environment, profile: str, destination: str) -> None:
        self._store = environment
        self._profile = owner_key(profile)
        self._items = items_owner(profile, destination)
        self._owners = Owners.of(destination)
        self._destination = self._owners.destination

    def items(self, ids: Sequence[str]) -> list[ItemRecord | None]:
        """Return the record of each item id, in the same order."""
        return self._records("items", item_keys(self._items, ids), ITEMS)

    def all_items(self) -> Iterator[tuple[str, ItemRecord]]:
        """Yield every item of the profile with its id, by key, without holding the store for long."""
        for page in pages(self._store, "items", self._items):
            with translated(self._store.directory):
                records = ITEMS.decode_each(value for _, value in page)
            for (key, _), record in zip(page, records, strict=True):
                identity = plain_id(key)
                if identity is not None or record.id:
                    yield identity or record.id, record

    def contents(self, keys: Sequence[bytes]) -> list[ContentRecord | None]:
        """Return the record of each content key, in the same order."""
        owner = self._destination
        records = self._records("contents", [owner + key for key in keys], CONTENTS)
        with translated(self._store.directory):
            for key, record in zip(keys, records, strict=True):
                if record is not None and record.content != key:
                    raise RecordDamagedError(f"the record of content {key.hex()} is of {record.content.hex()}")
        return records

    def path_owners(self, paths: Sequence[str]) -> list[bytes | None]:
        """Return the content that owns each path, names compared without regard to case."""
        return self._records("paths", [path_key(self._destination, path) for path in paths], BYTES)

    def albums(self) -> Iterator[AlbumRecord]:
        """Yield every album of the destination."""
        return self._scan("albums", self._destination, ALBUMS)

    def album_members(self, album: str) -> Iterator[ContentRecord]:
        """Yield the contents of the album with that id, by content key."""
        for page in pages(self._store, "members", album_key(self._destination, album)):
            with translated(self._store.directory):
                keys = BYTES.decode_each(value for _, value in page)
            for record in self.contents(keys):
                if record is not None:
                    yield record

    def all_contents(self) -> Iterator[ContentRecord]:
        """Yield every content of the destination, by content key, without holding the store for long."""
        return self._scan("contents", self._destination, CONTENTS)

    def count_contents(self) -> int:
        """Return how many contents the destination holds."""
        return sum(len(page) for page in pages(self._store, "contents", self._destination, values=False))

    def fingerprints(self, method: str) -> Fingerprints:
        """Return the fingerprints of one method."""
        return Fingerprints(self._store, self._destination + owner_key(method))

    def commit(self, batch: StateBatch) -> None:
        """Write a batch in one durable transaction; the same batch again changes nothing.

        Raises:
            FatalError: the disk is full or failing; nothing of the batch was kept.
        """
        self._store.write(partial(self._put_batch, batch))

    def save_run(self, report: RunReport) -> None:
        """Remember a run's account."""
        key, value = self._profile + report.run.encode(), RUNS.encode(report)
        runs = self._store.tables["runs"]
        self._store.write(lambda txn: txn.put(key, value, db=runs))

    def runs(self, limit: int) -> list[RunReport]:
        """Return the newest accounts of this profile, newest first."""
        keys = [key for page in pages(self._store, "runs", self._profile, values=False) for key, _ in page]
        newest = keys[::-1][:limit]
        return [record for record in self._records("runs", newest, RUNS) if record is not None]

    def _records(self, table: str, keys: list[bytes], codec: Codec[Any]) -> list[Any]:
        store = self._store
        with store.read(len(keys)) as txn, txn.cursor(store.tables[table]) as cursor:
            found = cast(Encoded, cursor.getmulti(keys))
        with translated(store.directory):
            records = codec.decode_each([value for _, value in found])
        if len(records) == len(keys):
            return records
        by_key = dict(zip([key for key, _ in found], records, strict=True))
        return list(map(by_key.get, keys))

    def _scan(self, table: str, prefix: bytes, codec: Codec[Any]) -> Iterator[Any]:
        for page in pages(self._store, table, prefix):
            with translated(self._store.directory):
                records = codec.decode_each(value for _, value in page)
            yield from records

    def _put_batch(self, batch: StateBatch, txn: lmdb.Transaction) -> None:
        put_shared(txn, self._store.tables, self._owners, batch)
        put_items(txn, self._store.tables, self._items, batch)
