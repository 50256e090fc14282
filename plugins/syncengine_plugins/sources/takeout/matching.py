"""Matches the photos and videos of every changed folder with their sidecars, one folder in memory at a time."""

from __future__ import annotations

import heapq
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from operator import attrgetter

import msgspec

from syncengine.api import Kind
from syncengine_plugins.sources.takeout.cascade import MediaName, Pairing, SidecarName, match_folder
from syncengine_plugins.sources.takeout.folders import classify
from syncengine_plugins.sources.takeout.index import Index, unpack_json
from syncengine_plugins.sources.takeout.live_photos import Half, candidates, pair
from syncengine_plugins.sources.takeout.names import companion_key, kind_of, nfc, split_extension
from syncengine_plugins.sources.takeout.sidecars import AlbumJson, parse_json

COMPANION = "companion"
_MEDIA = "SELECT id, part, name, size, crc, apple FROM media WHERE folder = ? {}"
_SIDECARS = "SELECT id, part, name, title, instant FROM sidecar WHERE folder = ? {}"
_MOST_AT_ONCE = 20_000
# Titles may hold what no file name can; Google's exported names have "_" there as well.
_NO_NAME = re.compile(r"[/\\\x00]")
# Google's own names in the languages that are known; any other folder with an album file is an album.
_YEAR_FOLDER = re.compile(
    r"(?:Photos from|Fotos von|Photos de|Fotos del?|Foto del|Foto's uit|Фото за|Zdjęcia z roku) \d{4}"
    r"|\d{4} ?年(?:的相片|の写真)|\d{4}년 사진"
)
_WORD = re.compile(r"\w{0,40}")
_EDITED = "edited"

#: Reads the content identifier of a photo or video: its id in the index, whether a compressed one is worth unpacking.
ReadIdentifier = Callable[[int, bool], str | None]


class MediaRow(msgspec.Struct, frozen=True):
    """What matching needs to know of a photo or video."""

    id: int
    part: int
    name: str
    size: int
    crc: int | None
    apple: str | None


class SidecarFound(msgspec.Struct, frozen=True):
    """What matching needs to know of a sidecar."""

    id: int
    part: int
    name: str
    title: str
    instant: int | None


def match_changed(index: Index, read_identifier: ReadIdentifier, tick: Callable[[str], None]) -> None:
    """Match every folder in which something changed, and forget the folders that are empty."""
    changed = index.db.execute("SELECT id, path FROM folder WHERE changed = 1 ORDER BY id").fetchall()
    for folder, path in changed:
        tick(f"matching sidecars in {path or 'the top folder'}")
        with index.transaction():
            _match(index, folder, path, read_identifier)


def item_title(name: str, sidecar_title: str, rule: str) -> str:
    """Return the name of an item: its title where that names this very file, with the file's own extension.

    Args:
        name: of the file.
        sidecar_title: of the sidecar that was matched to it, or empty.
        rule: by which it was matched.
    """
    if not sidecar_title or rule == _EDITED:
        return name
    title = _NO_NAME.sub("_", sidecar_title)
    stem, extension = split_extension(title)
    own = split_extension(name)[1]
    if rule == COMPANION:
        return stem + own
    return title if not own or extension.lower() == own.lower() else stem + own


def _match(index: Index, folder: int, path: str, read_identifier: ReadIdentifier) -> None:
    for media, sidecars in _chunks(index, folder):
        _match_chunk(index, media, sidecars, read_identifier)
    _match_left_over(index, folder, read_identifier)
    role = classify(path, has_album_json=_is_told_an_album(index, folder, path))
    index.db.execute("UPDATE folder SET changed = 0, role = ? WHERE id = ?", (role.value, folder))
    index.db.execute(
        "DELETE FROM folder WHERE id = :id AND NOT EXISTS (SELECT 1 FROM media WHERE folder = :id)"
        " AND NOT EXISTS (SELECT 1 FROM sidecar WHERE folder = :id)"
        " AND NOT EXISTS (SELECT 1 FROM albumfile WHERE folder = :id)",
        {"id": folder},
    )


