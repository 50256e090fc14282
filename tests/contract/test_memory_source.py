from __future__ import annotations

from pathlib import Path

import msgspec

from syncengine.api import AlbumRef, CaptureTime
from syncengine.testing.contracts import SourceContract
from syncengine.testing.memory import MemoryLibrary, MemorySource, MemorySourceOptions


def _library() -> MemoryLibrary:
    library = MemoryLibrary()
    rome = AlbumRef("rome", "Rome 2019")
    for number in range(5):
        item = library.add_photo(f"IMG_{number}.jpg", f"photo {number}".encode() * 1000)
        taken = CaptureTime(origin="exif", wall="2019-07-03T14:22:05")
        item = msgspec.structs.replace(item, albums=(rome,) if number % 2 else ())
        library.add(item, library.contents[item.id], described=msgspec.structs.replace(item, taken=taken))
    return library


class TestMemorySource(SourceContract):
    def make(self, tmp_path: Path) -> MemorySource:
        return MemorySource(MemorySourceOptions(), _library())

    def make_unreachable(self, tmp_path: Path) -> MemorySource:
        return MemorySource(MemorySourceOptions(reachable=False))

    def make_damaged(self, tmp_path: Path) -> MemorySource:
        library = _library()
        library.contents["IMG_3.jpg"] = b"cut"
        return MemorySource(MemorySourceOptions(), library)


class TestMadeUpItems(SourceContract):
    def make(self, tmp_path: Path) -> MemorySource:
        return MemorySource(MemorySourceOptions(count=20, size=5000))
