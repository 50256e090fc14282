"""The fingerprints of contents, found by method and fingerprint."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import lmdb

from syncengine.state.codec import Codec
from syncengine.state.environment import Environment
from syncengine.state.failures import translated
from syncengine.state.keys import OWNER_SIZE
from syncengine.state.scanning import pages

_FIRST, _ANOTHER = b"\0", b"\1"
_BYTES = Codec(bytes)


class Fingerprints:
    """The fingerprints of one method at one destination, as the state remembers them.

    Several contents may share a fingerprint: the first is found by it, the others are kept beside it.

    Args:
        environment: the open store.
        prefix: of the destination and the method.
    """

    def __init__(self, environment: Environment, prefix: bytes) -> None:
        self._store = environment
        self._prefix = prefix

    def get(self, fingerprint: bytes) -> bytes | None:
        """Return the content that has exactly this fingerprint, the one that was there first."""
        with self._store.read() as txn:
            value = txn.get(self._prefix + _FIRST + fingerprint, db=self._store.tables["fingerprints"])
            return None if value is None else _BYTES.decode(cast(bytes, value))

    def entries(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield every (fingerprint, content)."""
        begin = 2 * OWNER_SIZE + 1
        for page in pages(self._store, "fingerprints", self._prefix):
            with translated(self._store.directory):
                contents = _BYTES.decode_each(value for _, value in page)
            for (key, _), content in zip(page, contents, strict=True):
                is_first = key[begin - 1 : begin] == _FIRST
                yield (key[begin:] if is_first else key[begin : -len(content)]), content


def put_fingerprint(txn: lmdb.Transaction, table: Any, prefix: bytes, fingerprint: bytes, content: bytes) -> None:
    """Add a fingerprint; the first content that brings it keeps it, others are added beside."""
    value = _BYTES.encode(content)
    if txn.put(prefix + _FIRST + fingerprint, value, overwrite=False, db=table):
        return
    if txn.get(prefix + _FIRST + fingerprint, db=table) != value:
        txn.put(prefix + _ANOTHER + fingerprint + content, value, db=table)


def drop_fingerprints(txn: lmdb.Transaction, table: Any, destination: bytes, contents: set[bytes]) -> None:
    """Remove the fingerprints of some contents, of every method; who shares one with them is found by it from now on.

    Args:
        txn: that writes.
        table: of the fingerprints.
        destination: the prefix of its keys.
        contents: that are gone.
    """
    gone = {_BYTES.encode(content): content for content in contents}
    begin = len(destination) + OWNER_SIZE
    left: set[tuple[bytes, bytes]] = set()
    with txn.cursor(table) as cursor:
        there = cursor.set_range(destination)
        while there and bytes(cursor.key()).startswith(destination):
            key, content = bytes(cursor.key()), gone.get(bytes(cursor.value()))
            if content is None:
                there = cursor.next()
                continue
            if key[begin : begin + 1] == _FIRST:
                left.add((key[:begin], key[begin + 1 :]))
            there = cursor.delete()
    for prefix, fingerprint in left:
        _promote(txn, table, prefix, fingerprint)


def _promote(txn: lmdb.Transaction, table: Any, prefix: bytes, fingerprint: bytes) -> None:
    """Let another content that has a fingerprint be the first that is found by it."""
    beside = prefix + _ANOTHER + fingerprint
    with txn.cursor(table) as cursor:
        there = cursor.set_range(beside)
        while there and bytes(cursor.key()).startswith(beside):
            value = bytes(cursor.value())
            if bytes(cursor.key()) == beside + _BYTES.decode(value):  # a longer fingerprint may begin alike
                cursor.delete()
                txn.put(prefix + _FIRST + fingerprint, value, db=table)
                return
            there = cursor.next()
