"""Metadata files and sidecars of contents that were moved or made again."""

from __future__ import annotations

import itertools
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Protocol

import msgspec

from syncengine.api import ItemError, TargetExistsError
from syncengine.engine import metadata_file, xmp_file
from syncengine.engine.changes import Change
from syncengine.engine.hashing import digest_of
from syncengine.engine.metadata_file import MetadataFile
from syncengine.engine.parts import RunParts
from syncengine.engine.safe_names import path_key
from syncengine.engine.staging import write_staged
from syncengine.engine.trash import Trash
from syncengine.records import ContentRecord


class Rearranged(Protocol):
    """A change that was carried out; see ``rearranging``."""

    change: Change
    record: ContentRecord
    document: MetadataFile | None
    failure: str


class MovedPapers:
    """Writes the papers of a content where it is now, and removes those about where it was.

    Args:
        parts: the run.
        trash: takes what is not to be thrown away.
    """

    def __init__(self, parts: RunParts, trash: Trash) -> None:
        self._parts = parts
        self._trash = trash
        self._numbers = itertools.count()

    def write(self, record: ContentRecord, one: Rearranged) -> None:
        """Write the metadata files of a content for the place where it is now."""
        if one.document is None:
            return
        stored = msgspec.structs.replace(one.document.stored, path=record.path)
        original = msgspec.structs.replace(one.document.original, path=record.original_path)
        document = one.document = msgspec.structs.replace(one.document, stored=stored, original=original)
        destination, before = self._parts.destination, one.change.before
        try:
            if "json" in self._parts.metadata:
                staged = self._stage(metadata_file.encode(document))
                destination.place(staged, metadata_file.metadata_path(record.path), replace=True)
            if "xmp" in self._parts.metadata:
                one.record = self._write_sidecar(record, xmp_file.encode(document))
            elif not record.sidecar_path:
                self._remove_sidecar(f"{record.path}{metadata_file.SIDECAR}", xmp_file.encode(document))
            same_bytes = record.stored_sha256 == before.stored_sha256
            if same_bytes and record.mtime is not None and record.mtime != before.mtime:
                destination.set_mtime(record.path, record.mtime)
        except (ItemError, FileNotFoundError) as error:
            one.failure = one.failure or f"its metadata file cannot be written: {error}"
            if record.path != before.path:  # What stands there is about the file that was there before.
                with suppress(ItemError, FileNotFoundError):
                    self._trash.put(metadata_file.metadata_path(record.path))

    def _write_sidecar(self, record: ContentRecord, content: bytes) -> ContentRecord:
        """Write the sidecar beside a file, unless somebody else's is there; return the record with it."""
        staged = self._stage(content)
        with staged.open("rb") as stream:
            digest = digest_of(stream)
        path = f"{record.path}{metadata_file.SIDECAR}"
        try:
            self._parts.destination.place(staged, path)
        except TargetExistsError:
            there = self._digest(path)
            if there != digest and not (record.sidecar_path == path and there == record.sidecar_sha256):
                staged.unlink()
                return msgspec.structs.replace(record, sidecar_path="", sidecar_sha256=b"")
            self._parts.destination.place(staged, path, replace=True)
        before = record.sidecar_path
        if before not in ("", path) and self._digest(before) == record.sidecar_sha256:  # It could not be moved.
            self._parts.destination.remove(before)
        return msgspec.structs.replace(record, sidecar_path=path, sidecar_sha256=digest)

    def _remove_sidecar(self, path: str, content: bytes) -> None:
        """Remove a sidecar that a killed run has written, when the profile wants none any more."""
        if self._parts.destination.stat(path) is not None and self._digest(path) == sha256(content).digest():
            self._parts.destination.remove(path)

    def remove_old(self, one: Rearranged) -> None:
        """Remove our papers about a name that a content has left, unless another has the name by now."""
        destination, before, now = self._parts.destination, one.change.before.path, one.record
        paper = metadata_file.metadata_path(before)
        with suppress(ItemError, FileNotFoundError):
            if self._is_left(before, now):
                if one.document is not None and "json" in self._parts.metadata and not one.failure:
                    destination.remove(paper)
                else:
                    self._trash.put(paper)
            elif before == now.path and "json" not in self._parts.metadata and not one.failure:
                self._trash.put(paper)
        with suppress(ItemError):
            if destination.stat(paper) is None:
                destination.prune(paper)

    def put_old_away(self, one: Rearranged) -> None:
        """Put our papers about a name that a content has left into the trash, unless another has the name by now."""
        destination, before, now = self._parts.destination, one.change.before, one.record
        if not self._is_left(before.path, now):
            return
        papers = [metadata_file.metadata_path(before.path)]
        if (
            before.sidecar_path not in ("", now.sidecar_path)
            and self._digest(before.sidecar_path) == before.sidecar_sha256
        ):
            papers.append(before.sidecar_path)
        for paper in papers:
            with suppress(ItemError, FileNotFoundError):
                self._trash.put(paper)
                destination.prune(paper)

    def _is_left(self, path: str, now: ContentRecord) -> bool:
        """Whether a content has left a path, and its papers are there to be removed: no other content's are."""
        if path == now.path:
            return False
        able = self._parts.destination.capabilities
        if not able.case_sensitive and path_key(path) == path_key(now.path):
            return False
        (owner,) = self._parts.state.path_owners([path])
        if owner in (None, now.content):
            return True
        (record,) = self._parts.state.contents([owner]) if owner is not None else (None,)
        return able.case_sensitive and record is not None and path != record.path

    def _stage(self, content: bytes) -> Path:
        staged = self._parts.staging / f"r{next(self._numbers)}"
        write_staged(staged, content)
        return staged

    def _digest(self, path: str) -> bytes:
        try:
            with self._parts.destination.read(path) as stream:
                return digest_of(stream)
        except (FileNotFoundError, ItemError):
            return b""
