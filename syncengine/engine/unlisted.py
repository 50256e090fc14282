"""Files in the trash whose entry is damaged: what they are, by the catalog or by the metadata file beside them.

Only what is certain counts: a photo or video has the bytes that were recorded for the path that it had. What nothing
tells of stays as it is, for a person to look at.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from typing import Any

import msgspec

from syncengine.api import Destination, ItemError
from syncengine.engine import catalog, metadata_file, trash, xmp_file
from syncengine.engine.hashing import digest_of, holds
from syncengine.engine.layout import recipe_of
from syncengine.engine.metadata_file import MetadataFile
from syncengine.engine.papers import Papers
from syncengine.engine.recorded_facts import record_of
from syncengine.engine.trash import DamagedLine, Held, TrashedFile
from syncengine.records import ContentRecord, StateBatch

#: The method by which the same bytes are known.
_SAME_BYTES = "sha256"
_CATALOG = "metadata/catalog"
_PAPER_ROOT, _PAPER = "metadata/", ".json"

_BY_CATALOG = "its entry was damaged; the catalog told what it is"
_BY_METADATA = "its entry was damaged; its metadata file told what it is, but not of which other photos it is a copy"

Fingerprints = list[tuple[str, bytes, bytes]]


class Owner(msgspec.Struct, frozen=True, kw_only=True):
    """Whose photos they are, where a metadata file tells what they are: it names the source plugin alone.

    Args:
        profile: by its name.
        plugin: name of its source's plugin.
        once: it stores the same bytes once, so their SHA-256 alone is the key of a content.
    """

    profile: str = ""
    plugin: str = ""
    once: bool = True


def recognised(destination: Destination[Any], found: Iterable[Held], owner: Owner) -> Iterator[Held]:
    """Yield what is in the trash; files whose entry is damaged as what they are, where that is certain.

    Args:
        destination: open.
        found: what is in the trash, by run.
        owner: who is asking.
    """
    for run, group in itertools.groupby(found, key=lambda held: held.run):
        unknown: dict[str, Held] = {}
        for held in group:
            if held.is_unaccounted:
                unknown[held.files[0].path] = held
            else:
                yield held
        if unknown:
            yield from _Run(destination, run, unknown, owner).contents()


def mend(destination: Destination[Any], papers: Papers, found: Iterable[Held]) -> list[str]:
    """Write down anew what was recognised, before anything of it is moved: so a restore that is killed can be finished.

    Lines that can be read stay as they are. Damaged ones stay as long as there are files that they may have told of.

    Args:
        destination: open.
        papers: places the entries, durably.
        found: what is in the trash, by run, as ``recognised`` gives it.

    Returns:
        What is in the way of it, a sentence each.
    """
    for run, group in itertools.groupby(found, key=lambda held: held.run):
        helds = list(group)
        new = [trash.encode(held.entry) for held in helds if held.remark]
        if not new:
            continue
        file = f"{trash.TRASH}/{run}/{trash.ENTRIES}"
        keeps_all = any(held.is_unaccounted for held in helds)
        damaged = {one.line for one in trash.read_lines(destination, run) if isinstance(one, DamagedLine)}
        with closing(destination.read(file)) as lines, papers.stage(file).open("wb") as target:
            for number, line in enumerate(lines, 1):
                if keeps_all or number not in damaged:
                    target.write(line if line.endswith(b"\n") else line + b"\n")
            target.writelines(new)
    return papers.place()


class _Run:
    """The files of one run that no entry tells of.

    Args:
        destination: open.
        run: its id.
        unknown: the files, by the path that they had.
        owner: who is asking.
    """

    def __init__(self, destination: Destination[Any], run: str, unknown: dict[str, Held], owner: Owner) -> None:
        self._destination = destination
        self._run = run
        self._unknown = unknown
        self._owner = owner

    def contents(self) -> Iterator[Held]:
        """Yield the contents that are recognised, and then each file that is not."""
        yield from self._by_catalog()
        yield from self._by_metadata()
        yield from self._unknown.values()

    def _by_catalog(self) -> Iterator[Held]:
        records = self._recorded()
        chosen: dict[bytes, ContentRecord] = {}
        for path in list(self._unknown):
            sizes = {record.stored_size for record in records.get(path, {}).values()}
            file = self._unknown[path].files[0]
            if file.size in sizes and (record := records[path].get(self._digest(file))) is not None:
                chosen[record.content] = record
        prints = self._fingerprints(chosen) if chosen else {}
        for content, record in chosen.items():
            yield from self._as_content(record, prints.get(content, []), _BY_CATALOG)

    def _by_metadata(self) -> Iterator[Held]:
        for path in list(self._unknown):
            paper = self._unknown.get(metadata_file.metadata_path(path))
            document = self._document(paper.files[0]) if paper is not None else None
            if document is None or document.stored.path != path:
                continue
            file = self._unknown[path].files[0]
            if file.size == document.stored.size and self._digest(file).hex() == document.stored.sha256:
                with suppress(ValueError):  # It has something else where a hash belongs.
                    record = self._described(document)
                    prints = [(_SAME_BYTES, record.source_sha256, record.content)]
                    yield from self._as_content(record, prints, _BY_METADATA)

    def _as_content(self, record: ContentRecord, prints: Fingerprints, remark: str) -> Iterator[Held]:
        """Yield a content with those of its files that are here, and count them as accounted for."""
        files = tuple(
            self._unknown[path].files[0]
            for path in trash.files_of(record)
            if path in self._unknown and self._is_of(record, self._unknown[path].files[0])
        )
        batch = StateBatch(contents=[record], fingerprints=prints)
        when = trash.moment_of(self._run)
        entry = trash.entry_of(record, files, batch, record.profile, why=remark.partition(";")[0], when=when)
        try:
            held = trash.believed(self._run, entry)
        except ValueError:
            return
        for file in files:
            del self._unknown[file.path]
        yield msgspec.structs.replace(held, remark=remark)

    def _is_of(self, record: ContentRecord, file: TrashedFile) -> bool:
        """Whether a file is what its name says; a sidecar that a photo program has changed belongs to it still."""
        if file.path in (record.path, record.sidecar_path):
            return True
        with suppress(ItemError, FileNotFoundError):
            if file.path == record.original_path:
                return holds(self._destination, file.trashed, record.source_sha256, record.source_size)
            document = self._document(file)
            return document is not None and document.stored.sha256 == record.stored_sha256.hex()
        return False

    def _recorded(self) -> dict[str, dict[bytes, ContentRecord]]:
        """Return what the catalog says of the files' paths, by path and SHA-256; of one content, the latest."""
        records: dict[str, dict[bytes, ContentRecord]] = {}
        for line in self._lines():
            if line.content is not None and line.content.path in self._unknown:
                with suppress(ValueError):
                    (record,) = _batch(line).contents
                    records.setdefault(record.path, {})[record.stored_sha256] = record
        return records

    def _fingerprints(self, chosen: dict[bytes, ContentRecord]) -> dict[bytes, Fingerprints]:
        wanted = {content.hex() for content in chosen}
        found: dict[bytes, Fingerprints] = {}
        for line in self._lines():
            if line.fingerprint is not None and line.fingerprint.content in wanted:
                with suppress(ValueError):
                    (print_,) = _batch(line).fingerprints
                    found.setdefault(print_[2], []).append(print_)
        return {content: list(dict.fromkeys(prints)) for content, prints in found.items()}

    def _lines(self) -> Iterator[catalog.CatalogLine]:
        """Yield the lines of all catalogs that can be read, run by run."""
        with suppress(ItemError):
            for path in sorted(file.path for file in self._destination.list(_CATALOG)):
                with suppress(ItemError, OSError), closing(self._destination.read(path)) as stream:
                    for line in stream:
                        with suppress(ValueError):
                            yield catalog.parse(line)

    def _document(self, file: TrashedFile) -> MetadataFile | None:
        if not (file.path.startswith(_PAPER_ROOT) and file.path.endswith(_PAPER)):
            return None
        try:
            with closing(self._destination.read(file.trashed)) as stream:
                return metadata_file.decode(stream.read())
        except (ItemError, OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):  # Or nested too deeply.
            return None

    def _described(self, document: MetadataFile) -> ContentRecord:
        """Return the record of a content as its metadata file tells it. Raises ``ValueError``."""
        source, item = bytes.fromhex(document.original.sha256), document.source.id
        mixed = hashlib.sha256(source + item.encode("utf-8", "surrogatepass")).digest()
        profile = self._owner.profile if document.source.plugin == self._owner.plugin else ""
        record = record_of(document, source if self._owner.once else mixed, profile)
        applied = [(one.name, msgspec.to_builtins(one.options)) for one in document.transforms]
        original = document.original.path if document.original.path in self._unknown else ""
        recipe = recipe_of(applied) if applied else ""
        record = msgspec.structs.replace(record, original_path=original, recipe=recipe)
        sidecar = record.path + metadata_file.SIDECAR
        if sidecar not in self._unknown:
            return record
        # As it was written: one that was changed since is seen to be another one, and left to whoever changed it.
        digest = hashlib.sha256(xmp_file.encode(document)).digest()
        return msgspec.structs.replace(record, sidecar_path=sidecar, sidecar_sha256=digest)

    def _digest(self, file: TrashedFile) -> bytes:
        """Return the SHA-256 of a file; nothing where it cannot be read."""
        with suppress(ItemError, OSError), closing(self._destination.read(file.trashed)) as stream:
            return digest_of(stream)
        return b""


def _batch(line: catalog.CatalogLine) -> StateBatch:
    """Return what a line says as records. Raises ``ValueError`` where it has something else where a hash belongs."""
    changes = catalog.Changes()
    changes.add(line)
    ((_, batch),) = changes.batches()
    return batch
