"""Finishing what a killed run was about to move or replace."""

from __future__ import annotations

from contextlib import suppress

import msgspec

from syncengine.api import ItemError
from syncengine.engine.changes import ChangesFile, Step
from syncengine.engine.layout import candidate_paths
from syncengine.engine.metadata_file import united, united_albums
from syncengine.engine.parts import RunParts
from syncengine.engine.rearranging import Rearranged, Rearranger, begun
from syncengine.engine.trash import Trash
from syncengine.records import ContentRecord


def resume(parts: RunParts, changes: ChangesFile, rearranger: Rearranger) -> list[Rearranged]:
    """Finish the changes that are written down; return what the state has to follow.

    Args:
        parts: the run.
        changes: the file.
        rearranger: carries them out.

    Raises:
        FatalError: the destination is full or gone.
    """
    left = changes.read()
    batch: list[Rearranged] = []
    recorded: list[Rearranged] = []
    for change in left:
        (current,) = parts.state.contents([change.before.content])
        one = begun(change)
        if current is not None and _files(current) == _files(change.before):
            if current != change.before:
                one.record = _united(change.after, current)
                one.change = msgspec.structs.replace(change, before=current, after=one.record)
            batch.append(one)
        elif current is not None:
            _put_strays_away(parts, rearranger, one, current)
            one.record = current
            recorded.append(one)
    _Search(parts, rearranger).locate(batch)
    for one in batch:
        rearranger.take_links_down(one)
    done = rearranger.go_on(batch) if batch else []
    return [*done, *recorded]


class _Search:
    """Finds out where each file of a killed run's batch is by now."""

    def __init__(self, parts: RunParts, rearranger: Rearranger) -> None:
        self._parts = parts
        self._rearranger = rearranger
        self._taken: set[str] = set()
        self._sources: set[str] = set()

    def locate(self, batch: list[Rearranged]) -> None:
        """Set the place of every step; a change whose new files never arrived is given up."""
        self._sources = {step.source for one in batch for step in one.steps}
        for waiting in (True, False):  # A name to wait under is one file's alone, so those come first.
            for one in batch:
                for step in one.steps:
                    self._find(step, waiting=waiting)
        for one in batch:
            if any(step.is_new and not step.at for step in one.steps):
                self._rearranger.give_up(one, "its new file never arrived")
            else:
                one.leaving += [step.source for step in one.steps if self._is_double(step)]

    def _find(self, step: Step, *, waiting: bool) -> None:
        if waiting:
            step.at = ""
            places = [step.parking]
        elif step.at:
            return
        else:
            places = self._places(step)
        for path in places:
            unsure = step.role == "sidecar" and path == step.source  # A person may have edited it.
            if path not in self._taken and (self._is_there(path) if unsure else self._holds(path, step.digest)):
                step.at = path
                self._taken.add(path)
                return

    def _places(self, step: Step) -> list[str]:
        """Return where a file may be, the surest place first.

        At the old name of another file of the same bytes, that other one may be still.
        """
        new = [step.target, *candidate_paths(step.target, step.content)]
        old = [step.source] if step.source else []
        return [*old, *new] if step.target in self._sources - {step.source} else [*new, *old]

    def _is_double(self, step: Step) -> bool:
        """Whether a file has its old name still beside the new one: a move that was cut in two."""
        if not step.source or step.at in ("", step.source) or step.source in self._taken | {step.target}:
            return False
        return self._holds(step.source, step.digest)

    def _is_there(self, path: str) -> bool:
        return not self._parts.destination.missing([path])

    def _holds(self, path: str, digest: bytes) -> bool:
        return self._rearranger.holds(path, digest)


def _put_strays_away(parts: RunParts, rearranger: Rearranger, one: Rearranged, current: ContentRecord) -> None:
    """Put away what is left of a content's change when its record is another one by now."""
    recorded = {path for path, _ in _files(current)}
    if parts.destination.missing(recorded):
        return
    recorded.add(current.sidecar_path)
    trash = Trash(parts.destination, parts.run)
    for step in one.steps:
        for path in (step.parking, step.target):
            (owner,) = parts.state.path_owners([path])
            if path in recorded or owner is not None or not rearranger.holds(path, step.digest):
                continue
            with suppress(ItemError, FileNotFoundError):
                trash.put(path)


def _files(record: ContentRecord) -> list[tuple[str, bytes]]:
    files = [(record.path, record.stored_sha256)]
    return [*files, (record.original_path, record.source_sha256)] if record.original_path else files


def _united(after: ContentRecord, current: ContentRecord) -> ContentRecord:
    """Return the record that was meant, with what was recorded of the content since."""
    return msgspec.structs.replace(
        after,
        albums=united_albums(after.albums, current.albums),
        origins=united(after.origins, current.origins),
        copies=united(after.copies, current.copies),
        near=united(after.near, current.near),
    )
