"""Lets one request bring several new photos that lie side by side, for several threads at once.

The engine asks for items in the order of the archive, one in each of its threads. Whoever asks first for a photo reads
on over the new ones behind it; who then asks for one of those does not wait idly but fetches the next few. So there are
never more transfers than the engine has threads. That the photos behind will be asked for is a guess, and while too
much of what was brought lies unused, nothing more is brought.
"""

from __future__ import annotations

import threading
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator

import msgspec

from syncengine_plugins.sources.google_drive_takeout.drive_files import DriveFile
from syncengine_plugins.sources.google_drive_takeout.read_ahead import ReadAhead
from syncengine_plugins.sources.google_drive_takeout.spans import GAP, LONGEST, Wish

_MOST_UNUSED = 8 * LONGEST
_PATIENCE = 1.0


class Group(msgspec.Struct, frozen=True):
    """Photos that one request brings.

    Args:
        wishes: in the order of the archive; empty when it is worth looking again whether the photo has come.
        leads: the first one is what was asked for.
    """

    wishes: tuple[Wish, ...] = ()
    leads: bool = False


class Neighbours:
    """Knows the new photos of each archive, and who is bringing which. May be used from several threads.

    Args:
        ahead: takes what is brought.
    """

    def __init__(self, ahead: ReadAhead) -> None:
        self._ahead = ahead
        self._new: dict[str, _NewPhotos] = {}
        self._changed = threading.Condition()
        self._coming: dict[tuple[str, int], int] = {}
        self._unused: dict[tuple[str, int], int] = {}

    def note(self, file: DriveFile, wishes: Iterable[Wish]) -> None:
        """Note the new photos of an archive; those of its earlier listing are forgotten."""
        ordered = sorted((wish for wish in wishes if not wish.json), key=lambda wish: wish.start)
        self._new[file.fingerprint] = _NewPhotos(ordered)

    def claim(self, file: DriveFile, start: int) -> Group:
        """Return what the asking thread is to bring; every group has to be given back by ``release``.

        Args:
            file: the archive.
            start: where the photo that was asked for begins.
        """
        with self._changed:
            if self._unused.pop((file.fingerprint, start), None) is not None:
                return Group()  # it came this very moment
            if (file.fingerprint, start) not in self._coming:
                group = self._from(file, start) or [Wish(start, start, False)]
                return self._claimed(file, group, leads=True)
            if group := self._next(file, start):
                return self._claimed(file, group, leads=False)
            self._changed.wait(_PATIENCE)
            return Group()

    def release(self, file: DriveFile, group: Group) -> None:
        """Note that a group has come, or will not come any more."""
        with self._changed:
            for wish in group.wishes:
                self._coming.pop((file.fingerprint, wish.start), None)
            self._changed.notify_all()

    def expect(self, file: DriveFile, wishes: Iterable[Wish]) -> None:
        """Note that photos are coming together with sidecars, until ``arrived``."""
        with self._changed:
            # Not counted as unused: how many of these there are is not decided here.
            self._coming |= {(file.fingerprint, wish.start): 0 for wish in wishes if not wish.json}

    def arrived(self, file: DriveFile, wishes: Iterable[Wish]) -> None:
        """Note that what was expected has come, or will not come any more."""
        self.release(file, Group(tuple(wish for wish in wishes if not wish.json)))

    def brought(self, file: DriveFile, wish: Wish, content: Iterable[bytes], length: int) -> None:
        """Keep a photo that nobody asked for yet."""
        kept = self._ahead.put(file, wish.start, content, length)
        with self._changed:
            if kept:
                self._unused[file.fingerprint, wish.start] = length
            self._coming.pop((file.fingerprint, wish.start), None)
            self._changed.notify_all()

    def used(self, file: DriveFile, start: int) -> None:
        """Note that a photo was asked for."""
        with self._changed:
            self._unused.pop((file.fingerprint, start), None)
            if file.fingerprint in self._new:
                self._new[file.fingerprint].mark(start)

    def _claimed(self, file: DriveFile, group: list[Wish], *, leads: bool) -> Group:
        self._coming |= {(file.fingerprint, wish.start): wish.length for wish in group}
        return Group(tuple(group), leads)

    def _next(self, file: DriveFile, start: int) -> list[Wish]:
        """Return the first photos behind one that nobody is bringing, and nobody has, yet."""
        photos = self._new.get(file.fingerprint)
        if photos is None:
            return []
        wanted = (one for one in photos.behind(start) if not self._is_there(file, one.start))
        first = next(wanted, None)
        return self._from(file, first.start, helping=True) if first is not None else []

    def _from(self, file: DriveFile, start: int, *, helping: bool = False) -> list[Wish]:
        """Return the photo at ``start`` and the new ones close behind it, as many as one request may bring."""
        photos = self._new.get(file.fingerprint)
        behind = photos.behind(start) if photos is not None else iter(())
        own = next(behind, None)
        if own is None or own.start != start:
            return []
        there = sum(self._unused.values()) + sum(self._coming.values())
        if min(_MOST_UNUSED - there, self._ahead.room()) < LONGEST:
            return [] if helping else [own]
        group = [own]
        for one in behind:
            near = one.start - group[-1].end <= GAP and one.end - start <= LONGEST
            if not near or self._is_there(file, one.start):
                break
            group.append(one)
        return group

    def _is_there(self, file: DriveFile, start: int) -> bool:
        place = (file.fingerprint, start)
        return (
            place in self._coming
            or place in self._unused
            or self._new[file.fingerprint].is_marked(start)
            or self._ahead.has(file, start)
        )


class _NewPhotos:
    """The new photos of one archive, and which of them were asked for.

    Args:
        ordered: by their places.
    """

    def __init__(self, ordered: list[Wish]) -> None:
        self._starts = array("Q", (wish.start for wish in ordered))
        self._ends = array("Q", (wish.end for wish in ordered))
        self._packed = array("Q", (wish.packed for wish in ordered))
        self._marks = bytearray(len(ordered))

    def behind(self, start: int) -> Iterator[Wish]:
        """Yield the photos from ``start`` on."""
        for at in range(bisect_left(self._starts, start), len(self._starts)):
            yield Wish(self._starts[at], self._ends[at], False, self._packed[at])

    def mark(self, start: int) -> None:
        """Note that a photo was asked for."""
        at = bisect_left(self._starts, start)
        if at < len(self._starts) and self._starts[at] == start:
            self._marks[at] = 1

    def is_marked(self, start: int) -> bool:
        """Return whether a photo, which is one of these, was asked for."""
        return bool(self._marks[bisect_left(self._starts, start)])
