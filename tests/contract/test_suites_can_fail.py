"""Each promise of the suites is broken once by a plugin made for it, and the suite has to say so."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from threading import Event
from typing import Any, BinaryIO, Literal

import msgspec
import pytest

from syncengine.api import (
    AlbumRef,
    Asset,
    Capabilities,
    Deduplicator,
    FatalError,
    FileStat,
    Inventory,
    ItemError,
    ItemReader,
    Kind,
    Match,
    MediaItem,
    PluginOptions,
    RunContext,
    Selection,
    Sink,
    TargetExistsError,
    Upload,
)
from syncengine.testing.assets import make_asset
from syncengine.testing.contracts import (
    DeduplicatorContract,
    DestinationContract,
    SourceContract,
    TransformContract,
)
from syncengine.testing.memory import (
    MemoryDestination,
    MemoryDestinationOptions,
    MemoryLibrary,
    MemorySource,
    MemorySourceOptions,
    MemoryStorage,
)
from syncengine.testing.memory.storage import Entry, StoredFile
from syncengine.testing.transforms import Misbehaving, MisbehavingOptions

_NOT_KEPT = (
    AssertionError,
    TypeError,
    AttributeError,
    FatalError,
    ItemError,
    FileNotFoundError,
    RuntimeError,
    TargetExistsError,
)


def _failures(suite: Any, tmp_path: Path, **subjects: Callable[[Path], Any]) -> set[str]:
    """Run every test of a suite and return the names of those that fail.

    Args:
        suite: an instance.
        tmp_path: each test gets a directory of its own below it.
        subjects: makes what the suite's fixture of that name would give.
    """
    failed = set()
    for name, test in inspect.getmembers(suite, inspect.ismethod):
        if not name.startswith("test_"):
            continue
        for number, case in enumerate(_cases(test)):
            own = tmp_path / f"{name}-{number}"
            own.mkdir()
            wanted = inspect.signature(test).parameters
            given = {key: make(own) for key, make in subjects.items() if key in wanted}
            if "tmp_path" in wanted:
                given["tmp_path"] = own
            try:
                test(**given, **case)
            except _NOT_KEPT:
                failed.add(name)
    return failed


def _cases(test: Any) -> list[dict[str, Any]]:
    for mark in getattr(test, "pytestmark", ()):
        if mark.name == "parametrize":
            return [{mark.args[0]: value} for value in mark.args[1]]
    return [{}]


# --- destinations -----------------------------------------------------------------------------------------------


class _Destinations(DestinationContract):
    def __init__(self, kind: type[MemoryDestination], options: MemoryDestinationOptions) -> None:
        self.kind = kind
        self.options = options
        self.storages: dict[Path, MemoryStorage] = {}

    def make(self, tmp_path: Path) -> MemoryDestination:
        return self.kind(self.options, self.storages.setdefault(tmp_path, MemoryStorage()))

    def opened(self, tmp_path: Path) -> MemoryDestination:
        made = self.make(tmp_path)
        made.open()
        return made


class _Replaces(MemoryDestination):
    def put(self, path: str, entry: Entry, *, replace: bool) -> None:
        super().put(path, entry, replace=True)


class _VisibleAtOnce(MemoryDestination):
    def begin(self, path: str) -> Upload:
        upload = super().begin(path)
        self.put(path, StoredFile(b"", 0.0), replace=False)
        return upload


class _LosesTheEnd(MemoryDestination):
    def put(self, path: str, entry: Entry, *, replace: bool) -> None:
        if isinstance(entry, StoredFile):
            entry = StoredFile(entry.content[:-1], entry.mtime)
        super().put(path, entry, replace=replace)


class _ForgetsTime(MemoryDestination):
    def put(self, path: str, entry: Entry, *, replace: bool) -> None:
        if isinstance(entry, StoredFile):
            entry = StoredFile(entry.content, 12345.0)
        super().put(path, entry, replace=replace)


class _KeepsStaged(MemoryDestination):
    def place(self, staged: Path, path: str, *, mtime: float | None = None, replace: bool = False) -> None:
        copy = staged.with_name("copy")
        copy.write_bytes(staged.read_bytes())
        super().place(copy, path, mtime=mtime, replace=replace)


class _Unsorted(MemoryDestination):
    def list(self, prefix: str) -> Iterator[FileStat]:
        return reversed(list(super().list(prefix)))


class _ListsByText(MemoryDestination):
    def list(self, prefix: str) -> Iterator[FileStat]:
        list(super().list(prefix))
        return (found for found in super().list("") if found.path.startswith(prefix))


class _MissesNothing(MemoryDestination):
    def missing(self, paths: Iterable[str]) -> set[str]:
        return set()


class _MissesAll(MemoryDestination):
    def missing(self, paths: Iterable[str]) -> set[str]:
        return set(paths)


class _CachesMissing(MemoryDestination):
    known: dict[str, bool]

    def missing(self, paths: Iterable[str]) -> set[str]:
        self.known = getattr(self, "known", {})
        return {path for path in paths if self.known.setdefault(path, self.stat(path) is None)}


class _FollowsAnything(MemoryDestination):
    def begin(self, path: str) -> Upload:
        return super().begin(path.replace("..", "").replace("\\", "").replace("\0", "").strip("/.") or "x")


class _ReadsAnything(MemoryDestination):
    def read(self, path: str) -> BinaryIO:
        return super().read("photos/a.jpg")


class _LinksOnce(MemoryDestination):
    def link(self, existing: str, path: str, *, kind: Literal["hardlink", "symlink"]) -> None:
        if path in self.storage.entries:
            raise TargetExistsError(path)
        super().link(existing, path, kind=kind)


class _LinksAreCopies(MemoryDestination):
    def link(self, existing: str, path: str, *, kind: Literal["hardlink", "symlink"]) -> None:
        with self.storage.lock:
            file = self.storage.file(existing)
            assert file is not None
            self.put(path, StoredFile(file.content, file.mtime), replace=True)


class _MoveCopies(MemoryDestination):
    def move(self, path: str, to: str) -> None:
        with self.read(path) as stream:
            content = stream.read()
        upload = self.begin(to)
        upload.write(content)
        upload.commit()


class _SetsNoTime(MemoryDestination):
    def set_mtime(self, path: str, mtime: float) -> None:
        self.read(path).close()


class _RemoveIsSilent(MemoryDestination):
    def remove(self, path: str) -> None:
        if self.stat(path) is not None:
            super().remove(path)


class _NewIdentity(MemoryDestination):
    @property
    def identity(self) -> str:
        return str(id(self))


class _AlwaysCreates(MemoryDestination):
    def open(self, *, create: bool = True) -> None:
        super().open(create=True)


class _SaysNothing(MemoryDestination):
    @property
    def capabilities(self) -> Capabilities:
        return None  # type: ignore[return-value]  # the broken promise


class _ClaimsCase(MemoryDestination):
    @property
    def capabilities(self) -> Capabilities:
        return msgspec.structs.replace(super().capabilities, case_sensitive=False)


_BROKEN_DESTINATIONS = {
    _Replaces: {
        "test_commit_never_replaces",
        "test_equal_content_is_no_excuse_for_replacing",
        "test_a_name_taken_after_begin_is_taken",
        "test_one_of_many_threads_gets_the_name",
        "test_placing_never_replaces",
        "test_move_never_replaces",
        "test_a_link_never_replaces",
        "test_a_link_to_another_file_is_something_else",
        "test_nothing_is_written_through_a_link",
    },
    _VisibleAtOnce: {"test_nothing_is_visible_before_commit", "test_abort_leaves_nothing"},
    _LosesTheEnd: {"test_a_committed_file_is_whole", "test_every_size_is_kept", "test_move_renames"},
    _ForgetsTime: {"test_mtime_is_the_given_one", "test_a_placed_file_is_consumed"},
    _KeepsStaged: {"test_a_placed_file_is_consumed", "test_a_file_from_elsewhere_is_placed"},
    _Unsorted: {"test_list_is_sorted_within_each_directory"},
    _ListsByText: {"test_list_yields_every_file_below_a_directory"},
    _MissesNothing: {"test_missing_returns_those_without_a_file", "test_nothing_is_visible_before_commit"},
    _MissesAll: {"test_missing_returns_those_without_a_file", "test_every_safe_name_can_be_used"},
    _CachesMissing: {"test_missing_sees_what_this_run_changed"},
    _FollowsAnything: {"test_writing_does_not_leave_the_root"},
    _ReadsAnything: {"test_looking_does_not_leave_the_root", "test_read_finds_nothing_where_nothing_is"},
    _LinksOnce: {"test_a_link_is_made_or_refused"},
    _LinksAreCopies: {"test_a_symlink_is_no_file", "test_a_link_never_replaces"},
    _MoveCopies: {"test_move_renames"},
    _SetsNoTime: {"test_another_mtime_can_be_set"},
    _RemoveIsSilent: {"test_remove_removes_one_file"},
    _NewIdentity: {"test_identity_outlives_the_run", "test_two_runs_see_each_others_files"},
    _AlwaysCreates: {"test_open_makes_nothing_when_it_may_not"},
    _SaysNothing: {"test_it_says_what_it_is"},
    _ClaimsCase: {"test_case_is_as_the_capabilities_say"},
}


@pytest.mark.parametrize("kind", _BROKEN_DESTINATIONS, ids=lambda kind: kind.__name__.strip("_"))
def test_a_broken_destination_is_found_out(tmp_path: Path, kind: type[MemoryDestination]) -> None:
    suite = _Destinations(kind, MemoryDestinationOptions())
    failed = _failures(suite, tmp_path, destination=suite.opened)
    assert _BROKEN_DESTINATIONS[kind] <= failed


def test_a_sound_destination_fails_nothing(tmp_path: Path) -> None:
    suite = _Destinations(MemoryDestination, MemoryDestinationOptions())
    assert _failures(suite, tmp_path, destination=suite.opened) == set()


# --- sources ----------------------------------------------------------------------------------------------------


class _Sources(SourceContract):
    def __init__(self, kind: type[MemorySource]) -> None:
        self.kind = kind

    def make(self, tmp_path: Path) -> MemorySource:
        library = MemoryLibrary()
        for number in range(4):
            item = library.add_photo(f"{number}.jpg", bytes([number]) * 5000)
            item = msgspec.structs.replace(item, albums=(AlbumRef("a", "A"),), description="said")
            library.add(item, library.contents[item.id])
        return self.kind(MemorySourceOptions(), library)

    def make_unreachable(self, tmp_path: Path) -> MemorySource:
        return self.kind(MemorySourceOptions(reachable=False))

    def make_damaged(self, tmp_path: Path) -> MemorySource:
        made = self.make(tmp_path)
        made.library.contents["2.jpg"] = b"cut"
        return made

    def opened(self, tmp_path: Path) -> MemorySource:
        made = self.make(tmp_path)
        made.open(self.context(tmp_path))
        return made


class _ListsTwice(MemorySource):
    def scan(self, select: Selection) -> Iterator[MediaItem]:
        yield from super().scan(select)
        yield from super().scan(select)


class _Filters(MemorySource):
    def scan(self, select: Selection) -> Iterator[MediaItem]:
        return (item for item in super().scan(select) if not select.kinds or item.kind in select.kinds)


class _ListsAtOnce(MemorySource):
    def scan(self, select: Selection) -> Iterator[MediaItem]:
        return list(super().scan(select))  # type: ignore[return-value]  # the broken promise


class _ChangesOrder(MemorySource):
    def scan(self, select: Selection) -> Iterator[MediaItem]:
        items = list(super().scan(select))
        self.turn = not getattr(self, "turn", False)
        yield from (items if self.turn else reversed(items))


class _CountsRuns(MemorySource):
    runs = 0

    def open(self, context: RunContext) -> None:
        super().open(context)
        type(self).runs += 1

    def scan(self, select: Selection) -> Iterator[MediaItem]:
        run = self.runs
        return (msgspec.structs.replace(item, id=f"{run}-{item.id}") for item in super().scan(select))


class _Folders(MemorySource):
    def scan(self, select: Selection) -> Iterator[MediaItem]:
        return (msgspec.structs.replace(item, name=f"../{item.name}") for item in super().scan(select))


class _FetchesOnce(MemorySource):
    def fetch(self, item: MediaItem, into: Sink) -> None:
        super().fetch(item, into)
        self.library.contents[item.id] = bytes(4999) + bytes([self.library.contents[item.id][-1] ^ 1])


class _SharesOneHandle(MemorySource):
    content = b""

    def fetch(self, item: MediaItem, into: Sink) -> None:
        self.content = self.library.contents[item.id]
        Event().wait(0.002)
        into.write(self.content)


class _SwallowsErrors(MemorySource):
    def fetch(self, item: MediaItem, into: Sink) -> None:
        try:
            super().fetch(item, into)
        except FatalError as error:
            raise ItemError("something went wrong") from error


class _IgnoresDamage(MemorySource):
    def fetch(self, item: MediaItem, into: Sink) -> None:
        into.write(self.library.contents[item.id])


class _RaisesOnGarbage(MemorySource):
    def describe(self, item: MediaItem, path: Path) -> MediaItem:
        if len(path.read_bytes()) != 5000:
            raise RuntimeError("garbage")
        return super().describe(item, path)


class _Overrides(MemorySource):
    def describe(self, item: MediaItem, path: Path) -> MediaItem:
        return msgspec.structs.replace(item, description="from the bytes")


class _ForgetsAlbums(MemorySource):
    def albums(self) -> Iterator[Any]:
        return iter(())


class _ClaimsCompleteness(MemorySource):
    def inventory(self) -> Inventory:
        return Inventory(complete=True, missing=("part 2",))


class _NeverFatal(MemorySource):
    def open(self, context: RunContext) -> None:
        self.context = context


class _EmptyReader:
    def fetch(self, item: MediaItem, into: Sink) -> None:
        into.write(bytes(item.size or 0))

    def describe(self, item: MediaItem, path: Path) -> MediaItem:
        return item


class _ReadsOtherBytesElsewhere(MemorySource):
    def reader(self) -> ItemReader:
        return _EmptyReader()


_BROKEN_SOURCES = {
    _ReadsOtherBytesElsewhere: {"test_a_reader_reads_as_the_source_does"},
    _ListsTwice: {"test_each_id_is_listed_once"},
    _Filters: {"test_no_selection_hides_an_item"},
    _ListsAtOnce: {"test_scan_is_lazy_and_may_be_dropped"},
    _ChangesOrder: {"test_scan_is_stable"},
    _CountsRuns: {"test_scan_is_stable_between_runs"},
    _Folders: {"test_items_are_as_the_model_says"},
    _FetchesOnce: {"test_fetch_gives_equal_bytes_twice"},
    _SharesOneHandle: {"test_fetch_from_many_threads_during_a_scan"},
    _SwallowsErrors: {"test_fetch_lets_the_sinks_error_through"},
    _IgnoresDamage: {"test_damaged_bytes_are_an_item_error"},
    _RaisesOnGarbage: {"test_describe_never_raises_on_garbage", "test_describe_needs_no_file"},
    _Overrides: {"test_describe_only_adds"},
    _ForgetsAlbums: {"test_items_refer_to_listed_albums"},
    _ClaimsCompleteness: {"test_the_inventory_adds_up"},
    _NeverFatal: {"test_an_unreachable_library_is_fatal"},
}


@pytest.mark.parametrize("kind", _BROKEN_SOURCES, ids=lambda kind: kind.__name__.strip("_"))
def test_a_broken_source_is_found_out(tmp_path: Path, kind: type[MemorySource]) -> None:
    suite = _Sources(kind)
    assert _BROKEN_SOURCES[kind] <= _failures(suite, tmp_path, source=suite.opened)


def test_a_sound_source_fails_nothing(tmp_path: Path) -> None:
    suite = _Sources(MemorySource)
    assert _failures(suite, tmp_path, source=suite.opened) == set()


# --- transforms -------------------------------------------------------------------------------------------------


class _Transforms(TransformContract):
    def __init__(self, kind: type[Misbehaving]) -> None:
        self.kind = kind

    def make(self) -> Misbehaving:
        return self.kind(MisbehavingOptions(mode="item-error", names="broken*"))

    def accepted(self, tmp_path: Path) -> list[Asset]:
        return [self._asset(tmp_path, "a.jpg")]

    def broken(self, tmp_path: Path) -> list[Asset]:
        return [self._asset(tmp_path, "broken.jpg")]

    def _asset(self, tmp_path: Path, name: str) -> Asset:
        path = tmp_path / "files" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"some bytes")
        return make_asset(path)


class _Refuses(Misbehaving):
    def accepts(self, asset: Asset) -> bool:
        return False


class _InPlace(Misbehaving):
    def apply(self, asset: Asset, workdir: Path) -> Asset:
        result = super().apply(asset, workdir)
        asset.path.write_bytes(b"changed")
        return result


class _Elsewhere(Misbehaving):
    def apply(self, asset: Asset, workdir: Path) -> Asset:
        return super().apply(asset, asset.path.parent)


class _Random(Misbehaving):
    made = 0

    def apply(self, asset: Asset, workdir: Path) -> Asset:
        result = super().apply(asset, workdir)
        type(self).made += 1
        result.path.write_bytes(str(self.made).encode())
        return result


class _SaysNothingOfIt(Misbehaving):
    def apply(self, asset: Asset, workdir: Path) -> Asset:
        return msgspec.structs.replace(super().apply(asset, workdir), applied=())


class _LeavesScraps(Misbehaving):
    def apply(self, asset: Asset, workdir: Path) -> Asset:
        (workdir / "scrap").write_bytes(b"")
        return super().apply(asset, workdir)


class _CannotCross(Misbehaving):
    def __init__(self, options: MisbehavingOptions) -> None:
        super().__init__(options)
        self.fine = lambda: True


class _HidesErrors(Misbehaving):
    def apply(self, asset: Asset, workdir: Path) -> Asset:
        try:
            return super().apply(asset, workdir)
        except ItemError:
            return asset


_BROKEN_TRANSFORMS = {
    _Refuses: {"test_accepts_says_yes_and_no"},
    _InPlace: {"test_the_input_is_untouched"},
    _Elsewhere: {"test_the_result_is_a_new_whole_file", "test_the_input_is_untouched"},
    _Random: {"test_the_same_input_gives_the_same_bytes", "test_it_can_be_used_twice"},
    _SaysNothingOfIt: {"test_the_result_is_a_new_whole_file"},
    _LeavesScraps: {"test_the_result_is_a_new_whole_file"},
    _CannotCross: {"test_it_crosses_to_a_worker_process"},
    _HidesErrors: {"test_an_unreadable_file_is_an_item_error"},
}


@pytest.mark.parametrize("kind", _BROKEN_TRANSFORMS, ids=lambda kind: kind.__name__.strip("_"))
def test_a_broken_transform_is_found_out(tmp_path: Path, kind: type[Misbehaving]) -> None:
    assert _BROKEN_TRANSFORMS[kind] <= _failures(_Transforms(kind), tmp_path)


# --- deduplicators ----------------------------------------------------------------------------------------------


class _ByHash(Deduplicator[PluginOptions]):
    """A sound one."""

    def __init__(self, options: PluginOptions) -> None:
        super().__init__(options)
        self.added: dict[bytes, bytes] = {}

    @property
    def method(self) -> str:
        return "hash-1"

    def fingerprint(self, asset: Asset) -> bytes | None:
        return None if asset.kind is Kind.OTHER else asset.sha256

    def match(self, fingerprint: bytes) -> Match | None:
        content = self.index.get(fingerprint) or self.added.get(fingerprint)
        return None if content is None else Match(content)

    def add(self, fingerprint: bytes, content: bytes) -> None:
        self.added[fingerprint] = content


class _ByName(_ByHash):
    def fingerprint(self, asset: Asset) -> bytes | None:
        return str(asset.path).encode()[-60:]


class _TooLong(_ByHash):
    def fingerprint(self, asset: Asset) -> bytes | None:
        return asset.sha256 * 3


class _CoversAll(_ByHash):
    def fingerprint(self, asset: Asset) -> bytes | None:
        return asset.sha256


class _ForgetsAdded(_ByHash):
    def add(self, fingerprint: bytes, content: bytes) -> None:
        return None


class _ForgetsLoaded(_ByHash):
    def match(self, fingerprint: bytes) -> Match | None:
        content = self.added.get(fingerprint)
        return None if content is None else Match(content)


class _MatchesAll(_ByHash):
    def match(self, fingerprint: bytes) -> Match | None:
        return Match(next((content for _, content in self.index.entries()), b"\1" * 32))


class _Deduplicators(DeduplicatorContract):
    def __init__(self, kind: type[_ByHash]) -> None:
        self.kind = kind

    def make(self) -> _ByHash:
        return self.kind(PluginOptions())

    def assets(self, tmp_path: Path) -> list[Asset]:
        return [self._asset(tmp_path, "a.jpg"), self._asset(tmp_path, "b.jpg")]

    def uncovered(self, tmp_path: Path) -> list[Asset]:
        return [self._asset(tmp_path, "c.txt")]

    def _asset(self, tmp_path: Path, name: str) -> Asset:
        path = tmp_path / name
        path.write_bytes(name.encode())
        return make_asset(path)


_BROKEN_DEDUPLICATORS = {
    _ByName: {"test_a_fingerprint_is_of_the_bytes_alone"},
    _TooLong: {"test_a_fingerprint_is_short"},
    _CoversAll: {"test_what_is_not_covered_has_no_fingerprint"},
    _ForgetsAdded: {"test_what_was_added_matches", "test_remembered_and_added_match_together"},
    _ForgetsLoaded: {"test_what_the_state_remembers_matches"},
    _MatchesAll: {"test_nothing_matches_at_first", "test_another_content_is_no_exact_match"},
}


@pytest.mark.parametrize("kind", _BROKEN_DEDUPLICATORS, ids=lambda kind: kind.__name__.strip("_"))
def test_a_broken_deduplicator_is_found_out(tmp_path: Path, kind: type[_ByHash]) -> None:
    assert _BROKEN_DEDUPLICATORS[kind] <= _failures(_Deduplicators(kind), tmp_path)


def test_a_sound_deduplicator_fails_nothing(tmp_path: Path) -> None:
    assert _failures(_Deduplicators(_ByHash), tmp_path) == set()
