"""Out of the trash: by a person's wish, and what a killed run left half done."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import msgspec

from syncengine.api import Destination, ItemError, TargetExistsError
from syncengine.engine import listings, metadata_file, trash
from syncengine.engine.album_links import AlbumParts
from syncengine.engine.albums import AlbumWriter
from syncengine.engine.hashing import holds
from syncengine.engine.layout import candidate_paths
from syncengine.engine.papers import Papers
from syncengine.engine.ports import State
from syncengine.engine.recording import Journal
from syncengine.engine.safe_names import fit
from syncengine.engine.trash import Held, TrashedFile
from syncengine.records import ContentRecord, StateBatch

#: Contents that are moved, made durable and recorded together.
_BATCH = 250
PRIVATE = ".syncengine"
_ALONE = "the file alone, since no entry tells what belongs to it; the next run leaves it as it is"


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """What became of something that was to be brought back.

    Args:
        held: what was in the trash.
        path: where it is now; empty when it could not be brought back.
        problem: why not, or what could not come with it.
    """

    held: Held
    path: str = ""
    problem: str = ""


class Restorer:
    """Brings contents back to the library.

    Args:
        parts: the destination, its state, and how albums are shown.
        journal: the way into the state.
        when: now, ISO 8601; a mirror run leaves what a person brought back.
    """

    def __init__(self, parts: AlbumParts, journal: Journal, when: str) -> None:
        self._parts = parts
        self._journal = journal
        self._when = when
        self._papers = Papers(parts.destination, parts.staging)
        self._albums: set[str] = set()
        self._changed = False
        self._refused: list[str] = []

    def restore(self, wanted: Iterable[Held]) -> list[Restored]:
        """Move files back to the paths that they had, or beside what is there now; return what became of each."""
        done: list[Restored] = []
        batch: list[Held] = []
        for held in wanted:
            batch.append(held)
            if len(batch) == _BATCH:
                done += self._restore_batch(batch)
                batch = []
        return done + self._restore_batch(batch)

    def finish(self) -> list[str]:
        """Bring albums and listings up to date; return what is in the way of some of them."""
        if not self._changed:
            return self._refused
        albums = AlbumWriter(self._parts, self._papers)
        records = albums.write(self._albums, ())
        listings.write_checksums(self._parts.state, self._papers, self._parts.staging)
        listings.write_deduplication(self._parts.state, self._papers, self._parts.staging)
        refused = self._papers.place()
        if records:
            self._journal.commit(StateBatch(albums=records))
        return [*self._refused, *albums.warnings, *refused]

    def _restore_batch(self, batch: list[Held]) -> list[Restored]:
        change = StateBatch(contents=[], fingerprints=[])
        done = [self._restore_safely(held, change) for held in batch]
        self._refused += self._papers.place()
        self._parts.destination.flush()
        if change.contents:
            self._journal.commit(change)
            self._changed = True
            self._albums.update(album.id for record in change.contents for album in record.albums)
        for held in batch:
            for file in held.files:
                self._parts.destination.prune(file.trashed)
        for run in {held.run for held in batch}:
            trash.tidy(self._parts.destination, run)
        return done

    def _restore_safely(self, held: Held, change: StateBatch) -> Restored:
        try:
            if held.record is None:
                return self._restore_file(held, held.files[0])
            done = self._restore_content(held, held.record, change)
            problem = "; ".join(text for text in (done.problem, held.remark if done.path else "") if text)
            return msgspec.structs.replace(done, problem=problem)
        except (ItemError, FileNotFoundError) as error:
            return Restored(held=held, problem=f"cannot be brought back: {error}")

    def _restore_file(self, held: Held, file: TrashedFile) -> Restored:
        """Bring back a file that no entry tells of; not one whose entry may be damaged: it would come back alone."""
        if file.path.partition("/")[0].casefold() == PRIVATE:
            return Restored(held=held, problem=f"{file.path} is no path of the library")
        if held.is_unaccounted:
            problem = f"its entry is damaged, and nothing else tells what it is; it stays where it is, {file.trashed}"
            return Restored(held=held, problem=problem)
        return Restored(held=held, path=_move_beside(self._parts.destination, file), problem=_ALONE)

    def _restore_content(self, held: Held, record: ContentRecord, change: StateBatch) -> Restored:
        known = next((one for one in change.contents if one.content == record.content), None)
        if known is None:
            (known,) = self._parts.state.contents([record.content])
        if known is not None:
            if put_back(self._parts.destination, known, held.files):
                change.contents.append(msgspec.structs.replace(known, restored=self._when))
                return Restored(held=held, path=known.path)
            return Restored(held=held, path=known.path, problem="the same bytes are in the library already")
        files = {file.path: file for file in held.files}
        if record.path not in files:
            return Restored(held=held, problem="the file itself is not in the trash any more")
        record, problem = self._move_files(record, files)
        change.contents.append(msgspec.structs.replace(record, restored=self._when))
        change.fingerprints += held.fingerprints
        return Restored(held=held, path=record.path, problem=problem)

    def _move_files(self, record: ContentRecord, files: dict[str, TrashedFile]) -> tuple[ContentRecord, str]:
        """Move a content's files back; return its record with the paths that they have now, and what stayed behind."""
        path = self._move_to_free(files[record.path], record)
        sidecar = f"{path}{record.sidecar_path.removeprefix(record.path)}" if record.sidecar_path else ""
        moved = msgspec.structs.replace(record, path=path, original_path="", sidecar_path="", sidecar_sha256=b"")
        problems: list[str] = []
        if record.original_path in files:
            original = self._move_to_free(files[record.original_path], record)
            moved = msgspec.structs.replace(moved, original_path=original)
        if record.sidecar_path in files and self._follow(files[record.sidecar_path], sidecar, problems):
            moved = msgspec.structs.replace(moved, sidecar_path=sidecar, sidecar_sha256=record.sidecar_sha256)
        paper = files.get(metadata_file.metadata_path(record.path))
        if paper is not None and self._follow(paper, metadata_file.metadata_path(path), problems):
            self._retitle(record, moved)
        return moved, "; ".join(problems)

    def _move_to_free(self, file: TrashedFile, record: ContentRecord) -> str:
        """Move a photo or video to its path, or to one beside it that nothing has; return which."""
        for candidate in candidate_paths(file.path, record.content):
            (owner,) = self._parts.state.path_owners([candidate])
            if owner not in (None, record.content):
                continue
            with suppress(TargetExistsError):
                self._parts.destination.move(file.trashed, candidate)
                return candidate
        raise ItemError(f"every name that it could take beside {file.path} is taken by another file")

    def _follow(self, file: TrashedFile, path: str, problems: list[str]) -> bool:
        """Move a paper to where its photo is now; return whether it is there."""
        try:
            self._parts.destination.move(file.trashed, path)
        except (TargetExistsError, ItemError, FileNotFoundError):
            problems.append(f"{file.trashed} stays in the trash: it cannot be moved to {path}")
            return False
        return True

    def _retitle(self, before: ContentRecord, now: ContentRecord) -> None:
        """Let the metadata file say where its photo is, when that is another path than it was."""
        if (before.path, before.original_path) == (now.path, now.original_path):
            return
        document = metadata_file.read(self._parts.destination, now.path)
        if document is not None:
            stored = msgspec.structs.replace(document.stored, path=now.path)
            original = msgspec.structs.replace(document.original, path=now.original_path)
            document = msgspec.structs.replace(document, stored=stored, original=original)
            self._papers.write(metadata_file.metadata_path(now.path), metadata_file.encode(document))


