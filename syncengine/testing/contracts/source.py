# ruff: noqa: D102  (a test's name is its sentence)
"""The suite for sources."""

from __future__ import annotations

import pickle  # nosec B403  # of what the suite packed itself
from abc import ABC, abstractmethod
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest

from syncengine.api import FatalError, ItemError, ItemReader, ItemState, Kind, MediaItem, RunContext, Selection, Source
from syncengine.testing.promises import kept, raises, same

AnySource = Source[Any]

_EVERYTHING = Selection()

#: Selections that would filter most items; ``scan`` lists them all the same.
_SELECTIONS = (
    Selection(kinds=(Kind.VIDEO,)),
    Selection(favorites=True),
    Selection(albums=("no album has this title",)),
    Selection(albums=("id:no album has this id",)),
    Selection(after=date(2199, 1, 1)),
    Selection(before=date(1901, 1, 1)),
    Selection(exclude_names=("*",)),
    Selection(exclude_states=tuple(ItemState)),
)

#: Files that ``describe`` meets in real libraries under the name of a photo.
GARBAGE = {
    "empty": b"",
    "text": b"this is no photo",
    "zeros": bytes(4096),
    "jpeg marker alone": b"\xff\xd8",
    "jpeg cut in EXIF": b"\xff\xd8\xff\xe1\xff\xffExif\0\0II*\0\xff\xff\xff\xff",
    "jpeg with looping EXIF": b"\xff\xd8\xff\xe1\x00\x1eExif\0\0MM\0*\0\0\0\x08"
    b"\0\x01\x87\x69\0\x04\0\0\0\x01\0\0\0\x08",
    "heic brand alone": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
    "box of no length": b"\0\0\0\0ftypqt  \0\0\0\0moov",
    "box longer than the file": b"\xff\xff\xff\xffmoov" + bytes(64),
    "png cut": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    "zip header": b"PK\x03\x04" + bytes(26),
}


class Collected:
    """A sink that keeps everything."""

    def __init__(self) -> None:
        self.content = bytearray()

    def write(self, data: bytes | bytearray | memoryview, /) -> int:
        """Keep ``data``."""
        self.content += data
        return memoryview(data).nbytes


class FullSink:
    """A sink whose destination is full."""

    def write(self, data: bytes | bytearray | memoryview, /) -> int:
        """Fail, as the engine's own sink does when the staging disk is full."""
        raise FatalError("full")


def fetched(source: AnySource | ItemReader, item: MediaItem) -> bytes:
    """Return the bytes of an item."""
    sink = Collected()
    source.fetch(item, sink)
    return bytes(sink.content)


def _comparable(item: MediaItem) -> MediaItem:
    return msgspec.structs.replace(item, locator=None)


