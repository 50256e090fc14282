"""Merges the copies of every photo and video, over all folders, parts and exports, into one item each.

An item is what has one title, one size and one checksum. Its id is ``title/size``; only where two different photos
share both is the checksum added, so that an id stays the same when an unpacked copy, whose checksum nobody computed, is
joined or replaced by an archive. What sidecars, folders and albums say is united; where they contradict each other,
the newest export wins.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Literal

from syncengine_plugins.sources.takeout.borrowing import Checksum, borrow
from syncengine_plugins.sources.takeout.folders import FolderRole
from syncengine_plugins.sources.takeout.index import Index, unpack_json
from syncengine_plugins.sources.takeout.items import AlbumEntry, Folder, MemberRow, Merger, SidecarRecord, pack_item
from syncengine_plugins.sources.takeout.members import shown
from syncengine_plugins.sources.takeout.sidecars import AlbumJson, parse_json

_BATCH = 2000
_NAMED = 50
_MOST_TWINS = 1000
#: The "part" of remarks that concern the whole library.
WHOLE_LIBRARY = 0

# A copy's place in the order of items: archives that can be read in any order first, then by export, part and place.
_COPIES = """
CREATE TEMP TABLE copy AS
SELECT m.title || '/' || m.size || CASE WHEN t.size IS NULL THEN '' ELSE printf('/%08x', m.crc) END AS key,
    p.rank * 4294967296 + m.ordinal AS place, m.id AS media