def settle(destination: Destination[Any], state: State, journal: Journal, when: str) -> None:
    """Undo what a killed mirror run had begun to move, and finish what a killed restore had moved.

    Args:
        destination: open.
        state: of the destination.
        journal: the way into the state.
        when: now, ISO 8601.

    Raises:
        FatalError: the destination or the state cannot go on; the next run tries again.
    """
    change = StateBatch(contents=[], fingerprints=[])
    try:
        for run in trash.runs(destination):
            for held in trash.entries(destination, run):
                if held.record is None:
                    continue
                (known,) = state.contents([held.record.content])
                if known is not None:
                    put_back(destination, known, held.files)
                elif (back := _found_back(destination, state, held, held.record)) is not None:
                    change.contents.append(msgspec.structs.replace(back, restored=when))
                    change.fingerprints += held.fingerprints
        _put_back_unlisted(destination, state)
    except ItemError:
        return  # The trash is behind a link that somebody made: nothing of it is believed.
    destination.flush()
    if change.contents:
        journal.commit(change)


def _put_back_unlisted(destination: Destination[Any], state: State) -> None:
    """Put back what a killed mirror run had moved and whose entry is damaged: the state has it, and it is missing."""
    lost = {held.files[0].path: held.files[0] for held in trash.contents(destination) if held.is_unaccounted}
    for path, owner in zip(lost, state.path_owners(list(lost)), strict=True):
        (known,) = state.contents([owner]) if owner is not None else [None]
        if known is None or known.path != path:
            continue
        with suppress(FileNotFoundError, ItemError):
            if holds(destination, lost[path].trashed, known.stored_sha256, known.stored_size):
                put_back(destination, known, [lost[own] for own in trash.files_of(known) if own in lost])


