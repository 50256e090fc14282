"""Giving each content its final name at the destination, whole and durable, never over anything else."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import msgspec

from syncengine.api import ItemError, TargetExistsError
from syncengine.engine import metadata_file, xmp_file
from syncengine.engine.bundling import Bundle, Bundler, MediaFile
from syncengine.engine.changes import Change
from syncengine.engine.conclusion import Conclusion, conclude
from syncengine.engine.hashing import digest_of, holds
from syncengine.engine.intents import Intent, Intents
from syncengine.engine.layout import candidate_paths
from syncengine.engine.parts import RunParts
from syncengine.engine.rearranging import Rearranged, Rearranger, followers, rearranger_of
from syncengine.engine.staging import write_staged
from syncengine.engine.stale_links import StaleLinks
from syncengine.engine.work import REMAKE, Batch, Copy
from syncengine.records import ContentRecord

_SIDECAR = ".xmp"


class _Document(msgspec.Struct, frozen=True):
    """A metadata file in staging: where it is now, where it is to be, SHA-256 of its bytes."""

    staged: Path
    path: str
    digest: bytes

    @property
    def is_sidecar(self) -> bool:
        """Whether it stands beside the photo, where somebody else's file may stand as well."""
        return self.path.endswith(_SIDECAR)


class Placer:
    """Places batches.

    Args:
        parts: the run.
    """

    def __init__(self, parts: RunParts) -> None:
        self._parts = parts
        self._bundler = Bundler(parts)
        self._intents = Intents(parts.spool, parts.orphans)
        self._numbers = itertools.count()
        self._replaced: list[Rearranged] = []

    def place(self, batch: Batch) -> Conclusion:
        """Place what is to be stored, complete what it is a copy of, refresh metadata; return when it is durable.

        Order: everything is written under temporary names, flushed, renamed, flushed. A crash in between leaves
        whole files that the next run recognises as its own.

        Raises:
            FatalError: the destination is full or gone.
        """
        self._recheck(batch)
        bundles = self._bundler.bundle(batch)
        remade = [bundle for bundle in bundles.values() if bundle.remade is not None]
        changed = [bundle for bundle in bundles.values() if bundle.changed and bundle.remade is None]
        if changed:
            documents = [self._stage_documents(bundle) for bundle in changed]
            self._intents.write(
                intent for one, staged in zip(changed, documents, strict=True) for intent in _intents(one, staged)
            )
            self._parts.destination.flush()
            for bundle, staged in zip(changed, documents, strict=True):
                self._place_bundle(bundle, staged)
            self._parts.destination.flush()
        replaced = self._replace(remade) if remade else []
        conclusion = conclude(batch, bundles)
        conclusion.contents += [one.record for one in replaced if one.failure and one.record != one.change.before]
        conclusion.followers += [
            follower for one in replaced for follower in followers(self._parts.state, self._parts.profile, one)
        ]
        return conclusion

    def finish(self) -> None:
        """Remove what the last batch has replaced, now that it is recorded."""
        if self._replaced:
            self._rearranger().finish(self._replaced)
            self._replaced = []

    def _replace(self, bundles: list[Bundle]) -> list[Rearranged]:
        """Let contents that were made again take the place of what is stored."""
        changes = [_change(bundle) for bundle in bundles]
        staged = {bundle.record.content: bundle.remade.staged for bundle in bundles if bundle.remade is not None}
        self._replaced = self._rearranger().carry_out(changes, staged)
        for bundle, one in zip(bundles, self._replaced, strict=True):
            _remove(list(staged[one.change.before.content].values()))
            bundle.record, bundle.failure = one.record, one.failure
            bundle.document = one.document or bundle.document
            bundle.written = sum(bundle.record.stored_size for step in one.steps if step.is_new)
        return self._replaced

    def _rearranger(self) -> Rearranger:
        return rearranger_of(self._parts)

    def _recheck(self, batch: Batch) -> None:
        """See what became of each content since this batch was matched; the record of now is the one to go on from.

        Another profile may have stored it, or put it back where it was missing.
        """
        works = [work for work in batch if work.is_to_store]
        for work, record in zip(works, self._parts.state.contents([work.content for work in works]), strict=True):
            if record is None or record == work.previous:
                continue
            if work.why == REMAKE:
                work.previous = record
                continue
            if record.failure or self._is_missing(record):
                work.previous = record
            else:
                work.discard()
                work.copy_of = Copy(record.content, work.fingerprints[0][0] if work.fingerprints else "")

    def _is_missing(self, record: ContentRecord) -> bool:
        paths = [path for path in (record.path, record.original_path) if path]
        return bool(self._parts.destination.missing(paths))

    def _stage_documents(self, bundle: Bundle) -> list[_Document]:
        """Write the metadata files of a bundle into staging."""
        path = bundle.record.path
        staged: list[_Document] = []
        if bundle.is_unknown:
            return staged
        if "json" in self._parts.metadata:
            staged.append(self._stage(metadata_file.metadata_path(path), metadata_file.encode(bundle.document)))
        if "xmp" in self._parts.metadata:
            staged.append(self._stage(f"{path}{_SIDECAR}", xmp_file.encode(bundle.document)))
        return staged

    def _stage(self, path: str, content: bytes) -> _Document:
        staged = self._parts.staging / f"m{next(self._numbers)}"
        write_staged(staged, content)
        return _Document(staged, path, sha256(content).digest())

    def _place_bundle(self, bundle: Bundle, documents: list[_Document]) -> None:
        """Give a bundle's files their names; what cannot be placed is said in the bundle, and leaves nothing there."""
        placed: list[str] = []
        try:
            for file in bundle.media:
                if self._place_media(bundle, file, placed):
                    _remove([document.staged for document in documents])
                    documents = self._stage_documents(bundle)
                    self._intents.write(_intents(bundle, documents))
            for document in documents:
                if document.is_sidecar:
                    self._place_sidecar(bundle, document)
                else:
                    self._parts.destination.place(document.staged, document.path, replace=True)
                    if bundle.before is None and bundle.work is not None:
                        placed.append(document.path)
            if bundle.set_mtime and bundle.work is None and bundle.record.mtime is not None:
                self._parts.destination.set_mtime(bundle.record.path, bundle.record.mtime)
            self._clear_away(bundle)
        except (ItemError, FileNotFoundError) as error:
            _remove([*(file.staged for file in bundle.media), *(document.staged for document in documents)])
            for path in placed:
                self._parts.destination.remove(path)
            bundle.failure = f"cannot be stored: {error}"

    def _place_media(self, bundle: Bundle, file: MediaFile, placed: list[str]) -> bool:
        """Place a file under the first of its names that is free or holds it.

        Returns:
            Whether the metadata file has to say something else by that: another name, or other bytes that are there.
        """
        destination, record, document = self._parts.destination, bundle.record, bundle.document
        for candidate in itertools.chain([file.path], candidate_paths(file.path, record.content)):
            try:
                destination.place(file.staged, candidate, mtime=record.mtime)
                placed.append(candidate)
                bundle.written += file.size
            except TargetExistsError:
                if not self._adopt(bundle, file, candidate):
                    continue
                file.staged.unlink()
                if record.mtime is not None:
                    destination.set_mtime(candidate, record.mtime)
            if candidate == file.path:
                return bundle.document is not document
            _follow(bundle, file, candidate)
            return True
        raise ItemError(f"every name that it could take beside {file.path} is taken by another file")

    def _adopt(self, bundle: Bundle, file: MediaFile, path: str) -> bool:
        """Whether the file at ``path`` is the one to be placed: the same bytes, or those that the state remembers."""
        if holds(self._parts.destination, path, file.digest, file.size):
            return True
        before = bundle.before
        if before is None or file.is_original or before.failure or before.path != path:
            return False
        if not holds(self._parts.destination, path, before.stored_sha256, before.stored_size):
            return False
        # Made by another version of the transform: what is there stays, and the papers say what it is.
        digest, size = before.stored_sha256, before.stored_size
        bundle.record = msgspec.structs.replace(
            bundle.record, stored_sha256=digest, stored_size=size, recipe=before.recipe
        )
        stored = msgspec.structs.replace(bundle.document.stored, sha256=digest.hex(), size=size)
        bundle.document = msgspec.structs.replace(bundle.document, stored=stored)
        return True

    def _place_sidecar(self, bundle: Bundle, document: _Document) -> None:
        """Place an XMP sidecar, unless somebody else's file has its name or has taken its place."""
        destination, record, path = self._parts.destination, bundle.record, document.path
        bundle.record = msgspec.structs.replace(record, sidecar_path=path, sidecar_sha256=document.digest)
        try:
            destination.place(document.staged, path)
        except TargetExistsError:
            with destination.read(path) as stream:
                there = digest_of(stream)
            left = self._parts.orphans.get((record.content, there))
            if there in (document.digest, record.sidecar_sha256) or left == path:
                destination.place(document.staged, path, replace=True)
            else:
                document.staged.unlink()
                bundle.record = msgspec.structs.replace(record, sidecar_path="", sidecar_sha256=b"")

    def _clear_away(self, bundle: Bundle) -> None:
        """Remove our own papers about a name that the content has left for another, and its names in albums."""
        before, destination = bundle.before, self._parts.destination
        if before is None or before.path == bundle.record.path:
            return
        StaleLinks(self._parts, self._parts.albums).take_down(before, before.path)
        with suppress(FileNotFoundError):
            destination.remove(metadata_file.metadata_path(before.path))
        with suppress(FileNotFoundError):
            if before.sidecar_path and holds(destination, before.sidecar_path, before.sidecar_sha256):
                destination.remove(before.sidecar_path)


