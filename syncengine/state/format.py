"""The store's format: its tables, its version, and the steps from one version to the next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import lmdb

from syncengine.state.codec import Codec
from syncengine.state.failures import made_by_newer

#: Every table; opened once, at the start.
TABLES = ("meta", "items", "contents", "paths", "fingerprints", "albums", "members", "runs", "counters")

Tables = Mapping[str, Any]
Migration = Callable[[lmdb.Transaction, Tables], None]

#: ``MIGRATIONS[n]`` leads from version n + 1 to version n + 2.
MIGRATIONS: tuple[Migration, ...] = ()

_VERSION_KEY = b"format"
_NUMBER: Codec[int] = Codec(int)


def version_of(txn: lmdb.Transaction, tables: Tables) -> int | None:
    """Return the version of a store's format, or ``None`` for a new store."""
    stored = cast(bytes | None, txn.get(_VERSION_KEY, db=tables["meta"]))
    return None if stored is None else _NUMBER.decode(stored)


def prepare(
    txn: lmdb.Transaction, tables: Tables, directory: Path, migrations: tuple[Migration, ...] = MIGRATIONS
) -> None:
    """Bring a store to this version's format, inside one transaction.

    Args:
        txn: that writes.
        tables: by name.
        directory: of the store, for messages.
        migrations: the steps from version 1 on.

    Raises:
        FatalError: the store was made by a newer syncengine; it is left as it is.
    """
    meta = tables["meta"]
    newest = len(migrations) + 1
    stored = version_of(txn, tables)
    version = newest if stored is None else stored
    if version > newest:
        raise made_by_newer(directory)
    for migrate in migrations[version - 1 :]:
        migrate(txn, tables)
    if stored is None or version < newest:
        txn.put(_VERSION_KEY, _NUMBER.encode(newest), db=meta)
