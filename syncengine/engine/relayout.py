"""Moving what is stored to where the profile's layout wants it now, within the destination, without reading a photo."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from syncengine.api import Asset, Destination
from syncengine.engine import metadata_file
from syncengine.engine.changes import Change
from syncengine.engine.layout import candidate_paths
from syncengine.engine.metadata_file import MetadataFile
from syncengine.engine.parts import RunParts
from syncengine.engine.recorded_facts import (
    capture_time,
    has_facts,
    original_asset,
    stored_asset,
    stored_name,
    with_facts,
)
from syncengine.engine.safe_names import path_key
from syncengine.records import ContentRecord

#: Contents that are looked at together.
_PAGE = 250


class Layouts:
    """Knows where the current layout wants a content.

    Args:
        parts: the run.
    """

    def __init__(self, parts: RunParts) -> None:
        self._parts = parts

    def own(self) -> Iterator[list[ContentRecord]]:
        """Yield the contents that this profile stored and that the run's albums do not leave out, some at a time."""
        page: list[ContentRecord] = []
        for record in self._parts.state.all_contents():
            if not self.is_own(record):
                continue
            page.append(record)
            if len(page) >= _PAGE:
                yield page
                page = []
        if page:
            yield page

    def is_own(self, record: ContentRecord) -> bool:
        """Whether the run may move this content."""
        select = self._parts.select
        is_in = not select.albums or any(map(select.wants_album, record.albums))
        return is_in and record.profile == self._parts.profile

    def known(self, record: ContentRecord) -> ContentRecord | None:
        """Return a record that knows what a path is made of, or ``None`` where nobody knows it any more."""
        if has_facts(record):
            return record
        document = metadata_file.read(self._parts.destination, record.path)
        return with_facts(record, document, stored_name(record)) if document is not None else None

    def wanted(self, record: ContentRecord) -> tuple[str, str]:
        """Return the paths that the layout has for a content's file and its kept original.

        A path that is one of those that the layout may have led to, such as one with a suffix, stays.
        """
        path = self._wanted(stored_asset(record), record.content, record.path)
        if not record.original_path:
            return path, ""
        return path, self._wanted(original_asset(record), record.content, record.original_path)

    def _wanted(self, asset: Asset, content: bytes, now: str) -> str:
        path = self._parts.template.path_of(asset)
        return now if now in candidate_paths(path, content) else path

    def moves(self) -> Iterator[tuple[ContentRecord, str]]:
        """Yield what lies elsewhere than the layout wants it, with where that is; reads nothing but the state."""
        for page in self.own():
            for record in page:
                known = self.known(record)
                if known is None:
                    continue
                path, original = self.wanted(known)
                if (path, original) != (record.path, record.original_path):
                    yield record, path


class Paths:
    """Chooses new paths for some contents, so that no two ever share one; who is in the way leaves as well.

    Args:
        parts: the run.
        layouts: knows what is wanted.
    """

    def __init__(self, parts: RunParts, layouts: Layouts) -> None:
        self._parts = parts
        self._layouts = layouts
        self._chosen: set[str] = set()
        self._waiting: deque[ContentRecord] = deque()
        self._seen: set[bytes] = set()

    def choose(self, records: Iterable[ContentRecord]) -> list[tuple[ContentRecord, str, str]]:
        """Return (record, path, path of the original) of each, and of those that stand where one of them is to be."""
        for record in records:
            self._add(record)
        found: list[tuple[ContentRecord, str, str]] = []
        while self._waiting:
            record = self._waiting.popleft()
            wanted, original = self._layouts.wanted(record)
            staying = {path_key(now) for now, new in _pairs(record, wanted, original) if now == new}
            path = self._choose(record, wanted, record.path, staying)
            kept = self._choose(record, original, record.original_path, staying) if original else ""
            found.append((record, path, kept))
        return found

    def _add(self, record: ContentRecord) -> None:
        if record.content not in self._seen:
            self._seen.add(record.content)
            self._waiting.append(record)

    def _choose(self, record: ContentRecord, wanted: str, now: str, staying: set[str]) -> str:
        if wanted == now:
            self._chosen.add(path_key(now))
            return now
        for candidate in candidate_paths(wanted, record.content):
            key = path_key(candidate)
            if key not in self._chosen and key not in staying and self._is_free(candidate, record.content):
                self._chosen.add(key)
                return candidate
        self._chosen.add(path_key(now))
        return now

    def _is_free(self, path: str, content: bytes) -> bool:
        """Whether nobody has a path, or it is left by who has it; that one is then among those that move."""
        (owner,) = self._parts.state.path_owners([path])
        if owner in (None, content):
            return True
        (record,) = self._parts.state.contents([owner]) if owner is not None else (None,)
        if record is None or not self._layouts.is_own(record):
            return False
        known = self._layouts.known(record)
        if known is None or self._parts.destination.missing([now for now in _paths(record) if now]):
            return False
        key = path_key(path)
        leaves = all(now != new for now, new in _pairs(known, *self._layouts.wanted(known)) if path_key(now) == key)
        if leaves and known.content not in self._seen:
            self._add(known)
        return leaves


