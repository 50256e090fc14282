"""Deciding what a batch writes: one bundle for each content that it stores or changes."""

from __future__ import annotations

from pathlib import Path

import msgspec

from syncengine.api import Asset, ItemError, MediaItem
from syncengine.engine import metadata_file
from syncengine.engine.hashing import digest_of
from syncengine.engine.metadata_file import MetadataFile, united, united_albums
from syncengine.engine.parts import RunParts
from syncengine.engine.recipe import applied_by
from syncengine.engine.recorded_facts import has_facts, item_of, stored_name, with_facts
from syncengine.engine.remaking import Remade
from syncengine.engine.target_paths import PathChooser
from syncengine.engine.work import METADATA_ONLY, MOVED, PAPERS_MISSING, REMAKE, Batch, Copy, Work
from syncengine.records import ContentRecord


class MediaFile(msgspec.Struct, kw_only=True):
    """A staged photo or video that is to be placed.

    Args:
        staged: where it is now.
        path: where it is to be.
        is_original: it is the untouched original beside a transform's result.
        digest: SHA-256 of its bytes.
        size: bytes.
    """

    staged: Path
    path: str
    is_original: bool
    digest: bytes
    size: int


class Bundle(msgspec.Struct, kw_only=True):
    """One content of a batch.

    Args:
        record: what the state will remember.
        document: its metadata file.
        before: the record that it replaces, when there was one.
        media: files of the content itself.
        work: the item that stores it, or ``None`` when it was stored before.
        changed: there is something to write.
        set_mtime: the stored file needs another time.
        written: bytes of the content that were placed; 0 when they were there already.
        failure: it could not be written.
        remade: where its files are to be instead of those that it has, when it was made again.
        is_unknown: its metadata file was lost, and what came of it so far only says that it has a copy: too little to
            write another one, which would never be noticed as missing again.
    """

    record: ContentRecord
    document: MetadataFile
    before: ContentRecord | None = None
    media: list[MediaFile] = []
    work: Work | None = None
    changed: bool = False
    set_mtime: bool = False
    written: int = 0
    failure: str = ""
    remade: Remade | None = None
    is_unknown: bool = False


Bundles = dict[bytes, Bundle]

