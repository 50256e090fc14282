"""The index of a Takeout library: one SQLite file in the cache, from which a run without changes reads everything.

It holds a row for every photo, video, sidecar and album file of every part, so that no step needs the library in
memory, and a part that did not change is not opened again. It is a cache: damaged, of another format, or gone, it is
made again from the archives.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec

from syncengine.api import FatalError
from syncengine_plugins.sources.takeout.members import Member

FORMAT = 3
# SQLite lets every sort, of which two may run at once, take as much again before it spills to a file.
_PAGE_CACHE_KIB = 8 << 10
_ROWS_AT_ONCE = 200
_OUTSIDE = frozenset(
    {
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
    }
)

# "rule" and "sidecar" of media are set by matching; "title" is the name that all copies of one item share. "early" of
# an item is its place among those that were listed before everything was read, which stay the first.
_SCHEMA = """
CREATE TABLE part (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, path TEXT NOT NULL, kind TEXT NOT NULL,
    fingerprint TEXT NOT NULL, export TEXT NOT NULL, stamp TEXT NOT NULL, problem TEXT NOT NULL,
    again INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE tally (part INTEGER, class TEXT, count INTEGER, PRIMARY KEY (part, class)) WITHOUT ROWID;
CREATE TABLE remark (part INTEGER, text TEXT, lost INTEGER);
CREATE TABLE folder (
    id INTEGER PRIMARY KEY, export TEXT NOT NULL, path TEXT NOT NULL, changed INTEGER NOT NULL DEFAULT 1,
    role TEXT NOT NULL DEFAULT '', UNIQUE (export, path)
);
CREATE TABLE media (
    id INTEGER PRIMARY KEY, part INTEGER NOT NULL, folder INTEGER NOT NULL, ordinal INTEGER NOT NULL,
    name TEXT NOT NULL, path TEXT NOT NULL, raw BLOB, size INTEGER NOT NULL, crc INTEGER, offset INTEGER NOT NULL,
    packed INTEGER NOT NULL, method INTEGER NOT NULL, mtime INTEGER NOT NULL, apple TEXT,
    title TEXT NOT NULL, sidecar INTEGER, rule TEXT NOT NULL DEFAULT '', approximate INTEGER NOT NULL DEFAULT 0,
    companion INTEGER
);
CREATE INDEX media_part ON media (part, offset);
CREATE INDEX media_folder ON media (folder);
CREATE TABLE sidecar (
    id INTEGER PRIMARY KEY, part INTEGER NOT NULL, folder INTEGER NOT NULL, name TEXT NOT NULL, title TEXT NOT NULL,
    instant INTEGER, url TEXT NOT NULL, digest INTEGER NOT NULL, matched INTEGER NOT NULL DEFAULT 0, json BLOB NOT NULL
);
CREATE INDEX sidecar_part ON sidecar (part);
CREATE INDEX sidecar_folder ON sidecar (folder);
CREATE INDEX sidecar_title ON sidecar (title, instant);
CREATE TABLE albumfile (
    id INTEGER PRIMARY KEY, part INTEGER NOT NULL, folder INTEGER NOT NULL, name TEXT NOT NULL, json BLOB NOT NULL
);
CREATE INDEX albumfile_part ON albumfile (part);
CREATE INDEX albumfile_folder ON albumfile (folder);
CREATE TABLE item (id INTEGER PRIMARY KEY, row BLOB NOT NULL, sidecar INTEGER, early INTEGER);
CREATE INDEX item_early ON item (early) WHERE early IS NOT NULL;
CREATE TABLE album (id TEXT PRIMARY KEY, title TEXT NOT NULL, description TEXT NOT NULL, count INTEGER NOT NULL,
    json BLOB) WITHOUT ROWID;
CREATE TABLE total (key TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID;
"""

# What nearly every sidecar contains; with it, a sidecar of one kilobyte packs into 250 bytes.
_DICTIONARY = (
    b'"fromPartnerSharing": {}"fromSharedAlbum": {}"webUpload": {"computerUpload": {}}"driveDesktopUploader": {}'
    b'"inLockedFolder": true"trashed": true,"archived": true,"favorited": true,"people": [{\n    "name": "'
    b'  "appSource": {\n    "androidPackageName": "com.'
    b'{\n  "title": "IMG_2023.HEIC.jpg",\n  "description": "",\n  "imageViews": "12",\n  "creationTime": {\n'
    b'    "timestamp": "16",\n    "formatted": "1 Jan 2023, 12:00:00 UTC"\n  },\n  "photoTakenTime": {\n'
    b'    "timestamp": "15",\n    "formatted": "12 Aug 2019, 14:22:05 UTC"\n  },\n  "geoData": {\n'
    b'    "latitude": 0.0,\n    "longitude": 0.0,\n    "altitude": 0.0,\n    "latitudeSpan": 0.0,\n'
    b'    "longitudeSpan": 0.0\n  },\n  "geoDataExif": {\n    "latitude": 0.0,\n    "longitude": 0.0,\n'
    b'    "altitude": 0.0,\n    "latitudeSpan": 0.0,\n    "longitudeSpan": 0.0\n  },\n'
    b'  "url": "https://photos.google.com/photo/AF1Qip",\n  "googlePhotosOrigin": {\n    "mobileUpload": {\n'
    b'      "deviceFolder": {\n        "localFolderName": ""\n      },\n      "deviceType": "IOS_PHONE"ANDROID_PHONE"\n'
    b"    }\n  }\n}"
)


_DROP_PART = (
    "UPDATE folder SET changed = 1 WHERE id IN (SELECT folder FROM media WHERE part = ?)",
    "UPDATE folder SET changed = 1 WHERE id IN (SELECT folder FROM sidecar WHERE part = ?)",
    "UPDATE folder SET changed = 1 WHERE id IN (SELECT folder FROM albumfile WHERE part = ?)",
    "DELETE FROM media WHERE part = ?",
    "DELETE FROM sidecar WHERE part = ?",
    "DELETE FROM albumfile WHERE part = ?",
    "DELETE FROM tally WHERE part = ?",
    "DELETE FROM remark WHERE part = ?",
    "DELETE FROM part WHERE id = ?",
)


class PartRow(msgspec.Struct, frozen=True):
    """A part as the index knows it: the fields of ``PartFile``, its id, what is wrong with it, and whether that may
    pass (a disk that could not be read) and the part is to be read again.
    """

    id: int
    name: str
    path: str
    kind: str
    fingerprint: str
    export: str
    stamp: str
    problem: str
    again: bool


class SidecarRow(msgspec.Struct, frozen=True):
    """A photo's sidecar on its way into the index."""

    folder: int
    name: str
    title: str
    instant: int | None
    url: str
    digest: int
    json: bytes


class Index:
    """An open index. One thread uses it at a time.

    Args:
        path: the SQLite file; made when missing, made anew when it is damaged or of another format.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.db = self._connect()
        try:
            usable = self._is_usable()
        except sqlite3.Error as error:
            if not is_damage(error):
                self.close()
                raise unusable_index(path, error) from error
            usable = False
        if not usable:
            self.start_over()

    def _connect(self) -> sqlite3.Connection:
        # Scans, albums and the account may be asked for from different threads, one after the other.
        try:
            return sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=10)
        except sqlite3.Error as error:
            raise unusable_index(self._path, error) from error

    def _prepare(self) -> None:
        # The exclusive lock keeps a second process out and spares SQLite the shared memory that network file
        # systems do not have.
        for setting in (
            "locking_mode=EXCLUSIVE",
            "journal_mode=WAL",
            "synchronous=NORMAL",
            f"cache_size=-{_PAGE_CACHE_KIB}",
            "temp_store=FILE",
        ):
            self.db.execute(f"PRAGMA {setting}")

    def _is_usable(self) -> bool:
        self._prepare()
        (version,) = self.db.execute("PRAGMA user_version").fetchone()
        if version == FORMAT:
            self.db.execute("SELECT count(*) FROM part, total").fetchone()
        return bool(version == FORMAT)

    def start_over(self) -> None:
        """Throw everything away. Raises ``FatalError`` when the index cannot be made anew."""
        self.close()
        try:
            for suffix in ("", "-wal", "-shm", "-journal"):
                self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
            self.db = self._connect()
            self._prepare()
            self.db.executescript(_SCHEMA)
            self.db.execute(f"PRAGMA user_version={FORMAT}")
        except (OSError, sqlite3.Error) as error:
            self.close()
            raise unusable_index(self._path, error) from error

    def close(self) -> None:
        """Let go of the file."""
        self.db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Write all or nothing of what happens inside."""
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            # A full disk has ended the transaction already, and so has who closed the index.
            with suppress(sqlite3.ProgrammingError):
                if self.db.in_transaction:
                    self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    def parts(self) -> list[PartRow]:
        """Return every part that the index knows."""
        return [PartRow(*row) for row in self.db.execute("SELECT * FROM part ORDER BY id")]

    def add_part(self, values: tuple[str, ...]) -> int:
        """Add a part (name, path, kind, fingerprint, export, stamp, problem) and return its id."""
        self.db.execute("DELETE FROM total")
        return int(self.db.execute("INSERT INTO part VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, 0)", values).lastrowid or 0)

    def checksums(self, part: int) -> dict[tuple[str, int, int], int]:
        """Return the checksums that were computed for a part's files, by path, size and mtime in nanoseconds."""
        rows = self.rows("SELECT path, size, mtime, crc FROM media WHERE part = ? AND crc IS NOT NULL", (part,))
        return {(path, size, mtime): crc for path, size, mtime, crc in rows}

    def move_parts(self, places: Iterable[tuple[str, int]]) -> None:
        """Note where parts lie now: (path, id of the part)."""
        self.db.executemany("UPDATE part SET path = ? WHERE id = ?", places)

    def drop_part(self, part: int) -> None:
        """Forget a part and all that came from it; its folders are to be matched again."""
        for statement in _DROP_PART:
            self.db.execute(statement, (part,))
        self.db.execute("DELETE FROM total")

    def folder(self, export: str, path: str) -> int:
        """Return the id of an export's logical folder, which is to be matched again."""
        self.db.execute(
            "INSERT INTO folder (export, path) VALUES (?, ?) ON CONFLICT DO UPDATE SET changed = 1", (export, path)
        )
        (found,) = self.db.execute("SELECT id FROM folder WHERE export = ? AND path = ?", (export, path)).fetchone()
        return int(found)

    def add_media(self, part: int, rows: Iterable[tuple[int, str, Member, str | None]]) -> None:
        """Add photos and videos of a part: (folder, file name, member, Apple's content identifier if read)."""
        self.db.executemany(
            "INSERT INTO media (part, folder, ordinal, name, path, raw, size, crc, offset, packed, method, mtime,"
            " apple, title) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    part, folder, member.ordinal, name, member.path, member.raw, member.size, member.crc,
                    member.offset, member.packed, member.method, member.mtime_ns, apple, name,
                )
                for folder, name, member, apple in rows
            ),
        )  # fmt: skip

    def add_sidecars(self, part: int, rows: Iterable[SidecarRow]) -> None:
        """Add photos' sidecars of a part."""
        self.db.executemany(
            "INSERT INTO sidecar (part, folder, name, title, instant, url, digest, json)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            ((part, *msgspec.structs.astuple(row)) for row in rows),
        )

    def add_album_file(self, part: int, folder: int, name: str, json: bytes) -> None:
        """Add an album's JSON."""
        self.db.execute("INSERT INTO albumfile VALUES (NULL, ?, ?, ?, ?)", (part, folder, name, json))

    def close_part(
        self,
        part: int,
        tally: dict[str, int],
        remarks: list[tuple[str, bool]],
        *,
        stamp: str,
        problem: str,
        again: bool,
    ) -> None:
        """Write down what a part holds in all.

        Args:
            part: its id.
            tally: how many members of each class it has.
            remarks: what a person should know of it, and whether photos may be lost by it.
            stamp: when it was written.
            problem: why it could not be read to its end, or empty.
            again: it is to be read again in the next run.
        """
        self.db.executemany("INSERT INTO tally VALUES (?, ?, ?)", ((part, *entry) for entry in tally.items()))
        self.db.executemany("INSERT INTO remark VALUES (?, ?, ?)", ((part, *remark) for remark in remarks))
        self.db.execute("UPDATE part SET problem = ?, stamp = ?, again = ? WHERE id = ?", (problem, stamp, again, part))

    def between(self, part: int, start: int, end: int, count: int) -> list[tuple[int, int]]:
        """Return (offset, size) of the last ``count`` photos and videos of a part between two offsets, in order."""
        found = self.rows(
            "SELECT offset, size FROM media WHERE part = ? AND offset >= ? AND offset < ? ORDER BY offset DESC LIMIT ?",
            (part, start, end, count),
        )
        return [(int(offset), int(size)) for offset, size in found][::-1]

    def is_merged(self) -> bool:
        """Return whether the items are those of the parts as the index has them."""
        return self.db.execute("SELECT 1 FROM total").fetchone() is not None

    def rows(self, sql: str, values: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
        """Run a query of its own cursor and yield its rows."""
        cursor = self.db.cursor().execute(sql, values)
        # In batches, so that who drops this after the index was closed touches no database.
        while batch := cursor.fetchmany(_ROWS_AT_ONCE):
            yield from batch


def pack_json(text: bytes) -> bytes:
    """Return a sidecar's bytes, small."""
    packer = zlib.compressobj(6, zlib.DEFLATED, -13, 6, zdict=_DICTIONARY)
    return packer.compress(text) + packer.flush()


def unpack_json(packed: bytes) -> bytes:
    """Undo ``pack_json``."""
    return zlib.decompressobj(-13, zdict=_DICTIONARY).decompress(packed)


def is_damage(error: sqlite3.Error) -> bool:
    """Return whether the index itself is at fault, and not its disk or another process."""
    return (getattr(error, "sqlite_errorcode", 0) & 0xFF) not in _OUTSIDE


def unusable_index(path: Path, error: Exception) -> FatalError:
    """Return the error for an index whose disk or other user is in the way."""
    return FatalError(
        f"the index of the Takeout library cannot be used: {path}: {error}",
        advice="wait until no other run uses this profile's cache, and check that its disk is writable and not full",
    )
