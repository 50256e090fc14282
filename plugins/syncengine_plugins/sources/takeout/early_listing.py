"""Lists photos before everything is read, where nothing that is still unread can change what they are.

Where reading is dear, a photo's bytes are best fetched together with the sidecar beside them. Yet what a photo is may
be said far away: by a sidecar in another part, a copy in an album, the moving half, another photo of its name. The
directories of all parts cost little and tell the names of all that, and what belongs together begins with the same
letters and digits. So a photo and the sidecar of its name in one folder of a year settle each other, if no third name
in the whole library begins like theirs: exactly such pairs are listed early, and everything else when all is read.
Titles may contradict names, so the library as it is in the end is held against what was listed.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import suppress

import msgspec

from syncengine.api import MediaItem
from syncengine_plugins.sources.takeout.damage import PartDamagedError, PartUnreachableError
from syncengine_plugins.sources.takeout.folders import FolderRole, classify
from syncengine_plugins.sources.takeout.index import Index, PartRow, SidecarRow
from syncengine_plugins.sources.takeout.intake import is_media, photos_place
from syncengine_plugins.sources.takeout.items import (
    Folder,
    MemberRow,
    Merger,
    SidecarRecord,
    pack_item,
    row_id,
    unpack_item,
)
from syncengine_plugins.sources.takeout.matching import item_title
from syncengine_plugins.sources.takeout.members import Listed, Member
from syncengine_plugins.sources.takeout.names import nfc
from syncengine_plugins.sources.takeout.reading import Copy
from syncengine_plugins.sources.takeout.readings import Sidecar
from syncengine_plugins.sources.takeout.rules import sidecar_names

_WORD = re.compile(r"\w{0,40}")
_BATCH = 5000
_SCHEMA = (
    "DROP TABLE IF EXISTS temp.family",
    "DROP TABLE IF EXISTS temp.early",
    "CREATE TEMP TABLE family (key INTEGER PRIMARY KEY, media INTEGER, json INTEGER)",
    "CREATE TEMP TABLE early (id TEXT PRIMARY KEY, place INTEGER, digest BLOB) WITHOUT ROWID",
)
_COUNT = (
    "INSERT INTO family VALUES (?, ?, ?)"
    " ON CONFLICT DO UPDATE SET media = media + excluded.media, json = json + excluded.json"
)
_KNOWN = (
    "SELECT f.path, m.name, 1, m.part FROM media m JOIN folder f ON f.id = m.folder",
    "SELECT f.path, s.name, 0, s.part FROM sidecar s JOIN folder f ON f.id = s.folder",
)
_ALBUM_FILES = "SELECT DISTINCT f.path, a.part FROM albumfile a JOIN folder f ON f.id = a.folder"
_ITEMS = "SELECT i.id, i.row, s.json FROM item i LEFT JOIN sidecar s ON s.id = i.sidecar ORDER BY i.id"


class _Half(msgspec.Struct, frozen=True):
    """A photo that waits for its sidecar, or a sidecar that waits for its photo."""

    folder: int
    name: str
    member: Member | None = None
    sidecar: SidecarRow | None = None


class EarlyListing:
    """What may be listed while the parts are being read. Does nothing until ``survey``.

    Args:
        index: as it was before.
        parts: every part by its id; gains those that are being read.
    """

    def __init__(self, index: Index, parts: dict[int, PartRow]) -> None:
        self._index, self._parts = index, parts
        self._folders: set[str] = set()
        #: Folders with files that may say what the whole folder is: an album.
        self._strange: set[str] = set()
        self._settled: set[str] = set()
        self._waiting: dict[int, _Half] = {}
        self._part: PartRow | None = None
        self._ready: list[MediaItem] = []
        #: Items that were listed.
        self.count = 0

    def survey(self, directories: Iterable[Iterator[Listed]], outdated: Iterable[int]) -> None:
        """Note the names of everything.

        Args:
            directories: of the parts that will be read. One that breaks off is left out, as nothing behind that will
                be in the library.
            outdated: ids of the parts in the index that they replace.
        """
        db = self._index.db
        with self._index.transaction():
            for statement in _SCHEMA:
                db.execute(statement)
            replaced = frozenset(outdated)
            for query in _KNOWN:
                rows = self._index.rows(query)
                self._count((path, name, media) for path, name, media, part in rows if part not in replaced)
            for directory in directories:
                self._count(_names(directory))
            for path, part in db.execute(_ALBUM_FILES):
                if part not in replaced:
                    self._strange.add(path)
        self._settled = {path for path in self._folders if classify(path) is FolderRole.YEAR} - self._strange

    @property
    def is_at_work(self) -> bool:
        """Whether anything may be listed early."""
        return bool(self._settled)

    def begin(self, part: PartRow) -> None:
        """Note which part is read from now on."""
        self._part = part
        self._parts[part.id] = part
        self._waiting.clear()

    def expects(self, folder: str, name: str) -> bool:
        """Return whether a photo will be listed early, if its sidecar says what it should.

        Args:
            folder: inside the Google Photos container.
            name: of its file.
        """
        if nfc(folder) not in self._settled:
            return False
        found = self._index.db.execute("SELECT media, json FROM family WHERE key = ?", (_key(name),))
        return bool(found.fetchone() == (1, 1))

    def take_media(self, folder: int, path: str, name: str, member: Member) -> None:
        """Take a photo or video.

        Args:
            folder: its id.
            path: the folder's, inside the container.
            name: of the file, NFC.
            member: where it lies.
        """
        if self._settled and self.expects(path, name):
            self._join(path, _Half(folder, name, member=member))

    def take_sidecar(self, path: str, sidecar: SidecarRow) -> None:
        """Take a sidecar in the folder ``path``."""
        if self._settled and self.expects(path, sidecar.name):
            self._join(path, _Half(sidecar.folder, sidecar.name, sidecar=sidecar))

    def ready(self) -> Iterator[MediaItem]:
        """Yield the items that became certain since it was last asked."""
        ready, self._ready = self._ready, []
        yield from ready

    def reconcile(self) -> int:
        """Mark what was listed in the merged library; return how many items turned out otherwise."""
        if not self.count:
            return 0
        same = 0
        with self._index.transaction():
            db = self._index.db
            for number, row, json in self._index.rows(_ITEMS):
                found = db.execute("SELECT place, digest FROM early WHERE id = ?", (row_id(row),)).fetchone()
                if found is not None:
                    same += found[1] == _digest(row, json)
                    db.execute("UPDATE item SET early = ? WHERE id = ?", (found[0], number))
        return self.count - same

    def _count(self, names: Iterable[tuple[str, str, int]]) -> None:
        batch = []
        for path, name, media in names:
            self._folders.add(path)
            batch.append((_key(name), media, 1 - media))
            if not media and not _is_sidecar(name):
                self._strange.add(path)
            if len(batch) >= _BATCH:
                self._index.db.executemany(_COUNT, batch)
                batch.clear()
        self._index.db.executemany(_COUNT, batch)

    def _join(self, path: str, half: _Half) -> None:
        key = _key(half.name)
        other = self._waiting.pop(key, None)
        if other is None:
            self._waiting[key] = half
            return
        media, sidecar = (half, other) if half.member else (other, half)
        if media.member and sidecar.sidecar and media.folder == sidecar.folder:
            title, names = sidecar_names(media.name)
            if sidecar.name in names and nfc(sidecar.sidecar.title) == nfc(title):
                self._list(path, media.name, media.member, sidecar.sidecar)

    def _list(self, path: str, name: str, member: Member, sidecar: SidecarRow) -> None:
        if self._part is None:
            return
        title = nfc(item_title(name, sidecar.title, "exact"))
        copy = Copy(
            self._part.id, member.path, member.raw, member.size, member.crc, member.offset, member.packed,
            member.method, member.mtime_ns,
        )  # fmt: skip
        copies = [
            MemberRow(f"{title}/{member.size}", "", title, name, sidecar.folder, 0, "exact", False, copy),
        ]
        merger = Merger({sidecar.folder: Folder(path, FolderRole.YEAR, self._part.stamp)}, {})
        record = SidecarRecord(0, sidecar.folder, sidecar.name, sidecar.digest, sidecar.json)
        row = pack_item(merger.merge(copies, [record]).row)
        try:
            note = (copies[0].key, self.count, _digest(row, sidecar.json))
            self._index.db.execute("INSERT INTO early VALUES (?, ?, ?)", note)
        except sqlite3.IntegrityError:
            return  # a title that contradicts its name, and there are two
        self.count += 1
        self._ready.append(unpack_item(row, sidecar.json, self._parts))


def _names(directory: Iterator[Listed]) -> Iterator[tuple[str, str, int]]:
    """Yield folder, name, and 1 for a photo or video, 0 for a JSON file."""
    with suppress(PartDamagedError, PartUnreachableError, OSError):
        for listed in directory:
            place = photos_place(listed.path) if isinstance(listed, Member) else None
            if place is not None:
                is_json = place[1].lower().endswith(".json")
                if is_json or is_media(*place):
                    yield nfc(place[0]), place[1], 0 if is_json else 1


def _key(name: str) -> int:
    """Return a number for the beginning of a name, the same for all that may belong together."""
    found = _WORD.match(nfc(name).casefold())
    beginning = found[0] if found else ""
    return int.from_bytes(hashlib.blake2b(beginning.encode(), digest_size=8).digest(), "big", signed=True)


def _is_sidecar(name: str) -> bool:
    """Return whether a JSON file belongs to a photo or video by its name, in full or cut."""
    sidecar = Sidecar(name, "", None, [])
    return sidecar.may_be_cut or any(base.sure for base in sidecar.bases)


def _digest(row: bytes, json: bytes | None) -> bytes:
    return hashlib.blake2b(row + b"\0" + (json or b""), digest_size=16).digest()
