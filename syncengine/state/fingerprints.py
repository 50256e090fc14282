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
