"""What the picker remembers between runs: the session that is open, and which picks were fetched.

Losing it costs another picking, never a photo: what is stored is known to the engine.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from syncengine_plugins.google.photos.noting import noting

_NAME = "picker.sqlite"
_TABLES = """
    PRAGMA journal_mode=WAL;
    PRAGMA synchronous=NORMAL;
    CREATE TABLE IF NOT EXISTS session (only INTEGER PRIMARY KEY CHECK (only = 1), id TEXT, rounds INTEGER);
    CREATE TABLE IF NOT EXISTS fetched (item TEXT PRIMARY KEY) WITHOUT ROWID;
"""


class OpenSession(msgspec.Struct, frozen=True):
    """A session that was not finished.

    Args:
        id: Google's.
        rounds: how many runs ended with all of it fetched but what failed.
    """

    id: str
    rounds: int = 0


class Memory:
    """The memory of one profile. May be used from several threads.

    Args:
        directory: that survives runs.

    Raises:
        FatalError: nothing can be kept there.
    """

    def __init__(self, directory: Path) -> None:
        self._lock = threading.Lock()
        self._path = directory / _NAME
        with noting(self._path):
            try:
                self._database = _opened(self._path)
            except sqlite3.OperationalError:
                raise  # no room, or locked: nothing is wrong with what it holds
            except sqlite3.DatabaseError:
                for name in (_NAME, f"{_NAME}-wal", f"{_NAME}-shm"):
                    (directory / name).unlink(missing_ok=True)
                self._database = _opened(self._path)

    def session(self) -> OpenSession | None:
        """Return the session that is open, if there is one."""
        rows = self._done("SELECT id, rounds FROM session")
        return OpenSession(*rows[0]) if rows else None

    def keep(self, session: OpenSession) -> None:
        """Remember the session that is open."""
        self._done("REPLACE INTO session VALUES (1, ?, ?)", session.id, session.rounds)

    def forget(self) -> None:
        """Remember no session any more."""
        self._done("DELETE FROM session")

    def note_fetched(self, item_id: str) -> None:
        """Remember that an item's bytes were handed on."""
        self._done("INSERT OR IGNORE INTO fetched VALUES (?)", item_id)

    def not_fetched(self, item_ids: Iterable[str]) -> set[str]:
        """Return those of some items that were never handed on."""
        return {item_id for item_id in item_ids if not self._done("SELECT 1 FROM fetched WHERE item = ?", item_id)}

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._database.close()

    def _done(self, statement: str, *values: Any) -> list[Any]:
        with self._lock, noting(self._path):
            return self._database.execute(statement, values).fetchall()


def _opened(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        database.executescript(_TABLES)
    except sqlite3.DatabaseError:
        database.close()
        raise
    return database
