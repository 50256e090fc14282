"""Comparing what the state remembers of a destination with what the catalog there says."""

from __future__ import annotations

from pathlib import Path

import msgspec

from syncengine.engine.rebuilding import RebuildTask, Rebuilt
from syncengine.engine.rebuilding.catalogs import load_catalogs
from syncengine.records import ContentRecord
from syncengine.state.checking import Checked, StateProblem
from syncengine.state.store import StateStore
from syncengine.state.writing import ALBUMS, CONTENTS, ITEMS, is_find


def compare_with_catalog(
    task: RebuildTask, store: StateStore, profiles: list[str], scratch: Path, checked: Checked
) -> list[str]:
    """Compare a destination's part of the state with its catalog, in bounded memory.

    Args:
        task: of the destination; nothing of its part is written.
        store: open.
        profiles: the names of the destination's profiles.
        scratch: an empty directory.
        checked: takes what is wrong.

    Returns:
        What is not wrong and worth knowing.
    """
    if task.spools:
        return ["a run was killed, and the next run completes it: the state was not compared with the catalog"]
    identity, rebuilt = task.destination.identity, Rebuilt()
    with StateStore.open(scratch / "catalog") as told, told.part(identity).sparingly():
        replay = msgspec.structs.replace(
            task, part=told.part(identity), state=lambda profile: told.bind(profile, identity)
        )
        load_catalogs(replay, rebuilt)
        comparison = _Comparison(task, store, told, checked)
        comparison.compare_contents()
        for profile in profiles:
            comparison.compare_items(profile)
        comparison.compare_albums()
    notes = list(rebuilt.warnings)
    if comparison.unknown:
        notes.append(
            f"the catalog does not know {comparison.unknown:,} records of the state: should the state be lost, they "
            "are made again from metadata files"
        )
    return notes


class _Comparison:
    """One comparison.

    Args:
        task: of the destination.
        store: what the state says.
        told: what the catalog says, as a state.
        checked: takes what is wrong.
    """

    def __init__(self, task: RebuildTask, store: StateStore, told: StateStore, checked: Checked) -> None:
        self._task = task
        self._store = store
        self._told = told
        self._checked = checked
        self._identity = task.destination.identity
        #: Records that the catalog does not have; they came from metadata files.
        self.unknown = 0

    def compare_contents(self) -> None:
        """Compare contents; one whose file is gone may be missing in the state."""
        for _, here, there in self._store.differences(self._told, "contents", "", self._identity):
            record = CONTENTS.decode(here or there or b"")
            if there is None:
                self.unknown += not is_find(record)
            elif here is not None:
                # That its holders are a guess comes from what else is lost, and is in no line of the catalog.
                if _as_certain(record) != _as_certain(CONTENTS.decode(there)):
                    self._problem("contents", f"the state says something else of {record.path} than the catalog")
            elif not self._task.destination.missing([record.path]):
                self._problem("contents", f"the state does not know {record.path}, and the catalog does")

    def compare_items(self, profile: str) -> None:
        """Compare the items of a profile; one whose content is gone may be missing in the state."""
        state = self._store.bind(profile, self._identity)
        for _, here, there in self._store.differences(self._told, "items", profile, self._identity):
            record = ITEMS.decode(here or there or b"")
            if there is None:
                self.unknown += 1
            elif here is not None:
                what = f"the state says something else of an item of profile {profile} ({record.path}) than the catalog"
                self._problem("items", what)
            elif state.contents([record.content]) != [None]:
                self._problem("items", f"the state does not know an item of profile {profile} ({record.path})")

    def compare_albums(self) -> None:
        """Compare albums."""
        for _, _here, there in self._store.differences(self._told, "albums", "", self._identity):
            if there is None:
                self.unknown += 1
            else:
                record = ALBUMS.decode(there)
                self._problem("albums", f"the state and the catalog do not agree about the album {record.title!r}")

    def _problem(self, table: str, what: str) -> None:
        self._checked.add(StateProblem(table, what))


def _as_certain(record: ContentRecord) -> ContentRecord:
    return msgspec.structs.replace(record, guessed=False)
