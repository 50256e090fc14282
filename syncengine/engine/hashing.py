"""SHA-256 of what a destination gives to read."""

from __future__ import annotations

import hashlib
from typing import BinaryIO

_CHUNK = 1 << 20


def digest_of(stream: BinaryIO) -> bytes:
    """Return the SHA-256 of the rest of a stream, read in chunks of 1 MiB."""
    digest = hashlib.sha256()
    while chunk := stream.read(_CHUNK):
        digest.update(chunk)
    return digest.digest()
