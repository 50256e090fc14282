"""How a record becomes bytes: a version byte, a CRC-32, and MessagePack.

LMDB's data format has no checksums, so a flipped bit in a value would go unnoticed; the CRC-32 notices it. Records
are arrays that only ever grow at their end: fields that an older record lacks take their defaults, fields that a
newer record has on top are ignored.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import repeat
from struct import Struct
from typing import Generic, TypeVar
from zlib import crc32

import msgspec

from syncengine.state.failures import RecordDamagedError

T = TypeVar("T")

_VERSION = 1
_HEADER = Struct("<BI")
_HEADER_SIZE = _HEADER.size


class Codec(Generic[T]):
    """Encodes and decodes the values of one type.

    Args:
        kind: an array-like Struct, or a plain type such as ``bytes``.
    """

    def __init__(self, kind: type[T]) -> None:
        self._name = kind.__name__
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder(kind).decode

    def encode(self, record: T) -> bytes:
        """Return the record's bytes. Text that is not valid Unicode is kept readable, with its bytes escaped."""
        try:
            body = self._encode(record)
        except UnicodeEncodeError:
            body = self._encode(_escaped(msgspec.to_builtins(record, builtin_types=(bytes,))))
        return _HEADER.pack(_VERSION, crc32(body)) + body

    def decode(self, value: bytes) -> T:
        """Return the record. Raises ``RecordDamagedError`` when the bytes are not what was written."""
        return self.decode_each((value,))[0]

    def decode_each(self, values: Iterable[bytes]) -> list[T]:
        """Return the records of many values, in order; see ``decode``."""
        values = list(values)
        bodies = [value[_HEADER_SIZE:] for value in values]
        headers = map(_HEADER.pack, repeat(_VERSION), map(crc32, bodies))
        if not all(map(bytes.startswith, values, headers)):
            raise RecordDamagedError(f"a record ({self._name}) does not match its checksum")
        try:
            return list(map(self._decode, bodies))
        except msgspec.DecodeError as problem:
            raise RecordDamagedError(f"a record ({self._name}) cannot be read: {problem}") from problem


def _escaped(value: object) -> object:
    """Return builtins with every lone surrogate (a byte of an undecodable file name) written as an escape."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, (list, tuple)):
        return [_escaped(part) for part in value]
    if isinstance(value, dict):
        return {_escaped(key): _escaped(part) for key, part in value.items()}
    return value
