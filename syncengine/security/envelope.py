"""How one secret is kept: a header, and AES-256-GCM over the rest (NIST SP 800-38D).

=======  =====  ==========================================================
offset   bytes
=======  =====  ==========================================================
0        4      ``SEV1``: the format and its version
4        1      the cipher: 1 is AES-256-GCM
5        1      where the key came from, see ``vault_key.ORIGINS``
6        2      zero
8        8      which key: a fingerprint, worth nothing to an attacker
16       12     nonce, by chance
28       ..     ciphertext and 16 bytes of tag
=======  =====  ==========================================================

The tag also covers the header and the entry's name: an entry that is renamed or put in another's place is not opened.
The key proper is derived (HKDF-SHA-256), so that the master key serves nothing else.
"""

from __future__ import annotations

import os
import struct

import msgspec

_HEADER = struct.Struct(">4sBBH8s12s")
_MAGIC = b"SEV1"
_AES_256_GCM = 1
_TAG = 16
#: Bytes that a secret may have.
LARGEST = 1 << 20
#: Bytes that an envelope may have.
LARGEST_ENVELOPE = _HEADER.size + LARGEST + _TAG


class DamagedError(Exception):
    """An envelope is not what was written, or not under that name."""


class NewerError(Exception):
    """An envelope was written by a newer version."""


class Header(msgspec.Struct, frozen=True):
    """What an envelope says without being opened.

    Args:
        origin: number of where its key came from.
        key_id: which key.
        nonce: of this envelope.
    """

    origin: int
    key_id: bytes
    nonce: bytes


def seal(name: str, secret: bytes, key: bytes, *, key_id: bytes, origin: int) -> bytes:
    """Return ``secret``, encrypted and bound to ``name``.

    Args:
        name: the entry's.
        secret: at most ``LARGEST`` bytes.
        key: 32 bytes.
        key_id: 8 bytes, by which the key is found again.
        origin: number of where the key came from.
    """
    # Imported here: takes 40 ms, and most commands open no vault.
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    if len(secret) > LARGEST:
        raise ValueError(f"a secret has at most {LARGEST} bytes")
    # 96 bits by chance are safe for 2**32 envelopes of one key; this one sees a few a day
    nonce = os.urandom(12)
    header = _HEADER.pack(_MAGIC, _AES_256_GCM, origin, 0, key_id, nonce)
    return header + AESGCM(key).encrypt(nonce, secret, header + name.encode())


def header_of(envelope: bytes) -> Header:
    """Return what an envelope says of itself; nothing of it is proven before it is opened.

    Raises:
        DamagedError: it is no envelope.
        NewerError: it is one of a later version.
    """
    if len(envelope) < _HEADER.size + _TAG or not envelope.startswith(_MAGIC[:3]):
        raise DamagedError
    magic, cipher, origin, zero, key_id, nonce = _HEADER.unpack_from(envelope)
    if magic != _MAGIC or cipher != _AES_256_GCM or zero:
        raise NewerError
    return Header(origin, key_id, nonce)


def open_sealed(name: str, envelope: bytes, key: bytes) -> bytes:
    """Return the secret.

    Raises:
        DamagedError: a bit of it changed, it stands under another name, or the key is another one.
    """
    # Imported here: takes 40 ms, and most commands open no vault.
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = header_of(envelope).nonce
    covered = envelope[: _HEADER.size] + name.encode()
    try:
        return AESGCM(key).decrypt(nonce, envelope[_HEADER.size :], covered)
    except InvalidTag:
        raise DamagedError from None
