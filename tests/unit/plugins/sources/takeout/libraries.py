"""Opens what the tests of this directory write."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from syncengine.api import Inventory, MediaItem, RunContext, Selection
from syncengine.testing.sample_library import TakeoutBuilder
from syncengine_plugins.sources.takeout import TakeoutOptions, TakeoutSource

TAKEN = datetime(2019, 7, 3, 14, 22, 5, tzinfo=UTC)
MILLISECONDS = int(TAKEN.timestamp()) * 1000
PHOTOS = "Takeout/Google Photos"
YEAR = "Photos from 2019"
FIRST, SECOND = "takeout-20250101T000000Z-001.zip", "takeout-20250101T000000Z-002.zip"
NEWER = "takeout-20260101T000000Z-001.zip"


@contextmanager
def opened(root: Path, *, cache: str = "cache", reread: bool = False) -> Iterator[TakeoutSource]:
    """A source over ``root``, open; caches and scratch lie beside it."""
    context = RunContext(cache=root.parent / cache, scratch=root.parent / "scratch")
    context.scratch.mkdir(exist_ok=True)
    with TakeoutSource(TakeoutOptions(path=str(root), reread=reread)) as source:
        source.open(context)
        yield source


def listed(root: Path, *, cache: str = "cache") -> tuple[list[MediaItem], Inventory]:
    """Return what a run over ``root`` lists, and its account."""
    with opened(root, cache=cache) as source:
        items = list(source.scan(Selection()))
        return items, source.inventory()


def items_of(root: Path, *, cache: str = "cache") -> dict[str, MediaItem]:
    """Return the items of ``root`` by name; names must be unique."""
    items, _ = listed(root, cache=cache)
    by_name = {item.name: item for item in items}
    assert len(by_name) == len(items), "two items have one name"
    return by_name


def fetched(source: TakeoutSource, item: MediaItem) -> bytes:
    """Return the bytes of an item."""
    sink = io.BytesIO()
    source.fetch(item, sink)
    return sink.getvalue()


def write_zip(path: Path, members: Iterable[tuple[str | zipfile.ZipInfo, bytes]], method: int = 0) -> Path:
    """Write a zip of any members, in order."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def write_tgz(path: Path, builder: TakeoutBuilder, part: int | None = None) -> Path:
    """Write what ``builder`` holds as a tgz."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as archive:
        for member in builder.members:
            if part in {None, member.part}:
                entry = tarfile.TarInfo(member.path)
                entry.size = len(member.content)
                entry.mtime = 1767225600
                archive.addfile(entry, io.BytesIO(member.content))
    return path


def adds_up(inventory: Inventory) -> bool:
    """Return whether every member is in exactly one class, and every photo and video an item or a copy."""
    counts = inventory.counts
    classes = ("media", "sidecars", "album files", "other", "refused", "directories")
    return counts["members"] == sum(counts.get(name, 0) for name in classes) and (
        counts.get("media", 0) == counts["items"] + counts["copies"]
    )
