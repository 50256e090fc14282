"""What happens between runs and during one: the index, parts that come, change and go, bytes that are fetched."""

from __future__ import annotations

import builtins
import errno
import os
import sqlite3
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from syncengine.api import FatalError, Inventory, ItemError, Kind, MediaItem, RetryableError, RunContext, Selection
from syncengine.testing.sample_library import TakeoutBuilder
from syncengine_plugins.sources.takeout import TakeoutOptions, TakeoutSource
from tests.unit.plugins.sources.takeout.libraries import (
    FIRST,
    NEWER,
    PHOTOS,
    SECOND,
    TAKEN,
    YEAR,
    adds_up,
    fetched,
    items_of,
    listed,
    opened,
    write_tgz,
    write_zip,
)

_TGZ = FIRST.replace(".zip", ".tgz")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    path = tmp_path / "parts"
    path.mkdir()
    return path


def _three_photos() -> TakeoutBuilder:
    builder = TakeoutBuilder()
    for number in (1, 2):
        builder.photo(YEAR, f"IMG_{number}.jpg", b"photo %d" % number, taken=TAKEN, parts=(number, number))
    builder.media(YEAR, "IMG_3.jpg", b"photo 3", part=2)
    return builder


def _write(root: Path, builder: TakeoutBuilder) -> None:
    builder.write_zip(root / FIRST, 1)
    builder.write_zip(root / SECOND, 2)


# Opening


@pytest.mark.parametrize(
    "files", [(), ("holiday.zip",), ("music/song.mp3", "notes.txt"), ("holiday.zip", "holiday/IMG_1.jpg")]
)
def test_a_folder_without_takeout_is_fatal(root: Path, files: tuple[str, ...]) -> None:
    for file in files:
        if file.endswith(".zip"):
            write_zip(root / file, [("IMG_1.jpg", b"x")])
        else:
            (root / file).parent.mkdir(exist_ok=True)
            (root / file).write_bytes(b"x")
    with pytest.raises(FatalError, match=r"no Google Takeout in .*: looked for takeout-\*.zip") as caught:
        listed(root)
    assert "download the archives" in caught.value.advice


def test_a_missing_folder_is_fatal(root: Path) -> None:
    with pytest.raises(FatalError, match="cannot be read: No such file"):
        listed(root / "not there")


def test_a_foreign_archive_is_named_and_left_alone(root: Path) -> None:
    _write(root, _three_photos())
    write_zip(root / "holiday.zip", [("holiday/IMG_1.jpg", b"x")])
    write_tgz(root / "music.tgz", TakeoutBuilder("music"))
    items, inventory = listed(root)
    assert len(items) == 3
    assert inventory.complete
    assert [warning for warning in inventory.warnings if "holiday.zip" in warning] == [
        "holiday.zip: holds nothing of a Takeout"
    ]


def test_a_renamed_takeout_is_recognised_by_its_members(root: Path) -> None:
    _three_photos().write_zip(root / "photos.zip")
    write_tgz(root / "more.tgz", _three_photos())
    assert len(listed(root)[0]) == 3


def test_an_unfinished_download_alone_is_an_incomplete_library(root: Path) -> None:
    (root / f"{FIRST}.crdownload").write_bytes(b"PK")
    items, inventory = listed(root)
    assert items == []
    assert inventory.missing == (f"{FIRST}.crdownload: its download is not finished",)


def test_unknown_options_and_empty_paths_are_refused() -> None:
    for wrong in ({"path": ""}, {}, {"path": "x", "unpack": True}):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(wrong, TakeoutOptions)


# The index


