"""The credential vault: one encrypted file for each secret of each profile.

Layout, below the state directory: ``vault/`` (0700) with ``<profile>@<name>.sealed`` (0600, see ``envelope``) and, when
a passphrase is used, ``passphrase.json``; ``vault.key`` is the key file that is made when no other key is named.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from syncengine.errors import FatalError
from syncengine.security import envelope, private_files
from syncengine.security.envelope import LARGEST_ENVELOPE, DamagedError, NewerError
from syncengine.security.vault_key import KeyRing, Origin, VaultKey

_PROFILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_SUFFIX = ".sealed"
_PATIENCE = 30.0  # seconds for another process to finish with the vault; each holds it for milliseconds
_LOGIN = "run 'syncengine auth login PROFILE' again"


class Rekeyed(msgspec.Struct, frozen=True, kw_only=True):
    """What a change of keys did.

    Args:
        entries: how many were encrypted anew.
        origin: where the key now comes from, for people.
        advice: what is left to do, one line each.
    """

    entries: int
    origin: str
    advice: tuple[str, ...] = ()


class Vault:
    """All secrets of a state directory. May be used by several threads and processes.

    Args:
        state: the state directory.
        environ: where the key may be.
    """

    def __init__(self, state: Path, environ: Mapping[str, str]) -> None:
        self._state = state
        self._directory = state / "vault"
        self._ring = KeyRing(environ, state, self._directory / "passphrase.json")

    def of(self, profile: str) -> ProfileCredentials:
        """Return a profile's own part, a ``CredentialStore``."""
        return ProfileCredentials(self, profile)

    def load(self, entry: str) -> bytes | None:
        """Return a secret, or ``None``.

        Args:
            entry: as ``entry_name`` makes it.

        Raises:
            FatalError: its key is missing or another one; it is damaged; others may read it.
        """
        sealed = self._read(entry)
        return None if sealed is None else self._opened(entry, sealed)

    def save(self, entry: str, secret: bytes) -> None:
        """Keep a secret, durably and in one step.

        Raises:
            FatalError: there is no key, or the vault cannot be written.
        """
        with self._locked():
            self._seal(entry, secret, self._current_key())

    def delete(self, entry: str) -> None:
        """Forget a secret, if there is one."""
        if self._directory.exists():
            with self._locked():
                private_files.remove(self._path(entry))

    def entries(self) -> list[str]:
        """Return what is kept, sorted."""
        if not self._directory.exists():
            return []
        with private_files.translated(f"the directory {self._directory}"):
            return sorted(path.name.removesuffix(_SUFFIX) for path in self._directory.glob(f"*{_SUFFIX}"))

    def rekey(self) -> Rekeyed:
        """Encrypt every entry with the key that the environment names now, or with a new key file.

        May be interrupted at any point: each entry is replaced in one step, both keys stay within reach, and a second
        call goes on where the first one stopped.

        Raises:
            FatalError: an entry cannot be opened; nothing was changed then.
        """
        with self._locked():
            # all are opened before the first is replaced
            opened = [(entry, sealed, self._opened(entry, sealed)) for entry, sealed in self._sealed()]
            target = self._next_key()
            changed = 0
            for entry, sealed, secret in opened:
                if envelope.header_of(sealed).key_id != target.id:
                    self._seal(entry, secret, target)
                    changed += 1
            if self._ring.origin == Origin.FILE:
                private_files.rename(self._ring.next_file, self._ring.file)
        return Rekeyed(entries=changed, origin=target.origin.title, advice=tuple(self._ring.leftovers(changed)))

    def _sealed(self) -> Iterator[tuple[str, bytes]]:
        for entry in self.entries():
            sealed = self._read(entry)
            if sealed is not None:
                yield entry, sealed

    def _opened(self, entry: str, sealed: bytes) -> bytes:
        of = f"the sign-in of profile {entry.partition('@')[0]}"
        try:
            header = envelope.header_of(sealed)
            key = self._ring.find(header.key_id, header.origin)
            if key is None:
                raise self._keyless(of, header.origin)
            return envelope.open_sealed(entry, sealed, key.sealing)
        except DamagedError:
            raise FatalError(f"{of} is damaged: {self._path(entry)} is not what was written", advice=_LOGIN) from None
        except NewerError:
            raise FatalError(f"{of} was kept by a newer syncengine", advice="update syncengine") from None

    def _keyless(self, of: str, number: int) -> FatalError:
        try:
            sealed_with = Origin(number).title
        except ValueError:
            sealed_with = "another key"
        where = f" ({self._ring.file})" if number == Origin.FILE else ""
        return FatalError(
            f"{of} was encrypted with {sealed_with}{where}, which is missing or has changed",
            advice=f"put that key back, or {_LOGIN}",
        )

    def _current_key(self) -> VaultKey:
        key = self._ring.current()
        if key is not None:
            return key
        if entries := self.entries():
            # a new key would only hide that the old one is lost
            raise FatalError(
                f"the key file {self._ring.file} is missing, and {len(entries)} sign-ins need another key",
                advice=f"put the key back, or remove {self._directory} and sign in again",
            )
        return self._ring.make(self._ring.file)

    def _next_key(self) -> VaultKey:
        """Return the key to change to; a key file that an interrupted change left behind is gone on with."""
        return self._ring.make(self._ring.next_file) if self._ring.origin == Origin.FILE else self._current_key()

    def _seal(self, entry: str, secret: bytes, key: VaultKey) -> None:
        sealed = envelope.seal(entry, secret, key.sealing, key_id=key.id, origin=key.origin)
        private_files.replace(self._path(entry), sealed)

    def _read(self, entry: str) -> bytes | None:
        if not self._directory.exists():
            return None
        private_files.make_directory(self._directory)
        return private_files.read(self._path(entry), LARGEST_ENVELOPE + 1)

    def _path(self, entry: str) -> Path:
        return self._directory / f"{entry}{_SUFFIX}"

    @contextmanager
    def _locked(self) -> Iterator[None]:
        # Imported here: reading a secret takes no lock.
        from filelock import FileLock, Timeout

        private_files.make_directory(self._directory)
        try:
            with FileLock(self._directory / ".lock", timeout=_PATIENCE, mode=0o600):
                private_files.remove_unfinished(self._directory)
                yield
        except Timeout:
            raise FatalError(
                f"another process keeps the vault {self._directory} busy",
                advice="run the command again when it has ended",
            ) from None


class ProfileCredentials:
    """The secrets of one profile: what a source gets of the vault. A ``CredentialStore``.

    Args:
        vault: where they are.
        profile: the profile's name.
    """

    def __init__(self, vault: Vault, profile: str) -> None:
        self._vault = vault
        self._profile = profile

    def load(self, name: str) -> bytes | None:
        """Return what was saved under ``name``, or ``None``."""
        return self._vault.load(entry_name(self._profile, name))

    def save(self, name: str, value: bytes) -> None:
        """Keep ``value`` in place of what was there."""
        self._vault.save(entry_name(self._profile, name), value)

    def delete(self, name: str) -> None:
        """Forget what was saved under ``name``."""
        self._vault.delete(entry_name(self._profile, name))


def entry_name(profile: str, name: str) -> str:
    """Return the name of an entry, which is also its file's.

    Raises:
        ValueError: one of the names is none; it could lead somewhere else.
    """
    if not _PROFILE.fullmatch(profile) or not _NAME.fullmatch(name):
        raise ValueError(f"{profile!r} and {name!r} do not name an entry of the vault")
    return f"{profile}@{name}"
