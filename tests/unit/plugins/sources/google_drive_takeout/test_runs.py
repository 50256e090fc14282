from __future__ import annotations

import hashlib
import io
import os
import tarfile
import zipfile

import msgspec
import pytest

from syncengine.api import FatalError, RetryableError, Selection
from syncengine.testing.google import BytesContent, Meanwhile
from syncengine_plugins.sources.takeout import TakeoutOptions, TakeoutSource
from tests.unit.plugins.sources.google_drive_takeout.drives import (
    DOWNLOADS,
    FIRST,
    GETS,
    LISTS,
    NEWER,
    PHOTOS,
    SECOND,
    TAKEN,
    YEAR,
    fetched,
    photo,
    photo_bytes,
    photos,
    zip_of,
)

NAMES = tuple(f"IMG_{number:04}.jpg" for number in range(12))


def test_reads_photos_with_what_their_sidecars_say(user):
    user.add(FIRST, photos(*NAMES))
    items, inventory = user.listed()
    assert set(items) == set(NAMES)
    assert all(item.taken.instant == int(TAKEN.timestamp()) * 1000 for item in items.values())
    assert inventory.complete
    assert inventory.counts["sidecars"] == len(NAMES)
    assert user.backed_up() == {name: photo_bytes(name) for name in NAMES}


def test_lists_the_same_library_as_the_local_source(user, tmp_path):
    members = {
        FIRST: [
            *photos("a.jpg", "b.jpg"),
            (f"{PHOTOS}/Rome/metadata.json", b'{"title": "Rome 2019"}'),
            *photo("a.jpg", folder=f"{PHOTOS}/Rome", people=("Ada",)),
        ],
        SECOND: [*photo("c.jpg", favorite=True), (f"{YEAR}/no sidecar.jpg", b"alone")],
        NEWER: photos("a.jpg", "new.jpg"),
    }
    (tmp_path / "local").mkdir()
    for name, content in members.items():
        user.add(name, content)
        (tmp_path / "local" / name).write_bytes(zip_of(content))
    with TakeoutSource(TakeoutOptions(path=str(tmp_path / "local"))) as local:
        local.open(user.context("local-cache"))
        wanted = list(local.scan(Selection()))
        wanted_albums, account = list(local.albums()), local.inventory()
    with user.opened() as source:
        # In another order: some are listed before everything is read.
        assert sorted(map(_comparable, source.scan(Selection())), key=_id) == sorted(map(_comparable, wanted), key=_id)
        assert list(source.albums()) == wanted_albums
        assert source.inventory() == account


def _id(comparable):
    return comparable[0]


def _comparable(item):
    return item.id, item.name, item.content_token, item.metadata_token, item.albums, item.raw, item.origins, item.taken


def test_a_second_run_without_changes_asks_for_the_list_alone(user, emulator):
    user.add(FIRST, photos(*NAMES))
    before, _ = user.listed()
    emulator.counters.reset()
    after, inventory = user.listed()
    assert {name: item.content_token for name, item in after.items()} == {
        name: item.content_token for name, item in before.items()
    }
    assert inventory.complete
    assert user.emulator.counters.snapshot()["requests"] == {LISTS: 1}


def test_sidecars_that_lie_together_take_one_request(user, emulator):
    members = photos(*NAMES, size=200_000)
    together = [one for one in members if one[0].endswith(".jpg")] + [one for one in members if one[0].endswith("json")]
    user.add(FIRST, together)
    user.listed()
    directory, sidecars = 1, 1
    assert user.asked(DOWNLOADS) <= directory + sidecars
    assert user.asked(GETS) == 1


def test_new_photos_come_along_with_their_sidecars(user, emulator):
    user.add(FIRST, photos(*NAMES, size=200_000))
    assert user.backed_up() == {name: photo_bytes(name, 200_000) for name in NAMES}
    assert user.asked(DOWNLOADS) <= 3
    sent = emulator.counters.sent[DOWNLOADS]
    assert sent < 1.05 * 200_000 * len(NAMES)
    assert list((user.directory / "cache" / "ahead").iterdir()) == []