def test_a_run_without_changes_opens_no_part(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    builder = _three_photos()
    _write(root, builder)
    builder.write_folder(root / "unpacked")
    write_tgz(root / NEWER.replace(".zip", ".tgz"), builder)
    first = listed(root)
    touched: list[str] = []

    def watch(module: Any, name: str) -> None:
        real = getattr(module, name)

        def watched(path: Any, *args: Any, **kwargs: Any) -> Any:
            if str(root) in os.fsdecode(path) if isinstance(path, str | bytes | os.PathLike) else False:
                touched.append(os.fsdecode(path))
            return real(path, *args, **kwargs)

        monkeypatch.setattr(module, name, watched)

    watch(builtins, "open")
    watch(os, "open")
    again = listed(root)
    monkeypatch.undo()
    assert touched == []
    assert again == first


def test_only_the_new_part_is_read(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    builder = _three_photos()
    builder.write_zip(root / FIRST, 1)
    assert len(listed(root)[0]) == 1
    builder.write_zip(root / SECOND, 2)
    read: list[str] = []
    context = RunContext(cache=root.parent / "cache", scratch=root.parent, tick=read.append)
    with TakeoutSource(TakeoutOptions(path=str(root))) as source:
        source.open(context)
        assert len(list(source.scan(Selection()))) == 3
    assert [text for text in read if text.startswith("reading")] == [f"reading {SECOND} (1 of 1 new or changed parts)"]


def test_a_part_that_is_gone_leaves_the_library(root: Path) -> None:
    _write(root, _three_photos())
    assert len(listed(root)[0]) == 3
    (root / SECOND).unlink()
    items, inventory = listed(root)
    assert [item.name for item in items] == ["IMG_1.jpg"]
    assert adds_up(inventory)
    assert inventory.missing == (f"{SECOND}: it was here before, and other parts of its export still are",)
    assert not inventory.complete
    _write(root, _three_photos())
    assert listed(root)[1].complete


def test_what_an_incremental_index_says_is_what_a_new_one_says(root: Path) -> None:
    builder = _three_photos()
    builder.album("Rome", "Rome", part=2)
    builder.sidecar("Rome", "IMG_1.jpg", TAKEN, part=1)
    builder.media("Rome", "IMG_2.jpg", b"photo 2", part=1)
    for number in (1, 2):
        builder.write_zip(root / (FIRST, SECOND)[number - 1], number)
        listed(root, cache="grown")
    builder.write_zip(root / NEWER)
    listed(root, cache="grown")
    (root / FIRST).unlink()
    (grown, account), (fresh, wanted) = listed(root, cache="grown"), listed(root, cache="fresh")
    assert account == wanted
    assert _comparable(grown) == _comparable(fresh)


def _comparable(items: list[MediaItem]) -> list[MediaItem]:
    return [msgspec.structs.replace(item, locator=None) for item in items]


def _damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    for at in range(4096, len(content), 512):
        content[at : at + 64] = bytes(64)
    path.write_bytes(content)


def _older_format(path: Path) -> None:
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 999")
    db.close()


@pytest.mark.parametrize(
    "harm",
    [
        _damage,
        _older_format,
        lambda path: path.write_bytes(b"this is no database" * 100),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:5000]),
    ],
    ids=["damaged", "another format", "garbage", "empty", "cut"],
)
def test_an_unusable_index_is_made_anew(root: Path, harm: Any) -> None:
    _write(root, _three_photos())
    wanted = listed(root)
    harm(root.parent / "cache" / "takeout.sqlite")
    items, inventory = _listed_at_last(root)
    assert inventory == wanted[1]
    assert _comparable(items) == _comparable(wanted[0])


def _listed_at_last(root: Path) -> tuple[list[MediaItem], Inventory]:
    """Damage that shows only while items are being listed ends that run; the next one makes the index anew."""
    try:
        return listed(root)
    except FatalError as error:
        if "run again" not in error.advice:
            raise
        return listed(root)


