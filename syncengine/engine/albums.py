"""Albums at the destination: a directory of links and an ``album.json`` each."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from syncengine.api import Album, ItemError
from syncengine.engine.album_links import AlbumLinks, AlbumParts
from syncengine.engine.clean_text import cleaned, encoded
from syncengine.engine.papers import Papers
from syncengine.engine.safe_names import fit, path_key, safe_name
from syncengine.records import AlbumRecord, ContentRecord

ALBUM_FILE = "album.json"
UNTITLED = "Untitled"
#: Members without a capture time stand last.
_LAST = float("inf")


class AlbumMember(msgspec.Struct, frozen=True, kw_only=True):
    """A member in ``album.json``: the file's path, its original name, its capture time in seconds since the epoch."""

    path: str
    name: str
    taken: float | None = None


class AlbumFile(msgspec.Struct, frozen=True, kw_only=True):
    """``album.json``; schema in ``schemas/album.schema.json``. Members are ordered by capture time, then path."""

    version: int = 1
    id: str
    title: str
    description: str = ""
    members: tuple[AlbumMember, ...] = ()
    raw: Any = None


class AlbumWriter:
    """Writes the albums that changed.

    Args:
        parts: the run, or less than that.
        papers: takes each ``album.json``.
    """

    def __init__(self, parts: AlbumParts, papers: Papers) -> None:
        self._parts = parts
        self._papers = papers
        self._links = AlbumLinks(parts)
        #: What is to be told; shared with the links.
        self.warnings = self._links.warnings

    def write(
        self,
        ids: Iterable[str],
        listed: Iterable[Album],
        *,
        drop_empty: bool = False,
        announce: Callable[[list[AlbumRecord]], None] | None = None,
    ) -> list[AlbumRecord]:
        """Bring some albums' directories up to date; links that are there stay.

        Args:
            ids: the albums whose members changed.
            listed: what the source says of its albums.
            drop_empty: ``listed`` is all that the source has, so an album without members that is not in it leaves.
            announce: is told of new albums before anything of them is there, so that their links are known again.

        Returns:
            What the state is to remember, once the papers are in place.
        """
        if self._parts.albums == "none":
            return []
        known = {record.id: record for record in self._parts.state.albums()}
        facts = {album.id: album for album in listed}
        changed = sorted(set(ids) | {id_ for id_ in facts if id_ in known and _differs(facts[id_], known[id_])})
        records = self._name(changed, known, facts)
        new = [record for record in records if record.id not in known]
        if new and announce is not None:
            announce(new)
        left = [record for record in records if drop_empty and record.id not in facts and self._drop_if_empty(record)]
        return [record for record in records if record not in left and self._write_safely(record)]

    def _drop_if_empty(self, record: AlbumRecord) -> bool:
        """Remove the directory of an album that nothing is in; the state and the catalog know it still."""
        if next(self._parts.state.album_members(record.id), None) is not None:
            return False
        path = f"{record.directory}/{ALBUM_FILE}"
        try:
            with contextlib.suppress(FileNotFoundError):
                self._parts.destination.remove(path)
            self._parts.destination.prune(path)
        except ItemError as error:
            self.warnings.append(f"{record.directory} is empty and could not be removed: {error}")
        return True

    def _write_safely(self, record: AlbumRecord) -> bool:
        """Write one album; what is in its way costs that album alone."""
        try:
            self._write_album(record)
        except ItemError as error:
            self.warnings.append(f"{record.directory} could not be written: {error}")
            return False
        return True

    def _name(self, changed: list[str], known: dict[str, AlbumRecord], facts: dict[str, Album]) -> list[AlbumRecord]:
        """Return the albums' records; a directory is chosen once and then kept, whatever the title becomes."""
        taken = {path_key(record.directory) for record in known.values()}
        records: list[AlbumRecord] = []
        for id_ in changed:
            before, fact = known.get(id_), facts.get(id_)
            title = fact.title if fact is not None else before.title if before is not None else self._title(id_)
            directory = before.directory if before is not None else _free_directory(id_, title, taken)
            taken.add(path_key(directory))
            records.append(
                AlbumRecord(
                    id=id_,
                    title=title,
                    directory=directory,
                    description=fact.description if fact else before.description if before else "",
                    raw=_text(fact.raw) if fact else before.raw if before else "",
                )
            )
        return records

    def _title(self, id_: str) -> str:
        """Return the title by the word of the members, for an album that the source does not list by itself."""
        for member in self._parts.state.album_members(id_):
            return next((album.title for album in member.albums if album.id == id_), "")
        return ""

    def _write_album(self, record: AlbumRecord) -> None:
        members = sorted(self._parts.state.album_members(record.id), key=_by_time)
        self._links.show(record.directory, members)
        file = AlbumFile(
            id=record.id,
            title=record.title,
            description=record.description,
            members=tuple(AlbumMember(path=m.path, name=m.name, taken=m.mtime) for m in members),
            raw=msgspec.json.decode(record.raw) if record.raw else None,
        )
        self._papers.write(f"{record.directory}/{ALBUM_FILE}", encoded(file))


def _by_time(member: ContentRecord) -> tuple[float, str]:
    return (member.mtime if member.mtime is not None else _LAST, member.path)


def _differs(album: Album, record: AlbumRecord) -> bool:
    return (album.title, album.description, _text(album.raw)) != (record.title, record.description, record.raw)


def _text(raw: Any) -> str:
    return msgspec.json.encode(cleaned(raw), order="deterministic").decode() if raw is not None else ""


def _free_directory(id_: str, title: str, taken: set[str]) -> str:
    name = safe_name(title.strip(), fallback=UNTITLED)
    own = hashlib.sha256(id_.encode("utf-8", "surrogatepass")).hexdigest()
    names = (name, fit(name, "~" + own[:6]), own)
    return next(path for path in (f"albums/{name}" for name in names) if path_key(path) not in taken)
