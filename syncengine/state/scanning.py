"""Reading many entries of a table without holding the store for long."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, takewhile
from typing import cast

import lmdb

from syncengine.state.environment import Environment

PAGE = 1000


def pages(
    environment: Environment, table: str, prefix: bytes, *, values: bool = True
) -> Iterator[list[tuple[bytes, bytes]]]:
    """Yield the entries whose keys begin with ``prefix``, in order, a page per short read transaction.

    Args:
        environment: the open store.
        table: its name.
        prefix: that all keys share.
        values: whether the values are wanted; without them they are empty.
    """
    start: bytes | None = prefix
    while start is not None:
        with environment.read(PAGE) as txn, txn.cursor(environment.tables[table]) as cursor:
            page = list(islice(_entries(cursor, start, prefix, values=values), PAGE))
        start = page[-1][0] + b"\0" if len(page) == PAGE else None
        if page:
            yield page


def _entries(cursor: lmdb.Cursor, start: bytes, prefix: bytes, *, values: bool) -> Iterator[tuple[bytes, bytes]]:
    if not cursor.set_range(start):
        return
    entries = cursor if values else ((key, b"") for key in cursor.iternext(values=False))
    yield from takewhile(lambda entry: entry[0].startswith(prefix), cast(Iterator[tuple[bytes, bytes]], entries))
