"""A key out of a passphrase: scrypt (RFC 7914), with a salt and parameters that are kept beside the vault."""

from __future__ import annotations

import secrets
import unicodedata
from pathlib import Path

import msgspec

from syncengine.errors import FatalError
from syncengine.security import private_files

_LARGEST_FILE = 4096
_LEAST_CHARACTERS = 8
_NEWEST = 1


class Stretching(msgspec.Struct, frozen=True, kw_only=True):
    """How a passphrase becomes a key. ``n`` times ``r`` times 128 are the bytes of memory that it takes: 64 MiB.

    Args:
        salt: by chance, once for a vault.
        n: cost, a power of 2.
        r: block size.
        p: parallelism.
        kdf: the method.
        version: of this file.
    """

    salt: bytes
    n: int = 1 << 16
    r: int = 8
    p: int = 1
    kdf: str = "scrypt"
    version: int = _NEWEST

    @property
    def is_sane(self) -> bool:
        """Whether it is safe to follow: neither worthless nor a way to take all memory."""
        is_power_of_2 = self.n & (self.n - 1) == 0
        bounds = ((self.n, 1 << 14, 1 << 20), (self.r, 8, 32), (self.p, 1, 16), (len(self.salt), 16, 64))
        return is_power_of_2 and all(least <= value <= most for value, least, most in bounds)


def prepare(salt_file: Path) -> None:
    """Make the salt file if there is none; its directory is there."""
    private_files.create(salt_file, msgspec.json.encode(Stretching(salt=secrets.token_bytes(32))))


def key_from(passphrase: str, variable: str, salt_file: Path) -> bytes:
    """Return the 32 bytes that a passphrase stands for; takes a fifth of a second.

    Args:
        passphrase: as typed; different ways to encode the same characters are one passphrase.
        variable: where it came from, for messages.
        salt_file: as ``prepare`` made it.

    Raises:
        FatalError: it is too short, or the salt file is missing or damaged.
    """
    if len(passphrase) < _LEAST_CHARACTERS:
        raise FatalError(
            f"the passphrase in {variable} is too short", advice=f"choose one of {_LEAST_CHARACTERS} characters or more"
        )
    how = _stretching(salt_file)
    # Imported here: takes 40 ms, and only a passphrase needs it.
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    normal = unicodedata.normalize("NFC", passphrase).encode("utf-8", "surrogatepass")
    return Scrypt(salt=how.salt, length=32, n=how.n, r=how.r, p=how.p).derive(normal)


def _stretching(path: Path) -> Stretching:
    content = private_files.read(path, _LARGEST_FILE)
    try:
        how = msgspec.json.decode(content or b"", type=Stretching)
    except msgspec.MsgspecError:
        raise _damaged(path) from None
    if how.version > _NEWEST or how.kdf != "scrypt":
        raise FatalError(f"{path} was written by a newer syncengine", advice="update syncengine")
    if not how.is_sane:
        raise _damaged(path)
    return how


def _damaged(path: Path) -> FatalError:
    return FatalError(
        f"{path}, which belongs to the passphrase, is missing or damaged",
        advice=f"put it back from a backup, or remove the directory {path.parent} and sign in again",
    )
