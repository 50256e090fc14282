"""What killed runs have put into the trash, or left in the library under a waiting name: the next run undoes that.

A mirror run writes down what it moves; ``restoring.settle`` brings it back where the state has it. A run that makes
files again puts the old one into the trash and the new one in its place, and does not come to its metadata file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress

from syncengine.api import ItemError
from syncengine.engine import trash
from syncengine.engine.amendments import Amendment
from syncengine.engine.hashing import holds
from syncengine.engine.rebuilding.catalogs import runs_with_catalog
from syncengine.engine.rebuilding.displaced import Displaced
from syncengine.engine.rebuilding.task import RebuildTask
from syncengine.engine.trash import Held, TrashedFile
from syncengine.records import ContentRecord

#: See ``Step.parking``.
_WAITING = re.compile(r"~([0-9a-f]{64})(\.[^./~]*)?$")


class Undoing:
    """Finds out what is to be undone.

    Args:
        task: the rebuilding.
        displaced: knows the contents whose files are not where their records say.
    """

    def __init__(self, task: RebuildTask, displaced: Displaced) -> None:
        self._task = task
        self._displaced = displaced
        #: Paths at which something else is that is to make room.
        self._to_clear: set[str] = set()

    def doubt(self) -> None:
        """Read the files whose predecessor is in the trash by a run of which no catalog tells: they may be others."""
        told = runs_with_catalog(self._task)
        for held in self._held():
            if held.record is None and held.run not in told:
                self._owner(held.files[0], look=True)

    def decide(self) -> None:
        """Keep the records of displaced contents that are in the trash, and have the next run bring them back."""
        for held in self._held():
            self._task.check_stop()
            if held.record is not None:
                if held.record.content in self._displaced and held.record.path in {file.path for file in held.files}:
                    self._displaced.keep_all(held.record.content)
                continue
            file = held.files[0]
            self._bring_original_back(file)
            record = self._owner(file, look=False)
            if record is None or record.content not in self._displaced or not self._is_it(file, record):
                continue
            self._task.amendments.add([Amendment(back_to=file.path, trashed=file.trashed)])
            self._displaced.keep(record.content)
            self._displaced.check_document(record)
            self._to_clear.add(file.path)

    def _bring_original_back(self, file: TrashedFile) -> None:
        """Have the next run bring a kept original back that a record still knows, where nothing is in its place."""
        (owner,) = self._task.shared.path_owners([file.path])
        (record,) = self._task.shared.contents([owner]) if owner is not None else (None,)
        if record is None or record.original_path != file.path or self._task.destination.stat(file.path) is not None:
            return
        with suppress(ItemError, OSError):
            if holds(self._task.destination, file.trashed, record.source_sha256, record.source_size):
                self._task.amendments.add([Amendment(back_to=file.path, trashed=file.trashed)])

    def is_left_over(self, path: str) -> bool:
        """Whether a file that nobody tells about was left by a killed run, and goes to the trash."""
        if path in self._to_clear:
            return True  # The run puts it away to make room.
        waiting = _WAITING.search(path)
        if waiting is None:
            return False
        content = bytes.fromhex(waiting[1])
        (record,) = self._task.shared.contents([content])
        if record is None or content in self._displaced or path in (record.path, record.original_path):
            return False
        self._task.amendments.add([Amendment(left_over=path)])
        return True

    def _held(self) -> Iterator[Held]:
        with suppress(ItemError):  # The trash is behind a link that somebody made: nothing of it is believed.
            yield from trash.contents(self._task.destination)

    def _owner(self, file: TrashedFile, *, look: bool) -> ContentRecord | None:
        (owner,) = self._task.shared.path_owners([file.path])
        (record,) = self._task.shared.contents([owner]) if owner is not None else (None,)
        if record is None or record.path != file.path:
            return None
        if look and record.content not in self._displaced and record.stored_size == file.size:
            self._displaced.check(record)
        return record

    def _is_it(self, file: TrashedFile, record: ContentRecord) -> bool:
        with suppress(ItemError, OSError):
            return holds(self._task.destination, file.trashed, record.stored_sha256, record.stored_size)
        return False
