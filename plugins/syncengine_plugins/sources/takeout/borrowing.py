"""Finds sidecars in other folders and other exports for photos and videos that have none in their own folder."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from syncengine.api import Kind
from syncengine_plugins.sources.takeout.index import Index
from syncengine_plugins.sources.takeout.matching import (
    COMPANION,
    MediaRow,
    SidecarFound,
    item_title,
    pair_sidecars,
)
from syncengine_plugins.sources.takeout.names import kind_of, nfc, split_counter

SAME_BYTES = "borrowed from a copy"
SAME_FOLDER = "borrowed from another export"
SAME_TITLE = "borrowed by title"
BORROWED_COMPANION = "borrowed from its still"
_RULES = (SAME_BYTES, SAME_FOLDER, SAME_TITLE, BORROWED_COMPANION)

_LENDERS = (
    """CREATE TEMP TABLE lender AS SELECT size, stripped(name) AS name, crc, id AS media FROM media
    WHERE sidecar IS NOT NULL AND size IN (SELECT size FROM media WHERE sidecar IS NULL)""",
    "CREATE INDEX temp.lender_name ON lender (name, size)",
)
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_COPIES = 64

#: Returns the CRC-32 of a photo or video by its id in the index, or ``None`` where it cannot be read.
Checksum = Callable[[int], int | None]


class _Bare(msgspec.Struct, frozen=True):
    """A photo or video without a sidecar, and where it is."""

    media: MediaRow
    folder: int
    export: str
    path: str


def borrow(index: Index, checksum: Checksum) -> None:
    """Give photos and videos without a sidecar one from elsewhere, where it is surely or very probably theirs.

    In this order: that of a copy with the same bytes and name; that which an export has in the same folder without the
    media file; that which bears the title, in the same export first, if it serves nothing else and no other bears it.
    """
    _give_back(index)
    for attempt in (_from_copies, _from_same_folder, _by_title, _from_stills):
        found = list(attempt(index, checksum))
        index.db.executemany("UPDATE media SET sidecar = ?, rule = ?, approximate = ?, title = ? WHERE id = ?", found)


_Loan = tuple[int, str, bool, str, int]


def _give_back(index: Index) -> None:
    marks = ", ".join("?" * len(_RULES))
    index.db.execute(
        "UPDATE media SET sidecar = NULL, rule = '', approximate = 0, title = name"
        f" WHERE rule IN ({marks})",  # nosec B608: nothing but question marks
        _RULES,
    )


def _bare(index: Index) -> Iterator[_Bare]:
    rows = index.rows(
        "SELECT m.id, m.part, m.name, m.size, m.crc, m.apple, m.folder, f.export, f.path"
        " FROM media m JOIN folder f ON f.id = m.folder WHERE m.sidecar IS NULL ORDER BY f.path, m.id"
    )
    for row in rows:
        yield _Bare(MediaRow(*row[:6]), *row[6:])


def _from_copies(index: Index, checksum: Checksum) -> Iterator[_Loan]:
    index.db.create_function("stripped", 1, _stripped, deterministic=True)
    for statement in _LENDERS:
        index.db.execute(statement)
    try:
        for bare in _bare(index):
            for media, crc, sidecar, rule, approximate, title in _possible_copies(index, bare.media):
                if _same_bytes(bare.media, media, crc, checksum):
                    shared = nfc(item_title(bare.media.name, title, rule))
                    yield sidecar, SAME_BYTES, approximate, shared, bare.media.id
                    break
    finally:
        index.db.execute("DROP TABLE lender")


def _possible_copies(index: Index, media: MediaRow) -> list[tuple[Any, ...]]:
    """Return those of the same size and name whose checksum is not known to differ, likely ones first."""
    return index.db.execute(
        "SELECT l.media, l.crc, m.sidecar, m.rule, m.approximate, s.title FROM lender l"
        " JOIN media m ON m.id = l.media JOIN sidecar s ON s.id = m.sidecar"
        " WHERE l.size = :size AND l.name = :name AND (l.crc = :crc OR l.crc IS NULL OR :crc IS NULL)"
        " ORDER BY l.crc IS NULL, m.approximate, l.media LIMIT :most",
        {"crc": media.crc, "size": media.size, "name": _stripped(media.name), "most": _MOST_COPIES},
    ).fetchall()


def _same_bytes(one: MediaRow, other: int, other_crc: int | None, checksum: Checksum) -> bool:
    mine = one.crc if one.crc is not None else checksum(one.id)
    return mine is not None and mine == (other_crc if other_crc is not None else checksum(other))


def _from_same_folder(index: Index, _checksum: Checksum) -> Iterator[_Loan]:
    by_path: dict[str, list[_Bare]] = defaultdict(list)
    for bare in _bare(index):
        if by_path and bare.path not in by_path:
            yield from _in_path(index, by_path)
            by_path.clear()
        by_path[bare.path].append(bare)
    yield from _in_path(index, by_path)


def _in_path(index: Index, by_path: dict[str, list[_Bare]]) -> Iterator[_Loan]:
    for path, bares in by_path.items():
        free = [
            SidecarFound(*row)
            for row in index.rows(
                "SELECT s.id, s.part, s.name, s.title, s.instant FROM sidecar s JOIN folder f ON f.id = s.folder"
                " WHERE f.path = ? AND s.matched = 0 ORDER BY s.id",
                (path,),
            )
        ]
        if not free:
            continue
        titles = {sidecar.id: sidecar.title for sidecar in free}
        media = {bare.media.id: bare.media for bare in bares}
        pairs, _ = pair_sidecars(list(media.values()), free)
        for key, pairing in pairs.items():
            title = nfc(item_title(media[key].name, titles[pairing.sidecar], pairing.rule))
            yield pairing.sidecar, SAME_FOLDER, pairing.approximate, title, key


def _by_title(index: Index, _checksum: Checksum) -> Iterator[_Loan]:
    index.db.execute(
        "CREATE TEMP TABLE lent AS SELECT DISTINCT sidecar AS id FROM media WHERE rule = ?", (SAME_FOLDER,)
    )
    wanted: dict[int, set[tuple[int, int | None]]] = defaultdict(set)
    loans: list[_Loan] = []
    try:
        for bare in _bare(index):
            names = (bare.media.name, split_counter(bare.media.name).name)
            rows = index.db.execute(
                "SELECT s.id, s.title, s.instant, f.export FROM sidecar s JOIN folder f ON f.id = s.folder"
                " WHERE s.title IN (?, ?) AND s.matched = 0 AND s.folder <> ? AND s.id NOT IN (SELECT id FROM lent)"
                " ORDER BY f.export <> ?, s.id LIMIT ?",
                (*names, bare.folder, bare.export, _MOST_COPIES),
            ).fetchall()
            near = [row for row in rows if row[3] == bare.export] or rows
            if len({row[1:3] for row in near}) == 1 and _may_be_of(near[0][2], bare.path):
                wanted[near[0][0]].add((bare.media.size, bare.media.crc))
                title = nfc(item_title(bare.media.name, near[0][1], ""))
                loans.append((near[0][0], SAME_TITLE, True, title, bare.media.id))
    finally:
        index.db.execute("DROP TABLE lent")
    # What two different photos want is surely not both's.
    yield from (loan for loan in loans if len(wanted[loan[0]]) == 1)


def _from_stills(index: Index, _checksum: Checksum) -> Iterator[_Loan]:
    rows = index.rows(
        "SELECT m.id, m.name, c.sidecar, c.approximate, c.title FROM media m JOIN media c ON c.id = m.companion"
        " WHERE m.sidecar IS NULL AND c.sidecar IS NOT NULL ORDER BY m.id"
    )
    for media, name, sidecar, approximate, title in rows:
        if kind_of(name) is Kind.VIDEO:
            yield sidecar, BORROWED_COMPANION, approximate, item_title(name, title, COMPANION), media


def _may_be_of(instant: int | None, path: str) -> bool:
    """Return whether a photo of that time can lie in that folder; camera names come again every few thousand photos."""
    year = _YEAR.search(path)
    if year is None or instant is None:
        return True
    taken = _EPOCH + timedelta(milliseconds=instant)
    return any((taken + timedelta(days=days)).year == int(year[0]) for days in (-1, 0, 1))


def _stripped(name: str) -> str:
    return split_counter(name).name.casefold()