def test_a_selection_brings_nothing_along(user, emulator):
    user.add(FIRST, photos(*NAMES, size=200_000))
    with user.opened() as source:
        list(source.scan(Selection(favorites=True)))
    assert emulator.counters.sent[DOWNLOADS] < 150_000 + 4000 * len(NAMES)


def test_what_a_dry_run_brought_along_is_used_by_the_next(user, emulator):
    user.add(FIRST, photos(*NAMES, size=200_000))
    user.listed()
    emulator.counters.reset()
    assert len(user.backed_up()) == len(NAMES)
    assert user.asked(DOWNLOADS) == 0


def test_sidecars_of_the_export_before_are_not_read_again(user, emulator):
    old = photos(*NAMES, size=150_000)
    first = user.add(FIRST, old)
    user.backed_up()
    user.drive.delete(first)
    user.add(NEWER, [*old[:8], *photos("new.jpg", size=150_000), *old[8:]])
    emulator.counters.reset()
    with user.opened() as source:
        items = {item.name: item for item in source.scan(Selection())}
        assert fetched(source, items["new.jpg"]) == photo_bytes("new.jpg", 150_000)
    assert set(items) == {*NAMES, "new.jpg"}
    assert all(item.taken is not None for item in items.values())
    assert user.asked(DOWNLOADS) == 2  # the directory, and the new photo with its sidecar
    assert emulator.counters.sent[DOWNLOADS] < 1.05 * (150_000 + 70_000)


def test_a_changed_sidecar_is_read_again(user):
    user.add(FIRST, photo("a.jpg"))
    user.listed()
    user.add(NEWER, photo("a.jpg", description="at the sea"))
    items, _ = user.listed()
    assert items["a.jpg"].description == "at the sea"


def test_two_files_of_one_name_are_two_parts(user):
    user.add(FIRST, photos("a.jpg"))
    user.add(FIRST, photos("b.jpg"))
    before, inventory = user.listed()
    assert set(before) == {"a.jpg", "b.jpg"}
    assert inventory.counts["parts"] == 2
    assert before["a.jpg"].origins[0].startswith(f"{FIRST}!")
    user.add(FIRST, photos("c.jpg"))
    after, _ = user.listed()
    assert after["a.jpg"].origins == before["a.jpg"].origins


def test_missing_part_numbers_make_the_inventory_incomplete(user):
    user.add(SECOND, photos("a.jpg"))
    _, inventory = user.listed()
    assert not inventory.complete
    assert inventory.missing == ("takeout-20250101T000000Z-1-001.zip: not there",)


def test_a_folder_by_name_holds_the_archives_below_it(user):
    folder = user.drive.add_folder("Bob's exports")
    below = user.drive.add_folder("May", folder.id)
    user.add("renamed.zip", photos("a.jpg"), below.id)
    user.add("something.zip", [("thesis.txt", b"no Takeout")], folder.id)
    user.add(FIRST, photos("elsewhere.jpg"))
    items, inventory = user.listed("Bob's exports")
    assert set(items) == {"a.jpg"}
    assert "something.zip: holds nothing of a Takeout" in inventory.warnings
    assert set(user.listed(f"id:{below.id}", "other")[0]) == {"a.jpg"}


@pytest.mark.parametrize("folder", ["Nowhere", "id:doesnotexist", "id:../../about"])
def test_a_folder_that_is_not_there_is_said(user, folder):
    user.add(FIRST, photos("a.jpg"))
    with pytest.raises(FatalError, match=r"no (folder|id)"), user.opened(folder):
        pass