#: The method by which the same bytes are known.
_SAME_BYTES = "sha256"
_OWNER_GONE = "the file that it is a copy of is not there; the next run stores it"


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
            try:
                self._bundle_one(work, paths, bundles)
            except ItemError as error:
                work.fail(error.reason)
        return bundles

    def _bundle_one(self, work: Work, paths: PathChooser, bundles: Bundles) -> None:
        if work.is_to_store and work.why == REMAKE:
            self._add_remade(work, paths, bundles)
        elif work.is_to_store:
            self._add_new(work, paths, bundles)
        elif work.copy_of is not None and not work.dropped:
            self._add_copy(work, work.copy_of, bundles)
        elif work.why in METADATA_ONLY and not (work.failure or work.dropped):
            self._refresh_known(work, bundles)

    def _add_new(self, work: Work, paths: PathChooser, bundles: Bundles) -> None:
        stored, fetched = work.asset, work.fetched
        if stored is None or fetched is None:
            return
        stored = msgspec.structs.replace(stored, item=fetched.item)
        kept = self._original_before(work, fetched) if stored.path != fetched.path else ""
        media = self._media_files(work, stored, fetched, kept, paths)
        original_path = next((file.path for file in media if file.is_original), "")
        if not original_path and stored.path != fetched.path:
            fetched.path.unlink(missing_ok=True)
            original_path = self._still_there(kept)
        bundle = self._bundle_at(work, stored, fetched, media[0].path, original_path)
        if work.previous is None and self._is_of_guessed_find(work, stored, media[0].path):
            bundle.record = msgspec.structs.replace(bundle.record, guessed=True)
        bundle.media = media
        bundles[work.content] = bundle

    def _bundle_at(self, work: Work, stored: Asset, fetched: Asset, path: str, original_path: str) -> Bundle:
        """Return the bundle of a content whose files are to be at some paths."""
        document = metadata_file.describe(
            self._parts.source_label, stored, fetched, path=path, original_path=original_path, zone=self._parts.zone
        )
        remarks = (*work.remarks, work.failure) if work.failure else work.remarks
        document = msgspec.structs.replace(document, notes=(*document.notes, *remarks))
        record = self._record(work, stored, fetched)
        record = msgspec.structs.replace(record, path=path, original_path=original_path)
        document = metadata_file.with_origins(metadata_file.with_albums(document, record.albums), record.origins)
        record = with_facts(record, document, stored.name)
        return Bundle(record=record, document=document, before=work.previous, work=work, changed=True)

    def _add_remade(self, work: Work, paths: PathChooser, bundles: Bundles) -> None:
        """Add a content that was made again; what it has now is replaced when its new files are durable."""
        if work.content in bundles:  # A copy of it came before it in this batch.
            work.previous = bundles[work.content].record
        stored, fetched, previous = work.asset, work.fetched, work.previous
        if stored is None or fetched is None or previous is None:
            return
        stored = msgspec.structs.replace(stored, item=fetched.item)
        remade = self._remade(work, stored, fetched, previous, paths)
        for asset in (stored, fetched):
            if asset.path not in remade.staged.values():
                asset.path.unlink(missing_ok=True)
        bundle = self._bundle_at(work, stored, fetched, remade.path, remade.original_path)
        sidecar = f"{remade.path}{metadata_file.SIDECAR}" if previous.sidecar_path else ""
        bundle.record = msgspec.structs.replace(bundle.record, sidecar_path=sidecar, restored=previous.restored)
        bundle.remade = remade
        bundles[work.content] = bundle

    def _remade(self, work: Work, stored: Asset, fetched: Asset, previous: ContentRecord, paths: PathChooser) -> Remade:
        """Return where the files of a content are to be that was made again, and which of them are new."""
        before = {previous.stored_sha256: previous.path}
        if previous.original_path:
            before.setdefault(previous.source_sha256, previous.original_path)
        there = {sha256: path for sha256, path in before.items() if self._still_there(path)}
        path = there.get(stored.sha256, "")
        keeps = stored.path != fetched.path and stored.keep_original
        if not path:
            path = paths.choose(stored, work, previous.path)
        paths.reserve(path)
        original_path = ""
        if keeps:
            kept = there.get(fetched.sha256, "")
            original_path = kept if kept and kept != path else paths.choose(fetched, work, "")
        staged = {asset.sha256: asset.path for asset in ([stored, fetched] if keeps else [stored])}
        return Remade(
            path=path, original_path=original_path, staged={k: v for k, v in staged.items() if k not in there}
        )

    def _media_files(self, work: Work, stored: Asset, fetched: Asset, kept: str, paths: PathChooser) -> list[MediaFile]:
        """Return what is to be placed for a work, the stored file first; ``kept`` is where its original is already."""
        is_transformed = stored.path != fetched.path
        paths.reserve(kept)
        path = self._stored_path(work, stored, paths, is_transformed=is_transformed)
        media = [_media_file(stored, path, is_original=False)]
        if is_transformed and stored.keep_original:
            media.append(_media_file(fetched, kept or paths.choose(fetched, work, ""), is_original=True))
        return media

    def _stored_path(self, work: Work, stored: Asset, paths: PathChooser, *, is_transformed: bool) -> str:
        """Return the path for what is stored: where it was before, or a killed run has left it, or a new one."""
        previous = work.previous
        if previous is not None and previous.stored_sha256 == stored.sha256:
            paths.reserve(previous.path)
            return previous.path
        if previous is not None and not (previous.failure and is_transformed):
            return paths.choose(stored, work, previous.path)
        left = self._left_by_killed_run(work, stored)
        paths.reserve(left)
        return left or paths.choose(stored, work, "")

    def _is_of_guessed_find(self, work: Work, stored: Asset, path: str) -> bool:
        """Whether a work takes over a file that a transform made, and that was met at the destination."""
        if path != self._parts.orphans.get((work.content, stored.sha256)):
            return False
        (found,) = self._parts.state.contents([stored.sha256])
        return found is not None and found.guessed

    def _original_before(self, work: Work, fetched: Asset) -> str:
        """Return where an earlier run kept the untouched original: as it was asked to, or since a transform failed."""
        previous = work.previous
        if previous is not None:
            return previous.path if previous.failure else previous.original_path
        return self._left_by_killed_run(work, fetched)

    def _left_by_killed_run(self, work: Work, asset: Asset) -> str:
        """Return where exactly these bytes are that a killed run placed and did not record, or nothing."""
        path = self._parts.orphans.get((work.content, asset.sha256), "")
        if not self._still_there(path):
            return ""
        with self._parts.destination.read(path) as stream:
            return path if digest_of(stream) == asset.sha256 else ""

    def _still_there(self, path: str) -> str:
        """Return a path, or nothing when there is no file at it any more."""
        return path if path and not self._parts.destination.missing([path]) else ""

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
            albums=united_albums(previous.albums, record.albums),
            origins=united(previous.origins, record.origins),
            copies=self._other_holders(work, previous),
            near=united(previous.near, record.near),
            sidecar_path=previous.sidecar_path,
            sidecar_sha256=previous.sidecar_sha256,
            restored=previous.restored,
            guessed=previous.guessed,
        )

    def _other_holders(self, work: Work, previous: ContentRecord) -> tuple[tuple[str, str, str, str, int], ...]:
        """Return the items but this one that hold a content; whoever it was stored for so far is one of them."""
        own, before = (self._parts.profile, work.item.id), (previous.profile, previous.item)
        copies = tuple(copy for copy in previous.copies if copy[:2] not in (own, before))
        if not all(before) or before == own:
            return copies
        if previous.profile == self._parts.profile:
            (known,) = self._parts.state.items([previous.item])
            if known is None or known.content != previous.content:
                return copies
        method = work.fingerprints[0][0] if work.fingerprints else _SAME_BYTES
        return (*copies, (*before, previous.name, method, 0))

    def _add_copy(self, work: Work, copy: Copy, bundles: Bundles) -> None:
        """Unite a copy's albums and origins with those of the file that is kept."""
        if work.content != copy.content:
            self._skipped[work.content] = copy
        elif copy.content in self._skipped:
            work.copy_of = copy = self._skipped[copy.content]
        bundle = self._existing(copy.content, work.item, bundles)
        if bundle is None or bundle.record.failure or self._is_gone(bundle):
            if bundle is None and self._parts.is_ending:
                work.drop()
            else:
                work.fail(bundle.record.failure if bundle is not None and bundle.record.failure else _OWNER_GONE)
            return
        record, item = bundle.record, work.item
        if (record.profile, record.item) == (self._parts.profile, item.id):
            work.itself, work.content, work.copy_of = True, copy.content, None
            self._refresh(bundle, item)
            return
        entry = (self._parts.profile, item.id, item.name, copy.method, copy.distance)
        record = msgspec.structs.replace(
            record,
            albums=united_albums(record.albums, item.albums),
            origins=united(record.origins, item.origins),
            copies=united(record.copies, (entry,)),
        )
        bundle.changed |= record != bundle.record
        bundle.record = record
        bundle.document = metadata_file.with_albums(
            metadata_file.with_origins(bundle.document, item.origins), item.albums
        )

    def _is_gone(self, bundle: Bundle) -> bool:
        """Whether the file of a content that was stored before this batch is not there any more."""
        return bundle.work is None and bool(self._parts.destination.missing([bundle.record.path]))

    def _refresh_known(self, work: Work, bundles: Bundles) -> None:
        """Take over what the source says now about an item whose bytes were not looked at."""
        if work.known is None:
            return
        work.content = work.known.content
        is_untouched = work.content not in bundles
        bundle = self._existing(work.content, work.item, bundles)
        if bundle is None:
            work.fail("its content is not in the state any more; run again to store it anew")
            return
        if work.why == MOVED:
            work.itself = True
            bundle.changed &= not is_untouched
            return
        bundle.changed |= work.why == PAPERS_MISSING
        self._refresh(bundle, work.item)

    def _refresh(self, bundle: Bundle, item: MediaItem) -> None:
        record, document = bundle.record, bundle.document
        if (record.profile, record.item) == (self._parts.profile, item.id):
            document = metadata_file.refreshed(document, item, self._parts.zone)
            bundle.is_unknown = False
            mtime = mtime_of(item, self._parts) if item.taken is not None else record.mtime
            bundle.set_mtime |= mtime != record.mtime
            record = with_facts(msgspec.structs.replace(record, mtime=mtime), document, stored_name(record))
        else:
            document = metadata_file.with_albums(document, item.albums)
        record = msgspec.structs.replace(
            record,
            albums=united_albums(record.albums, item.albums),
            origins=united(record.origins, item.origins),
        )
        bundle.changed |= record != bundle.record or document != bundle.document
        bundle.record, bundle.document = record, document

    def _existing(self, content: bytes, item: MediaItem, bundles: Bundles) -> Bundle | None:
        """Return the bundle of a content that is stored already, by this batch or before."""
        if content not in bundles:
            (record,) = self._parts.state.contents([content])
            if record is None:
                return None
            document = metadata_file.read(self._parts.destination, record.path)
            rebuilt = document or self._rebuilt(record, item)
            is_own = (record.profile, record.item) == (self._parts.profile, item.id)
            is_unknown = document is None and not is_own
            bundles[content] = Bundle(
                record=record, document=rebuilt, changed=document is None and is_own, is_unknown=is_unknown
            )
        return bundles[content]

    def _rebuilt(self, record: ContentRecord, item: MediaItem) -> MetadataFile:
        """Return a metadata file for a content whose own one was lost, from the state and the item at hand.

        An item that is only a copy says nothing of the one that the content was stored for.
        """
        if (record.profile, record.item) != (self._parts.profile, item.id) and has_facts(record):
            item = item_of(record)
        asset = Asset(path=Path(), name=record.name, kind=item.kind, item=item)
        applied = applied_by(record.recipe)
        stored = msgspec.structs.replace(asset, sha256=record.stored_sha256, size=record.stored_size, applied=applied)
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


def _media_file(asset: Asset, path: str, *, is_original: bool) -> MediaFile:
    return MediaFile(staged=asset.path, path=path, is_original=is_original, digest=asset.sha256, size=asset.size)
