"""The key that encrypts the vault, and where it comes from.

The first of these that is there seals what is saved:

1. ``SYNCENGINE_KEY``: 32 bytes in base64
2. the key file that ``SYNCENGINE_KEY_FILE`` names, made on first use
3. a systemd credential, ``syncengine.key`` in ``$CREDENTIALS_DIRECTORY``, with the same content as a key file
4. ``SYNCENGINE_PASSPHRASE``
5. the key file ``vault.key`` in the state directory, made on first use

Any of them opens what was sealed with it, and so do ``SYNCENGINE_OLD_KEY`` and ``SYNCENGINE_OLD_PASSPHRASE``: while a
key is being changed, both are there.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Iterator, Mapping
from enum import IntEnum
from pathlib import Path

from syncengine.errors import FatalError
from syncengine.security import private_files
from syncengine.security.passphrase import key_from, prepare

KEY = "SYNCENGINE_KEY"
KEY_FILE = "SYNCENGINE_KEY_FILE"
PASSPHRASE = "SYNCENGINE_PASSPHRASE"  # a variable's name  # nosec B105
OLD_KEY = "SYNCENGINE_OLD_KEY"
OLD_PASSPHRASE = "SYNCENGINE_OLD_PASSPHRASE"  # a variable's name  # nosec B105
CREDENTIAL = "syncengine.key"

_SIZE = 32
_LARGEST_FILE = 4096
_HOW = "make one with 'openssl rand -base64 32'"


class Origin(IntEnum):
    """Where a key came from; the numbers stand in envelopes."""

    VARIABLE = 1
    FILE = 2
    CREDENTIAL = 3
    PASSPHRASE = 4

    @property
    def title(self) -> str:
        """What people call it."""
        return _TITLES[self]


_TITLES = {
    Origin.VARIABLE: f"the key in {KEY}",
    Origin.FILE: "a key file",
    Origin.CREDENTIAL: f"the systemd credential {CREDENTIAL}",
    Origin.PASSPHRASE: f"the passphrase in {PASSPHRASE}",
}


class VaultKey:
    """A key.

    Args:
        origin: where it came from.
        master: 32 bytes.
    """

    __slots__ = ("_master", "id", "origin")

    def __init__(self, origin: Origin, master: bytes) -> None:
        self.origin = origin
        self._master = master
        self.id = self._derived(b"syncengine vault key id")[:8]

    @property
    def sealing(self) -> bytes:
        """The 32 bytes that encrypt entries."""
        return self._derived(b"syncengine vault entries")

    def __repr__(self) -> str:
        return f"VaultKey({self.origin.name})"

    def _derived(self, purpose: bytes) -> bytes:
        # HKDF-Expand (RFC 5869 2.3) with one block; the master is uniform already, so nothing is to be extracted
        return hmac.new(self._master, purpose + b"\x01", hashlib.sha256).digest()


class KeyRing:
    """The keys that are within reach.

    Args:
        environ: the environment.
        state: the state directory, for the key file that nobody has to name.
        salt_file: where the passphrase's salt is, or will be.
    """

    def __init__(self, environ: Mapping[str, str], state: Path, salt_file: Path) -> None:
        self._environ = environ
        self._own_file = state / "vault.key"
        self._salt_file = salt_file
        self._stretched: dict[str, VaultKey] = {}

    @property
    def file(self) -> Path:
        """The key file that is used when nothing before it is there; need not exist."""
        named = self._environ.get(KEY_FILE)
        return Path(named).expanduser().absolute() if named else self._own_file

    @property
    def next_file(self) -> Path:
        """The key file that takes the place of ``file`` when a change of keys is through."""
        return self.file.with_name(self.file.name + ".next")

    @property
    def origin(self) -> Origin:
        """Where the key comes from that seals."""
        if self._environ.get(KEY):
            return Origin.VARIABLE
        if self._environ.get(KEY_FILE):
            return Origin.FILE
        if self._credential() is not None:
            return Origin.CREDENTIAL
        return Origin.PASSPHRASE if self._environ.get(PASSPHRASE) else Origin.FILE

    def current(self) -> VaultKey | None:
        """Return the key that seals, or ``None`` when it is a key file that was not made yet; the vault is there.

        Raises:
            FatalError: it is no key, or it is open to other users.
        """
        match self.origin:
            case Origin.VARIABLE:
                return self._variable(KEY)
            case Origin.CREDENTIAL:
                return self._credential()
            case Origin.PASSPHRASE:
                prepare(self._salt_file)
                return self._passphrase(PASSPHRASE)
            case _:
                return _file_key(self.file)

    def make(self, path: Path) -> VaultKey:
        """Make a key file, or take the one that another process made meanwhile."""
        content = base64.b64encode(secrets.token_bytes(_SIZE)) + b"\n"
        private_files.create(path, content)
        key = _file_key(path)
        if key is None:
            raise FatalError(f"the key file {path} vanished", advice="run the command again")
        return key

    def find(self, key_id: bytes, origin: int) -> VaultKey | None:
        """Return the key with that id, if it is within reach.

        Args:
            key_id: as an envelope names it.
            origin: where it came from then; it may be somewhere else now.
        """
        keys = self._passphrases() if origin == Origin.PASSPHRASE else self._keys(origin)
        return next((key for key in keys if key is not None and key.id == key_id), None)

    def leftovers(self, changed: int) -> Iterator[str]:
        """Yield what is left to do after a change of keys.

        Args:
            changed: entries that were encrypted anew.
        """
        if not changed and self.origin == Origin.VARIABLE:
            yield f"to change the key, set {KEY} to a new one and {OLD_KEY} to the present one, and run this again"
        elif not changed and self.origin == Origin.PASSPHRASE:
            yield (
                f"to change the passphrase, set {PASSPHRASE} to a new one and {OLD_PASSPHRASE} to the present one, and "
                "run this again"
            )
        for name in (OLD_KEY, OLD_PASSPHRASE):
            if self._environ.get(name):
                yield f"{name} is not needed any more: take it out of the environment"
        for path in dict.fromkeys((self.file, self._own_file)):
            if self.origin != Origin.FILE and path.exists():
                yield f"nothing is encrypted with the key file {path} any more: remove it"

    def _keys(self, origin: int) -> Iterator[VaultKey | None]:
        variables = [self._variable(KEY), self._variable(OLD_KEY)] if origin == Origin.VARIABLE else []
        yield from variables
        for path in dict.fromkeys((self.file, self.next_file, self._own_file)):
            yield _file_key(path)
        yield self._credential()
        if not variables:
            yield self._variable(KEY)
            yield self._variable(OLD_KEY)

    def _passphrases(self) -> Iterator[VaultKey | None]:
        yield self._passphrase(PASSPHRASE)
        yield self._passphrase(OLD_PASSPHRASE)

    def _variable(self, name: str) -> VaultKey | None:
        text = self._environ.get(name)
        return VaultKey(Origin.VARIABLE, _decoded(text, f"the variable {name}")) if text else None

    def _passphrase(self, name: str) -> VaultKey | None:
        text = self._environ.get(name)
        if not text:
            return None
        if name not in self._stretched:
            self._stretched[name] = VaultKey(Origin.PASSPHRASE, key_from(text, name, self._salt_file))
        return self._stretched[name]

    def _credential(self) -> VaultKey | None:
        """Return the key that systemd hands over; systemd itself sees to who can read it."""
        directory = self._environ.get("CREDENTIALS_DIRECTORY")
        if not directory:
            return None
        path = Path(directory, CREDENTIAL)
        try:
            content = path.read_bytes()[:_LARGEST_FILE]
        except FileNotFoundError:
            return None
        except OSError as error:
            raise FatalError(
                f"the systemd credential {path} cannot be read: {error.strerror}",
                advice="check LoadCredential= or LoadCredentialEncrypted= in the unit",
            ) from None
        return VaultKey(Origin.CREDENTIAL, _decoded(content.decode("latin-1"), f"the systemd credential {path}"))


def _file_key(path: Path) -> VaultKey | None:
    content = private_files.read(path, _LARGEST_FILE)
    return (
        None if content is None else VaultKey(Origin.FILE, _decoded(content.decode("latin-1"), f"the key file {path}"))
    )


def _decoded(text: str, where: str) -> bytes:
    try:
        key = base64.b64decode(text.strip().translate(str.maketrans("-_", "+/")), validate=True)
    except (binascii.Error, ValueError):
        raise FatalError(f"{where} holds no key: it is not base64", advice=_HOW) from None
    if len(key) != _SIZE:
        raise FatalError(f"{where} holds no key: it has {len(key)} bytes, not {_SIZE}", advice=_HOW)
    return key
