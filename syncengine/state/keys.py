"""How the store names its entries; LMDB takes keys of 1 to 511 bytes.

Every key begins with 8 bytes that stand for its owner (a profile or a destination), so what belongs together lies
together, and two owners never meet.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b, sha256
from unicodedata import normalize

OWNER_SIZE = 8
_LONGEST_PLAIN = 400
_KEPT_OF_LONG = 300
_SHORTENED = _KEPT_OF_LONG + sha256().digest_size


def owner_key(name: str) -> bytes:
    """Return the 8 bytes that stand for a profile, a destination or a method."""
    return blake2b(_bytes(name), digest_size=OWNER_SIZE).digest()


def item_keys(owner: bytes, ids: Sequence[str]) -> list[bytes]:
    """Return the keys of items (or albums) by their ids, in order.

    Ids stay readable so that ids scanned in sorted order hit neighbouring pages; a long one keeps its beginning and
    is told apart by its SHA-256.
    """
    try:
        keys = [owner + identity.encode() for identity in ids]
    except UnicodeEncodeError:
        keys = [owner + _bytes(identity) for identity in ids]
    if keys and max(map(len, keys)) > OWNER_SIZE + _LONGEST_PLAIN:
        return [_shortened(key) for key in keys]
    return keys


def plain_id(key: bytes) -> str | None:
    """Return the id that the key of an item holds, or ``None`` where it may hold no more than its beginning."""
    if len(key) - OWNER_SIZE == _SHORTENED:
        return None
    return key[OWNER_SIZE:].decode("utf-8", "surrogatepass")


def path_key(owner: bytes, path: str) -> bytes:
    """Return the key of a path at a destination; paths that differ only by case or normal form are the same."""
    folded = normalize("NFC", normalize("NFC", path).casefold())
    return owner + blake2b(_bytes(folded), digest_size=20).digest()


def album_key(owner: bytes, album: str) -> bytes:
    """Return the beginning of the keys of an album's members."""
    return owner + blake2b(_bytes(album), digest_size=20).digest()


def _shortened(key: bytes) -> bytes:
    if len(key) <= OWNER_SIZE + _LONGEST_PLAIN:
        return key
    return key[: OWNER_SIZE + _KEPT_OF_LONG] + sha256(key[OWNER_SIZE:]).digest()


def _bytes(text: str) -> bytes:
    # surrogatepass: ids made of undecodable file names are told apart as well
    return text.encode("utf-8", "surrogatepass")