def put_back(destination: Destination[Any], known: ContentRecord, files: Iterable[TrashedFile]) -> bool:
    """Move those files of a content back that the state has and that are missing; return whether its own is."""
    back = False
    own = set(trash.files_of(known))
    for file in files:
        if file.path not in own or not destination.missing([file.path]):
            continue
        if file.path == known.path and file.size != known.stored_size:
            continue
        with suppress(FileNotFoundError, TargetExistsError, ItemError):
            destination.move(file.trashed, file.path)
            back |= file.path == known.path
    return back


def _found_back(destination: Destination[Any], state: State, held: Held, record: ContentRecord) -> ContentRecord | None:
    """Return the record of a content that is back in the library and not in the state: a killed restore moved it."""
    own = next((file for file in held.files if file.path == record.path), None)
    if own is None or destination.stat(own.trashed) is not None:
        return None
    for candidate in candidate_paths(record.path, record.content):
        is_free = state.path_owners([candidate]) == [None]
        if is_free and holds(destination, candidate, record.stored_sha256, record.stored_size):
            return _with_its_papers(destination, held, record, candidate)
    return None


def _with_its_papers(destination: Destination[Any], held: Held, record: ContentRecord, path: str) -> ContentRecord:
    """Move the rest of a content's files to where its photo is already; return its record of now."""
    places = {metadata_file.metadata_path(record.path): metadata_file.metadata_path(path)}
    if record.original_path:
        places[record.original_path] = record.original_path
    if record.sidecar_path:
        places[record.sidecar_path] = path + record.sidecar_path.removeprefix(record.path)
    for file in held.files:
        if file.path in places:
            with suppress(FileNotFoundError, TargetExistsError, ItemError):
                destination.move(file.trashed, places[file.path])
    sidecar = places.get(record.sidecar_path, "") if record.sidecar_path else ""
    has_sidecar = bool(sidecar) and destination.stat(sidecar) is not None
    has_original = bool(record.original_path) and destination.stat(record.original_path) is not None
    return msgspec.structs.replace(
        record,
        path=path,
        original_path=record.original_path if has_original else "",
        sidecar_path=sidecar if has_sidecar else "",
        sidecar_sha256=record.sidecar_sha256 if has_sidecar else b"",
    )


def _move_beside(destination: Destination[Any], file: TrashedFile) -> str:
    """Move a file that no entry tells of back to its path, or to a numbered one beside it."""
    directory, slash, name = file.path.rpartition("/")
    names = (fit(name, f"~{number}") for number in range(2, 100))
    for path in (file.path, *(f"{directory}{slash}{name}" for name in names)):
        with suppress(TargetExistsError):
            destination.move(file.trashed, path)
            return path
    raise ItemError(f"every name that it could take beside {file.path} is taken by another file")
