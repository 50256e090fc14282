"""Giving contents that are stored already other paths or other bytes, so that a crash at any moment loses nothing.

A batch is written down first (``ChangesFile``). New files wait in the library under a name of their own until they are
durable; only then does anything leave its place. Names that are swapped go by way of such a waiting name. What a file
replaces goes to the trash. The state follows when all of that is durable, and the old papers are removed last.
``resuming`` goes on from there when a run was killed in between.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from syncengine.api import ItemError, TargetExistsError
from syncengine.engine import metadata_file
from syncengine.engine.changes import Change, ChangesFile, Step, steps_of
from syncengine.engine.hashing import digest_of
from syncengine.engine.layout import candidate_paths
from syncengine.engine.metadata_file import MetadataFile
from syncengine.engine.moved_papers import MovedPapers
from syncengine.engine.parts import RunParts
from syncengine.engine.ports import State
from syncengine.engine.recipe import Known
from syncengine.engine.safe_names import path_key
from syncengine.engine.stale_links import StaleLinks
from syncengine.engine.trash import Trash
from syncengine.records import ContentRecord, ItemRecord

#: SHA-256 of a new file -> where it is in staging.
Staged = Mapping[bytes, Path]


class Rearranged(msgspec.Struct, kw_only=True):
    """One change and what has become of it.

    Args:
        change: as it was meant.
        record: what is true now.
        steps: its files, the stored one first.
        leaving: paths of the files that have to go.
        document: the metadata file as a value, or ``None``.
        failure: why it was given up; its files are where ``record`` says.
        albums: ids of the albums that have to be written anew.
    """

    change: Change
    record: ContentRecord
    steps: list[Step]
    leaving: list[str]
    document: MetadataFile | None = None
    failure: str = ""
    albums: set[str] = set()


class Rearranger:
    """Carries changes out.

    Args:
        parts: the run.
        changes: where they are written down.
        links: takes the names in albums away that lead to files which move.
    """

    def __init__(self, parts: RunParts, changes: ChangesFile, links: StaleLinks) -> None:
        self._parts = parts
        self._changes = changes
        self._links = links
        self._trash = Trash(parts.destination, parts.run)
        self._papers = MovedPapers(parts, self._trash)

    def carry_out(self, changes: Sequence[Change], staged: Mapping[bytes, Staged]) -> list[Rearranged]:
        """Carry a batch of changes out; return when it is durable and the state can follow.

        No two of them lead to one path, and where one leads to a path of another content, that one is among them and
        leaves it.

        Args:
            changes: what is to be done.
            staged: the new files of each content.

        Raises:
            FatalError: the destination is full or gone; the next run goes on from there.
            OSError: so is the disk of the state directory.
        """
        batch = [begun(change) for change in changes]
        self._changes.write(changes)
        for one in batch:
            self.take_links_down(one)
            self._bring_new(one, staged.get(one.change.before.content, {}))
        return self.go_on(batch)

    def go_on(self, batch: list[Rearranged]) -> list[Rearranged]:
        """Let the old go and bring everything to its place, now that what is new has its waiting name."""
        self._parts.destination.flush()
        stuck = self._park(batch)
        for one in batch:
            if not one.failure:
                self._let_go(one)
        for one in batch:
            self._settle(one, stuck)
        for one in batch:
            self._papers.write(one.record, one)
        self._parts.destination.flush()
        return batch

    def finish(self, done: Iterable[Rearranged]) -> None:
        """Remove the old papers, now that the state has followed; directories that are empty now go with them."""
        for one in done:
            self._papers.remove_old(one)
            for path in (*(step.source for step in one.steps if step.source != step.at), *one.leaving):
                if path:
                    with suppress(ItemError):
                        self._parts.destination.prune(path)
        self._parts.destination.flush()
        self._changes.clear()

    def take_links_down(self, one: Rearranged) -> None:
        """Take the links down that would lead nowhere or to the old bytes, or have the old name."""
        before, after = one.change.before, one.change.after
        moves, other = before.path != after.path, before.stored_sha256 != after.stored_sha256
        renamed = before.path.rpartition("/")[2] != after.path.rpartition("/")[2]
        if renamed or other or (moves and self._links.follow_names):
            there = next((step.at for step in one.steps if step.source == before.path and step.at), before.path)
            one.albums |= self._links.take_down(before, there)
        if moves or other:
            one.albums |= {album.id for album in after.albums}

    def give_up(self, one: Rearranged, reason: str) -> None:
        """Leave a content as it was before; what is new of it is removed."""
        for step in one.steps:
            if step.is_new and step.at:
                with suppress(FileNotFoundError, ItemError):
                    self._parts.destination.remove(step.at)
        one.steps = [step for step in one.steps if not step.is_new]
        for step in one.steps:
            step.target = step.source
        one.failure, one.record, one.document, one.leaving = reason, one.change.before, None, []

    def holds(self, path: str, digest: bytes) -> bool:
        """Whether the file at ``path`` has exactly these bytes."""
        try:
            with self._parts.destination.read(path) as stream:
                return digest_of(stream) == digest
        except (FileNotFoundError, ItemError):
            return False

    def _bring_new(self, one: Rearranged, staged: Staged) -> None:
        """Bring the new files of a content into the library, each under its waiting name."""
        try:
            for step in one.steps:
                if step.is_new:
                    self._bring(step, staged[step.digest], one.record.mtime)
        except (ItemError, FileNotFoundError) as error:
            self.give_up(one, f"cannot be stored: {error}")

    def _bring(self, step: Step, staged: Path, mtime: float | None) -> None:
        try:
            self._parts.destination.place(staged, step.parking, mtime=mtime)
        except TargetExistsError:
            if not self.holds(step.parking, step.digest):
                raise ItemError(f"{step.parking} is taken by another file") from None
            staged.unlink()
        step.at = step.parking

    def _park(self, batch: list[Rearranged]) -> set[str]:
        """Move what stands where another file is to be out of the way; return the names that could not be cleared."""
        steps = [step for one in batch for step in one.steps if step.at]
        wanting = {path_key(step.target): step for step in steps}
        stuck: set[str] = set()
        for step in steps:
            other = wanting.get(path_key(step.at))
            if other is None or step.at in (step.target, step.parking):
                continue
            try:
                self._parts.destination.move(step.at, step.parking)
                step.at = step.parking
            except (TargetExistsError, ItemError, FileNotFoundError):
                if other is not step:
                    stuck.add(path_key(step.at))
        return stuck

    def _let_go(self, one: Rearranged) -> None:
        """Put what is not wanted any more into the trash."""
        for path in one.leaving:
            try:
                self._trash.put(path)
            except FileNotFoundError:
                continue
            except ItemError as error:
                self.give_up(one, f"the file that it would replace cannot be moved to the trash: {error}")
                return

    def _settle(self, one: Rearranged, stuck: set[str]) -> None:
        """Bring each file to its place, and write down where it is."""
        for step in one.steps:
            if step.role == "sidecar" and not one.failure:
                step.target = f"{one.steps[0].at}{metadata_file.SIDECAR}"
            if step.at and step.at != step.target:
                self._bring_home(step, stuck)
        one.record = _found_at(one.record, one.steps, by_source=bool(one.failure))

    def _bring_home(self, step: Step, stuck: set[str]) -> None:
        """Move a file to the first of its names that is free; where there is none it stays where it is."""
        for candidate in dict.fromkeys([step.target, *candidate_paths(step.target, step.content)]):
            if candidate == step.at:
                return
            if path_key(candidate) in stuck or (candidate != step.target and not self._is_free(candidate, step)):
                continue
            try:
                self._parts.destination.move(step.at, candidate)
            except TargetExistsError:
                if step.role == "sidecar":
                    break
                continue
            except (ItemError, FileNotFoundError):
                return
            step.at = candidate
            return
        if step.role == "sidecar":  # Somebody else's is beside the photo.
            with suppress(ItemError, FileNotFoundError):
                self._trash.put(step.at)
                step.at = ""

    def _is_free(self, path: str, step: Step) -> bool:
        (owner,) = self._parts.state.path_owners([path])
        return owner in (None, step.content)


def shown_as(known: Known | None) -> str | None:
    """Return how all albums of a profile are shown, or ``None`` where some may be shown otherwise."""
    return None if known is None or known.several_layouts else known.setup.albums


def rearranger_of(parts: RunParts) -> Rearranger:
    """Return a rearranger for a run, which knows the albums of now."""
    identity = parts.destination.identity
    links = StaleLinks(parts, shown_as(parts.upkeep.before(identity)))
    return Rearranger(parts, ChangesFile(parts.upkeep.changes_file(identity)), links)


def followers(state: State, profile: str, one: Rearranged) -> list[tuple[str, ItemRecord]]:
    """Return the records of a profile's items that have to follow a content to where it is now."""
    record = one.record
    ids = [item for name, item, *_ in record.copies if name == profile]
    if record.profile == profile:
        ids.append(record.item)
    found = zip(ids, state.items(ids), strict=True)
    return [
        (item, msgspec.structs.replace(known, path=record.path, original_path=record.original_path))
        for item, known in found
        if known is not None and known.content == record.content
    ]


def begun(change: Change) -> Rearranged:
    """Return a change of which nothing is done yet."""
    steps, leaving = steps_of(change)
    document = metadata_file.decode(change.document) if change.document else None
    return Rearranged(change=change, record=change.after, steps=steps, leaving=leaving, document=document)


def _found_at(record: ContentRecord, steps: Iterable[Step], *, by_source: bool) -> ContentRecord:
    """Return a record with the places where its files are.

    Args:
        record: of the content.
        steps: its files.
        by_source: the record is that of before, so a file is known by where it was.
    """
    for step in steps:
        if not step.at and step.role != "sidecar":
            continue  # It is not there at all: nothing but its new name is sure to be nobody else's.
        if by_source:
            fields = [name for name in _FIELDS.values() if getattr(record, name) == step.source and step.source]
        else:
            fields = [_FIELDS[step.role]]
        record = msgspec.structs.replace(record, **dict.fromkeys(fields, step.at))
    return record


_FIELDS = {"stored": "path", "original": "original_path", "sidecar": "sidecar_path"}