class Relayout:
    """Finds out what has to change so that a content is as the profile wants it to be laid out.

    Args:
        parts: the run.
        layouts: knows where a content is wanted.
        rezoned: the time zone may be another one than when the papers were written.
    """

    def __init__(self, parts: RunParts, layouts: Layouts, *, rezoned: bool) -> None:
        self._parts = parts
        self._layouts = layouts
        self._rezoned = rezoned

    def changes(self, page: list[ContentRecord], *, rebuild: bool, most: int | None) -> list[Change]:
        """Return what has to change of some contents.

        Args:
            page: their records.
            rebuild: also write metadata files that are missing, from what the state knows.
            most: so many changes are enough, or ``None``.
        """
        missing = self._parts.destination.missing(path for record in page for path in self._looked_at(record))
        known = [self._layouts.known(record) for record in page if missing.isdisjoint(_paths(record))]
        there = [record for record in known if record is not None]
        incomplete = {one.content for one in there if self._lacks_papers(one, missing, rebuild=rebuild)}
        outdated = [one for one in there if one.content in incomplete or self._rezoned or not self._is_in_place(one)]
        changes: list[Change] = []
        for record, path, original in Paths(self._parts, self._layouts).choose(outdated[:most]):
            change = self._change(record, path, original, rebuild=rebuild and record.content in incomplete)
            if change is not None and (record.content in incomplete or _differs(change, self._parts.destination)):
                changes.append(change)
        return changes

    def _looked_at(self, record: ContentRecord) -> list[str]:
        papers = [metadata_file.metadata_path(record.path)]
        if "xmp" in self._parts.metadata:
            papers.append(record.path + metadata_file.SIDECAR)
        return [*_paths(record), *papers]

    def _is_in_place(self, record: ContentRecord) -> bool:
        return self._layouts.wanted(record) == (record.path, record.original_path)

    def _lacks_papers(self, record: ContentRecord, missing: set[str], *, rebuild: bool) -> bool:
        """Whether a content has not the metadata files that the profile wants, or has others."""
        has_json = metadata_file.metadata_path(record.path) not in missing
        if "json" not in self._parts.metadata:
            lacks_json, has_more = False, has_json
        else:
            lacks_json, has_more = not has_json, False
        if "xmp" in self._parts.metadata:
            lacks_xmp = record.path + metadata_file.SIDECAR in missing
        else:
            lacks_xmp, has_more = False, has_more or bool(record.sidecar_path)
        return has_more or ((lacks_json or lacks_xmp) and (rebuild or has_json))

    def _change(self, record: ContentRecord, path: str, original: str, *, rebuild: bool) -> Change | None:
        (before,) = self._parts.state.contents([record.content])
        if before is None:
            return None
        document = metadata_file.read(self._parts.destination, before.path)
        if document is not None and document.stored.sha256 != before.stored_sha256.hex():
            document = None  # It is about another file.
        if document is None and rebuild:
            document = rebuilt(record, self._parts)
        taken = capture_time(record)
        after = msgspec.structs.replace(
            record,
            path=path,
            original_path=original,
            mtime=taken.timestamp(self._parts.zone) if taken is not None and self._rezoned else record.mtime,
            sidecar_path=f"{path}{metadata_file.SIDECAR}" if record.sidecar_path else "",
        )
        if "xmp" not in self._parts.metadata:
            after = msgspec.structs.replace(after, sidecar_path="", sidecar_sha256=b"")
        if document is not None and self._rezoned:
            document = metadata_file.rezoned(document, self._parts.zone)
        return Change(before=before, after=after, document=metadata_file.encode(document) if document else b"")


def rebuilt(record: ContentRecord, parts: RunParts) -> MetadataFile:
    """Return a metadata file for a content whose own one was lost, from what the state knows."""
    document = metadata_file.describe(
        parts.source_label,
        stored_asset(record),
        original_asset(record),
        path=record.path,
        original_path=record.original_path,
        zone=parts.zone,
    )
    return metadata_file.with_albums(document, record.albums)


def _differs(change: Change, destination: Destination[Any]) -> bool:
    """Whether a change changes anything: a file's place or time, or what a metadata file says."""
    before, after = change.before, change.after
    if (before.path, before.original_path, before.mtime) != (after.path, after.original_path, after.mtime):
        return True
    document = metadata_file.read(destination, before.path)
    return document is not None and metadata_file.encode(document) != change.document


def _paths(record: ContentRecord) -> list[str]:
    return [path for path in (record.path, record.original_path) if path]


def _pairs(record: ContentRecord, path: str, original: str) -> list[tuple[str, str]]:
    """Return (where it is, where it is wanted) of each file."""
    pairs = [(record.path, path)]
    return [*pairs, (record.original_path, original)] if record.original_path else pairs
