"""The boxes of ISO base media files: MP4, MOV, 3GP, HEIC, AVIF, CR3 (ISO/IEC 14496-12, section 4.2)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from syncengine_plugins.media.window import ReadAt

_BOXES = 4096


class Box(NamedTuple):
    """A box: its type, where its content begins, where it ends."""

    type: bytes
    start: int
    end: int

    @property
    def size(self) -> int:
        """Bytes of content."""
        return self.end - self.start


def walk(read: ReadAt, start: int = 0, end: int | None = None) -> Iterator[Box]:
    """Yield the boxes between two offsets, one level deep and at most 4096.

    Args:
        read: the file.
        start: offset of the first box.
        end: offset behind the last box; ``None`` for the end of the file.

    Yields:
        Boxes in the order of the file. A box that claims more than its parent holds is cut to the parent; the walk
        ends at the first box that cannot be one.
    """
    limit = 1 << 62 if end is None else end
    for _ in range(_BOXES):
        if limit - start < 8:
            return
        head = read(start, 16)
        if len(head) < 8:
            return
        size, skip = int.from_bytes(head[:4], "big"), 8
        if size == 1:
            size, skip = int.from_bytes(head[8:16], "big"), 16
        elif size == 0:  # to the end of the file
            size = limit - start
        if size < skip or len(head) < skip:
            return
        yield Box(head[4:8], start + skip, min(start + size, limit))
        start += size


def find(read: ReadAt, path: tuple[bytes, ...], start: int = 0, end: int | None = None) -> Box | None:
    """Return the first box at a path of types such as ``(b"moov", b"mvhd")``, or ``None``."""
    found: Box | None = None
    for wanted in path:
        found = next((box for box in walk(read, start, end) if box.type == wanted), None)
        if found is None:
            return None
        start, end = found.start, found.end
    return found
