"""What was learnt of a library before its items are yielded: who is in which album, and what was listed already.

It is kept in a file, so that memory does not grow with the library.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from syncengine.api import AlbumRef
from syncengine_plugins.google.photos.noting import noting
from syncengine_plugins.sources.google_photos.records import PhotoRecord, Standing

_TABLES = """
    CREATE TABLE member (item TEXT, place INTEGER, PRIMARY KEY (item, place)) WITHOUT ROWID;
    CREATE TABLE favorite (item TEXT PRIMARY KEY) WITHOUT ROWID;
    CREATE TABLE listed (item TEXT PRIMARY KEY) WITHOUT ROWID;
    CREATE TABLE kept (number INTEGER PRIMARY KEY, json BLOB);
"""


class Notebook:
    """The notes of one scan.

    Args:
        directory: for its file, which is removed at the end.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / f"scan-{id(self):x}.sqlite"
        self._path.unlink(missing_ok=True)
        self._albums: list[AlbumRef] = []
        with noting(self._path):
            # a scan that is dropped half-way may be closed by another thread; no two use it at once
            self._database = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
            self._database.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; BEGIN;" + _TABLES)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()
        self._path.unlink(missing_ok=True)

    def open_album(self, album: AlbumRef) -> int:
        """Begin an album and return its place; members are noted with it."""
        self._albums.append(album)
        return len(self._albums) - 1

    def note_members(self, place: int, records: Iterable[PhotoRecord]) -> None:
        """Note that items are in an album."""
        self._note("INSERT OR IGNORE INTO member VALUES (?, ?)", [(record.id, place) for record in records])

    def note_favorites(self, records: Iterable[PhotoRecord]) -> None:
        """Note that the user marked items."""
        self._note("INSERT OR IGNORE INTO favorite VALUES (?)", [(record.id,) for record in records])

    def keep(self, entries: Iterable[Any]) -> None:
        """Keep listed items as they came, in that order."""
        self._note("INSERT INTO kept (json) VALUES (?)", [(msgspec.json.encode(raw),) for raw in entries])

    def kept(self, many: int) -> Iterator[list[Any]]:
        """Yield the JSON of what was kept, ``many`` at a time."""
        last = 0
        while rows := self._found(
            "SELECT number, json FROM kept WHERE number > ? ORDER BY number LIMIT ?", (last, many)
        ):
            last = rows[-1][0]
            yield [msgspec.json.decode(json) for _, json in rows]

    def is_new(self, item_id: str) -> bool:
        """Note that an item is listed, and return whether it was not before."""
        with noting(self._path):
            return bool(self._database.execute("INSERT OR IGNORE INTO listed VALUES (?)", (item_id,)).rowcount)

    def standing(self, item_id: str) -> Standing:
        """Return the albums of an item, in the order in which they were opened, and whether the user marked it."""
        places = self._found("SELECT place FROM member WHERE item = ? ORDER BY place", (item_id,))
        marked = self._found("SELECT 1 FROM favorite WHERE item = ?", (item_id,))
        return Standing(albums=tuple(self._albums[place] for (place,) in places), favorite=bool(marked))

    def _note(self, statement: str, rows: list[tuple[Any, ...]]) -> None:
        with noting(self._path):
            self._database.executemany(statement, rows)

    def _found(self, question: str, values: tuple[Any, ...]) -> list[Any]:
        with noting(self._path):
            return self._database.execute(question, values).fetchall()
