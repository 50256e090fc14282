"""Remembers what archives held, beyond the life of the archives.

A full export comes with all sidecars anew, in archives of other names; nearly all of them are those of the export
before. A sidecar of the same path, size and CRC-32 is not read again. Losing this file costs requests only.
"""

from __future__ import annotations

import hashlib
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from syncengine.api import FatalError
from syncengine_plugins.sources.takeout.index import is_damage, pack_json, unpack_json
from syncengine_plugins.sources.takeout.members import Member

_FORMAT = 1
_SAVED_EVERY = 200
_KEPT_DAYS = 400  # scheduled exports come every 2 months, for a year
_SCHEMA = "CREATE TABLE seen (key BLOB PRIMARY KEY, day INTEGER NOT NULL, json BLOB) WITHOUT ROWID"


class MemberMemory:
    """What was in archives before. One thread uses it at a time.

    Args:
        path: the SQLite file; made when missing, made anew when it is damaged.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._today = int(time.time() // 86400)
        self._pending: set[bytes] = set()
        self._unsaved = 0
        try:
            self._db = self._opened()
        except sqlite3.Error as error:
            if not is_damage(error):
                raise FatalError(
                    f"{path} cannot be used: {error}",
                    advice="check that the disk of the cache is writable and not full",
                ) from error
            path.unlink(missing_ok=True)
            self._db = self._opened()

    def close(self) -> None:
        """Keep what was remembered, and let go of the file."""
        with closing(self._db):
            self._db.commit()

    def json(self, member: Member) -> bytes | None:
        """Return the text of a sidecar that was read before, or ``None``."""
        key = _json_key(member)
        row = self._db.execute("SELECT json FROM seen WHERE key = ?", (key,)).fetchone()
        if row is None or row[0] is None:
            return None
        self._db.execute("UPDATE seen SET day = ? WHERE key = ? AND day < ?", (self._today, key, self._today - 30))
        return unpack_json(row[0])

    def knows_json(self, member: Member) -> bool:
        """Return whether ``json`` would find a sidecar."""
        return self._db.execute("SELECT 1 FROM seen WHERE key = ?", (_json_key(member),)).fetchone() is not None

    def keep_json(self, member: Member, text: bytes) -> None:
        """Remember a sidecar's text, which was held against its CRC-32."""
        self._db.execute("REPLACE INTO seen VALUES (?, ?, ?)", (_json_key(member), self._today, pack_json(text)))
        self._unsaved += 1
        if self._unsaved >= _SAVED_EVERY:
            self._unsaved = 0
            self._db.commit()

    def is_new_media(self, member: Member) -> bool:
        """Return whether a photo or video was in no archive before, nor asked for since ``begin_archive``.

        ``end_archive`` remembers it.
        """
        name = member.path.rpartition("/")[2]
        key = _key(f"media\0{name}\0{member.size}\0{member.crc}")
        if key in self._pending:
            return False
        self._pending.add(key)
        return self._db.execute("SELECT 1 FROM seen WHERE key = ?", (key,)).fetchone() is None

    def begin_archive(self) -> None:
        """Forget the photos of an archive that was not read to its end."""
        self._pending.clear()

    def end_archive(self) -> None:
        """Remember the photos of an archive."""
        self._db.executemany("REPLACE INTO seen VALUES (?, ?, NULL)", ((key, self._today) for key in self._pending))
        self._pending.clear()
        self._db.commit()

    def identifier(self, name: str, size: int, crc: int) -> str | None:
        """Return the content identifier of a half of a Live Photo that was read before, ``None`` when none was."""
        key = _key(f"apple\0{name}\0{size}\0{crc}")
        row = self._db.execute("SELECT json FROM seen WHERE key = ?", (key,)).fetchone()
        return row[0].decode() if row is not None else None

    def keep_identifier(self, name: str, size: int, crc: int, identifier: str) -> None:
        """Remember a content identifier; empty when there is none."""
        key = _key(f"apple\0{name}\0{size}\0{crc}")
        self._db.execute("REPLACE INTO seen VALUES (?, ?, ?)", (key, self._today, identifier.encode()))

    def _opened(self) -> sqlite3.Connection:
        # Scans may be asked for from different threads, one after the other.
        db = sqlite3.connect(self._path, check_same_thread=False, timeout=10)
        try:
            if db.execute("PRAGMA user_version").fetchone()[0] != _FORMAT:
                db.execute("DROP TABLE IF EXISTS seen")
                db.execute(_SCHEMA)
                db.execute(f"PRAGMA user_version={_FORMAT}")
            db.execute("DELETE FROM seen WHERE day < ?", (self._today - _KEPT_DAYS,))
            db.commit()
        except BaseException:
            db.close()
            raise
        return db


def _json_key(member: Member) -> bytes:
    return _key(f"json\0{member.path}\0{member.size}\0{member.crc}")


def _key(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).digest()