def test_a_run_that_was_killed_while_indexing_leaves_nothing_out(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _write(root, _three_photos())

    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    for step in ("match_changed", "merge"):
        with monkeypatch.context() as patch:
            patch.setattr(f"syncengine_plugins.sources.takeout.library.{step}", die)
            with pytest.raises(KeyboardInterrupt):
                listed(root)
    assert len(listed(root)[0]) == 3


def test_an_index_in_use_says_so(root: Path) -> None:
    _write(root, _three_photos())
    with opened(root) as source:
        list(source.scan(Selection()))
        with pytest.MonkeyPatch.context() as patch:
            real = sqlite3.connect
            patch.setattr(sqlite3, "connect", lambda *args, **more: real(*args, **{**more, "timeout": 0.05}))
            with pytest.raises(FatalError, match="index of the Takeout library cannot be used"):
                listed(root)


# Fetching


def _corrupt(path: Path, content: bytes) -> None:
    """Change a byte of a member, and nothing that a directory could tell."""
    status = path.stat()
    archive = path.read_bytes()
    at = archive.index(content)
    path.write_bytes(archive[: at + 1] + bytes([archive[at + 1] ^ 1]) + archive[at + 2 :])
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_a_bad_checksum_is_the_items_error(root: Path) -> None:
    _write(root, _three_photos())
    _corrupt(root / SECOND, b"photo 2")
    with opened(root) as source:
        items = {item.name: item for item in source.scan(Selection())}
        with pytest.raises(ItemError, match=rf"{SECOND}!.*IMG_2.jpg: its checksum is") as caught:
            fetched(source, items["IMG_2.jpg"])
        assert "download the archive again" in caught.value.advice
        assert not isinstance(caught.value, RetryableError)
        assert fetched(source, items["IMG_3.jpg"]) == b"photo 3"


def test_another_copy_is_read_where_one_is_damaged(root: Path) -> None:
    builder = _three_photos()
    _write(root, builder)
    builder.write_zip(root / NEWER)
    _corrupt(root / FIRST, b"photo 1")
    with opened(root) as source:
        items = {item.name: item for item in source.scan(Selection())}
        assert len(items["IMG_1.jpg"].origins) == 2
        assert fetched(source, items["IMG_1.jpg"]) == b"photo 1"


def test_another_copy_of_a_large_file_is_read_at_the_next_try(root: Path) -> None:
    content = os.urandom(9 << 20)
    for name in (FIRST, NEWER):
        write_zip(root / name, [(f"{PHOTOS}/{YEAR}/v.mp4", content)])
    _corrupt(root / FIRST, content[1 << 20 : (1 << 20) + 100])
    with opened(root) as source:
        (item,) = source.scan(Selection())
        with pytest.raises(RetryableError, match="there is another copy"):
            fetched(source, item)
        assert fetched(source, item) == content


def test_damage_in_all_copies_is_the_items_error(root: Path) -> None:
    content = os.urandom(9 << 20)
    for name in (FIRST, NEWER):
        write_zip(root / name, [(f"{PHOTOS}/{YEAR}/v.mp4", content)])
        _corrupt(root / name, content[100:200])
    with opened(root) as source:
        (item,) = source.scan(Selection())
        with pytest.raises(RetryableError):
            fetched(source, item)
        for _ in range(2):
            with pytest.raises(ItemError) as caught:
                fetched(source, item)
            assert not isinstance(caught.value, RetryableError)
            assert FIRST in caught.value.reason
            assert NEWER in caught.value.reason


@pytest.mark.parametrize("damage", [b"\xff\xff\xff\xff", b"\0\0\0\0"])
def test_damaged_compressed_bytes_are_the_items_error(root: Path, damage: bytes) -> None:
    content = b"".join(b"%d" % number for number in range(3000))
    path = write_zip(root / FIRST, [(f"{PHOTOS}/{YEAR}/a.jpg", content)], zipfile.ZIP_DEFLATED)
    archive = bytearray(path.read_bytes())
    archive[200:204] = damage
    path.write_bytes(archive)
    with opened(root) as source:
        (item,) = source.scan(Selection())
        with pytest.raises(ItemError, match=r"a\.jpg: its (compressed bytes are damaged|checksum)"):
            fetched(source, item)


@pytest.mark.parametrize("form", ["zip", "tgz", "tree"])
def test_a_part_that_is_replaced_during_a_run_fails_its_items(root: Path, form: str) -> None:
    builder = _three_photos()
    if form == "tree":
        builder.write_folder(root)
        path = root / PHOTOS / YEAR / "IMG_1.jpg"
    elif form == "zip":
        path = builder.write_zip(root / FIRST)
    else:
        path = write_tgz(root / _TGZ, builder)
    with opened(root) as source:
        items = {item.name: item for item in source.scan(Selection())}
        path.write_bytes(path.read_bytes()[:-1] + b"!")
        os.utime(path, (1, 1))
        with pytest.raises(ItemError, match="since it was listed"):
            fetched(source, items["IMG_1.jpg"])
        path.unlink()
        with pytest.raises(ItemError):
            fetched(source, items["IMG_1.jpg"])


def test_a_library_that_goes_away_is_fatal(root: Path) -> None:
    _write(root, _three_photos())
    with opened(root) as source:
        items = list(source.scan(Selection()))
        root.rename(root.parent / "unmounted")
        with pytest.raises(FatalError, match="is gone"):
            fetched(source, items[0])
        with pytest.raises(FatalError, match="cannot be read"):
            list(source.scan(Selection()))


def test_a_disk_that_hesitates_is_tried_again(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _write(root, _three_photos())
    with opened(root) as source:
        items = list(source.scan(Selection()))
        with monkeypatch.context() as patch:
            patch.setattr(os, "pread", _raise(OSError(errno.EIO, "Input/output error")))
            with pytest.raises(RetryableError, match="Input/output error"):
                fetched(source, items[0])
        assert fetched(source, items[0]) == b"photo 1"


def _raise(error: Exception) -> Any:
    def fail(*_: Any) -> None:
        raise error

    return fail


def test_the_sinks_errors_are_not_the_archives(root: Path) -> None:
    _write(root, _three_photos())

    class Full:
        def write(self, data: bytes | bytearray | memoryview, /) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    with opened(root) as source:
        items = list(source.scan(Selection()))
        with pytest.raises(OSError, match="No space left"):
            source.fetch(items[0], Full())
        assert fetched(source, items[0]) == b"photo 1"


def test_many_threads_fetch_from_one_archive(root: Path) -> None:
    members = [(f"{PHOTOS}/{YEAR}/{number}.jpg", os.urandom(20_000)) for number in range(60)]
    write_zip(root / FIRST, members, zipfile.ZIP_DEFLATED)
    with opened(root) as source, ThreadPoolExecutor(8) as pool:
        items = list(source.scan(Selection()))
        contents = list(pool.map(lambda item: fetched(source, item), items))
    assert contents == [content for _, content in members]


def _many(count: int) -> TakeoutBuilder:
    builder = TakeoutBuilder()
    for number in range(count):
        builder.media(YEAR, f"{number:03}.jpg", os.urandom(3000))
    return builder


def _count_openings(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    from syncengine_plugins.sources.takeout import tgz_fetch

    openings: list[Path] = []
    real = tgz_fetch.TgzReader
    monkeypatch.setattr(tgz_fetch, "TgzReader", lambda path: openings.append(path) or real(path))
    return openings


def test_a_tgz_is_read_in_one_pass_by_several_threads(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    builder = _many(60)
    write_tgz(root / _TGZ, builder)
    openings = _count_openings(monkeypatch)
    with opened(root) as source, ThreadPoolExecutor(5) as pool:
        contents = list(pool.map(lambda item: fetched(source, item), source.scan(Selection())))
        left = list((root.parent / "scratch").iterdir())
    assert contents == [member.content for member in builder.members]
    assert len(openings) == 1
    assert left == []


def test_a_tgz_asked_out_of_order_keeps_the_last_few(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    builder = _many(30)
    write_tgz(root / _TGZ, builder)
    openings = _count_openings(monkeypatch)
    scratch = root.parent / "scratch"
    with opened(root) as source:
        items = list(source.scan(Selection()))
        for number in (20, 19, 15, 13, 25, 14):
            assert fetched(source, items[number]) == builder.members[number].content
            assert len(list(scratch.iterdir())) <= 8
        assert len(openings) == 1
        assert fetched(source, items[2]) == builder.members[2].content
        assert len(openings) == 2
    assert list(scratch.iterdir()) == []


def test_an_abandoned_fetch_from_a_tgz_blocks_nobody(root: Path) -> None:
    write_tgz(root / _TGZ, _many(5))

    class Stop:
        def write(self, data: bytes | bytearray | memoryview, /) -> int:
            raise FatalError("full")

    with opened(root) as source:
        items = list(source.scan(Selection()))
        with pytest.raises(FatalError):
            source.fetch(items[0], Stop())
        done = threading.Thread(target=lambda: [fetched(source, item) for item in items])
        done.start()
        done.join(20)
        assert not done.is_alive()


def test_an_item_of_another_run_is_refused(root: Path) -> None:
    _write(root, _three_photos())
    with opened(root) as source:
        list(source.scan(Selection()))
        with pytest.raises(ItemError):
            fetched(source, MediaItem(id="x", name="x", kind=Kind.PHOTO, content_token="1"))


# Reading everything again


def test_reread_gives_tokens_that_no_record_has_until_the_item_was_described(root: Path) -> None:
    _write(root, _three_photos())
    plain = items_of(root)
    path = root.parent / "bytes"
    path.write_bytes(b"photo 1")
    tokens = set()
    for _ in range(2):
        with opened(root, reread=True) as source:
            item = next(source.scan(Selection()))
            tokens.add(item.content_token)
            assert item.id == plain[item.name].id
            assert source.describe(item, path).content_token == plain[item.name].content_token
    assert len(tokens) == 2
    assert plain["IMG_1.jpg"].content_token not in tokens


# Describing


def _described(root: Path, name: str, content: bytes) -> MediaItem:
    with opened(root) as source:
        item = next(item for item in source.scan(Selection()) if item.name == name)
        path = root.parent / "staged"
        path.write_bytes(content)
        return source.describe(item, path)


@pytest.mark.parametrize("zone", [timedelta(hours=9), timedelta(hours=-3, minutes=-30), timedelta(0)])
def test_the_files_wall_clock_tells_the_zone_of_the_sidecars_instant(root: Path, zone: timedelta) -> None:
    pytest.importorskip("PIL")
    from syncengine.testing.sample_library import pictures

    wall = (TAKEN + zone).replace(tzinfo=None)
    content = pictures.jpeg(pictures.draw(1, (32, 32)), pictures.phone_exif(wall, place=(41.5, 12.5)))
    builder = TakeoutBuilder()
    builder.photo(YEAR, "a.jpg", content, taken=TAKEN)
    builder.write_zip(root / FIRST)
    item = _described(root, "a.jpg", content)
    assert item.taken is not None
    assert item.taken.origin == "source"
    assert item.taken.instant == int(TAKEN.timestamp()) * 1000
    assert item.taken.offset == zone.total_seconds() / 60
    assert item.taken.at(UTC).replace(tzinfo=None) == wall
    assert item.camera == "Apple iPhone 13 Pro"
    assert item.exif_location is not None
    assert round(item.exif_location.latitude, 3) == 41.5


def test_without_a_sidecars_time_the_file_tells_it_then_its_name(root: Path) -> None:
    pytest.importorskip("PIL")
    from syncengine.testing.sample_library import pictures

    exif = pictures.jpeg(pictures.draw(1, (32, 32)), pictures.phone_exif(datetime(2018, 5, 1, 10, 0)))
    builder = TakeoutBuilder()
    builder.photo(YEAR, "IMG_20170203_040506.jpg", exif, taken=None)
    builder.photo(YEAR, "IMG_20160203_040506.jpg", b"no exif", taken=None)
    builder.media(YEAR, "nothing.jpg", b"nothing at all")
    builder.write_zip(root / FIRST)
    taken = [
        _described(root, name, content).taken
        for name, content in (
            ("IMG_20170203_040506.jpg", exif),
            ("IMG_20160203_040506.jpg", b"no exif"),
            ("nothing.jpg", b"nothing at all"),
        )
    ]
    assert [(time.origin, time.wall) if time else None for time in taken] == [
        ("exif", "2018-05-01T10:00:00"),
        ("name", "2016-02-03T04:05:06"),
        None,
    ]


# Live Photos


def test_content_identifiers_join_what_names_would_join_wrongly(root: Path) -> None:
    pytest.importorskip("PIL")
    from syncengine.testing.sample_library import movies, pictures

    builder = TakeoutBuilder()
    movie_of = {}
    for counter, identifier in ((0, "AAAA-1"), (1, "BBBB-2")):
        exif = pictures.phone_exif(TAKEN, live_photo=identifier)
        still = pictures.jpeg(pictures.draw(counter, (32, 32)), exif)
        builder.photo(YEAR, "IMG_1.jpg", still, taken=TAKEN + timedelta(hours=counter), counter=counter)
        movie_of[counter] = movies.live_photo_movie(TAKEN, identifier, size=100 + counter)
    builder.media(YEAR, "IMG_1.MOV", movie_of[1])
    builder.media(YEAR, "IMG_1.MOV", movie_of[0], counter=1)
    write_tgz(root / _TGZ, builder)
    by_tgz, _ = listed(root, cache="tgz")
    (root / _TGZ).unlink()
    with zipfile.ZipFile(root / FIRST, "w", zipfile.ZIP_DEFLATED) as archive:
        for member in builder.members:
            archive.writestr(member.path, member.content)
    by_deflated, _ = listed(root, cache="deflated")
    (root / FIRST).unlink()
    builder.write_zip(root / FIRST)
    for items in (by_tgz, by_deflated, listed(root)[0]):
        by_id = {item.id: item for item in items}
        movies_found = [item for item in items if item.name.endswith(".MOV")]
        assert len(movies_found) == 2
        for movie in movies_found:
            still_item = by_id[movie.paired_with]
            assert still_item.paired_with == movie.id
            assert still_item.taken == movie.taken is not None
            is_second = movie.size == len(movie_of[1])
            assert still_item.taken.instant == int((TAKEN + timedelta(hours=is_second)).timestamp()) * 1000


@pytest.mark.slow
def test_a_video_beyond_4_gib_is_read_where_it_lies(root: Path) -> None:
    size, tail = (4 << 30) + 12_345, b"the end"
    zeros = bytes(1 << 20)
    with open(root / FIRST, "wb") as file, zipfile.ZipFile(file, "w") as archive:
        with archive.open(zipfile.ZipInfo(f"{PHOTOS}/{YEAR}/v.mp4"), "w", force_zip64=True) as member:
            file_write = file.write
            # Zeros become holes, so that the archive takes no room on the disk.
            file.write = lambda data: file.seek(len(data), os.SEEK_CUR) and len(data)  # type: ignore[method-assign]
            for _ in range(size >> 20):
                member.write(zeros)
            file.write = file_write  # type: ignore[method-assign]
            member.write(bytes(size % (1 << 20) - len(tail)) + tail)
        archive.writestr(f"{PHOTOS}/{YEAR}/after.jpg", b"after")

    class Counting:
        length, last = 0, b""

        def write(self, data: bytes | bytearray | memoryview, /) -> int:
            assert len(data) <= 1 << 20
            self.length += len(data)
            self.last = bytes(data[-len(tail) :])
            return len(data)

    with opened(root) as source:
        video, after = source.scan(Selection())
        sink = Counting()
        source.fetch(video, sink)
        assert (sink.length, sink.last) == (size, tail)
        assert fetched(source, after) == b"after"


def test_a_library_that_was_moved_is_not_read_again(root: Path) -> None:
    _write(root, _three_photos())
    listed(root)
    moved = root.rename(root.parent / "elsewhere")
    read: list[str] = []
    context = RunContext(cache=root.parent / "cache", scratch=root.parent, tick=read.append)
    with TakeoutSource(TakeoutOptions(path=str(moved))) as source:
        source.open(context)
        contents = [fetched(source, item) for item in source.scan(Selection())]
    assert contents == [b"photo 1", b"photo 2", b"photo 3"]
    assert read == []


def test_a_cache_that_cannot_be_written_is_fatal(root: Path) -> None:
    _write(root, _three_photos())
    (root.parent / "cache").write_bytes(b"a file where a directory should be")
    with pytest.raises(FatalError, match="index of the Takeout library cannot be used"):
        listed(root)


def test_a_full_disk_under_the_index_is_fatal_and_leaves_it_usable(root: Path) -> None:
    write_zip(root / FIRST, [(f"{PHOTOS}/{YEAR}/{number}.jpg", b"") for number in range(1000)])
    with opened(root) as source:
        assert source._library is not None
        source._library._index.db.execute("PRAGMA max_page_count = 1")
        with pytest.raises(FatalError, match="full"):
            list(source.scan(Selection()))
    assert len(listed(root)[0]) == 1000


def test_an_index_that_cannot_be_made_anew_is_fatal(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _write(root, _three_photos())
    monkeypatch.setattr("syncengine_plugins.sources.takeout.library.merge", _raise(sqlite3.DatabaseError("malformed")))
    with pytest.raises(FatalError, match="malformed"):
        listed(root)


def test_origins_are_whole_lines(root: Path) -> None:
    name = "line\nbreak " + "x" * 220 + ".jpg"
    write_zip(root / FIRST, [(f"{PHOTOS}/{YEAR}/{name}", b"x")])
    (item,), _ = listed(root)
    assert item.origins == (f"{FIRST}!{PHOTOS}/{YEAR}/" + name.replace("\n", "\ufffd"),)


def test_a_part_that_could_not_be_read_for_a_moment_is_read_in_the_next_run(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write(root, _three_photos())
    with monkeypatch.context() as patch:
        patch.setattr(os, "pread", _raise(OSError(errno.EIO, "Input/output error")))
        _, inventory = listed(root)
    assert inventory.missing == tuple(f"{part}: it cannot be read (Input/output error)" for part in (FIRST, SECOND))
    items, inventory = listed(root)
    assert inventory.complete
    assert len(items) == 3


def test_a_sidecar_without_permission_is_read_once_it_has_one(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    builder = TakeoutBuilder()
    builder.photo(YEAR, "a.jpg", taken=TAKEN)
    builder.write_folder(root)
    real = builtins.open

    def refuse(path: Any, *args: Any, **kwargs: Any) -> Any:
        if os.fsdecode(path).endswith(".json"):
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(path, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(builtins, "open", refuse)
        items, inventory = listed(root)
    assert [item.notes for item in items] == [("no sidecar",)]
    assert "Permission denied" in inventory.warnings[0]
    assert [item.notes for item in listed(root)[0]] == [()]
