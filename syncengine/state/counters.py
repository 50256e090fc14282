"""Numbers that survive runs: what was used of a service's daily limits."""

from __future__ import annotations

from datetime import date, timedelta
from hashlib import blake2b
from typing import Any

import lmdb
import msgspec

from syncengine.state.codec import Codec
from syncengine.state.environment import Environment
from syncengine.state.failures import translated

_TABLE = "counters"
#: A counter whose name ends in a day is forgotten when that day is so far back.
_KEPT = timedelta(days=3)


class _Counter(msgspec.Struct, frozen=True, array_like=True):
    """A number under its name. Fields are only ever added at the end."""

    name: str
    number: int


COUNTERS: Codec[_Counter] = Codec(_Counter)


class Counters:
    """What ``syncengine.api.CounterStore`` promises, on LMDB; shared by all profiles of a state directory.

    Args:
        environment: the open store.
    """

    def __init__(self, environment: Environment) -> None:
        self._store = environment

    def read(self, name: str) -> int:
        """Return a number; one that nobody added to is 0."""
        with translated(self._store.directory), self._store.read() as txn:
            return _number(txn.get(_key(name), db=self._store.tables[_TABLE]))

    def add(self, name: str, amount: int) -> int:
        """Add to a number durably, in one step, and return what it is now; numbers of days long past are forgotten."""
        return self._store.write(lambda txn: self._add(txn, name, amount))

    def _add(self, txn: lmdb.Transaction, name: str, amount: int) -> int:
        table = self._store.tables[_TABLE]
        before = txn.get(_key(name), db=table)
        if before is None:
            _forget_old(txn, table)
        number = _number(before) + amount
        txn.put(_key(name), COUNTERS.encode(_Counter(name, number)), db=table)
        return number


def _key(name: str) -> bytes:
    return blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _number(value: bytes | memoryview | None) -> int:
    return COUNTERS.decode(bytes(value)).number if value is not None else 0


def _forget_old(txn: lmdb.Transaction, table: Any) -> None:
    oldest = (date.today() - _KEPT).isoformat()
    with txn.cursor(db=table) as cursor:
        for key, value in list(cursor):
            _, at, day = COUNTERS.decode(bytes(value)).name.rpartition("@")
            if at and len(day) == len(oldest) and day < oldest:
                txn.delete(key, db=table)
