"""A verification from its beginning to its account."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import msgspec

from syncengine.api import Destination
from syncengine.engine.parts import AlbumStyle
from syncengine.engine.ports import State
from syncengine.engine.verification.album_check import AlbumCheck
from syncengine.engine.verification.checksums import check_checksums
from syncengine.engine.verification.confirming import Confirmer
from syncengine.engine.verification.documents import Documents
from syncengine.engine.verification.findings import Ended, Finding, FindingKind, Verification
from syncengine.engine.verification.progress_file import Begun, ProgressFile
from syncengine.engine.verification.reading import Reader, Reading
from syncengine.engine.verification.recorded import RecordedFile, RecordedFiles, file_of, merged_out
from syncengine.engine.verification.selection import Selected, Selection, contents_since
from syncengine.engine.verification.tree import ALBUMS, Extras, find_renamed
from syncengine.errors import FatalError, InterruptedRunError, ItemError


class Watcher(Protocol):
    """Told how a verification goes on. Never raises, returns quickly."""

    def planned(self, files: int, size: int) -> None:
        """So many files with so many bytes are to be read."""
        ...

    def skipped(self, files: int, size: int) -> None:
        """So many more of them were read by an earlier part."""
        ...

    def reading(self, size: int) -> None:
        """So many more bytes of a large file were read; called from several threads."""
        ...

    def checked(self, size: int, finding: Finding | None) -> None:
        """One more of them was read, with so many bytes beside those that ``reading`` was told."""
        ...

    def note(self, text: str) -> None:
        """A long step says what it is doing."""
        ...


class Verifying(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a verification is made of.

    Args:
        profile: the profile's name.
        destination_label: the destination plugin's name and where it is.
        destination: open.
        state: bound to the profile and the destination.
        selection: what is to be read.
        restart: leave what an interrupted verification has done.
        layout: the profile's ``layout.path``.
        albums: how the profile shows albums.
        metadata: formats of its metadata files.
        threads: that read.
        scratch: directory for temporary files.
        progress_file: where it is remembered how far it came.
        watcher: is told.
        stop: set when it is to end soon.
        exclusive: gives the lock of what profiles share at the destination.
        unfinished: returns the paths that runs without an end were about to place, or ``None`` when every run of this
            destination came to its end.
    """

    profile: str
    destination_label: str
    destination: Destination[Any]
    state: State
    selection: Selection
    restart: bool
    layout: str
    albums: AlbumStyle
    metadata: tuple[str, ...]
    threads: int
    scratch: Path
    progress_file: Path
    watcher: Watcher
    stop: threading.Event
    exclusive: Callable[[], AbstractContextManager[None]]
    unfinished: Callable[[], frozenset[str] | None]


def verify(parts: Verifying) -> Verification:
    """Read back what is recorded, compare, and return the account.

    A verification that had to stop returns and does not raise; the next one goes on from there.

    Raises:
        FatalError: it could not begin.
    """
    return _Verifier(parts).run()