def test_a_drive_without_archives_is_said(user):
    user.drive.add_file("takeout-notes.txt", BytesContent(b"x"))
    with pytest.raises(FatalError, match="no archives of Google Takeout") as caught, user.opened():
        pass
    assert "takeout.google.com" in caught.value.advice


def test_shortcuts_are_not_followed(user):
    user.add(FIRST, photos("a.jpg"))
    user.drive.add_file(SECOND, None, mime_type="application/vnd.google-apps.shortcut")
    items, inventory = user.listed()
    assert set(items) == {"a.jpg"}
    assert any("shortcut" in warning for warning in inventory.warnings)


def test_the_trash_is_left_alone(user):
    user.add(FIRST, photos("a.jpg"))
    user.drive.update(user.add(NEWER, photos("b.jpg")), trashed=True)
    assert set(user.listed()[0]) == {"a.jpg"}


def test_a_part_that_appears_meanwhile_belongs_to_the_next_run(user):
    user.add(FIRST, photos("a.jpg"))
    with user.opened() as source:
        user.add(NEWER, photos("b.jpg"))
        assert [item.name for item in source.scan(Selection())] == ["a.jpg"]
        assert [item.name for item in source.scan(Selection())] == ["a.jpg"]
    assert set(user.listed()[0]) == {"a.jpg", "b.jpg"}


def test_zip64_is_read(user):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in photos("a.jpg"):
            with archive.open(name, "w", force_zip64=True) as member:
                member.write(content)
    user.drive.add_file(FIRST, BytesContent(stream.getvalue()))
    assert user.backed_up() == {"a.jpg": photo_bytes("a.jpg")}


def test_compressed_photos_are_unpacked(user):
    content = BytesContent(zip_of(photos("a.jpg", size=100_000), zipfile.ZIP_DEFLATED))
    user.drive.add_file(FIRST, content)
    assert user.backed_up() == {"a.jpg": photo_bytes("a.jpg", 100_000)}


def test_a_long_extra_field_costs_one_more_request(user, emulator):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in photos("a.jpg", size=100_000):
            entry = zipfile.ZipInfo(name)
            entry.extra = b"\xfe\xca" + (400).to_bytes(2, "little") + bytes(400)
            archive.writestr(entry, content)
    user.drive.add_file(FIRST, BytesContent(stream.getvalue()))
    assert user.backed_up() == {"a.jpg": photo_bytes("a.jpg", 100_000)}
    items, _ = user.listed()
    assert items["a.jpg"].taken is not None


def test_a_tgz_is_downloaded_once_with_a_warning(user, emulator):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, content in photos("a.jpg", "b.jpg"):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    file = user.drive.add_file(FIRST.replace(".zip", ".tgz"), BytesContent(stream.getvalue()))
    _, inventory = user.listed()
    assert any("choose .zip" in warning for warning in inventory.warnings)
    assert user.backed_up() == {name: photo_bytes(name) for name in ("a.jpg", "b.jpg")}
    assert user.asked(DOWNLOADS) == 1
    kept = list((user.directory / "cache" / "archives").iterdir())
    assert [hashlib.md5(path.read_bytes()).hexdigest() for path in kept] == [file.head.checksum("md5")]
    user.drive.delete(file.id)
    user.add(NEWER, photos("c.jpg"))
    user.listed()
    assert list((user.directory / "cache" / "archives").iterdir()) == []


def test_a_large_directory_is_read_from_where_it_begins(user):
    names = [f"IMG_{number:05}_{'x' * 120}.jpg" for number in range(700)]
    user.add(FIRST, [(f"{YEAR}/{name}", name.encode()) for name in names])
    with user.opened() as source:
        assert sum(1 for _ in source.scan(Selection())) == 700
    assert user.asked(DOWNLOADS) == 2


def test_an_index_of_an_older_listing_never_reads_another_revision(user):
    file = user.add(FIRST, photos("a.jpg"))
    with user.opened() as source:
        (item,) = source.scan(Selection())
    user.drive.replace(file, BytesContent(zip_of(photos("b.jpg"))))
    items, _ = user.listed()
    assert set(items) == {"b.jpg"}
    assert item.name == "a.jpg"


