"""What the papers at the destination tell where the catalog does not: metadata files, albums, accounts of runs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import chain, islice
from typing import Any, TypeVar

import msgspec

from syncengine.api import FileStat, ItemError, RunReport
from syncengine.engine import metadata_file, xmp_file
from syncengine.engine.albums import AlbumFile
from syncengine.engine.hashing import digest_of
from syncengine.engine.layout import recipe_of
from syncengine.engine.metadata_file import MetadataFile
from syncengine.engine.rebuilding.attributing import Accounts
from syncengine.engine.rebuilding.comparing import Uncovered
from syncengine.engine.rebuilding.displaced import Displaced
from syncengine.engine.rebuilding.task import MOST_NAMED, RebuildTask, Rebuilt
from syncengine.engine.recorded_facts import record_of
from syncengine.records import AlbumRecord, ContentRecord, StateBatch

#: The method by which the same bytes are known; with it, a content is found by the hash of its source's bytes.
SAME_BYTES = "sha256"
_SIDECAR = ".xmp"
_ALBUM_FILE = "/album.json"
_AT_ONCE = 100

T = TypeVar("T")
Authors = dict[str, set[str]]


def restore_runs(task: RebuildTask, rebuilt: Rebuilt, items: Mapping[str, int]) -> Authors:
    """Bring the accounts of runs back into the state, and see which catalogs lack what they tell.

    Args:
        task: the rebuilding.
        rebuilt: is told how many.
        items: how many items the catalog of each run tells of.

    Returns:
        The profiles that have run with each source plugin.
    """
    accounts = Accounts(items)
    names = (stat.path for stat in task.destination.list("logs") if stat.path.startswith("logs/backup_report_"))
    while chunk := list(islice(names, _AT_ONCE)):
        task.check_stop()
        reports = [report for path in chunk if (report := _decoded(task, path, RunReport)) is not None]
        accounts.add(reports)
        if reports:
            task.part.save_runs(reports)
        rebuilt.runs += len(reports)
    accounts.note_missing(rebuilt)
    return accounts.authors


def restore_from_metadata(
    task: RebuildTask, rebuilt: Rebuilt, files: Uncovered, authors: Authors, *, left: Uncovered, displaced: Displaced
) -> None:
    """Record the files that have a metadata file.

    Args:
        task: the rebuilding.
        rebuilt: is told how many.
        files: that no record covers.
        authors: which profiles run with which source plugin.
        left: takes those that no metadata file tells about.
        displaced: knows the contents whose files are not where their records say.
    """
    seen = 0
    for page in chain(files.pages(), iter(displaced.take_freed, [])):
        task.check_stop()
        batch = StateBatch()
        for file in page:
            document, why = _document(task, file)
            if why and file.path not in files.claimed:
                _note(rebuilt, file.path, why)
            known = displaced.told_by(document, file.path) if document is not None else None
            record = _record(task, document, authors, batch.contents, known) if document is not None else None
            if record is None:
                left.add(file)
            elif known is not None and document is not None:
                displaced.reunite(known, record, document)
            else:
                batch.contents.append(record)
                batch.fingerprints.append((SAME_BYTES, record.source_sha256, record.content))
        if batch.contents:
            task.write(batch)
            rebuilt.from_metadata += len(batch.contents)
        seen += len(page)
        task.progress.note(f"making the state again: {seen:,} metadata files looked for")


def restore_albums(task: RebuildTask) -> None:
    """Record the albums' directories by the word of their ``album.json``, where the catalog does not tell."""
    known = {album.id for album in task.shared.albums()}
    batch = StateBatch()
    for stat in task.destination.list("albums"):
        if not stat.path.endswith(_ALBUM_FILE):
            continue
        album = _decoded(task, stat.path, AlbumFile)
        if album is not None and album.id not in known:
            raw = msgspec.json.encode(album.raw, order="deterministic").decode() if album.raw is not None else ""
            directory = stat.path.removesuffix(_ALBUM_FILE)
            batch.albums.append(AlbumRecord(album.id, album.title, directory, album.description, raw))
    if batch.albums:
        task.write(batch)


