"""Making stored files again when the profile's transforms or their options are other ones now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from syncengine.api import Asset, Destination, ItemError, ItemState, Kind, MediaItem, Sink
from syncengine.engine import metadata_file
from syncengine.engine.image_work import needs_work
from syncengine.engine.metadata_file import MetadataFile
from syncengine.engine.parts import RunParts
from syncengine.engine.recipe import difference
from syncengine.engine.recorded_facts import NOT_LISTED, item_of
from syncengine.engine.relayout import Layouts
from syncengine.engine.work import REMAKE, Work
from syncengine.records import ContentRecord, ItemRecord

#: As much of a file as a transform may look at to see whether it has something to do.
_HEAD = 64 << 10
_CHUNK = 1 << 20
_MOST_NAMED = 20


class Recipes:
    """Knows which stored files the current recipe would make otherwise.

    Args:
        parts: the run.
        look_inside: read the first bytes of files that no transform had to do with, to see whether one has now.
    """

    def __init__(self, parts: RunParts, *, look_inside: bool = True) -> None:
        self._parts = parts
        self._look_inside = look_inside

    def reason(self, record: ContentRecord) -> str:
        """Return what differs, in words; empty when a file is as the profile wants it."""
        if record.failure:
            return ""  # It is tried again by every run as it is.
        if record.recipe:
            return "" if record.recipe == self._parts.recipe else difference(record.recipe, self._parts.recipe)
        return difference("", self._parts.recipe) if self._look_inside and self._is_accepted(record) else ""

    def _is_accepted(self, record: ContentRecord) -> bool:
        """Whether a transform has something to do with a file that none had to do with before."""
        if not self._parts.transforms:
            return False
        head = self._parts.staging / "head"
        try:
            with self._parts.destination.read(record.path) as stream:
                head.write_bytes(stream.read(_HEAD))
            item = item_of(record)
            asset = Asset(path=head, name=record.name, kind=item.kind, item=item, size=record.source_size)
            return needs_work(asset, self._parts.transforms, ())
        except (FileNotFoundError, ItemError):
            return False
        finally:
            head.unlink(missing_ok=True)


class Remakes:
    """Decides what a run makes again.

    Args:
        parts: the run.
    """

    def __init__(self, parts: RunParts) -> None:
        self._parts = parts
        self._recipes = Recipes(parts)
        self._layouts = Layouts(parts)
        #: Contents and items that this run has decided about while the source was listed.
        self._contents: set[bytes] = set()
        self._filtered: set[str] = set()
        #: What cannot be made again, a sentence each.
        self.stuck: list[str] = []

    def take(
        self, unchanged: list[tuple[MediaItem, ItemRecord]], filtered: list[tuple[MediaItem, str]], work: list[Work]
    ) -> None:
        """Turn items whose files are by another recipe into work, in all lists."""
        self._filtered.update(item.id for item, _ in filtered)
        self._contents.update(one.known.content for one in work if one.known and one.why != "metadata changed")
        refreshed = [one for one in work if one.known is not None and one.why == "metadata changed"]
        pairs = [*unchanged, *((one.item, one.known) for one in refreshed if one.known is not None)]
        again = {one.item.id: one for one in self._works(pairs)}
        unchanged[:] = [pair for pair in unchanged if pair[0].id not in again]
        work[:] = [again.pop(one.item.id, one) for one in work]
        work += again.values()

    def _works(self, pairs: Sequence[tuple[MediaItem, ItemRecord]]) -> Iterator[Work]:
        records = self._parts.state.contents([known.content for _, known in pairs])
        for (item, known), record in zip(pairs, records, strict=True):
            if record is None or (record.profile, record.item) != (self._parts.profile, item.id):
                continue
            self._contents.add(record.content)
            reason = self._recipes.reason(record)
            if reason:
                original = original_of(record, self._parts.destination)
                yield Work(item=item, why=REMAKE, detail=reason, known=known, original_at=original)

    def unlisted(self) -> Iterator[Work]:
        """Yield what the source does not list any more, once it was listed to its end."""
        for page in self._layouts.own():
            for record in page:
                if record.content in self._contents or record.item in self._filtered:
                    continue
                reason = self._recipes.reason(record)
                if not reason:
                    continue
                original = original_of(record, self._parts.destination)
                if original:
                    yield self._without_source(record, original, reason)
                else:
                    self.stuck.append(record.path)

    def _without_source(self, record: ContentRecord, original: str, reason: str) -> Work:
        document = metadata_file.read(self._parts.destination, record.path)
        item = described(document) if document is not None else item_of(record)
        (known,) = self._parts.state.items([record.item])
        known = known or ItemRecord(content_token=NOT_LISTED, metadata_token=NOT_LISTED, content=record.content)
        return Work(item=item, why=REMAKE, detail=reason, known=known, original_at=original, is_listed=False)

    def warnings(self) -> Iterator[str]:
        """Yield what a person should know of what could not be made again."""
        if self.stuck:
            named = ", ".join(self.stuck[:_MOST_NAMED]) + (", ..." if len(self.stuck) > _MOST_NAMED else "")
            yield (
                f"{len(self.stuck):,} files were made by another recipe and stay: the source has not their items any "
                f"more, and no original is kept ({named})"
            )


def original_of(record: ContentRecord, destination: Destination[Any]) -> str:
    """Return where the untouched original of a content is at the destination; empty when it is not there."""
    path = record.path if record.stored_sha256 == record.source_sha256 else record.original_path
    return path if path and not destination.missing([path]) else ""


def read_original(destination: Destination[Any], path: str, into: Sink) -> None:
    """Copy a file of the destination. Raises ``ItemError`` when it is not there."""
    try:
        with destination.read(path) as stream:
            while chunk := stream.read(_CHUNK):
                into.write(chunk)
    except FileNotFoundError:
        raise ItemError(f"{path} is not at the destination any more") from None


def described(document: MetadataFile) -> MediaItem:
    """Return the item that a metadata file tells of."""
    taken = document.taken
    return MediaItem(
        id=document.source.id,
        name=document.name,
        kind=Kind(document.kind),
        content_token=NOT_LISTED,
        taken=metadata_file.capture_time(taken) if taken is not None else None,
        description=document.description,
        location=document.location.source,
        exif_location=document.location.exif,
        people=document.people,
        favorite=document.favorite,
        states=tuple(ItemState(state) for state in document.states),
        albums=metadata_file.album_refs(document),
        camera=document.camera,
        origins=document.source.origins,
        paired_with=document.paired_with,
        raw=document.raw,
    )


class Remade(msgspec.Struct, frozen=True, kw_only=True):
    """A content that was made again, and is to take the place of what is stored.

    Args:
        path: for the stored file.
        original_path: for the untouched original, or empty.
        staged: SHA-256 of each new file -> where it is in staging.
    """

    path: str
    original_path: str
    staged: dict[bytes, Path]