def test_a_run_that_is_asked_to_end_does_so_in_the_middle_of_an_archive(user, emulator):
    user.add(FIRST, photos(*NAMES, size=200_000))
    stopped = []
    with user.made() as source:
        source.open(msgspec.structs.replace(user.context(), stopping=lambda: bool(stopped)))
        emulator.faults.add(DOWNLOADS, Meanwhile(lambda: stopped.append(True)), at=2)
        assert list(source.scan(Selection())) == []
    assert user.asked(DOWNLOADS) <= 3
    assert set(user.backed_up()) == set(NAMES)
    assert user.asked(DOWNLOADS) <= 5  # what the interrupted run listed is new still


def test_a_wait_ends_when_the_run_is_to_end(user, emulator):
    user.add(FIRST, photos("a.jpg", size=200_000))
    with user.made() as source:
        source.open(msgspec.structs.replace(user.context(), stopping=lambda: len(user.clock.waits) > 3))
        (item,) = source.scan(Selection(exclude_names=("none",)))
        emulator.faults.status(DOWNLOADS, 429, retry_after=600, times=None)
        with pytest.raises(RetryableError):
            fetched(source, item)
    assert sum(user.clock.waits) < 10


def test_the_bandwidth_holds_while_archives_are_listed(user, emulator):
    user.add(FIRST, photos(*NAMES, size=200_000))
    before = emulator.clock.now()
    with user.made() as source:
        source.open(user.context(bandwidth=400_000))
        list(source.scan(Selection()))
    assert emulator.clock.now() - before > 4


def test_what_others_share_is_no_part_of_the_library(user):
    user.add(FIRST, photos("a.jpg"))
    family = user.drive.add_shared_drive("Family")
    user.add(NEWER, photos("theirs.jpg"), family)
    assert set(user.listed()[0]) == {"a.jpg"}
    assert set(user.listed(f"id:{family}", "other")[0]) == {"theirs.jpg"}


def test_what_was_written_half_is_not_used(user, emulator):
    user.add(FIRST, photos(*NAMES, size=200_000))
    user.listed()
    ahead = user.directory / "cache" / "ahead"
    first = next(ahead.iterdir())
    first.rename(ahead / f"{first.name}.new")
    assert len(user.backed_up()) == len(NAMES)
    assert list(ahead.iterdir()) == []


def test_what_nobody_asked_for_in_days_makes_room(user):
    user.add(FIRST, photos(*NAMES, size=200_000))
    user.listed()
    ahead = user.directory / "cache" / "ahead"
    old, *others = sorted(ahead.iterdir())
    a_week_ago = old.stat().st_mtime - 7 * 86400
    os.utime(old, (a_week_ago, a_week_ago))
    user.listed()
    assert sorted(ahead.iterdir()) == others
    assert len(user.backed_up()) == len(NAMES)


def test_spoiled_bytes_in_the_cache_are_fetched_again(user):
    user.add(FIRST, photos("a.jpg", size=200_000))
    user.listed()
    (kept,) = (user.directory / "cache" / "ahead").iterdir()
    kept.write_bytes(bytes(kept.stat().st_size))
    with user.opened() as source:
        (item,) = source.scan(Selection())
        with pytest.raises(RetryableError):
            fetched(source, item)
        assert fetched(source, item) == photo_bytes("a.jpg", 200_000)


@pytest.mark.parametrize("name", ["members.sqlite", "takeout.sqlite"])
def test_a_damaged_cache_costs_requests_only(user, name):
    user.add(FIRST, photos(*NAMES))
    user.listed()
    (user.directory / "cache" / name).write_bytes(b"no database " * 1000)
    items, inventory = user.listed()
    assert set(items) == set(NAMES)
    assert inventory.complete
