"""Records whose files are not where they say: found elsewhere by their bytes, else dropped.

A run that was killed, or lost with its state, may have moved files that the catalog knows at their old places. What a
record knows beyond its metadata file, such as its copies, is kept so.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress

import msgspec

from syncengine.api import FileStat, ItemError
from syncengine.engine import metadata_file, xmp_file
from syncengine.engine.amendments import Amendment
from syncengine.engine.hashing import holds
from syncengine.engine.metadata_file import SIDECAR, MetadataFile, united, united_albums
from syncengine.engine.rebuilding.task import MOST_NAMED, RebuildTask, Rebuilt
from syncengine.records import ContentRecord, StateBatch

_AT_ONCE = 1_000
_SHA256 = 32


class Displaced:
    """The contents whose stored file, or original beside it, is not where the record says.

    Their keys are kept in memory: some hundred bytes each, and only what a killed run has moved or a person has lost.

    Args:
        task: the rebuilding.
        rebuilt: is told what was found elsewhere and what was dropped.
    """

    def __init__(self, task: RebuildTask, rebuilt: Rebuilt) -> None:
        self._task = task
        self._rebuilt = rebuilt
        self._stored: set[bytes] = set()
        self._lost: set[bytes] = set()
        self._originals: set[bytes] = set()
        self._beside: list[tuple[bytes, str, str]] = []
        self._digests: dict[bytes, bytes] | None = None
        self._freed: list[FileStat] = []

    def __bool__(self) -> bool:
        return bool(self._stored)

    def __contains__(self, content: bytes | None) -> bool:
        """Whether a content's stored file is not where its record says."""
        return content in self._stored

    def add_stored(self, content: bytes, *, is_lost: bool) -> None:
        """Take a content whose stored file is not there, or is another one."""
        self._stored.add(content)
        if is_lost:
            self._lost.add(content)

    def add_beside(self, content: bytes, path: str, why: str) -> None:
        """Take a content of which a file beside the stored one, its original or sidecar, is not as recorded."""
        self._originals.add(content)
        if len(self._beside) < 4 * MOST_NAMED:
            self._beside.append((content, path, why))

    def keep_all(self, content: bytes) -> None:
        """Keep the record of a content as it is: the next run brings all of its files back."""
        self.keep(content)
        self._originals.discard(content)

    def keep(self, content: bytes) -> None:
        """Keep the record of a content: the next run brings its stored file back."""
        self._stored.discard(content)
        self._lost.discard(content)
        self._rebuilt.moved += 1

    def check_document(self, record: ContentRecord) -> None:
        """Have the next run write the metadata file of a content anew, unless there is one about its bytes."""
        if not self._document(record, record.path):
            self._task.amendments.add([Amendment(moved=record), Amendment(content=record.content)])

    def check(self, record: ContentRecord) -> None:
        """Read a file that may be another one than its record says, though it looks the same."""
        self._is_in_place(record)

    def take_freed(self) -> list[FileStat]:
        """Return the files that have turned out not to be what the records of their paths say, each once."""
        freed, self._freed = self._freed, []
        return freed

    def told_by(self, document: MetadataFile, path: str) -> ContentRecord | None:
        """Return the record of the content that a metadata file tells to be at another place than the record says."""
        for record in self._task.shared.contents(keys_of(document)):
            if record is not None and (record.content in self._stored or self._is_older(record, document, path)):
                return record
        return None

    def _is_older(self, record: ContentRecord, document: MetadataFile, path: str) -> bool:
        """Whether a record with its file in place is older than a metadata file about the same content elsewhere."""
        if record.item != document.source.id or record.path == path:
            return False
        if record.stored_sha256.hex() != document.stored.sha256:
            return bool(record.failure) and not document.notes  # Its transform did not fail the next time.
        return not self._is_in_place(record)

    def _is_in_place(self, record: ContentRecord) -> bool:
        """Whether the stored file is what its record says, by its bytes; else it is displaced from now on."""
        with suppress(ItemError, OSError):
            if holds(self._task.destination, record.path, record.stored_sha256, record.stored_size):
                return True
            if (there := self._task.destination.stat(record.path)) is not None:
                self._freed.append(there)
        self._stored.add(record.content)
        return False

    def found(self, file: FileStat, digest: bytes) -> bool:
        """Say that a file nobody told about has these bytes; return whether it is a displaced one."""
        if self._digests is None:
            self._digests = self._by_digest()
        content = self._digests.get(digest, digest)
        (record,) = self._task.shared.contents([content])
        if record is None:
            return False
        if record.stored_sha256 == digest and (record.content in self._stored or self._is_free(record, file)):
            self._reunite(record, self._moved(record, file.path), self._document(record, file.path))
        elif record.source_sha256 == digest and record.content in self._originals and record.original_path:
            self._reunite(record, msgspec.structs.replace(record, original_path=file.path), b"")
            self._originals.discard(record.content)
        else:
            return False
        return True

    def adopt_sidecar(self, path: str) -> None:
        """Take a sidecar for its photo's that no record knows, if it is exactly what was written there."""
        (owner,) = self._task.shared.path_owners([path.removesuffix(SIDECAR)])
        (record,) = self._task.shared.contents([owner]) if owner is not None else (None,)
        if record is None or record.sidecar_path or record.path + SIDECAR != path or record.content in self._stored:
            return
        with suppress(ItemError, OSError):
            document = metadata_file.read(self._task.destination, record.path)
            digest = hashlib.sha256(xmp_file.encode(document)).digest() if document is not None else b""
            if holds(self._task.destination, path, digest):
                now = msgspec.structs.replace(record, sidecar_path=path, sidecar_sha256=digest)
                self._task.write(StateBatch(contents=[now]))

    def _is_free(self, record: ContentRecord, file: FileStat) -> bool:
        return record.path != file.path and not self._is_in_place(record)

    def _by_digest(self) -> dict[bytes, bytes]:
        digests: dict[bytes, bytes] = {}
        keys = [*self._stored, *self._originals]
        for at in range(0, len(keys), _AT_ONCE):
            for record in self._task.shared.contents(keys[at : at + _AT_ONCE]):
                if record is not None and record.content in self._stored:
                    digests[record.stored_sha256] = record.content
                if record is not None and record.content in self._originals and record.original_path:
                    digests.setdefault(record.source_sha256, record.content)
        return digests

    def reunite(self, record: ContentRecord, fresh: ContentRecord, document: MetadataFile) -> None:
        """Record that a content is what its metadata file says now.

        Args:
            record: as the catalog has it.
            fresh: as the metadata file alone would have it.
            document: the metadata file.
        """
        if record.stored_sha256 == fresh.stored_sha256:
            now = self._moved(record, fresh.path, fresh)
        else:
            kept = {
                name: getattr(record, name) for name in ("content", "item", "profile", "copies", "near", "restored")
            }
            now = msgspec.structs.replace(fresh, **kept, guessed=record.guessed)
        now = msgspec.structs.replace(
            now,
            albums=united_albums(record.albums, fresh.albums),
            origins=united(record.origins, fresh.origins),
        )
        self._reunite(record, now, metadata_file.encode(document))

    def _moved(self, record: ContentRecord, path: str, told: ContentRecord | None = None) -> ContentRecord:
        """Return a record with its file at another path, and what is beside it there."""
        sidecar, digest = (told.sidecar_path, told.sidecar_sha256) if told is not None else ("", b"")
        if not sidecar and record.sidecar_path:
            with suppress(ItemError, OSError):
                if holds(self._task.destination, path + SIDECAR, record.sidecar_sha256):
                    sidecar, digest = path + SIDECAR, record.sidecar_sha256
        now = msgspec.structs.replace(record, path=path, sidecar_path=sidecar, sidecar_sha256=digest)
        if told is None:
            return now
        original = told.original_path or now.original_path
        mtime = told.mtime if told.mtime is not None else now.mtime
        return msgspec.structs.replace(now, original_path=original, mtime=mtime)

    def _document(self, record: ContentRecord, path: str) -> bytes:
        """Return the metadata file of a content that is at ``path`` now, where it is still to be found."""
        for place in (path, record.path):
            with suppress(ItemError, OSError):
                document = metadata_file.read(self._task.destination, place)
                if document is not None and document.stored.sha256 == record.stored_sha256.hex():
                    return metadata_file.encode(document)
        return b""

    def _reunite(self, before: ContentRecord, now: ContentRecord, document: bytes) -> None:
        self._task.amendments.add([Amendment(moved=before, document=document), Amendment(content=now.content)])
        self._task.part.write([("", StateBatch(contents=[now]))])
        self._rebuilt.moved += (now.path, now.original_path) != (before.path, before.original_path)
        if now.path != before.path or now.stored_sha256 != before.stored_sha256:
            self._stored.discard(now.content)
            self._lost.discard(now.content)

    def drop(self) -> None:
        """Drop the records of what was not found, but those whose untouched original is there."""
        keys = [*self._stored]
        for at in range(0, len(keys), _AT_ONCE):
            self._task.check_stop()
            records = [record for record in self._task.shared.contents(keys[at : at + _AT_ONCE]) if record is not None]
            for record in records:
                self._note(record)
            gone = [one.content for one in records if one.content not in self._lost or not self._has_original(one)]
            if gone:
                self._task.part.write([("", StateBatch(gone_contents=gone))])
        self._settle_sidecars()
        self._note_beside()

    def _settle_sidecars(self) -> None:
        """Forget sidecars that are not there; others tell what the metadata file tells, or a person changed them."""
        for content in self._originals:
            (record,) = self._task.shared.contents([content])
            if record is None or not record.sidecar_path or content in self._stored:
                continue
            with suppress(ItemError, OSError):
                if holds(self._task.destination, record.sidecar_path, record.sidecar_sha256):
                    continue
                document = metadata_file.read(self._task.destination, record.path)
                written = hashlib.sha256(xmp_file.encode(document)).digest() if document is not None else b""
                if holds(self._task.destination, record.sidecar_path, written):
                    now = msgspec.structs.replace(record, sidecar_sha256=written)
                elif self._task.destination.stat(record.sidecar_path) is None:
                    now = msgspec.structs.replace(record, sidecar_path="", sidecar_sha256=b"")
                else:
                    continue
                self._reunite(record, now, self._document(record, record.path))

    def _note(self, record: ContentRecord) -> None:
        self._rebuilt.dropped += 1
        if self._rebuilt.dropped <= MOST_NAMED:
            why = self._what_is_wrong(record)
            self._rebuilt.warnings.append(
                f"{record.path} {why}: the next run that finds it in its source stores it again"
            )

    def _what_is_wrong(self, record: ContentRecord) -> str:
        with suppress(ItemError):
            there = self._task.destination.stat(record.path)
            if there is None:
                return "is not there"
            if there.size != record.stored_size:
                return f"has {there.size:,} bytes instead of {record.stored_size:,}"
        return "has other bytes than were stored"

    def _note_beside(self) -> None:
        for content, path, why in self._beside:
            (record,) = self._task.shared.contents([content])
            is_open = content in self._originals
            if is_open and record is not None and path in (record.original_path, record.sidecar_path):
                self._rebuilt.warnings.append(f"{path} {why}; it was kept beside another file")

    def _has_original(self, record: ContentRecord) -> bool:
        with suppress(ItemError):
            there = self._task.destination.stat(record.original_path) if record.original_path else None
            return there is not None and there.size == record.source_size
        return False


def keys_of(document: MetadataFile) -> list[bytes]:
    """Return the keys that the content of a metadata file may have, the one that no other item shares first."""
    try:
        source = bytes.fromhex(document.original.sha256)
    except ValueError:
        return []
    if len(source) != _SHA256:
        return []
    return [hashlib.sha256(source + document.source.id.encode("utf-8", "surrogatepass")).digest(), source]
