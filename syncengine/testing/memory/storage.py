"""What a ``MemoryDestination`` keeps: names, files, links, and what of it would survive a power cut."""

from __future__ import annotations

import threading
import uuid
from collections import Counter
from collections.abc import Iterator

import msgspec

from syncengine.errors import ItemError


class StoredFile(msgspec.Struct, eq=False):
    """A file; two names of one file are two keys with the same value.

    Args:
        content: its bytes.
        mtime: seconds since the epoch.
    """

    content: bytes
    mtime: float


class StoredLink(msgspec.Struct, frozen=True):
    """A symbolic link to another path of the storage."""

    target: str


Entry = StoredFile | StoredLink


class MemoryStorage:
    """The part of a memory destination that outlives it. All access is under ``lock``."""

    def __init__(self) -> None:
        self.id = str(uuid.uuid4())
        self.exists = False
        self.entries: dict[str, Entry] = {}
        self.lock = threading.RLock()
        self._directories: Counter[str] = Counter()
        self._durable: dict[str, Entry] = {}

    def flush(self) -> None:
        """Make what is there durable."""
        with self.lock:
            self._durable = dict(self.entries)

    def power_cut(self) -> None:
        """Lose everything since the last flush."""
        with self.lock:
            self.entries = dict(self._durable)
            self._directories = Counter(parent for path in self.entries for parent in _parents(path))

    def file(self, path: str) -> StoredFile | None:
        """Return the regular file at ``path``."""
        entry = self.entries.get(path)
        return entry if isinstance(entry, StoredFile) else None

    def is_directory(self, path: str) -> bool:
        """Return whether something is below ``path``."""
        return self._directories[path] > 0

    def name(self, path: str, entry: Entry) -> None:
        """Put ``entry`` at ``path``. Raises ``ItemError`` where a file is in the way of its directory."""
        for parent in _parents(path):
            if parent in self.entries:
                raise ItemError(f"{parent} is no directory, so {path} cannot be made")
        if path not in self.entries:
            self._directories.update(_parents(path))
        self.entries[path] = entry

    def unname(self, path: str) -> bool:
        """Take the name ``path`` away; return whether there was one."""
        if self.entries.pop(path, None) is None:
            return False
        self._directories.subtract(_parents(path))
        return True

    def used(self) -> int:
        """Return the bytes that all files have together, each counted once."""
        files = {id(entry): entry for entry in self.entries.values() if isinstance(entry, StoredFile)}
        return sum(len(file.content) for file in files.values())


def _parents(path: str) -> Iterator[str]:
    while path := path.rpartition("/")[0]:
        yield path


def check_path(path: str) -> str:
    """Return ``path``, or raise ``ItemError`` when it is none below the root."""
    if "\\" in path or "\0" in path or any(part in ("", ".", "..") for part in path.split("/")):
        raise ItemError(f"{path!r} is no path inside the destination")
    return path