def _follow(bundle: Bundle, file: MediaFile, path: str) -> None:
    """Take a name that had to change at the last moment into the record and the metadata file."""
    document = bundle.document
    if file.is_original:
        original = msgspec.structs.replace(document.original, path=path)
        bundle.record = msgspec.structs.replace(bundle.record, original_path=path)
        bundle.document = msgspec.structs.replace(document, original=original)
    else:
        stored = msgspec.structs.replace(document.stored, path=path)
        bundle.record = msgspec.structs.replace(bundle.record, path=path)
        bundle.document = msgspec.structs.replace(document, stored=stored)


def _change(bundle: Bundle) -> Change:
    if bundle.before is None:
        raise AssertionError("what is made again was there before")  # pragma: no cover
    return Change(before=bundle.before, after=bundle.record, document=metadata_file.encode(bundle.document))


def _intents(bundle: Bundle, documents: list[_Document]) -> Iterator[Intent]:
    """Yield what is about to be placed for a bundle where somebody else's file may stand."""
    for file in bundle.media:
        yield Intent(bundle.record.content, file.digest, file.path)
    for document in documents:
        if document.is_sidecar:
            yield Intent(bundle.record.content, document.digest, document.path)


def _remove(files: list[Path]) -> None:
    for staged in files:
        staged.unlink(missing_ok=True)