def _is_told_an_album(index: Index, folder: int, path: str) -> bool:
    """Return whether an album file says that the folder is one; some exports have one in their years' folders too."""
    titles = set()
    for (packed,) in index.rows("SELECT json FROM albumfile WHERE folder = ?", (folder,)):
        content = parse_json(unpack_json(packed))
        titles.add(nfc(content.title) if isinstance(content, AlbumJson) else "")
    return bool(titles) and not (_YEAR_FOLDER.fullmatch(path) and titles <= {path, ""})


def _chunks(index: Index, folder: int) -> Iterator[tuple[list[MediaRow], list[SidecarFound]]]:
    """Yield a folder's files in the order of their names, all at once or, of a huge folder, some thousands at a time.

    What belongs together begins with the same letters and digits, so a huge folder is parted only where those change.
    """
    media_rows = (MediaRow(*row) for row in index.rows(_MEDIA.format("ORDER BY name, id"), (folder,)))
    sidecar_rows = (SidecarFound(*row) for row in index.rows(_SIDECARS.format("ORDER BY name, id"), (folder,)))
    media: list[MediaRow] = []
    sidecars: list[SidecarFound] = []
    merged: Iterator[MediaRow | SidecarFound] = heapq.merge(media_rows, sidecar_rows, key=attrgetter("name"))
    for _, family in groupby(merged, key=lambda row: _beginning(row.name)):
        for row in family:
            if isinstance(row, MediaRow):
                media.append(row)
            else:
                sidecars.append(row)
        if len(media) + len(sidecars) >= _MOST_AT_ONCE:
            yield media, sidecars
            media, sidecars = [], []
    yield media, sidecars


def _beginning(name: str) -> str:
    found = _WORD.match(name)
    return found[0] if found else ""


def _match_left_over(index: Index, folder: int, read_identifier: ReadIdentifier) -> None:
    """Match across the chunks of a huge folder what found no match within them."""
    count = "SELECT count(*) FROM {} WHERE folder = ?"
    (files,) = index.db.execute(count.format("media"), (folder,)).fetchone()
    (others,) = index.db.execute(count.format("sidecar"), (folder,)).fetchone()
    if files + others < _MOST_AT_ONCE:
        return
    media = [MediaRow(*row) for row in index.rows(_MEDIA.format("AND sidecar IS NULL ORDER BY id"), (folder,))]
    sidecars = [SidecarFound(*row) for row in index.rows(_SIDECARS.format("AND matched = 0 ORDER BY id"), (folder,))]
    if media and sidecars:
        _match_chunk(index, media, sidecars, read_identifier)


def _match_chunk(
    index: Index, media: list[MediaRow], sidecars: list[SidecarFound], read_identifier: ReadIdentifier
) -> None:
    pairs, used = pair_sidecars(media, sidecars)
    companions = _pair_halves(media, pairs, read_identifier)
    titles = {sidecar.id: sidecar.title for sidecar in sidecars}
    index.db.executemany(
        "UPDATE media SET sidecar = ?, rule = ?, approximate = ?, title = ?, companion = ? WHERE id = ?",
        (_update(one, pairs.get(one.id), titles, companions.get(one.id)) for one in media),
    )
    index.db.executemany("UPDATE sidecar SET matched = ? WHERE id = ?", ((s.id in used, s.id) for s in sidecars))


def _update(
    media: MediaRow, pairing: Pairing | None, titles: dict[int, str], companion: int | None
) -> tuple[int | None, str, bool, str, int | None, int]:
    if pairing is None:
        return None, "", False, media.name, companion, media.id
    title = item_title(media.name, titles[pairing.sidecar], pairing.rule)
    return pairing.sidecar, pairing.rule, pairing.approximate, nfc(title), companion, media.id


