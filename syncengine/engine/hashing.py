"""SHA-256 of what a destination gives to read, and whether a file is the one that is meant."""

from __future__ import annotations

import hashlib
from typing import Any, BinaryIO

from syncengine.api import Destination

_CHUNK = 1 << 20


def digest_of(stream: BinaryIO) -> bytes:
    """Return the SHA-256 of the rest of a stream, read in chunks of 1 MiB."""
    digest = hashlib.sha256()
    while chunk := stream.read(_CHUNK):
        digest.update(chunk)
    return digest.digest()


def holds(destination: Destination[Any], path: str, digest: bytes, size: int | None = None) -> bool:
    """Return whether there is a file at ``path`` that has exactly the bytes that are meant.

    Args:
        destination: open.
        path: relative to its root.
        digest: SHA-256 of the bytes.
        size: how many they are, where that is known: a file of another size is not read.

    Raises:
        ItemError, FileNotFoundError: it cannot be looked at, or went away meanwhile.
    """
    there = destination.stat(path)
    if there is None or size not in (None, there.size):
        return False
    with destination.read(path) as stream:
        return digest_of(stream) == digest