def _document(task: RebuildTask, file: FileStat) -> tuple[MetadataFile | None, str]:
    """Return the metadata file of a stored file, or none and why: the file is not the one that it is about."""
    with suppress(ItemError, OSError):
        document = metadata_file.read(task.destination, file.path)
        if document is None or document.stored.path != file.path:
            return None, ""
        if document.stored.size != file.size:
            return None, f"has {file.size:,} bytes instead of {document.stored.size:,}"
        if task.rehash and not _holds(task, file.path, document.stored.sha256):
            return None, "has other bytes than were stored"
        return document, ""
    return None, ""


def _note(rebuilt: Rebuilt, path: str, why: str) -> None:
    rebuilt.dropped += 1
    if rebuilt.dropped <= MOST_NAMED:
        rebuilt.warnings.append(f"{path} {why}: the next run that finds it in its source stores it again")


def _record(
    task: RebuildTask,
    document: MetadataFile,
    authors: Authors,
    others: list[ContentRecord],
    known: ContentRecord | None,
) -> ContentRecord | None:
    try:
        record = record_of(document, known.content if known is not None else b"", _author(task, document, authors))
    except ValueError:
        return None
    if known is None:
        key = _key(task, record.source_sha256, record.item, others)
        record = msgspec.structs.replace(record, content=key)
    original, recipe = _original_path(task, document), _recipe(task, document)
    record = msgspec.structs.replace(record, original_path=original, recipe=recipe, guessed=not task.alone)
    return _with_sidecar(task, record, document)


def _key(task: RebuildTask, source: bytes, item: str, others: list[ContentRecord]) -> bytes:
    """Return the key that a run gives to the content."""
    (known,) = task.shared.contents([source])
    if task.once and known is None and all(other.content != source for other in others):
        return source
    return hashlib.sha256(source + item.encode("utf-8", "surrogatepass")).digest()


def _author(task: RebuildTask, document: MetadataFile, authors: Authors) -> str:
    """Return the profile that stored a file, as far as it can be told: metadata files name the source alone."""
    known = authors.get(document.source.plugin, set())
    if len(known) == 1:
        return next(iter(known))
    return task.profile if document.source.plugin == task.plugin else ""


def _original_path(task: RebuildTask, document: MetadataFile) -> str:
    path = document.original.path
    return path if path and not task.destination.missing([path]) else ""


def _recipe(task: RebuildTask, document: MetadataFile) -> str:
    """Return the recipe of a file: the profile's own, when what was applied is a part of it."""
    applied = [(one.name, msgspec.to_builtins(one.options)) for one in document.transforms]
    if not applied:
        return ""
    return task.recipe if all(one in task.stages for one in applied) else recipe_of(applied)


def _with_sidecar(task: RebuildTask, record: ContentRecord, document: MetadataFile) -> ContentRecord:
    """Return the record with the XMP sidecar beside the file, if it is exactly what was written there."""
    path = record.path + _SIDECAR
    if task.destination.missing([path]):
        return record
    digest = hashlib.sha256(xmp_file.encode(document)).digest()
    if not _holds(task, path, digest.hex()):
        return record
    return msgspec.structs.replace(record, sidecar_path=path, sidecar_sha256=digest)


def _holds(task: RebuildTask, path: str, sha256: str) -> bool:
    with task.destination.read(path) as stream:
        return digest_of(stream).hex() == sha256


def _decoded(task: RebuildTask, path: str, kind: type[T]) -> T | None:
    """Return a JSON file as a value, or ``None`` when it cannot be read."""
    try:
        with task.destination.read(path) as stream:
            return msgspec.json.decode(stream.read(), type=kind)
    except (ItemError, OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):  # The last: nested too deep.
        return None


def text_lines(task: RebuildTask, path: str) -> Iterator[Any]:
    """Yield the lines of a file of the engine's own, as bytes; none where it is not there."""
    with suppress(ItemError, OSError), task.destination.read(path) as stream:
        yield from stream
