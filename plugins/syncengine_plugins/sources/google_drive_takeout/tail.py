"""The end of a file in Drive, where a zip has its directory, as a local stream."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import IO

from syncengine_plugins.sources.google_drive_takeout.forward_reader import OpenRange
from syncengine_plugins.sources.takeout.damage import PartDamagedError
from syncengine_plugins.sources.takeout.positioned import PositionedStream

LARGEST = 256 << 20
_LEAST, _MOST = 66 << 10, 512 << 10
_IN_MEMORY = 4 << 20


class TailStream(PositionedStream):
    """A seekable stream over a file of which only the end is fetched, as far towards the beginning as it is read.

    Args:
        open_range: opens a range of the file.
        size: bytes of the file.
        scratch: a directory for what is too large for memory.
        kept: what ``keep`` wrote before, if it is there.
    """

    def __init__(self, open_range: OpenRange, size: int, scratch: Path, kept: Path | None = None) -> None:
        super().__init__(size)
        self._open = open_range
        self._scratch = scratch
        self._pieces: list[tuple[int, IO[bytes]]] = []
        #: Where what was fetched begins.
        self.start = size
        if kept is not None and kept.exists():
            self.start = size - kept.stat().st_size
            # pylint: disable-next=consider-using-with  # closed in close()
            self._pieces.append((self.start, open(kept, "rb")))  # noqa: SIM115  # closed in close()

    def keep(self, path: Path) -> None:
        """Write what was fetched into a file, for another stream over the same bytes; nothing when that fails."""
        try:
            with open(path, "wb") as copy:
                for _, piece in reversed(self._pieces):
                    piece.seek(0)
                    shutil.copyfileobj(piece, copy)
        except OSError:
            path.unlink(missing_ok=True)

    def _read_next(self, most: int) -> bytes:
        """Return what one piece has of it."""
        if self._at >= self._size:
            return b""
        if self._at < self.start:
            self._fetch(self._at)
        first, piece = next(one for one in self._pieces if one[0] <= self._at)
        piece.seek(self._at - first)
        return piece.read(most)

    def close(self) -> None:
        """Let go of what was fetched."""
        for _, piece in self._pieces:
            piece.close()
        self._pieces.clear()
        super().close()

    def _fetch(self, wanted: int) -> None:
        """Fetch what lies between ``wanted`` and what is here; the first time, a directory's usual length at once."""
        start = wanted
        if not self._pieces:
            start = min(wanted, max(0, self._size - min(max(_LEAST, self._size // 1000), _MOST)))
        if self._size - start > LARGEST:
            raise PartDamagedError(f"its directory is larger than {LARGEST >> 20} MB")
        # pylint: disable-next=consider-using-with  # closed in close()
        piece = tempfile.SpooledTemporaryFile(_IN_MEMORY, dir=str(self._scratch))  # noqa: SIM115  # closed in close()
        try:
            for chunk in self._open(start, self.start):
                piece.write(chunk)
        except BaseException:
            piece.close()
            raise
        self._pieces.append((start, piece))
        self.start = start
