"""Making sure of what was found: a run may have changed a file, and its record, since it was read.

Runs place files and record them under the destination's lock. So while it is held here, the state speaks of what is
there; a finding is confirmed when the record is still the one that the file was compared with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Any

from syncengine.api import Destination, ItemError
from syncengine.engine.ports import State
from syncengine.engine.verification.findings import Finding, FindingKind
from syncengine.engine.verification.reading import Reader
from syncengine.engine.verification.recorded import RecordedFile, files_of
from syncengine.engine.verification.tree import METADATA
from syncengine.records import ContentRecord

#: A file that changes under our hands so often is reported as it was seen last.
_TRIES = 5
#: Findings that are looked up while the lock is held once.
_AT_ONCE = 200


class Confirmer:
    """Looks again at findings.

    Args:
        destination: open.
        state: bound to the profile and the destination.
        reader: reads again what was changed meanwhile.
        exclusive: gives the destination's lock.
    """

    def __init__(
        self,
        destination: Destination[Any],
        state: State,
        reader: Reader,
        exclusive: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self._destination = destination
        self._state = state
        self._reader = reader
        self._exclusive = exclusive

    def files(self, findings: Iterable[Finding]) -> list[Finding]:
        """Return what is still wrong with recorded files, as they are recorded now."""
        return [confirmed for finding in findings for confirmed in self._confirm(finding)]

    def _confirm(self, finding: Finding) -> list[Finding]:
        is_document = finding.kind is FindingKind.METADATA
        for _ in range(_TRIES):
            before = finding.file
            if before is None:
                return [finding]
            now = self._now(before, finding if finding.kind is FindingKind.MISSING else None)
            if now is None:
                return []
            if now == before and not is_document:
                return [finding]
            reading = self._reader.read(now)
            found = reading.metadata if is_document else reading.finding
            if found is None:
                return []
            if is_document and now == before:
                return [found]
            finding = found
        return [finding]

    def _now(self, file: RecordedFile, missing: Finding | None) -> RecordedFile | None:
        """Return what is recorded now in the place of a file, or nothing when that is gone, or is there after all."""
        with self._exclusive():
            (record,) = self._state.contents([file.content])
            now = next((one for one in _files(record) if one.role == file.role), None)
            if missing is not None and now == file and not self._destination.missing([file.path]):
                return None
            return now

    def extras(self, findings: list[Finding], left_by_runs: frozenset[str]) -> tuple[list[Finding], list[Finding]]:
        """Return the files that still nobody has recorded, and those of them that a killed run has left.

        Args:
            findings: of kind ``extra``.
            left_by_runs: paths that runs without an end were about to place.
        """
        confirmed: list[Finding] = []
        left: list[Finding] = []
        for start in range(0, len(findings), _AT_ONCE):
            page = findings[start : start + _AT_ONCE]
            with self._exclusive():
                for finding in page:
                    if self._is_gone(finding.path) or self._is_recorded(finding.path):
                        continue
                    (left if finding.path in left_by_runs else confirmed).append(finding)
        return confirmed, left

    def _is_gone(self, path: str) -> bool:
        try:
            return self._destination.stat(path) is None
        except ItemError:  # A name that no file of ours can have, such as one with a backslash.
            return False

    def _is_recorded(self, path: str) -> bool:
        """Whether a file belongs to a content: itself, its sidecar, or its metadata file."""
        own = path.removeprefix(f"{METADATA}/")
        names = {path, path.removesuffix(".xmp"), own.removesuffix(".json") if own != path else path}
        owners = [owner for owner in self._state.path_owners(sorted(names)) if owner is not None]
        for record in self._state.contents(owners):
            files = {file.path.casefold() for file in _files(record)}
            if path.casefold() in files or own.removesuffix(".json").casefold() in files:
                return True
        return False


def _files(record: ContentRecord | None) -> Iterable[RecordedFile]:
    return files_of(record) if record is not None else ()