def pair_sidecars(media: list[MediaRow], sidecars: list[SidecarFound]) -> tuple[dict[int, Pairing], set[int]]:
    """Return the sidecar of each photo and video of a folder, and the sidecars that are in use.

    An export may hold one path twice, in different parts and with different bytes; then a sidecar belongs to the media
    file of its own part first.
    """
    pairs: dict[int, Pairing] = {}
    used: set[int] = set()
    for part in _parts_in_conflict(media, sidecars):
        found, serving = _cascade([m for m in media if m.part == part], [s for s in sidecars if s.part == part])
        own = {key: pairing for key, pairing in found.items() if not pairing.approximate}
        pairs |= own
        used |= serving & {pairing.sidecar for pairing in own.values()}
    found, serving = _cascade([m for m in media if m.id not in pairs], sidecars)
    return pairs | found, used | serving


def _parts_in_conflict(media: list[MediaRow], sidecars: list[SidecarFound]) -> list[int]:
    contents: dict[str, set[object]] = defaultdict(set)
    for one in media:
        contents[one.name].add((one.size, one.crc))
    for other in sidecars:
        contents[other.name].add((other.title, other.instant))
    if all(len(different) == 1 for different in contents.values()):
        return []
    return sorted({one.part for one in media if len(contents[one.name]) > 1})


def _cascade(media: list[MediaRow], sidecars: list[SidecarFound]) -> tuple[dict[int, Pairing], set[int]]:
    matches = match_folder(
        [MediaName(one.id, one.name) for one in media],
        [SidecarName(one.id, one.name, one.title, one.instant) for one in sidecars],
    )
    unmatched = set(matches.unmatched_sidecars)
    return matches.pairs, {one.id for one in sidecars if one.id not in unmatched}


def _pair_halves(media: list[MediaRow], pairs: dict[int, Pairing], read_identifier: ReadIdentifier) -> dict[int, int]:
    """Return the other half of each half of a Live Photo or motion photo; a movie takes over its still's sidecar."""
    own = {key for key, pairing in pairs.items() if pairing.rule != COMPANION}
    movies = [one for one in media if one.id not in own and kind_of(one.name) is Kind.VIDEO]
    if not movies:
        return {}
    stems = {companion_key(one.name).name for one in movies}
    stills = [one for one in media if kind_of(one.name) is Kind.PHOTO and companion_key(one.name).name in stems]
    halves = _Halves(stills, movies)
    identifiers = halves.identifiers(read_identifier)
    found: dict[int, int] = {}
    for match in pair(*(halves.named(side, identifiers, own) for side in (stills, movies))):
        for twin in halves.twins[match.movie]:
            found[twin] = match.still
            if match.still in pairs:
                pairs[twin] = msgspec.structs.replace(pairs[match.still], rule=COMPANION)
        found |= dict.fromkeys(halves.twins[match.still], match.movie)
    return found


class _Halves:
    """The stills and movies of a folder that may be halves of one photo.

    A folder that came in two parts twice has every name twice; one of each name stands for all.
    """

    def __init__(self, stills: list[MediaRow], movies: list[MediaRow]) -> None:
        first: dict[str, int] = {}
        self.twins: dict[int, list[int]] = defaultdict(list)
        for one in (*stills, *movies):
            self.twins[first.setdefault(one.name, one.id)].append(one.id)
        self._rows = {one.id: one for one in (*stills, *movies)}
        self._stills, self._movies = stills, movies

    def identifiers(self, read: ReadIdentifier) -> dict[int, str]:
        """Read the identifiers of those that names alone may join wrongly, and of all that are cheap to read."""
        bare = {side: self.named(rows, {}, set()) for side, rows in enumerate((self._stills, self._movies))}
        worth = candidates(bare[0], bare[1])
        group_sizes: dict[str, int] = defaultdict(int)
        for key in (*worth.stills, *worth.movies):
            group_sizes[companion_key(self._rows[key].name).name] += 1
        found = {}
        for key in (*worth.stills, *worth.movies):
            row = self._rows[key]
            ambiguous = group_sizes[companion_key(row.name).name] > 2
            found[key] = (row.apple if row.apple is not None else read(key, ambiguous)) or ""
        return found

    def named(self, rows: Iterable[MediaRow], identifiers: dict[int, str], own: set[int]) -> list[Half]:
        """Return one half for each name."""
        return [
            Half(one.id, one.name, identifiers.get(one.id) or None, one.id in own)
            for one in rows
            if one.id in self.twins
        ]
