"""The library as the index shows it: kept up to date with the parts, listed, accounted for."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Generator, Iterator

import msgspec

from syncengine.api import Album, FatalError, Inventory, MediaItem, RunContext
from syncengine_plugins.sources.takeout.damage import MemberDamagedError
from syncengine_plugins.sources.takeout.early_listing import EarlyListing
from syncengine_plugins.sources.takeout.index import Index, PartRow, is_damage, unpack_json, unusable_index
from syncengine_plugins.sources.takeout.ingest import FOREIGN, content_identifier, refresh
from syncengine_plugins.sources.takeout.intake import CLASSES
from syncengine_plugins.sources.takeout.items import unpack_item
from syncengine_plugins.sources.takeout.known_exports import KnownExports
from syncengine_plugins.sources.takeout.matching import match_changed
from syncengine_plugins.sources.takeout.merging import merge
from syncengine_plugins.sources.takeout.parts import FoundParts
from syncengine_plugins.sources.takeout.reading import Copy
from syncengine_plugins.sources.takeout.shelf import Shelf

_INDEX = "takeout.sqlite"
_ITEMS = "SELECT i.row, s.json FROM item i LEFT JOIN sidecar s ON s.id = i.sidecar WHERE i.early IS {} ORDER BY i.{}"
_EARLY, _OTHERS = _ITEMS.format("NOT NULL", "early"), _ITEMS.format("NULL", "id")
_REMARKS = 1000
_COPY = "SELECT part, path, raw, size, crc, offset, packed, method, mtime, name FROM media WHERE id = ?"


class Library:
    """All exports on a shelf as one library.

    Args:
        shelf: where the parts lie.
        found: what lies there, as it was just found.
        context: the engine's.
    """

    def __init__(self, shelf: Shelf, found: FoundParts, context: RunContext) -> None:
        self._shelf, self._tick = shelf, context.tick
        self._found: FoundParts | None = found
        self._path = context.cache / _INDEX
        try:
            context.cache.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise unusable_index(self._path, error) from error
        self._index = Index(self._path)
        self._exports = KnownExports(context.cache)
        self.archives = shelf.copies(context.scratch, self._index.between)
        self.parts: dict[int, PartRow] = {}
        self._missing: tuple[str, ...] | None = None
        self._warnings: tuple[str, ...] = ()
        self._contradictions = 0
        self._updating: Generator[MediaItem, None, None] | None = None

    def close(self) -> None:
        """Let go of the index and of the parts."""
        if self._updating is not None:
            self._updating.close()
        self.archives.close()
        self._index.close()

    def scan(self) -> Iterator[MediaItem]:
        """Bring the index up to date and yield every item, some of them while it is being read."""
        listed = 0
        for item in self._update():
            listed += 1
            yield item
        try:
            for query in (_OTHERS,) if listed else (_EARLY, _OTHERS):
                for row, sidecar in self._index.rows(query):
                    yield unpack_item(row, sidecar, self.parts)
        except (sqlite3.Error, msgspec.DecodeError, zlib.error, KeyError) as error:
            raise self._failed(error) from error

    def albums(self) -> Iterator[Album]:
        """Yield every album."""
        self._require_update()
        for row in self._index.rows("SELECT id, title, description, count, json FROM album ORDER BY id"):
            path, title, description, count, packed = row
            raw = msgspec.json.decode(unpack_json(packed)) if packed is not None else None
            yield Album(id=path, title=title, description=description, count=count, raw=raw)

    def inventory(self) -> Inventory:
        """Return the totals, what is missing, and what a person should know."""
        self._require_update()
        counts = dict(self._index.rows("SELECT key, count FROM total ORDER BY key"))
        remarks = list(self._index.rows("SELECT text, lost FROM remark ORDER BY lost DESC, rowid LIMIT ?", (_REMARKS,)))
        broken = [f"{part.name}: {part.problem}" for part in self.parts.values() if part.problem]
        foreign = [f"{part.name}: holds nothing of a Takeout" for part in self.parts.values() if part.kind == FOREIGN]
        missing = (*(self._missing or ()), *broken, *(text for text, lost in remarks if lost), *self._shelf.lost())
        return Inventory(
            complete=not missing,
            missing=missing,
            counts=counts,
            sums={"members": CLASSES, "media": ("items", "copies")},
            warnings=(
                *self._warnings,
                *foreign,
                *self._second_thoughts(),
                *(text for text, lost in remarks if not lost),
            ),
        )

    def _require_update(self) -> None:
        if self._missing is None:
            for _ in self._update():
                pass

    def _update(self) -> Iterator[MediaItem]:
        """Make the index agree with the parts, and yield the items that are certain before it does.

        An index that is found damaged is made anew once, unless items were listed from it.
        """
        if self._updating is not None:
            self._updating.close()  # that of a scan which was left half-way, with its transaction
        updating = self._updating = self._bring_up_to_date()
        listed = False
        try:
            for item in updating:
                listed = True
                yield item
            if self._updating is not updating:
                raise FatalError("the library was listed anew before this listing came to its end")
        except (sqlite3.Error, zlib.error, msgspec.DecodeError) as error:
            if isinstance(error, sqlite3.Error) and not is_damage(error):
                raise unusable_index(self._path, error) from error
            if listed:
                raise self._failed(error) from error
        else:
            return
        finally:
            updating.close()
        self._tick("the index is damaged and is made anew")
        self._index.start_over()
        try:
            yield from self._bring_up_to_date()
        except sqlite3.Error as error:
            raise unusable_index(self._path, error) from error

    def _second_thoughts(self) -> Iterator[str]:
        if self._contradictions:
            yield (
                f"{self._contradictions} photos were listed before a title that contradicts its file's name was read;"
                " the next run puts right what it says of them"
            )

    def _failed(self, error: Exception) -> FatalError:
        """Return the error for an index that fails in the middle of a scan."""
        if isinstance(error, sqlite3.Error) and not is_damage(error):
            return unusable_index(self._path, error)
        self._index.start_over()
        return FatalError(
            f"the index of the Takeout library was damaged ({error}) and has been removed",
            advice="run again; it is made anew from the archives",
        )

    def _bring_up_to_date(self) -> Generator[MediaItem, None, None]:
        found, self._found = self._found or self._shelf.find(), None
        early = EarlyListing(self._index, self.parts)
        yield from refresh(self._index, found.parts, self._shelf, self._tick, early)
        self.parts = {part.id: part for part in self._index.parts()}
        if not self._index.is_merged():
            match_changed(self._index, self._identifier, self._tick)
            merge(self._index, self._checksum, self._tick)
            self._contradictions = early.reconcile()
        self._missing, self._warnings = (*found.missing, *self._left(found)), found.warnings

    def _left(self, found: FoundParts) -> tuple[str, ...]:
        """Return what was here before and is not any more."""
        if not self._shelf.keeps_parts:
            return ()
        try:
            return self._exports.missing(part.name.rpartition("/")[2] for part in found.parts)
        except OSError as error:
            raise unusable_index(self._path, error) from error

    def _copy(self, media: int) -> tuple[Copy, str]:
        row = self._index.db.execute(_COPY, (media,)).fetchone()
        return Copy(*row[:-1]), row[-1]

    def _identifier(self, media: int, unpack: bool) -> str | None:
        """Read the content identifier that joins a Live Photo's halves, and remember it; ``None`` when not read."""
        copy, name = self._copy(media)
        identifier = self._shelf.known_identifier(name, copy.size, copy.crc)
        if identifier is None:
            identifier = self._read_identifier(copy, name, unpack)
        self._index.db.execute("UPDATE media SET apple = ? WHERE id = ?", (identifier, media))
        return identifier

    def _read_identifier(self, copy: Copy, name: str, unpack: bool) -> str | None:
        try:
            with self.archives.stream(copy, self.parts[copy.part], unpack=unpack) as stream:
                if stream is None:
                    return None
                identifier = content_identifier(stream, name)
        except (MemberDamagedError, OSError):
            return None
        self._shelf.keep_identifier(name, copy.size, copy.crc, identifier)
        return identifier

    def _checksum(self, media: int) -> int | None:
        """Compute the CRC-32 of an unpacked file, and remember it; ``None`` when it cannot be read."""
        copy, _ = self._copy(media)
        crc = 0
        try:
            for chunk in self.archives.chunks(copy, self.parts[copy.part]):
                crc = zlib.crc32(chunk, crc)
        except (MemberDamagedError, OSError):
            return None
        self._index.db.execute("UPDATE media SET crc = ? WHERE id = ?", (crc, media))
        return crc