class SourceContract(ABC):
    """Every promise of ``Source``.

    A subclass overrides ``make``, for a library of at least two items that can all be fetched; and
    ``make_unreachable`` and ``make_damaged`` where there can be such a thing.
    """

    @abstractmethod
    def make(self, tmp_path: Path) -> AnySource:
        """Return a source that is not open yet; the same library whenever ``tmp_path`` is the same."""

    def make_unreachable(self, tmp_path: Path) -> AnySource | None:
        """Return a source whose library cannot be reached at all, or ``None`` where there is no such thing."""
        del tmp_path
        return None

    def make_damaged(self, tmp_path: Path) -> AnySource | None:
        """Return a source with at least one item whose bytes are damaged, or ``None`` where nobody could tell."""
        del tmp_path
        return None

    def context(self, tmp_path: Path, name: str = "run") -> RunContext:
        """Return what the engine lends to a run; each ``name`` has a cache and a scratch directory of its own."""
        cache, scratch = tmp_path / f"cache-{name}", tmp_path / f"scratch-{name}"
        cache.mkdir(exist_ok=True)
        scratch.mkdir(exist_ok=True)
        return RunContext(cache=cache, scratch=scratch, profile="contract")

    @pytest.fixture
    def source(self, tmp_path: Path) -> Iterator[AnySource]:
        """The source under test, open."""
        made = self.make(tmp_path)
        made.open(self.context(tmp_path))
        yield made
        made.close()

    def test_close_may_be_called_without_open_and_twice(self, tmp_path: Path) -> None:
        source = self.make(tmp_path)
        source.close()
        source.open(self.context(tmp_path))
        source.close()
        source.close()

    def test_with_closes(self, tmp_path: Path) -> None:
        with self.make(tmp_path) as source:
            source.open(self.context(tmp_path))
            kept("the library has at least two items (make)", len(list(source.scan(_EVERYTHING))) >= 2)

    def test_an_unreachable_library_is_fatal(self, tmp_path: Path) -> None:
        source = self.make_unreachable(tmp_path)
        if source is None:
            return
        with source, raises("open or scan raises FatalError when the library cannot be reached", FatalError):
            source.open(self.context(tmp_path))
            list(source.scan(_EVERYTHING))

    def test_each_id_is_listed_once(self, source: AnySource) -> None:
        ids = [item.id for item in source.scan(_EVERYTHING)]
        same("scan yields each id once", len(set(ids)), len(ids))
        kept("an id is a text that is not empty", all(isinstance(item_id, str) and item_id for item_id in ids))

    def test_items_are_as_the_model_says(self, source: AnySource) -> None:
        items = list(source.scan(_EVERYTHING))
        ids = {item.id for item in items}
        for item in items:
            kept(f"name has no folders: {item.name!r}", item.name != "" and "/" not in item.name)
            kept(f"content_token is not empty: {item.id!r}", bool(item.content_token))
            kept(f"size is in bytes: {item.id!r}", item.size is None or item.size >= 0)
            kept(f"kind is a Kind: {item.id!r}", isinstance(item.kind, Kind))
            kept(f"paired_with names a listed item: {item.id!r}", not item.paired_with or item.paired_with in ids)
            if item.taken is not None:
                some = item.taken.instant is not None or item.taken.wall is not None
                kept(f"a capture time has an instant or a wall clock: {item.id!r}", some)

    def test_scan_is_lazy_and_may_be_dropped(self, source: AnySource) -> None:
        scan = source.scan(_EVERYTHING)
        kept("scan returns an iterator", iter(scan) is scan)
        first = next(scan)
        del scan
        same("a dropped scan leaves nothing behind", next(source.scan(_EVERYTHING)).id, first.id)

    def test_scan_is_stable(self, source: AnySource) -> None:
        first = [_comparable(item) for item in source.scan(_EVERYTHING)]
        second = [_comparable(item) for item in source.scan(_EVERYTHING)]
        same("scan yields the same every time", second, first)

    def test_scan_is_stable_between_runs(self, source: AnySource, tmp_path: Path) -> None:
        first = [_comparable(item) for item in source.scan(_EVERYTHING)]
        # A cache is one run's at a time: the engine locks the profile.
        source.close()
        for name in ("run", "with a new cache"):
            with self.make(tmp_path) as other:
                other.open(self.context(tmp_path, name))
                again = [_comparable(item) for item in other.scan(_EVERYTHING)]
            same(f"ids, order and tokens are the same in every run ({name})", again, first)

    @pytest.mark.parametrize("select", _SELECTIONS)
    def test_no_selection_hides_an_item(self, source: AnySource, select: Selection) -> None:
        wanted = [item.id for item in source.scan(_EVERYTHING)]
        same("what the selection filters is still listed", [item.id for item in source.scan(select)], wanted)

    def test_the_inventory_adds_up(self, source: AnySource) -> None:
        listed = sum(1 for _ in source.scan(_EVERYTHING))
        inventory = source.inventory()
        same("complete means that nothing is missing", inventory.complete, not inventory.missing)
        kept("counts are not negative", all(count >= 0 for count in inventory.counts.values()))
        same("items is how many were listed", inventory.counts.get("items", listed), listed)
        for total, parts in inventory.sums.items():
            found = sum(inventory.counts.get(part, 0) for part in parts)
            same(f"{total} is the sum of its parts", inventory.counts.get(total), found)

    def test_fetch_gives_equal_bytes_twice(self, source: AnySource) -> None:
        for item in source.scan(_EVERYTHING):
            first = fetched(source, item)
            kept(f"fetch gives equal bytes twice: {item.id!r}", fetched(source, item) == first)
            kept(f"size is what fetch gives: {item.id!r}", item.size in (None, len(first)))

    def test_a_reader_reads_as_the_source_does(self, source: AnySource, tmp_path: Path) -> None:
        items = list(source.scan(_EVERYTHING))
        reader = source.reader()
        if reader is None:
            return
        other, sent = pickle.loads(pickle.dumps((reader, items)))  # nosec B301  # what was packed right here
        for item, arrived in zip(items, sent, strict=True):
            content = fetched(source, item)
            kept(f"a reader fetches the same bytes: {item.id!r}", fetched(other, arrived) == content)
            path = tmp_path / "fetched-elsewhere"
            path.write_bytes(content)
            described = _comparable(source.describe(item, path))
            same(f"a reader describes the same: {item.id!r}", _comparable(other.describe(arrived, path)), described)

    def test_fetch_gives_equal_bytes_in_another_run(self, source: AnySource, tmp_path: Path) -> None:
        wanted = {item.id: fetched(source, item) for item in source.scan(_EVERYTHING)}
        with self.make(tmp_path) as other:
            other.open(self.context(tmp_path, "other"))
            for item in other.scan(_EVERYTHING):
                kept(f"fetch gives equal bytes in every run: {item.id!r}", fetched(other, item) == wanted[item.id])

    def test_fetch_from_many_threads_during_a_scan(self, source: AnySource) -> None:
        items = list(source.scan(_EVERYTHING))
        wanted = [fetched(source, item) for item in items]
        scan = source.scan(_EVERYTHING)
        next(scan)
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda item: fetched(source, item), items * 4))
        kept("fetch may be called from several threads at once", found == wanted * 4)
        same("a scan goes on meanwhile", len(list(scan)), len(items) - 1)

    def test_fetch_lets_the_sinks_error_through(self, source: AnySource) -> None:
        item = next(item for item in source.scan(_EVERYTHING) if fetched(source, item))
        with raises("an error of the sink goes through fetch as it is", FatalError):
            source.fetch(item, FullSink())
        kept("fetch works after an error", fetched(source, item) != b"")

    def test_damaged_bytes_are_an_item_error(self, tmp_path: Path) -> None:
        source = self.make_damaged(tmp_path)
        if source is None:
            return
        failed = 0
        with source:
            source.open(self.context(tmp_path, "damaged"))
            for item in source.scan(_EVERYTHING):
                try:
                    fetched(source, item)
                except ItemError:
                    failed += 1
        kept("fetch raises ItemError for damaged bytes", failed > 0)

    @pytest.mark.parametrize("garbage", sorted(GARBAGE))
    def test_describe_never_raises_on_garbage(self, source: AnySource, tmp_path: Path, garbage: str) -> None:
        path = tmp_path / "garbage"
        path.write_bytes(GARBAGE[garbage])
        for item in source.scan(_EVERYTHING):
            described = source.describe(item, path)
            same("describe keeps the item's identity", described.id, item.id)

    def test_describe_needs_no_file(self, source: AnySource, tmp_path: Path) -> None:
        for item in source.scan(_EVERYTHING):
            described = source.describe(item, tmp_path / "not fetched")
            same("describe keeps the item's identity", (described.id, described.name), (item.id, item.name))

    def test_describe_only_adds(self, source: AnySource, tmp_path: Path) -> None:
        path = tmp_path / "fetched"
        for item in source.scan(_EVERYTHING):
            path.write_bytes(fetched(source, item))
            described = source.describe(item, path)
            same("describe is about the same item", (described.id, described.name), (item.id, item.name))
            same("describe leaves the tokens", described.content_token, item.content_token)
            same("describe leaves the albums", described.albums, item.albums)
            if item.description:
                same("what the source knows wins", described.description, item.description)
            if item.taken is not None and item.taken.origin in ("source", "sidecar"):
                same("what the source knows wins", described.taken, item.taken)
            kept("describe leaves the file alone", path.read_bytes() == fetched(source, item))
            same("describe says the same every time", source.describe(item, path), described)

    def test_each_album_is_listed_once(self, source: AnySource) -> None:
        ids = [album.id for album in source.albums()]
        same("albums yields each id once", len(set(ids)), len(ids))
        same("albums yields the same every time", [album.id for album in source.albums()], ids)

    def test_items_refer_to_listed_albums(self, source: AnySource) -> None:
        titles = {album.id: album.title for album in source.albums()}
        for item in source.scan(_EVERYTHING):
            for ref in item.albums:
                same(f"an item's album is listed: {item.id!r}", titles.get(ref.id), ref.title)
