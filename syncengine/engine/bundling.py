"""Deciding what a batch writes: one bundle for each content that it stores or changes."""

from __future__ import annotations

from pathlib import Path

import msgspec

from syncengine.api import Asset, ItemError, MediaItem
from syncengine.engine import metadata_file
from syncengine.engine.metadata_file import MetadataFile, united
from syncengine.engine.parts import RunParts
from syncengine.engine.target_paths import PathChooser
from syncengine.engine.work import Batch, Copy, Work
from syncengine.model import ContentRecord


class Bundle(msgspec.Struct, kw_only=True):
    """One content of a batch.

    Args:
        record: what the state will remember.
        document: its metadata file.
        media: staged files of the content itself, with the path each is to have.
        work: the item that stores it, or ``None`` when it was stored before.
        changed: there is something to write.
        set_mtime: the stored file needs another time.
        written: bytes of the content that were placed; 0 when they were there already.
        failure: it could not be written.
    """

    record: ContentRecord
    document: MetadataFile
    media: list[tuple[Path, str]] = []
    work: Work | None = None
    changed: bool = False
    set_mtime: bool = False
    written: int = 0
    failure: str = ""


Bundles = dict[bytes, Bundle]


class Bundler:
    """Makes the bundles of a batch.

    Args:
        parts: the run.
    """

    def __init__(self, parts: RunParts) -> None:
        self._parts = parts
        #: Contents that a perceptual match skipped, for exact copies of them that were in flight.
        self._skipped: dict[bytes, Copy] = {}

    def bundle(self, batch: Batch) -> Bundles:
        """Return one bundle for each content that the batch stores or changes; failures go to their works."""
        bundles: Bundles = {}
        paths = PathChooser(self._parts, [work for work in batch if work.is_to_store])
        for work in batch:
            if work.is_to_store:
                self._add_new(work, paths, bundles)
            elif work.copy_of is not None:
                self._add_copy(work, work.copy_of, bundles)
            elif work.why == "metadata changed" and not work.failure:
                self._refresh(work, bundles)
        return bundles

    def _add_new(self, work: Work, paths: PathChooser, bundles: Bundles) -> None:
        stored, fetched = work.asset, work.fetched
        if stored is None or fetched is None:
            return
        stored = msgspec.structs.replace(stored, item=fetched.item)
        original_path = work.previous.original_path if work.previous is not None else ""
        try:
            path = paths.choose(stored, work, work.previous.path if work.previous is not None else "")
            media = [(stored.path, path)]
            if stored.path != fetched.path and stored.keep_original:
                original_path = paths.choose(fetched, work, original_path)
                media.append((fetched.path, original_path))
        except ItemError as error:
            work.failure, work.lost = error.reason, True
            work.discard()
            return
        if stored.path != fetched.path and not stored.keep_original:
            fetched.path.unlink(missing_ok=True)
            original_path = _kept_before(work)
        document = metadata_file.describe(
            self._parts.source_label, stored, fetched, path=path, original_path=original_path, zone=self._parts.zone
        )
        remarks = (*work.remarks, work.failure) if work.failure else work.remarks
        document = msgspec.structs.replace(document, notes=(*document.notes, *remarks))
        record = self._record(work, stored, fetched)
        record = msgspec.structs.replace(record, path=path, original_path=original_path)
        document = metadata_file.with_origins(metadata_file.with_albums(document, record.albums), record.origins)
        bundles[work.content] = Bundle(record=record, document=document, media=media, work=work, changed=True)

    def _record(self, work: Work, stored: Asset, fetched: Asset) -> ContentRecord:
        item, previous = fetched.item, work.previous
        record = ContentRecord(
            content=work.content,
            path="",
            source_sha256=fetched.sha256,
            stored_sha256=stored.sha256,
            source_size=fetched.size,
            stored_size=stored.size,
            mtime=mtime_of(item, self._parts),
            item=item.id,
            name=item.name,
            profile=self._parts.profile,
            albums=item.albums,
            origins=item.origins,
            recipe=self._parts.recipe if stored.applied else "",
            failure=work.failure,
            near=((work.near.content, work.near.method, work.near.distance),) if work.near else (),
        )
        if previous is None:
            return record
        return msgspec.structs.replace(
            record,
            albums=united(previous.albums, record.albums),
            origins=united(previous.origins, record.origins),
            copies=previous.copies,
            near=united(previous.near, record.near),
            sidecar_path=previous.sidecar_path,
            sidecar_sha256=previous.sidecar_sha256,
        )

    def _add_copy(self, work: Work, copy: Copy, bundles: Bundles) -> None:
        """Unite a copy's albums and origins with those of the file that is kept."""
        if work.content != copy.content:
            self._skipped[work.content] = copy
        elif copy.content in self._skipped:
            work.copy_of = copy = self._skipped[copy.content]
        bundle = self._existing(copy.content, work.item, bundles)
        if bundle is None or bundle.record.failure:
            reason = bundle.record.failure if bundle is not None else "the file that it is a copy of was not stored"
            work.failure, work.lost = reason, True
            return
        item = work.item
        entry = (self._parts.profile, item.id, item.name, copy.method, copy.distance)
        is_itself = item.id == bundle.record.item and self._parts.profile == bundle.record.profile
        record = msgspec.structs.replace(
            bundle.record,
            albums=united(bundle.record.albums, item.albums),
            origins=united(bundle.record.origins, item.origins),
            copies=bundle.record.copies if is_itself else united(bundle.record.copies, (entry,)),
        )
        bundle.changed |= record != bundle.record
        bundle.record = record
        bundle.document = metadata_file.with_albums(
            metadata_file.with_origins(bundle.document, item.origins), item.albums
        )

    def _refresh(self, work: Work, bundles: Bundles) -> None:
        """Take over what the source says now about an item whose bytes are as they were."""
        assert work.known is not None  # nosec B101: only known items can have changed metadata
        work.content = work.known.content
        bundle = self._existing(work.content, work.item, bundles)
        if bundle is None:
            work.failure, work.lost = "its content is not in the state any more; run again to store it anew", True
            return
        record, item = bundle.record, work.item
        if record.item == item.id and record.profile == self._parts.profile:
            bundle.document = metadata_file.refreshed(bundle.document, item, self._parts.zone)
            mtime = mtime_of(item, self._parts) if item.taken is not None else record.mtime
            bundle.set_mtime |= mtime != record.mtime
            record = msgspec.structs.replace(record, mtime=mtime)
        else:
            bundle.document = metadata_file.with_albums(bundle.document, item.albums)
        bundle.record = msgspec.structs.replace(
            record, albums=united(record.albums, item.albums), origins=united(record.origins, item.origins)
        )
        bundle.changed = True

    def _existing(self, content: bytes, item: MediaItem, bundles: Bundles) -> Bundle | None:
        """Return the bundle of a content that is stored already, by this batch or before."""
        if content not in bundles:
            (record,) = self._parts.state.contents([content])
            if record is None:
                return None
            document = metadata_file.read(self._parts.destination, record.path)
            bundles[content] = Bundle(record=record, document=document or self._rebuilt(record, item))
        return bundles[content]

    def _rebuilt(self, record: ContentRecord, item: MediaItem) -> MetadataFile:
        """Return a metadata file for a content whose own one was lost, from the state and the item at hand."""
        asset = Asset(path=Path(), name=record.name, kind=item.kind, item=item)
        stored = msgspec.structs.replace(asset, sha256=record.stored_sha256, size=record.stored_size)
        fetched = msgspec.structs.replace(asset, sha256=record.source_sha256, size=record.source_size)
        document = metadata_file.describe(
            self._parts.source_label,
            stored,
            fetched,
            path=record.path,
            original_path=record.original_path,
            zone=self._parts.zone,
        )
        return metadata_file.with_albums(metadata_file.with_origins(document, record.origins), record.albums)


def mtime_of(item: MediaItem, parts: RunParts) -> float | None:
    """Return the time that the stored file is to carry, seconds since the epoch."""
    return item.taken.timestamp(parts.zone) if item.taken is not None else None


def _kept_before(work: Work) -> str:
    """Return where an untouched original is that an earlier run kept because its transform failed."""
    previous = work.previous
    if previous is None:
        return ""
    return previous.path if previous.failure else previous.original_path