FROM media m JOIN ranked p ON p.part = m.part LEFT JOIN twins t ON t.title = m.title AND t.size = m.size
"""
_TWINS = """
INSERT INTO twins SELECT title, size FROM media GROUP BY title, size HAVING min(crc) <> max(crc)
"""
_ORDERED = """
CREATE TEMP TABLE ordered AS
SELECT key, first, media FROM (SELECT key, place, media, min(place) OVER (PARTITION BY key) AS first FROM copy)
ORDER BY first, place
"""
# Two movies may claim one still; only those that choose each other are a pair.
_MATES = """
CREATE TEMP TABLE mate (key TEXT PRIMARY KEY, other TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO mate
SELECT a.key, min(b.key) FROM media m JOIN copy a ON a.media = m.id JOIN copy b ON b.media = m.companion
WHERE m.companion IS NOT NULL GROUP BY a.key;
DELETE FROM mate WHERE NOT EXISTS (SELECT 1 FROM mate b WHERE b.key = mate.other AND b.other = mate.key);
"""
_LONE = (
    """CREATE TEMP TABLE lone AS SELECT id, title, instant, url FROM sidecar
    WHERE title <> '' AND id NOT IN (SELECT sidecar FROM serving)""",
    """CREATE TEMP TABLE known AS SELECT s.id, s.title, s.instant, s.url FROM serving v
    JOIN sidecar s ON s.id = v.sidecar WHERE s.title IN (SELECT title FROM lone)""",
    "CREATE INDEX temp.known_instant ON known (title, instant)",
    "CREATE INDEX temp.known_url ON known (title, url)",
)
_MEMBERS = """
SELECT o.key, o.first, e.other, m.title, m.name, m.folder, m.sidecar, m.rule, m.approximate,
    m.part, m.path, m.raw, m.size, m.crc, m.offset, m.packed, m.method, m.mtime
FROM ordered o JOIN media m ON m.id = o.media LEFT JOIN mate e ON e.key = o.key ORDER BY o.rowid
"""
_TEMPORARY = ("ranked", "twins", "copy", "ordered", "mate", "serving", "alias", "lone", "known")


def merge(index: Index, checksum: Checksum, tick: Callable[[str], None]) -> None:
    """Make the list of items anew from what the parts hold.

    Args:
        index: up to date and matched.
        checksum: computes the CRC-32 of a file that was unpacked.
        tick: told what is being done.
    """
    with index.transaction():
        tick("looking for sidecars in other folders")
        borrow(index, checksum)
        _compute_checksums(index, checksum, tick)
        tick("merging copies")
        _prepare(index)
        _join_lone_sidecars(index)
        albums = _albums(index)
        titles = {path: album.title for path, album in albums.items()}
        copies = _write_items(index, Merger(_folders(index, albums), titles), albums)
        _write_albums(index, albums)
        _write_totals(index, copies)
        for table in _TEMPORARY:
            index.db.execute(f"DROP TABLE temp.{table}")


def _compute_checksums(index: Index, checksum: Checksum, tick: Callable[[str], None]) -> None:
    """Tell unpacked files from others of the same name and size, the only ones that their bytes are read for."""
    if not index.db.execute("SELECT 1 FROM part WHERE kind = 'tree'").fetchone():
        return
    wanted = index.db.execute(
        "SELECT m.id, m.path FROM media m JOIN (SELECT title, size FROM media GROUP BY title, size"
        " HAVING count(*) > 1 AND count(crc) < count(*)) g ON g.title = m.title AND g.size = m.size"
        " WHERE m.crc IS NULL ORDER BY m.id"
    ).fetchall()
    for number, (media, path) in enumerate(wanted, 1):
        tick(f"comparing copies: {path} ({number} of {len(wanted)})")
        checksum(media)


def _prepare(index: Index) -> None:
    db = index.db
    db.execute("CREATE TEMP TABLE ranked (part INTEGER PRIMARY KEY, rank INTEGER)")
    parts = sorted(index.parts(), key=lambda part: (part.kind == "tgz", part.stamp, part.name))
    db.executemany("INSERT INTO ranked VALUES (?, ?)", ((part.id, rank) for rank, part in enumerate(parts)))
    db.execute("CREATE TEMP TABLE twins (title TEXT, size INTEGER, PRIMARY KEY (title, size)) WITHOUT ROWID")
    for statement in (_TWINS, _COPIES, "CREATE INDEX temp.copy_media ON copy (media)", _ORDERED):
        db.execute(statement)
    for statement in _MATES.strip().split(";\n"):
        db.execute(statement)
    db.execute("CREATE TEMP TABLE serving (sidecar INTEGER PRIMARY KEY)")
    db.execute("INSERT INTO serving SELECT DISTINCT sidecar FROM media WHERE sidecar IS NOT NULL")
    db.execute("CREATE TEMP TABLE alias (target INTEGER, lone INTEGER, PRIMARY KEY (target, lone)) WITHOUT ROWID")


def _join_lone_sidecars(index: Index) -> None:
    """Find whose the sidecars are that have no file beside them: members of an album, news of an older export's item.

    They are of the item whose own sidecar has the same title and capture time, else the same title and page.
    """
    for statement in _LONE:
        index.db.execute(statement)
    for sidecar, title, instant, url in index.rows("SELECT id, title, instant, url FROM lone ORDER BY id"):
        timely = _known(index, title, "instant", instant)
        paged = [row for row in timely if url and row[1] == url]
        targets = paged or timely or (_known(index, title, "url", url) if url else [])
        index.db.executemany("INSERT OR IGNORE INTO alias VALUES (?, ?)", ((row[0], sidecar) for row in targets))


def _known(index: Index, title: str, column: Literal["instant", "url"], value: object) -> list[tuple[int, str]]:
    """Return id and page of the sidecars of that title, and that time or page, that serve a photo or video."""
    return index.db.execute(
        f"SELECT id, url FROM known WHERE title = ? AND {column} = ? ORDER BY id LIMIT ?",  # nosec B608: two constants
        (title, value, _MOST_TWINS),
    ).fetchall()


def _albums(index: Index) -> dict[str, AlbumEntry]:
    """Return every album by its folder's path; of several album files, the newest export's counts."""
    albums: dict[str, AlbumEntry] = {}
    for path, role in index.rows("SELECT path, role FROM folder ORDER BY path"):
        if role in {FolderRole.ALBUM, FolderRole.UNTITLED}:
            albums.setdefault(path, AlbumEntry(path=path, title=path.rpartition("/")[2]))
    files = index.rows(
        "SELECT f.path, a.json FROM albumfile a JOIN folder f ON f.id = a.folder JOIN part p ON p.id = a.part"
        " ORDER BY f.path, p.stamp, a.name, a.json"
    )
    for path, packed in files:
        content = parse_json(unpack_json(packed))
        if isinstance(content, AlbumJson) and path in albums:
            title = content.title or path.rpartition("/")[2]
            albums[path] = AlbumEntry(path=path, title=title, description=content.description, json=packed)
    return albums


def _folders(index: Index, albums: dict[str, AlbumEntry]) -> dict[int, Folder]:
    """Return every folder; one that is an album in any export is one in all, whatever part the album file is in."""
    # A part without a stamp of its own is as old as its newest member says.
    stamps = dict(index.rows("SELECT export, max(stamp) FROM part GROUP BY export"))
    return {
        number: Folder(path, FolderRole.ALBUM if path in albums else FolderRole(role), stamps.get(export, ""))
        for number, export, path, role in index.rows("SELECT id, export, path, role FROM folder")
    }


def _write_items(index: Index, merger: Merger, albums: dict[str, AlbumEntry]) -> int:
    """Write the items, and return how many photos and videos are copies of another one."""
    db, copies = index.db, 0
    db.execute("DELETE FROM item")
    has_aliases = db.execute("SELECT 1 FROM alias").fetchone() is not None
    batch: list[tuple[bytes, int | None]] = []
    for _, group in groupby(index.rows(_MEMBERS), key=lambda row: row[1]):
        members = [MemberRow.of(row) for row in group]
        copies += len(members) - 1
        merged = merger.merge(members, list(_sidecars(index, members, has_aliases)))
        for album in merged.albums:
            albums[album.id].count += 1
        batch.append((pack_item(merged.row), merged.sidecar))
        if len(batch) >= _BATCH:
            db.executemany("INSERT INTO item (row, sidecar) VALUES (?, ?)", batch)
            batch.clear()
    db.executemany("INSERT INTO item (row, sidecar) VALUES (?, ?)", batch)
    return copies


def _sidecars(index: Index, members: list[MemberRow], has_aliases: bool) -> Iterator[SidecarRecord]:
    own = sorted({member.sidecar for member in members if member.sidecar is not None})
    sure = {member.sidecar for member in members if not member.approximate}
    for sidecar in own:
        yield _sidecar(index, sidecar, sidecar not in sure)
        if has_aliases:
            for (lone,) in index.rows("SELECT lone FROM alias WHERE target = ?", (sidecar,)):
                yield _sidecar(index, lone, False)


def _sidecar(index: Index, sidecar: int, approximate: bool) -> SidecarRecord:
    row = index.db.execute("SELECT id, folder, name, digest, json FROM sidecar WHERE id = ?", (sidecar,)).fetchone()
    identifier, folder, name, digest, json = row
    return SidecarRecord(identifier, folder, name, digest, json, approximate)


def _write_albums(index: Index, albums: dict[str, AlbumEntry]) -> None:
    index.db.execute("DELETE FROM album")
    index.db.executemany(
        "INSERT INTO album VALUES (?, ?, ?, ?, ?)",
        ((album.path, album.title, album.description, album.count, album.json) for album in albums.values()),
    )


def _write_totals(index: Index, copies: int) -> None:
    db = index.db
    totals: Counter[str] = Counter(dict(index.rows("SELECT class, sum(count) FROM tally GROUP BY class")))
    totals["members"] = sum(totals.values())

    def ask(sql: str) -> int:
        return int(db.execute(sql).fetchone()[0])

    totals["items"] = ask("SELECT count(*) FROM item")
    totals["copies"] = copies
    totals["albums"] = ask("SELECT count(*) FROM album")
    totals["media without sidecar"] = ask("SELECT count(*) FROM media WHERE sidecar IS NULL")
    totals["approximate matches"] = ask("SELECT count(*) FROM media WHERE approximate")
    totals["album references"] = ask("SELECT count(DISTINCT lone) FROM alias")
    totals["sidecars without media"] = _name_lone_sidecars(index)
    totals["parts"] = ask("SELECT count(*) FROM part WHERE kind IN ('zip', 'tgz')")
    totals["unpacked directories"] = ask("SELECT count(*) FROM part WHERE kind = 'tree'")
    totals["exports"] = ask("SELECT count(DISTINCT export) FROM part WHERE kind <> 'foreign'")
    db.execute("DELETE FROM total")
    db.executemany("INSERT INTO total VALUES (?, ?)", totals.items())


def _name_lone_sidecars(index: Index) -> int:
    """Remark on the sidecars that tell of no photo or video here, and return how many there are."""
    rows = index.db.execute(
        "SELECT f.path, s.name FROM sidecar s JOIN folder f ON f.id = s.folder LEFT JOIN serving v ON v.sidecar = s.id"
        " WHERE s.matched = 0 AND v.sidecar IS NULL AND s.id NOT IN (SELECT lone FROM alias) ORDER BY f.path, s.name"
    )
    texts, count = [], 0
    for count, (path, name) in enumerate(rows, 1):
        if count <= _NAMED:
            texts.append((WHOLE_LIBRARY, f"{shown(path)}/{shown(name)}: a sidecar without its photo or video"))
    if count > _NAMED:
        texts.append((WHOLE_LIBRARY, f"{count - _NAMED} more sidecars without their photo or video"))
    index.db.execute("DELETE FROM remark WHERE part = ?", (WHOLE_LIBRARY,))
    index.db.executemany("INSERT INTO remark VALUES (?, ?, 0)", texts)
    return count
