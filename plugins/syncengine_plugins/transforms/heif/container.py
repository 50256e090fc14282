"""The structure of a HEIF file: items, their properties, their references, and where their bytes are.

Formats of the boxes: ISO/IEC 14496-12 8.11 (``meta`` and what is in it) and ISO/IEC 23008-12 9.3 (``iprp``).
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from syncengine_plugins.transforms.heif.boxes import Box, Cursor, box_at, children, damaged

_MOST_EXTENTS = 100_000


class Item(msgspec.Struct, frozen=True):
    """An item: its coding (``hvc1``, ``grid``, ``Exif``, ``mime``), whether it is hidden, its MIME type if any."""

    id: int
    kind: bytes
    hidden: bool = False
    content_type: bytes = b""


class Extent(msgspec.Struct, frozen=True):
    """A piece of an item's bytes: absolute offset and length in the file."""

    offset: int
    length: int


class Container(msgspec.Struct):
    """A HEIF file's structure.

    Args:
        brands: major brand, then the compatible ones.
        primary: id of the primary item.
        items: by id.
        properties: (type, payload) in the order in which they apply, by item id.
        references: (from, to) item ids by the reference's type, such as ``dimg``, ``thmb``, ``auxl``.
        extents: by item id; items whose bytes are made from other items are not here.
        after: boxes at the file's top level other than those of the still image itself.
        tail: offset from which on the file holds no boxes any more; its size when it holds nothing else.
    """

    brands: tuple[bytes, ...] = ()
    primary: int = 0
    items: dict[int, Item] = {}
    properties: dict[int, list[tuple[bytes, bytes]]] = {}
    references: dict[bytes, list[tuple[int, tuple[int, ...]]]] = {}
    extents: dict[int, list[Extent]] = {}
    after: list[Box] = []
    tail: int = 0

    def property_of(self, item: int, kind: bytes) -> bytes | None:
        """Return the payload of an item's first property of a type."""
        return next((payload for name, payload in self.properties.get(item, ()) if name == kind), None)

    def targets(self, kind: bytes, item: int) -> tuple[int, ...]:
        """Return the ids that ``item`` refers to."""
        return next((to for source, to in self.references.get(kind, ()) if source == item), ())


def read_container(file: bytes) -> Container:
    """Read the structure of a HEIF file.

    Args:
        file: all its bytes.

    Raises:
        ItemError: it has no structure that can be read.
    """
    container = Container()
    meta = _read_top_level(file, container)
    idat = 0
    boxes = list(children(file, meta.start + 4, meta.end))
    for box in boxes:
        if box.kind == b"idat":
            idat = box.start
    for box in boxes:
        if box.kind == b"iloc":
            _read_locations(Cursor(file, box.start, box.end), container, idat)
        elif box.kind in _READERS:
            _READERS[box.kind](file, box, container)
    if container.primary not in container.items:
        raise damaged("it does not say which of its images is the photo")
    return container


def _read_top_level(file: bytes, container: Container) -> Box:
    meta: Box | None = None
    at = 0
    while (box := box_at(file, at, len(file))) is not None and box.kind.isalnum():
        if box.kind == b"ftyp" and at == 0:
            brands = file[box.start : box.end]
            container.brands = tuple(brands[i : i + 4] for i in range(0, len(brands) - 3, 4) if i != 4)
        elif box.kind == b"meta" and meta is None:
            meta = box
        elif box.kind not in (b"mdat", b"free", b"skip", b"wide"):
            container.after.append(box)
        at = box.end
    container.tail = at
    if meta is None:
        raise damaged("its description is missing or cut off")
    return meta


def _read_primary(file: bytes, box: Box, container: Container) -> None:
    cursor = Cursor(file, box.start, box.end)
    version, _ = cursor.version_and_flags()
    container.primary = cursor.uint(2 if version == 0 else 4)


def _read_items(file: bytes, box: Box, container: Container) -> None:
    cursor = Cursor(file, box.start, box.end)
    version, _ = cursor.version_and_flags()
    cursor.uint(2 if version == 0 else 4)
    for entry in children(file, cursor.at, box.end):
        if entry.kind == b"infe":
            item = _item(Cursor(file, entry.start, entry.end))
            container.items[item.id] = item


def _item(cursor: Cursor) -> Item:
    version, flags = cursor.version_and_flags()
    number = cursor.uint(4 if version >= 3 else 2)
    cursor.uint(2)
    if version < 2:
        return Item(number, b"")
    kind = cursor.take(4)
    cursor.text()
    return Item(number, kind, bool(flags & 1), cursor.text() if kind == b"mime" else b"")


def _read_references(file: bytes, box: Box, container: Container) -> None:
    cursor = Cursor(file, box.start, box.end)
    version, _ = cursor.version_and_flags()
    width = 2 if version == 0 else 4
    for entry in children(file, cursor.at, box.end):
        inside = Cursor(file, entry.start, entry.end)
        source, count = inside.uint(width), inside.uint(2)
        if count * width > inside.left:
            raise damaged("a list of item references is cut off")
        targets = tuple(inside.uint(width) for _ in range(count))
        container.references.setdefault(entry.kind, []).append((source, targets))


def _read_properties(file: bytes, box: Box, container: Container) -> None:
    known: list[tuple[bytes, bytes]] = []
    for part in children(file, box.start, box.end):
        if part.kind == b"ipco":
            known = [(entry.kind, file[entry.start : entry.end]) for entry in children(file, part.start, part.end)]
        elif part.kind == b"ipma":
            _read_associations(Cursor(file, part.start, part.end), known, container)


def _read_associations(cursor: Cursor, known: list[tuple[bytes, bytes]], container: Container) -> None:
    version, flags = cursor.version_and_flags()
    for _ in range(cursor.uint(4)):
        item = cursor.uint(2 if version == 0 else 4)
        own = container.properties.setdefault(item, [])
        for _ in range(cursor.uint(1)):
            # The top bit says that the property is essential; indices count from 1, 0 means none.
            index = cursor.uint(2) & 0x7FFF if flags & 1 else cursor.uint(1) & 0x7F
            if index > len(known):
                raise damaged("an image refers to a property that is not there")
            if index:
                own.append(known[index - 1])


def _read_locations(cursor: Cursor, container: Container, idat: int) -> None:
    version, _ = cursor.version_and_flags()
    widths = cursor.uint(2)
    offset_width, length_width, base_width = widths >> 12, widths >> 8 & 15, widths >> 4 & 15
    index_width = widths & 15 if version in (1, 2) else 0
    total = 0
    for _ in range(cursor.uint(4 if version == 2 else 2)):
        item = cursor.uint(4 if version == 2 else 2)
        method = cursor.uint(2) & 15 if version in (1, 2) else 0
        elsewhere = cursor.uint(2) != 0
        base = cursor.uint(base_width) + (idat if method == 1 else 0)
        count = cursor.uint(2)
        total += count
        if total > _MOST_EXTENTS:
            raise damaged(f"its items lie in more than {_MOST_EXTENTS} pieces")
        extents = [_extent(cursor, base, (index_width, offset_width, length_width)) for _ in range(count)]
        if method in (0, 1) and not elsewhere:
            container.extents[item] = extents


def _extent(cursor: Cursor, base: int, widths: tuple[int, int, int]) -> Extent:
    cursor.uint(widths[0])
    offset = cursor.uint(widths[1])
    return Extent(base + offset, cursor.uint(widths[2]))


_READERS: dict[bytes, Callable[[bytes, Box, Container], None]] = {
    b"pitm": _read_primary,
    b"iinf": _read_items,
    b"iref": _read_references,
    b"iprp": _read_properties,
}