class _Verifier:
    """One verification; what it has counted so far."""

    def __init__(self, parts: Verifying) -> None:
        self._parts = parts
        documents = Documents(parts.destination, parts.profile, is_wanted="json" in parts.metadata)
        self._reader = Reader(parts.destination, documents, parts.stop, parts.watcher.reading)
        self._confirmer = Confirmer(parts.destination, parts.state, self._reader, parts.exclusive)
        self._file = ProgressFile(parts.progress_file)
        self._findings: list[Finding] = []
        self._notes: list[str] = []
        self._checked = self._earlier = self._intact = 0
        self._bytes_checked = self._bytes_read = 0

    def run(self) -> Verification:
        now, clock = _now(), time.monotonic()
        begun = self._begin(now)
        with ExitStack() as stack:
            self._parts.watcher.note("asking the state what is recorded")
            recorded = stack.enter_context(RecordedFiles(self._parts.state, self._parts.scratch))
            selected = self._selected(recorded, begun.selection)
            self._parts.watcher.planned(selected.count, selected.size)
            ended, reason = self._read(selected, is_continued=begun.started != now)
            seconds = time.monotonic() - clock
            if ended == "completed":
                ended, reason = self._guarded(lambda: self._look_around(recorded, begun.selection))
        if ended == "completed":
            self._file.remove()
        return Verification(
            profile=self._parts.profile,
            destination=self._parts.destination_label,
            started=begun.started,
            continued=now if begun.started != now else "",
            finished=_now(),
            ended=ended,
            reason=reason,
            selection=begun.selection.entry(),
            recorded=recorded.count,
            selected=selected.count,
            checked=self._checked,
            earlier=self._earlier,
            intact=self._intact,
            bytes_checked=self._bytes_checked,
            bytes_read=self._bytes_read,
            seconds=round(seconds, 3),
            findings=sorted(self._findings, key=lambda finding: (finding.path, finding.kind)),
            notes=tuple(self._notes),
        )

    def _begin(self, now: str) -> Begun:
        """Go on with what was interrupted where it was asked for the same, or begin anew."""
        identity, selection = self._parts.destination.identity, self._parts.selection
        before = None if self._parts.restart else self._file.begun()
        if before is not None and before.destination == identity and before.selection.is_same_as(selection):
            self._file.go_on()
            return before
        if before is not None:
            self._notes.append(
                f"the verification of {before.started} that was interrupted had asked for something else"
            )
        begun = Begun(destination=identity, selection=selection, started=now)
        self._file.begin(begun)
        return begun

    def _selected(self, recorded: RecordedFiles, selection: Selection) -> Selected:
        contents: frozenset[bytes] = frozenset()
        if selection.since:
            contents, notes = contents_since(self._parts.destination, selection.since)
            self._notes += notes
        return Selected(recorded, selection, contents)

    def _read(self, selected: Selected, *, is_continued: bool) -> tuple[Ended, str]:
        """Read the selected files, and make sure of what is found."""
        found: list[Finding] = []

        def read() -> None:
            for reading in self._reader.read_all(self._left(selected, is_continued), self._parts.threads):
                self._count(reading)
                found.extend(finding for finding in (reading.finding, reading.metadata) if finding is not None)

        ended, reason = self._guarded(read)
        self._file.write()
        confirmed, why = self._guarded(lambda: self._findings.extend(self._confirmer.files(found)), last=True)
        if confirmed != "completed":  # What nobody could make sure of is read again by the next part.
            self._findings.clear()
            ended, reason = (confirmed, why) if ended == "completed" else (ended, reason)
        damaged = self._findings if confirmed == "completed" else found
        self._intact = self._checked - sum(finding.kind is not FindingKind.METADATA for finding in damaged)
        return ended, reason

    def _left(self, selected: Selected, is_continued: bool) -> Iterator[RecordedFile]:
        """Yield what is still to be read, and count the rest."""
        if not is_continued:
            yield from map(file_of, selected)
            return
        for line, is_done in merged_out(selected, self._file.done(self._parts.scratch)):
            file = file_of(line)
            if not is_done:
                yield file
                continue
            self._checked += 1
            self._earlier += 1
            self._bytes_checked += file.size or 0
            self._parts.watcher.skipped(1, file.size or 0)

    def _count(self, reading: Reading) -> None:
        self._checked += 1
        self._bytes_checked += reading.size
        self._bytes_read += reading.size
        if reading.finding is None and reading.metadata is None:
            self._file.add(reading.file.line())
        self._parts.watcher.checked(reading.size - reading.told, reading.finding or reading.metadata)

    def _look_around(self, recorded: RecordedFiles, selection: Selection) -> None:
        """Look at what belongs to the whole: the list of checksums, albums, files that nobody recorded."""
        checksums = check_checksums(self._parts.destination, recorded)
        links = AlbumCheck(
            self._parts.destination, self._parts.state, self._reader, self._parts.profile, self._parts.albums
        )
        albums: list[Finding] = []
        if selection.is_all:
            self._parts.watcher.note("looking at the albums")
            albums = links.check()
        self._findings += self._confirm_papers(checksums, links, albums)
        if selection.is_all:
            self._parts.watcher.note("looking for files that nobody recorded")
            self._look_for_extras(recorded, links)

    def _confirm_papers(self, checksums: Finding | None, links: AlbumCheck, albums: list[Finding]) -> list[Finding]:
        """Look again at what runs bring up to date at their end, all of it under the destination's lock."""
        if checksums is None and not albums:
            return []
        with self._parts.exclusive():
            if self._parts.unfinished() is not None:
                self._notes.append(
                    "a run is under way or was killed; albums and the list of checksums are complete after the next end"
                    " of a run"
                )
                return []
            found = links.check_only({finding.album for finding in albums})
            if checksums is not None:
                with RecordedFiles(self._parts.state, self._parts.scratch) as recorded:
                    checksums = check_checksums(self._parts.destination, recorded)
        return [*found, *([checksums] if checksums is not None else [])]

    def _look_for_extras(self, recorded: RecordedFiles, links: AlbumCheck) -> None:
        extras = Extras(self._parts.destination, self._parts.layout, self._parts.scratch)
        found, left = self._confirmer.extras(
            extras.find(recorded, links.known), self._parts.unfinished() or frozenset()
        )
        self._notes += extras.notes
        if left:
            self._notes.append(f"{len(left):,} files were left by a run that was killed; the next run takes them over")
        found = self._without_new_links(found, links)
        missing = [finding for finding in self._findings if finding.kind is FindingKind.MISSING]
        renamed = find_renamed(missing, found, self._parts.destination, self._reader) if missing else {}
        elsewhere = set(renamed.values())
        self._findings = [_renamed(finding, renamed) for finding in self._findings]
        self._findings += [finding for finding in found if finding.path not in elsewhere]

    def _without_new_links(self, found: list[Finding], links: AlbumCheck) -> list[Finding]:
        """Leave out what a run has linked into albums since these were looked at."""
        if not any(finding.path.startswith(f"{ALBUMS}/") for finding in found):
            return found
        with self._parts.exclusive():
            if self._parts.unfinished() is not None:
                return [finding for finding in found if not finding.path.startswith(f"{ALBUMS}/")]
            links.check()
        return [finding for finding in found if finding.path not in links.known]

    def _guarded(self, step: Callable[[], Any], *, last: bool = False) -> tuple[Ended, str]:
        """Take a step; return how it ended and why."""
        try:
            step()
        except (FatalError, ItemError) as error:
            return "stopped", f"{error.reason}; {error.advice}" if error.advice else error.reason
        except InterruptedRunError:
            return "interrupted", "interrupted; verify again to go on from here"
        if self._parts.stop.is_set() and not last:
            return "interrupted", "interrupted; verify again to go on from here"
        return "completed", ""


def _renamed(finding: Finding, renamed: dict[str, str]) -> Finding:
    if finding.kind is not FindingKind.MISSING or finding.path not in renamed:
        return finding
    there = renamed[finding.path]
    return msgspec.structs.replace(
        finding, kind=FindingKind.RENAMED, found_at=there, reason=f"exactly its bytes are at {there}"
    )


def _now() -> str:
    return datetime.now().astimezone().isoformat(timespec="milliseconds")
