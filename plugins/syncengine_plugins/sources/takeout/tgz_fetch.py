"""Hands out members of ``.tgz`` archives in the order of the archive, in one pass where the asker keeps that order.

Several threads ask at once, so requests arrive a little out of order. The last few members that are passed over on the
way to a later one are kept in scratch files until they are asked for or until newer ones need the room; only who comes
later than that makes the archive be read from its beginning again.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path

from syncengine_plugins.sources.takeout.damage import MemberDamagedError, PartDamagedError
from syncengine_plugins.sources.takeout.index import PartRow
from syncengine_plugins.sources.takeout.parts import file_fingerprint
from syncengine_plugins.sources.takeout.tgz_stream import CHUNK, TgzReader

KEPT_FILES = 8
_KEPT_BYTES = 512 << 20

#: Gives (offset, size) of the last members of a part between two offsets, in order: part id, from, to, how many.
Between = Callable[[int, int, int, int], list[tuple[int, int]]]


class TgzFetcher:
    """Keeps one ``.tgz`` open where the last member ended.

    Args:
        scratch: a directory for members that are passed over; at most 8 files and 512 MB at a time.
        between: knows what lies between two places of a part.
    """

    def __init__(self, scratch: Path, between: Between) -> None:
        self._scratch, self._between = scratch, between
        self._lock = threading.Lock()
        self._open: tuple[PartRow, TgzReader] | None = None
        self._kept: OrderedDict[tuple[int, int], int] = OrderedDict()

    def chunks(self, offset: int, size: int, part: PartRow) -> Iterator[bytes]:
        """Yield the bytes of the member at ``offset`` of the unpacked stream.

        Raises:
            PartDamagedError: the archive breaks off or is damaged.
            MemberDamagedError: the archive was replaced since it was listed.
            OSError: the archive or the scratch directory cannot be used.
        """
        with self._lock:
            if self._kept.pop((part.id, offset), None) is not None:
                yield from self._from_scratch(part.id, offset)
                return
            try:
                reader = self._reader(part, offset)
                for skipped, length in self._between(part.id, reader.position, offset, KEPT_FILES):
                    self._keep(reader, part.id, skipped, length)
                yield from reader.chunks(offset, size)
            except (PartDamagedError, OSError):
                self._close_reader()
                raise

    def close(self) -> None:
        """Let go of the archive and of the scratch files."""
        with self._lock:
            self._close_reader()
            while self._kept:
                self._forget()

    def _reader(self, part: PartRow, offset: int) -> TgzReader:
        if self._open is not None and (self._open[0] != part or self._open[1].position > offset):
            self._close_reader()
        if self._open is None:
            if file_fingerprint(os.stat(part.path)) != part.fingerprint:
                raise MemberDamagedError("the archive was replaced since it was listed; the next run reads it again")
            self._open = part, TgzReader(Path(part.path))
        return self._open[1]

    def _close_reader(self) -> None:
        if self._open is not None:
            self._open[1].close()
            self._open = None

    def _keep(self, reader: TgzReader, part: int, offset: int, size: int) -> None:
        if size > _KEPT_BYTES:
            return
        while self._kept and (len(self._kept) >= KEPT_FILES or sum(self._kept.values()) + size > _KEPT_BYTES):
            self._forget()
        with open(self._path(part, offset), "wb") as file:
            for chunk in reader.chunks(offset, size):
                file.write(chunk)
        self._kept[part, offset] = size

    def _forget(self) -> None:
        (part, offset), _ = self._kept.popitem(last=False)
        self._path(part, offset).unlink(missing_ok=True)

    def _from_scratch(self, part: int, offset: int) -> Iterator[bytes]:
        path = self._path(part, offset)
        with open(path, "rb") as file:
            path.unlink()
            while chunk := file.read(CHUNK):
                yield chunk

    def _path(self, part: int, offset: int) -> Path:
        return self._scratch / f"takeout-{part}-{offset}"
