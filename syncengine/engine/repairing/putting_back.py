"""Giving one file its recorded bytes again."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from syncengine.api import TargetExistsError
from syncengine.engine.fetching import SPACE_RESERVE
from syncengine.engine.repairing.copies import GoodCopy, album_copies
from syncengine.engine.repairing.parts import Case, Repairing
from syncengine.engine.staging import HashingSink
from syncengine.engine.throttle import Throttle
from syncengine.engine.verification.documents import Documents
from syncengine.engine.verification.findings import FindingKind
from syncengine.engine.verification.reading import Reader
from syncengine.engine.verification.recorded import RecordedFile
from syncengine.errors import FatalError, ItemError

_CHUNK = 1 << 20


class Restorer:
    """Puts good bytes in the place of damaged ones, and reads them back.

    Args:
        parts: the repair.
    """

    def __init__(self, parts: Repairing) -> None:
        self._parts = parts
        self.documents = Documents(parts.destination, parts.profile, is_wanted="json" in parts.metadata)
        # What was begun is read back to its end, also when the repair is to stop: so it has an event of its own.
        self.reader = Reader(parts.destination, self.documents, threading.Event())
        self._numbers = itertools.count()
        self.directories = {album.id: album.directory for album in parts.state.albums()}

    def is_well(self, file: RecordedFile) -> bool:
        """Whether a file is there and as it was recorded."""
        return self.reader.read(file).finding is None

    def move_back(self, case: Case) -> None:
        """Give a file that is there under another name its own again."""
        there = case.finding.found_at
        if there and self.holds(there, case.file.sha256):
            self._place(case, lambda path: self._parts.destination.move(there, path), f"moved back from {there}")

    def restore(self, case: Case, copy: GoodCopy) -> None:
        """Restore a file from a copy, as far as that holds what it should."""
        destination = self._parts.destination
        try:
            if copy.is_album and self._parts.albums in ("auto", "hardlink") and destination.capabilities.hardlinks:
                if self.holds(copy.path, case.file.sha256):
                    how = f"from {copy.words}"
                    self._place(case, lambda path: destination.link(copy.path, path, kind="hardlink"), how)
                return
            if not self._has_room(case):
                return
            with copy.destination.read(copy.path) as stream:
                staged, digest = self._stage(iter(lambda: stream.read(_CHUNK), b""))
        except (ItemError, OSError, FatalError) as error:
            if isinstance(error, FatalError) and copy.destination is destination:
                raise
            case.why_not = f"{copy.words} cannot be read: {error}"
            return
        if digest == case.file.sha256:
            self._put(case, staged, f"from {copy.words}")
        else:
            staged.unlink()
            case.why_not = f"{copy.words} is damaged as well"

    def write(self, case: Case, content: bytes, how: str) -> None:
        """Write a small file whose bytes are made here."""
        staged, _ = self._stage((content,))
        self._put(case, staged, how)

    def _has_room(self, case: Case) -> bool:
        free = self._parts.destination.free_space()
        if free is None or free - SPACE_RESERVE >= (case.file.size or 0):
            return True
        case.why_not = "there is not enough room at the destination"
        return False

    def _stage(self, chunks: Iterable[bytes]) -> tuple[Path, bytes]:
        """Write bytes into staging; return the file and its SHA-256."""
        path = self._parts.staging / f"r{next(self._numbers)}"
        sink = HashingSink(path, Throttle(None))
        try:
            for chunk in chunks:
                sink.write(chunk)
        except BaseException:
            sink.close()
            path.unlink(missing_ok=True)
            raise
        return path, sink.close()

    def _put(self, case: Case, staged: Path, how: str) -> None:
        """Give a staged file, which has the right bytes, its place."""
        destination = self._parts.destination
        mtime = case.record.mtime if case.file.role != "sidecar" else None
        destination.flush()
        self._place(case, lambda path: destination.place(staged, path, mtime=mtime), how)
        staged.unlink(missing_ok=True)

    def _place(self, case: Case, act: Callable[[str], None], how: str) -> None:
        """Set aside what is in a file's place, put the good one there, and read it back."""
        try:
            self.set_aside(case)
            act(case.file.path)
            self._parts.destination.flush()
        except (ItemError, FileNotFoundError, TargetExistsError) as error:
            case.why_not = f"it could not be put in its place: {error}"
            case.aside.put_back()
            return
        if self.is_well(case.file):
            case.done = how
        else:
            case.why_not = "what was put in its place does not read back well; see to the disk"

    def set_aside(self, case: Case) -> None:
        """Set a damaged file aside, with those of its names in albums that lead to the damaged bytes as well.

        Raises:
            ItemError: something else than a file or a link is in its place, or it cannot be moved.
        """
        if case.finding.kind is not FindingKind.MISSING:
            for copy in album_copies(case.file, case.record, self.directories, self._parts.destination):
                if self._is_damaged_too(case, copy.path):
                    case.aside.put(copy.path)
        case.aside.put(case.file.path)

    def _is_damaged_too(self, case: Case, path: str) -> bool:
        """Whether a name in an album leads to the very bytes that the damaged file has."""
        return not self.holds(path, case.file.sha256) and self._bytes_of(path) == self._bytes_of(case.file.path)

    def holds(self, path: str, digest: bytes) -> bool:
        """Whether the file at a path has exactly these bytes."""
        return self._bytes_of(path)[1] == digest

    def _bytes_of(self, path: str) -> tuple[int, bytes] | tuple[str, str]:
        """Return size and SHA-256 of what is at a path; where it cannot be read, what no other one has."""
        try:
            with self._parts.destination.read(path) as stream:
                return self.reader.digest(stream, 0)
        except (ItemError, OSError, FatalError):
            return path, ""
