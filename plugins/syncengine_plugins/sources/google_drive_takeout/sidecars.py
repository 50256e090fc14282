"""Reads the sidecars of one archive in few requests, several at a time, in the order in which they are wanted."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress

from syncengine_plugins.sources.google_drive_takeout.byte_ranges import ByteRanges
from syncengine_plugins.sources.google_drive_takeout.drive_files import DriveFile
from syncengine_plugins.sources.google_drive_takeout.forward_reader import ForwardReader, packed_member
from syncengine_plugins.sources.google_drive_takeout.memory import MemberMemory
from syncengine_plugins.sources.google_drive_takeout.neighbours import Neighbours
from syncengine_plugins.sources.google_drive_takeout.read_ahead import LARGEST, ReadAhead
from syncengine_plugins.sources.google_drive_takeout.spans import LONGEST, LONGEST_PHOTO, Span, Wish, plan
from syncengine_plugins.sources.takeout.damage import MemberDamagedError
from syncengine_plugins.sources.takeout.ingest import small_zip_member
from syncengine_plugins.sources.takeout.intake import is_media, photos_place
from syncengine_plugins.sources.takeout.members import LARGEST_JSON, Listed, Member

_HEADER = 30
_EXTRA = 64  # what the local header's extra field rarely exceeds
_KEPT_FOR_SOON = LARGEST // 2
_UNDER_WAY = 192 << 20  # of the cache, promised to photos that are coming


#: Whether the photo of that folder and name will be listed early.
Soon = Callable[[str, str], bool]


def stretch_of(member: Member) -> tuple[int, int]:
    """Return where a member begins, and where it should end."""
    return member.offset, member.offset + _HEADER + len(member.path.encode()) + _EXTRA + member.packed


class SidecarReader:
    """The sidecars of one archive.

    Args:
        file: the archive.
        ranges: reads it.
        memory: knows the sidecars of earlier archives.
        ahead: takes the photos that are brought along.
        neighbours: is told which photos are new, and which of them are coming.
        at_once: requests.
    """

    def __init__(
        self,
        file: DriveFile,
        ranges: ByteRanges,
        memory: MemberMemory,
        ahead: ReadAhead,
        neighbours: Neighbours,
        *,
        at_once: int,
    ) -> None:
        self._neighbours = neighbours
        self._file, self._ranges, self._memory, self._ahead = file, ranges, memory, ahead
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix="sidecars")
        self._most_running = 2 * at_once
        self._planned: Iterator[Span] = iter(())
        self._promised = 0
        self._running: deque[tuple[Span, Future[dict[int, bytes]]]] = deque()
        self._ready: dict[int, bytes] = {}

    def prepare(self, listed: Iterable[Listed], *, bring_photos: bool, soon: Soon | None) -> None:
        """Plan the requests.

        Args:
            listed: what the archive's directory says.
            bring_photos: new photos and videos beside new sidecars will be wanted.
            soon: says which of them will be wanted while this archive is being read; ``None`` where none is.
        """
        wishes = [wish for one in listed if (wish := self._wish(one, soon)) is not None]
        self._neighbours.note(self._file, wishes if bring_photos else ())
        kept = _KEPT_FOR_SOON if soon else 0

        def room(soon: bool) -> int:
            return self._ahead.room() - self._promised - (0 if soon else kept) if bring_photos else 0

        self._planned = plan(wishes, room, min(LONGEST, _UNDER_WAY // self._most_running))
        self._submit()

    def read(self, member: Member) -> bytes:
        """Return the text of a sidecar.

        Raises:
            MemberDamagedError: its bytes are not what the archive promises, or the archive is gone.
            UnreachableError, FatalError: as ``ByteRanges.read``.
        """
        known = self._memory.json(member)
        if known is not None:
            return known
        text = self._text(member)
        self._memory.keep_json(member, text)
        return text

    def close(self) -> None:
        """Drop what is not wanted any more."""
        for _, future in self._running:
            future.cancel()
        self._pool.shutdown(wait=True, cancel_futures=True)
        for span, _ in self._running:
            self._neighbours.arrived(self._file, span.wishes)

    def _wish(self, listed: Listed, soon: Soon | None) -> Wish | None:
        place = photos_place(listed.path) if isinstance(listed, Member) else None
        if place is None or not isinstance(listed, Member):
            return None
        start, end = stretch_of(listed)
        end = min(end, self._file.length)
        if place[1].lower().endswith(".json"):
            wanted = listed.size <= LARGEST_JSON and not self._memory.knows_json(listed)
            return Wish(start, end, True, listed.packed) if wanted else None
        wanted = is_media(*place) and self._memory.is_new_media(listed) and end - start <= LONGEST_PHOTO
        return Wish(start, end, False, listed.packed, soon is not None and soon(*place)) if wanted else None

    def _text(self, member: Member) -> bytes:
        packed = self._packed(member.offset)
        if packed is not None:
            try:
                return small_zip_member(lambda length, at: packed[at - member.offset :][:length], member)
            except MemberDamagedError:
                # Cut short by an unusual header, or spoiled on the way: alone it is read whole, and once more.
                self._ranges.require_present(self._file)
        return self._alone(member)

    def _alone(self, member: Member) -> bytes:
        reader = self._reader(*stretch_of(member))
        try:
            return small_zip_member(reader, member)
        finally:
            reader.finish()

    def _packed(self, offset: int) -> bytes | None:
        """Return a sidecar's bytes as they lie in the archive; ``None`` when it was not planned."""
        while offset not in self._ready and self._running:
            span, future = self._running.popleft()
            self._promised -= _photos_of(span)
            try:
                self._ready |= future.result()
            finally:
                self._neighbours.arrived(self._file, span.wishes)
            self._submit()
        return self._ready.pop(offset, None)

    def _submit(self) -> None:
        while len(self._running) < self._most_running and (span := next(self._planned, None)) is not None:
            self._promised += _photos_of(span)
            self._neighbours.expect(self._file, span.wishes)
            self._running.append((span, self._pool.submit(self._fetch, span)))

    def _fetch(self, span: Span) -> dict[int, bytes]:
        """Bring what a span holds: sidecars by their offsets; photos go where they are kept."""
        found = {}
        reader = self._reader(span.start, span.end)
        try:
            for wish in span.wishes:
                with suppress(MemberDamagedError):  # who asks for it will see
                    length, pieces = packed_member(reader, wish.start, wish.packed)
                    if wish.json:
                        found[wish.start] = b"".join(pieces)
                    else:
                        self._ahead.put(self._file, wish.start, pieces, length)
        finally:
            reader.finish()
        return found

    def _reader(self, start: int, end: int) -> ForwardReader:
        def read(first: int, last: int) -> Generator[bytes, None, None]:
            return self._ranges.read(self._file, first, last, scanning=True)

        return ForwardReader(read, start, end, self._file.length)


def _photos_of(span: Span) -> int:
    return sum(wish.length for wish in span.wishes if not wish.json)
