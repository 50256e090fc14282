"""A source in memory: items that a test gives it, or as many made-up ones as an option says."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, ClassVar

import msgspec

from syncengine.api import (
    Album,
    CaptureTime,
    FatalError,
    Inventory,
    ItemError,
    Kind,
    MediaItem,
    Meta,
    PluginOptions,
    RunContext,
    Selection,
    Sink,
    Source,
)
from syncengine.testing.assets import kind_of

_CHUNK = 1 << 20
_FIRST_TAKEN = 1_500_000_000_000
_HOUR = 3_600_000


class MemorySourceOptions(PluginOptions, frozen=True):
    """Options of ``memory``: how many items to make up when no library is given."""

    count: Annotated[int, Meta(ge=0, description="Made-up items.")] = 0
    size: Annotated[int, Meta(ge=0, description="Bytes of each.")] = 1024
    reachable: Annotated[bool, Meta(description="false: the library cannot be reached.")] = True


class MemoryLibrary:
    """Items with their bytes and what ``describe`` would find in them; a test may change it between runs."""

    def __init__(self) -> None:
        self.items: dict[str, MediaItem] = {}
        self.contents: dict[str, bytes] = {}
        self.described: dict[str, MediaItem] = {}
        self.albums: dict[str, Album] = {}
        self.missing: tuple[str, ...] = ()

    def add(self, item: MediaItem, content: bytes, *, described: MediaItem | None = None) -> MediaItem:
        """Add an item, or put another in the place of the one with its id.

        Args:
            item: as ``scan`` yields it; its albums become albums of the library.
            content: its bytes.
            described: as ``describe`` returns it, when that is more.
        """
        self.items[item.id] = item
        self.contents[item.id] = content
        self.described[item.id] = described or item
        for ref in item.albums:
            self.albums.setdefault(ref.id, Album(id=ref.id, title=ref.title))
        return item

    def add_photo(self, name: str, content: bytes, *, taken: CaptureTime | None = None) -> MediaItem:
        """Add an item with nothing but a name, its bytes and perhaps a capture time; its id is its name."""
        item = MediaItem(
            id=name, name=name, kind=kind_of(name), content_token=content_token(content), size=len(content), taken=taken
        )
        return self.add(item, content)

    def remove(self, item_id: str) -> None:
        """Remove an item."""
        for part in (self.items, self.contents, self.described):
            del part[item_id]


def content_token(content: bytes) -> str:
    """Return a token that changes when the bytes change."""
    return f"{zlib.crc32(content):08x}-{len(content)}"


class MemorySource(Source[MemorySourceOptions]):
    """Lists a ``MemoryLibrary``, then ``count`` made-up items.

    Args:
        options: how many to make up.
        library: the items; ``shared`` of the class, or an empty one, when ``None``.
    """

    Options = MemorySourceOptions
    #: Set by a subclass whose instances share one library.
    shared: ClassVar[MemoryLibrary | None] = None

    def __init__(self, options: MemorySourceOptions, library: MemoryLibrary | None = None) -> None:
        super().__init__(options)
        self.library = library or self.shared or MemoryLibrary()

    def open(self, context: RunContext) -> None:
        """Fail when the options say so."""
        if not self.options.reachable:
            raise FatalError("the memory library cannot be reached", advice="set reachable to true")
        super().open(context)

    def scan(self, select: Selection) -> Iterator[MediaItem]:
        """Yield the library's items in the order in which they were added, then the made-up ones."""
        del select
        yield from tuple(self.library.items.values())
        for number in range(self.options.count):
            yield self._made_up(number)

    def _made_up(self, number: int) -> MediaItem:
        return MediaItem(
            id=f"made-up-{number:09}",
            name=f"IMG_{number:09}.jpg",
            kind=Kind.PHOTO,
            content_token=f"{number:09}-{self.options.size}",
            size=self.options.size,
            taken=CaptureTime(origin="source", instant=_FIRST_TAKEN + number * _HOUR),
            locator=number,
        )

    def inventory(self) -> Inventory:
        """Return how many items there are; complete unless the library says what is missing."""
        missing = self.library.missing
        media = len(self.library.items) + self.options.count
        return Inventory(
            complete=not missing,
            missing=missing,
            counts={"items": media, "media": media, "albums": len(self.library.albums)},
        )

    def fetch(self, item: MediaItem, into: Sink) -> None:
        """Write the item's bytes."""
        if isinstance(item.locator, int):
            content = made_up_content(item.locator, self.options.size)
        else:
            found = self.library.contents.get(item.id)
            if found is None:
                raise ItemError(f"{item.name} is not in the library any more")
            content = found
        if item.size is not None and len(content) != item.size:
            raise ItemError(f"{item.name} has {len(content)} bytes instead of {item.size}")
        for start in range(0, len(content), _CHUNK):
            into.write(content[start : start + _CHUNK])

    def describe(self, item: MediaItem, path: Path) -> MediaItem:
        """Return what the library says that the bytes say."""
        described = self.library.described.get(item.id)
        del path
        if described is None:
            return item
        return msgspec.structs.replace(described, locator=item.locator)

    def albums(self) -> Iterator[Album]:
        """Yield the library's albums with the number of their items."""
        items = tuple(self.library.items.values())
        for album in tuple(self.library.albums.values()):
            count = sum(any(ref.id == album.id for ref in item.albums) for item in items)
            yield msgspec.structs.replace(album, count=count)


def made_up_content(number: int, size: int) -> bytes:
    """Return the bytes of a made-up item: no two are equal, and they are the same in every run."""
    seed = hashlib.sha256(str(number).encode()).digest()
    return (seed * (size // len(seed) + 1))[:size]
