"""Giving each content its final name at the destination, whole and durable, never over anything else."""

from __future__ import annotations

import hashlib
import itertools
from pathlib import Path

import msgspec

from syncengine.api import ItemError, TargetExistsError
from syncengine.engine import metadata_file, xmp_file
from syncengine.engine.bundling import Bundle, Bundler
from syncengine.engine.conclusion import Conclusion, conclude
from syncengine.engine.fetching import staging_failed
from syncengine.engine.hashing import digest_of
from syncengine.engine.layout import candidate_paths
from syncengine.engine.parts import RunParts
from syncengine.engine.work import Batch

_StagedFile = tuple[Path, str]


class Placer:
    """Places batches.

    Args:
        parts: the run.
    """

    def __init__(self, parts: RunParts) -> None:
        self._parts = parts
        self._bundler = Bundler(parts)
        self._numbers = itertools.count()

    def place(self, batch: Batch) -> Conclusion:
        """Place what is to be stored, complete what it is a copy of, refresh metadata; return when it is durable.

        Order: everything is written under temporary names, flushed, renamed, flushed. A crash in between leaves
        whole files that the next run recognises as its own.

        Raises:
            FatalError: the destination is full or gone.
        """
        bundles = self._bundler.bundle(batch)
        changed = [bundle for bundle in bundles.values() if bundle.changed]
        if changed:
            documents = [self._stage_documents(bundle) for bundle in changed]
            self._parts.destination.flush()
            for bundle, staged in zip(changed, documents, strict=True):
                self._place_bundle(bundle, staged)
            self._parts.destination.flush()
        return conclude(batch, bundles)

    def _stage_documents(self, bundle: Bundle) -> list[_StagedFile]:
        """Write the metadata files of a bundle into staging."""
        path = bundle.record.path
        staged: list[_StagedFile] = []
        if "json" in self._parts.metadata:
            staged.append(self._stage(metadata_file.metadata_path(path), metadata_file.encode(bundle.document)))
        if "xmp" in self._parts.metadata and self._is_ours(bundle, f"{path}.xmp"):
            sidecar = xmp_file.encode(bundle.document)
            bundle.record = msgspec.structs.replace(
                bundle.record, sidecar_path=f"{path}.xmp", sidecar_sha256=hashlib.sha256(sidecar).digest()
            )
            staged.append(self._stage(f"{path}.xmp", sidecar))
        return staged

    def _is_ours(self, bundle: Bundle, path: str) -> bool:
        """Whether a sidecar's name is free, or holds what we wrote: a sidecar that somebody edited is left alone."""
        try:
            with self._parts.destination.read(path) as stream:
                return digest_of(stream) == bundle.record.sidecar_sha256
        except FileNotFoundError:
            return True

    def _stage(self, path: str, content: bytes) -> _StagedFile:
        staged = self._parts.staging / f"m{next(self._numbers)}"
        try:
            staged.write_bytes(content)
        except OSError as error:
            raise staging_failed(error, staged) from error
        return staged, path

    def _place_bundle(self, bundle: Bundle, documents: list[_StagedFile]) -> None:
        """Give a bundle's files their names; what cannot be placed is said in the bundle."""
        destination = self._parts.destination
        try:
            for staged, path in list(bundle.media):
                if self._place_media(bundle, staged, path) != path:
                    _remove(documents)
                    documents = self._stage_documents(bundle)
            for staged, path in documents:
                destination.place(staged, path, replace=True)
            if bundle.set_mtime and bundle.work is None and bundle.record.mtime is not None:
                destination.set_mtime(bundle.record.path, bundle.record.mtime)
        except (ItemError, FileNotFoundError) as error:
            _remove([*bundle.media, *documents])
            bundle.failure = f"cannot be stored: {error}"

    def _place_media(self, bundle: Bundle, staged: Path, path: str) -> str:
        """Place a file under the first of its names that is free or already holds the same bytes; return the name."""
        destination, record = self._parts.destination, bundle.record
        is_original = path == record.original_path
        digest = record.source_sha256 if is_original else record.stored_sha256
        for candidate in itertools.chain([path], candidate_paths(path, record.content)):
            try:
                destination.place(staged, candidate, mtime=record.mtime)
                bundle.written += record.source_size if is_original else record.stored_size
            except TargetExistsError:
                if not self._holds(candidate, staged, digest):
                    continue
                staged.unlink()
                if record.mtime is not None:
                    destination.set_mtime(candidate, record.mtime)
            if candidate != path:
                _follow(bundle, path, candidate)
            return candidate
        raise ItemError(f"every name that it could take beside {path} is taken by another file")

    def _holds(self, path: str, staged: Path, digest: bytes) -> bool:
        """Whether the file at ``path`` has exactly these bytes."""
        there = self._parts.destination.stat(path)
        if there is None or there.size != staged.stat().st_size:
            return False
        with self._parts.destination.read(path) as stream:
            return digest_of(stream) == digest


def _follow(bundle: Bundle, wanted: str, path: str) -> None:
    """Take a name that had to change at the last moment into the record and the metadata file."""
    document = bundle.document
    if wanted == bundle.record.original_path:
        original = msgspec.structs.replace(document.original, path=path)
        bundle.record = msgspec.structs.replace(bundle.record, original_path=path)
        bundle.document = msgspec.structs.replace(document, original=original)
    else:
        stored = msgspec.structs.replace(document.stored, path=path)
        bundle.record = msgspec.structs.replace(bundle.record, path=path)
        bundle.document = msgspec.structs.replace(document, stored=stored)


def _remove(files: list[_StagedFile]) -> None:
    for staged, _ in files:
        staged.unlink(missing_ok=True)
