"""What a library becomes: items, albums, states, tokens, over parts and exports and in every form of part."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from syncengine.api import AlbumRef, ItemState, Kind, Selection
from syncengine.testing.sample_library import Member, TakeoutBuilder, make_sample_library, sidecar
from tests.unit.plugins.sources.takeout.libraries import (
    FIRST,
    MILLISECONDS,
    NEWER,
    SECOND,
    TAKEN,
    YEAR,
    adds_up,
    fetched,
    items_of,
    listed,
    opened,
    write_tgz,
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    path = tmp_path / "parts"
    path.mkdir()
    return path


def _two_parts(builder: TakeoutBuilder, root: Path) -> None:
    builder.write_zip(root / FIRST, 1)
    builder.write_zip(root / SECOND, 2)


def test_the_sample_library(root: Path) -> None:
    pytest.importorskip("pillow_heif")
    sample = make_sample_library(root)
    items, inventory = listed(root)
    assert (len(items), inventory.counts["media"], inventory.counts["sidecars"], inventory.counts["other"]) == (
        sample.items,
        sample.media_files,
        sample.sidecars,
        sample.other,
    )
    assert inventory.complete
    assert adds_up(inventory)
    members = {title: {i.name for i in items for album in i.albums if album.title == title} for title in sample.albums}
    assert members == {title: set(names) for title, names in sample.albums.items()}
    pairs = {item.name: item.paired_with for item in items if item.paired_with}
    ids = {item.name: item.id for item in items if item.name in sample.live_photo}
    still, movie = sample.live_photo
    assert pairs == {still: ids[movie], movie: ids[still]}


def test_an_item_knows_all_that_its_sidecar_says(root: Path) -> None:
    builder = TakeoutBuilder()
    facts = {"description": "At sea", "place": (41.5, 12.25), "people": ("Ada", "Bo"), "favorite": True}
    content = builder.photo(YEAR, "IMG_1.jpg", taken=TAKEN, **facts, partner=True)
    builder.write_zip(root / FIRST)
    item = items_of(root)["IMG_1.jpg"]
    assert item.kind is Kind.PHOTO
    assert item.size == len(content)
    assert item.taken is not None
    assert (item.taken.origin, item.taken.instant) == ("source", MILLISECONDS)
    assert (item.description, item.people, item.favorite) == ("At sea", ("Ada", "Bo"), True)
    assert item.location is not None
    assert (item.location.latitude, item.location.longitude) == (41.5, 12.25)
    assert item.states == (ItemState.PARTNER_SHARED,)
    assert item.raw == json.loads(builder.members[1].content)
    assert item.origins == (f"{FIRST}!Takeout/Google Photos/{YEAR}/IMG_1.jpg",)
    assert item.notes == ()
    assert item.albums == ()


def test_copies_are_one_item_and_albums_unite(root: Path) -> None:
    builder = TakeoutBuilder()
    builder.album("Rome 2019", "Rome, 2019!", part=2)
    builder.album("Best of", "Best of", part=2)
    content = builder.photo(YEAR, "IMG_1.jpg", taken=TAKEN)
    for folder in ("Rome 2019", "Best of"):
        builder.photo(folder, "IMG_1.jpg", content, taken=TAKEN, parts=(2, 2))
    _two_parts(builder, root)
    items, inventory = listed(root)
    (item,) = items
    assert item.albums == (AlbumRef("Best of", "Best of"), AlbumRef("Rome 2019", "Rome, 2019!"))
    assert len(item.origins) == 3
    assert (inventory.counts["items"], inventory.counts["copies"]) == (1, 2)
    assert adds_up(inventory)


def test_media_and_sidecar_in_different_parts(root: Path) -> None:
    builder = TakeoutBuilder()
    builder.photo(YEAR, "IMG_1.jpg", taken=TAKEN, parts=(2, 1), description="here")
    _two_parts(builder, root)
    assert items_of(root)["IMG_1.jpg"].description == "here"


def test_an_album_of_sidecars_alone_has_its_members(root: Path) -> None:
    builder = TakeoutBuilder()
    builder.photo(YEAR, "IMG_1.jpg", taken=TAKEN)
    builder.photo(YEAR, "IMG_2.jpg", taken=TAKEN + timedelta(hours=1))
    builder.media(YEAR, "IMG_1-edited.jpg", b"edited")
    builder.album("Rome", "Rome")
    builder.sidecar("Rome", "IMG_1.jpg", TAKEN)
    builder.sidecar("Rome", "IMG_2.jpg", TAKEN, url="https://photos.google.com/photo/other")
    builder.write_zip(root / FIRST)
    items = items_of(root)
    rome = (AlbumRef("Rome", "Rome"),)
    assert {name: item.albums for name, item in items.items()} == {
        "IMG_1.jpg": rome,
        "IMG_1-edited.jpg": rome,
        "IMG_2.jpg": (),
    }
    _, inventory = listed(root)
    assert inventory.counts["album references"] == 1
    assert inventory.counts["sidecars without media"] == 1
    assert any("IMG_2.jpg" in warning for warning in inventory.warnings)
    with opened(root) as source:
        (album,) = source.albums()
    assert (album.id, album.title, album.count) == ("Rome", "Rome", 2)


def test_an_album_of_one_export_has_members_from_another(root: Path) -> None:
    old, new = TakeoutBuilder(), TakeoutBuilder()
    old.photo(YEAR, "IMG_1.jpg", taken=TAKEN)
    new.album("Rome", "Rome")
    new.sidecar("Rome", "IMG_1.jpg", TAKEN)
    old.write_zip(root / FIRST)
    new.write_zip(root / NEWER)
    assert items_of(root)["IMG_1.jpg"].albums == (AlbumRef("Rome", "Rome"),)


def test_edited_copies_share_the_sidecar_and_stay_items_of_their_own(root: Path) -> None:
    builder = TakeoutBuilder()
    builder.photo(YEAR, "IMG_1.jpg", taken=TAKEN, description="both")
    builder.media(YEAR, "IMG_1-bearbeitet.jpg", b"edited")
    builder.write_zip(root / FIRST)
    items = items_of(root)
    assert items.keys() == {"IMG_1.jpg", "IMG_1-bearbeitet.jpg"}
    assert {item.description for item in items.values()} == {"both"}


def test_counted_and_cut_names_get_their_titles_back(root: Path) -> None:
    builder = TakeoutBuilder()
    long = "PXL_20230809_203449253.LONG_EXPOSURE-02.ORIGINAL.jpg"
    builder.photo(YEAR, "IMG_1.jpg", b"first", taken=TAKEN)
    builder.photo(YEAR, "IMG_1.jpg", b"second one", taken=TAKEN + timedelta(days=1), counter=1)
    builder.photo(YEAR, long, taken=TAKEN)
    builder.photo(YEAR, "27/06 at 9.jpg", taken=TAKEN)
    builder.write_zip(root / FIRST)
    items, _ = listed(root)
    assert sorted(item.name for item in items) == ["27_06 at 9.jpg", "IMG_1.jpg", "IMG_1.jpg", long]
    assert len({item.id for item in items}) == 4


def test_same_title_and_size_but_other_bytes_are_two_items(root: Path) -> None:
    builder = TakeoutBuilder()
    builder.photo(YEAR, "DSC1.ARW", b"AAAA", taken=TAKEN)
    builder.photo("Photos from 2021", "DSC1.ARW", b"BBBB", taken=TAKEN + timedelta(days=800))
    builder.write_zip(root / FIRST)
    items, inventory = listed(root)
    assert len({item.id for item in items}) == 2
    assert len({item.content_token for item in items}) == 2
    assert all(item.id.startswith("DSC1.ARW/4/") for item in items)
    assert adds_up(inventory)


def test_media_without_sidecar_is_an_item_with_a_note(root: Path) -> None:
    builder = TakeoutBuilder()
    builder.media(YEAR, "IMG_1.jpg", b"alone")
    builder.media(YEAR, "no extension at all", b"perhaps a photo")
    builder.write_zip(root / FIRST)
    items, inventory = listed(root)
    assert [item.notes for item in items] == [("no sidecar",), ("no sidecar",)]
    assert [item.kind for item in items] == [Kind.PHOTO, Kind.OTHER]
    assert {item.metadata_token for item in items} == {""}
    assert inventory.counts["media without sidecar"] == 2


def test_a_copy_without_sidecar_borrows_that_of_the_other_copy(root: Path) -> None:
    builder = TakeoutBuilder()
    builder.photo(YEAR, "IMG_1.jpg", b"same bytes", taken=TAKEN, counter=1)
    builder.album("Rome", "Rome")
    builder.media("Rome", "IMG_1.jpg", b"same bytes")
    builder.write_zip(root / FIRST)
    items = items_of(root)
    assert items["IMG_1.jpg"].albums == (AlbumRef("Rome", "Rome"),)
    assert len(items["IMG_1.jpg"].origins) == 2


def test_a_sidecar_comes_from_the_same_folder_of_another_export(root: Path) -> None:
    old, new = TakeoutBuilder(), TakeoutBuilder()
    old.sidecar(YEAR, "IMG_1.jpg", TAKEN, description="from the older one")
    new.media(YEAR, "IMG_1.jpg", b"photo")
    old.write_zip(root / FIRST)
    new.write_zip(root / NEWER)
    item = items_of(root)["IMG_1.jpg"]
    assert item.description == "from the older one"
    assert item.notes == ("sidecar borrowed from another export",)


def test_a_sidecar_is_borrowed_by_title_only_when_it_is_the_only_one(root: Path) -> None:
    builder = TakeoutBuilder()
    builder.album("Rome", "Rome")
    builder.sidecar("Rome", "IMG_1.jpg", TAKEN, description="right")
    builder.media(YEAR, "IMG_1.jpg", b"one")
    for number in (0, 1):
        builder.sidecar("Rome", "IMG_2.jpg", TAKEN + timedelta(minutes=number), counter=number)
    builder.media(YEAR, "IMG_2.jpg", b"whose?")
    builder.sidecar("Rome", "IMG_3.jpg", TAKEN)
    builder.media("Photos from 2015", "IMG_3.jpg", b"another year's")
    builder.sidecar("Rome", "IMG_4.jpg", TAKEN)
    builder.media("Berlin", "IMG_4.jpg", b"one of two")
    builder.media("Paris", "IMG_4.jpg", b"the other one")
    builder.write_zip(root / FIRST)
    found, _ = listed(root)
    assert [item.notes for item in found if item.name == "IMG_4.jpg"] == [("no sidecar",)] * 2
    items = {item.name: item for item in found}
    assert items["IMG_1.jpg"].description == "right"
    assert items["IMG_1.jpg"].albums == (AlbumRef("Rome", "Rome"),)
    assert "sidecar borrowed by title" in items["IMG_1.jpg"].notes
    assert items["IMG_2.jpg"].notes == ("no sidecar",)
    assert items["IMG_3.jpg"].notes == ("no sidecar",)


def test_the_newer_export_wins(root: Path) -> None:
    old, new = TakeoutBuilder(), TakeoutBuilder()
    for folder in ("Rome", "Old"):
        old.album(folder, folder)
        old.photo(folder, "IMG_1.jpg", b"photo", taken=TAKEN, description="old")
    old.photo("Trash", "IMG_1.jpg", b"photo", taken=TAKEN, description="old")
    new.album("Rome", "Rome, renamed")
    new.photo("Rome", "IMG_1.jpg", b"photo", taken=TAKEN + timedelta(hours=2), description="new", favorite=True)
    old.write_zip(root / FIRST)
    new.write_zip(root / NEWER)
    item = items_of(root)["IMG_1.jpg"]
    assert (item.description, item.favorite, item.states) == ("new", True, ())
    assert item.taken is not None
    assert item.taken.instant == MILLISECONDS + 7_200_000
    assert item.albums == (AlbumRef("Old", "Old"), AlbumRef("Rome", "Rome, renamed"))


def test_news_of_an_older_item_comes_without_its_file(root: Path) -> None:
    old, new = TakeoutBuilder(), TakeoutBuilder()
    old.photo(YEAR, "IMG_1.jpg", b"photo", taken=TAKEN, description="old", url="https://photos.google.com/photo/A")
    new.sidecar(
        YEAR, "IMG_1.jpg", TAKEN + timedelta(days=1), description="new", url="https://photos.google.com/photo/A"
    )
    old.write_zip(root / FIRST)
    before = items_of(root)["IMG_1.jpg"]
    new.write_zip(root / NEWER)
    after = items_of(root)["IMG_1.jpg"]
    assert after.description == "new"
    assert after.id == before.id
    assert after.content_token == before.content_token
    assert after.metadata_token != before.metadata_token


@pytest.mark.parametrize(
    ("folder", "flags", "state"),
    [
        ("Archive", {}, ItemState.ARCHIVED),
        ("Papierkorb", {}, ItemState.TRASHED),
        ("Locked Folder", {}, ItemState.LOCKED),
        (YEAR, {"archived": True}, ItemState.ARCHIVED),
        (YEAR, {"trashed": True}, ItemState.TRASHED),
        ("Archive", {"trashed": True}, ItemState.TRASHED),
    ],
)
def test_states_come_from_flags_then_from_folders(
    root: Path, folder: str, flags: dict[str, bool], state: ItemState
) -> None:
    builder = TakeoutBuilder()
    builder.photo(
        folder, "IMG_1.jpg", taken=TAKEN, archived=flags.get("archived", False), trashed=bool(flags.get("trashed"))
    )
    builder.write_zip(root / FIRST)
    item = items_of(root)["IMG_1.jpg"]
    assert (item.states, item.albums) == ((state,), ())


def test_an_album_may_be_named_like_a_special_folder_or_a_year(root: Path) -> None:
    builder = TakeoutBuilder()
    for folder in ("Archive", "2019"):
        builder.album(folder, folder)
        builder.photo(folder, f"{folder}.jpg", taken=TAKEN)
    builder.write_zip(root / FIRST)
    items = items_of(root)
    assert items["Archive.jpg"].states == ()
    assert [item.albums[0].title for item in items.values()] == ["Archive", "2019"]


def test_an_album_without_json_or_with_an_empty_title_is_named_by_its_folder(root: Path) -> None:
    builder = TakeoutBuilder()
    builder.photo("Weekend", "a.jpg", taken=TAKEN)
    builder.album("Untitled(3)", "")
    builder.photo("Untitled(3)", "b.jpg", taken=TAKEN)
    builder.write_zip(root / FIRST)
    with opened(root) as source:
        assert [(album.id, album.title, album.count) for album in source.albums()] == [
            ("Untitled(3)", "Untitled(3)", 1),
            ("Weekend", "Weekend", 1),
        ]


def test_folders_in_both_normal_forms_are_one_album(root: Path) -> None:
    composed, decomposed = TakeoutBuilder(), TakeoutBuilder()
    composed.photo("Caf\u00e9", "a.jpg", b"a", taken=TAKEN)
    decomposed.photo("Cafe\u0301", "a.jpg", b"a", taken=TAKEN)
    composed.write_zip(root / FIRST)
    decomposed.write_zip(root / NEWER)
    assert items_of(root)["a.jpg"].albums == (AlbumRef("Caf\u00e9", "Caf\u00e9"),)


# Tokens and identity


def _tokens(root: Path, cache: str) -> list[tuple[str, str, str]]:
    items, _ = listed(root, cache=cache)
    return sorted((item.id, item.content_token, item.metadata_token) for item in items)


def _library() -> TakeoutBuilder:
    builder = TakeoutBuilder()
    builder.album("Rome", "Rome", part=2)
    content = builder.photo(YEAR, "IMG_1.jpg", b"one", taken=TAKEN, description="d")
    builder.photo("Rome", "IMG_1.jpg", content, taken=TAKEN, parts=(2, 2), description="d", url="another page")
    builder.photo(YEAR, "IMG_2.HEIC", b"two", taken=TAKEN, parts=(1, 2))
    builder.media(YEAR, "IMG_2.MOV", b"three", part=2)
    builder.media(YEAR, "IMG_3.jpg", b"four")
    return builder


def test_tokens_do_not_depend_on_names_and_number_of_the_parts(root: Path) -> None:
    _two_parts(_library(), root)
    wanted = _tokens(root, "plain")
    shutil.copy2(root / FIRST, root / FIRST.replace(".zip", " (1).zip"))
    assert _tokens(root, "twice") == wanted
    (root / FIRST.replace(".zip", " (1).zip")).unlink()
    (root / FIRST).rename(root / "z.zip")
    (root / SECOND).rename(root / "a.zip")
    assert _tokens(root, "renamed") == wanted
    assert _tokens(root, "plain") == wanted


def test_the_metadata_token_tells_every_change_but_views(root: Path) -> None:
    builder = TakeoutBuilder()
    builder.photo(YEAR, "IMG_1.jpg", b"one", taken=TAKEN)
    said = json.loads(builder.members[1].content)

    def token(**changes: object) -> str:
        (root / FIRST).unlink(missing_ok=True)
        changed = TakeoutBuilder()
        changed.media(YEAR, "IMG_1.jpg", b"one")
        changed.file(f"{YEAR}/IMG_1.jpg.json", json.dumps({**said, **changes}).encode())
        changed.write_zip(root / FIRST)
        return items_of(root, cache=f"cache{len(os.listdir(root.parent))}")["IMG_1.jpg"].metadata_token

    plain = token()
    views = {"timestamp": said["photoTakenTime"]["timestamp"], "formatted": "in Worten"}
    assert token(imageViews="99", photoTakenTime=views) == plain
    others = {token(description="x"), token(people=[{"name": "Ada"}]), token(favorited=True), token(archived=True)}
    assert len({plain, *others}) == 5


def test_a_new_album_changes_the_metadata_token_alone(root: Path) -> None:
    builder = TakeoutBuilder()
    builder.photo(YEAR, "IMG_1.jpg", b"one", taken=TAKEN)
    builder.write_zip(root / FIRST)
    before = items_of(root)["IMG_1.jpg"]
    newer = TakeoutBuilder()
    newer.photo("Rome", "IMG_1.jpg", b"one", taken=TAKEN)
    newer.write_zip(root / NEWER)
    after = items_of(root)["IMG_1.jpg"]
    assert (after.id, after.content_token) == (before.id, before.content_token)
    assert after.metadata_token != before.metadata_token


# Forms of parts


def _as_zips(builder: TakeoutBuilder, root: Path) -> None:
    _two_parts(builder, root)


def _as_tgz(builder: TakeoutBuilder, root: Path) -> None:
    write_tgz(root / FIRST.replace(".zip", ".tgz"), builder, 1)
    write_tgz(root / SECOND.replace(".zip", ".tgz"), builder, 2)


def _as_folder(builder: TakeoutBuilder, root: Path) -> None:
    builder.write_folder(root)


def _as_a_mixture(builder: TakeoutBuilder, root: Path) -> None:
    builder.write_zip(root / FIRST, 1)
    unpacked = TakeoutBuilder()
    unpacked.members = [member for member in builder.members if member.part == 2]
    unpacked.write_folder(root / "takeout-20250101T000000Z-002")


@pytest.mark.parametrize("write", [_as_zips, _as_tgz, _as_folder, _as_a_mixture])
def test_every_form_of_parts_gives_the_same_library(root: Path, write: Callable[[TakeoutBuilder, Path], None]) -> None:
    write(_library(), root)
    with opened(root) as source:
        items = {item.name: item for item in source.scan(Selection())}
        contents = {name: fetched(source, item) for name, item in items.items()}
        inventory = source.inventory()
    assert contents == {"IMG_1.jpg": b"one", "IMG_2.HEIC": b"two", "IMG_2.MOV": b"three", "IMG_3.jpg": b"four"}
    assert items["IMG_1.jpg"].albums == (AlbumRef("Rome", "Rome"),)
    assert items["IMG_2.HEIC"].paired_with == items["IMG_2.MOV"].id
    assert items["IMG_2.MOV"].paired_with == items["IMG_2.HEIC"].id
    assert items["IMG_2.MOV"].taken == items["IMG_2.HEIC"].taken is not None
    assert inventory.complete
    assert inventory.missing == ()
    assert adds_up(inventory)
    assert (inventory.counts["media"], inventory.counts["copies"]) == (5, 1)


def test_an_unpacked_copy_keeps_ids_and_metadata(root: Path) -> None:
    _library().write_folder(root / "takeout-20250101T000000Z-001")
    unpacked = {item.id: item.metadata_token for item in listed(root, cache="one")[0]}
    _two_parts(_library(), root)
    items, inventory = listed(root, cache="two")
    assert {item.id: item.metadata_token for item in items} == unpacked
    assert inventory.counts["copies"] == 6
    shutil.rmtree(root / "takeout-20250101T000000Z-001")
    assert {item.id: item.metadata_token for item in listed(root, cache="one")[0]} == unpacked


def test_unpacked_files_of_one_name_and_size_are_told_apart_by_their_bytes(root: Path) -> None:
    builder = TakeoutBuilder()
    builder.photo(YEAR, "a.jpg", b"AAAA", taken=TAKEN)
    builder.photo("Rome", "a.jpg", b"AAAA", taken=TAKEN)
    builder.photo("Photos from 2020", "a.jpg", b"BBBB", taken=TAKEN + timedelta(days=400))
    builder.photo("Photos from 2020", "b.jpg", b"only", taken=TAKEN)
    builder.write_folder(root)
    items, _ = listed(root)
    assert sorted(len(item.origins) for item in items) == [1, 1, 2]
    tokens = {item.name: item.content_token for item in items}
    assert "@" in tokens["b.jpg"]
    assert "@" not in tokens["a.jpg"]


def test_a_changed_unpacked_file_changes_its_content_token(root: Path) -> None:
    builder = TakeoutBuilder()
    builder.photo(YEAR, "a.jpg", b"AAAA", taken=TAKEN)
    builder.write_folder(root)
    before = items_of(root)["a.jpg"]
    path = root / "Takeout/Google Photos" / YEAR / "a.jpg"
    path.write_bytes(b"BBBB")
    os.utime(path, (1, 1))
    after = items_of(root)["a.jpg"]
    assert after.id == before.id
    assert after.content_token != before.content_token


def test_one_path_twice_with_different_bytes_keeps_each_parts_own_sidecar(root: Path) -> None:
    builder = TakeoutBuilder()
    for part in (1, 2):
        content = b"photo of part %d" % part
        builder.photo(YEAR, "IMG_1.jpg", content, taken=TAKEN + timedelta(days=part), parts=(part, part))
    _two_parts(builder, root)
    with opened(root) as source:
        found = {fetched(source, item): item.taken.instant for item in source.scan(Selection()) if item.taken}
    day = 86_400_000
    assert found == {b"photo of part 1": MILLISECONDS + day, b"photo of part 2": MILLISECONDS + 2 * day}


def test_sidecar_of_no_use_are_named_and_counted(root: Path) -> None:
    builder = TakeoutBuilder()
    builder.photo(YEAR, "a.jpg", taken=TAKEN)
    builder.file(f"{YEAR}/b.jpg.json", sidecar("b.jpg", TAKEN))
    builder.file(f"{YEAR}/broken.json", b'{"title": ')
    builder.file("print-subscriptions.json", b"{}")
    builder.write_zip(root / FIRST)
    _, inventory = listed(root)
    assert inventory.complete
    assert inventory.counts["sidecars without media"] == 1
    assert [warning.partition(": ")[0] for warning in inventory.warnings] == [
        FIRST,
        f"{YEAR}/b.jpg.json",
    ]
    assert adds_up(inventory)


@pytest.mark.parametrize(("folder", "albums"), [(YEAR, []), ("Fotos de 2019", []), ("Rome 2019", ["Rome 2019"])])
def test_an_album_file_that_repeats_a_years_name_makes_no_album(root: Path, folder: str, albums: list[str]) -> None:
    builder = TakeoutBuilder()
    builder.album(folder, folder)
    builder.photo(folder, "a.jpg", taken=TAKEN)
    builder.write_zip(root / FIRST)
    assert [album.title for album in items_of(root)["a.jpg"].albums] == albums


def test_an_album_may_have_a_years_name_and_a_title_of_its_own(root: Path) -> None:
    builder = TakeoutBuilder()
    builder.album(YEAR, "My best year")
    builder.photo(YEAR, "a.jpg", taken=TAKEN)
    builder.write_zip(root / FIRST)
    assert [album.title for album in items_of(root)["a.jpg"].albums] == ["My best year"]


def test_a_huge_folder_is_matched_in_pieces_with_the_same_result(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    builder = TakeoutBuilder()
    for number in range(40):
        builder.photo(YEAR, f"IMG_{number}.jpg", b"%d" % number, taken=TAKEN, description=str(number))
        builder.media(YEAR, f"IMG_{number}-edited.jpg", b"edited %d" % number)
        builder.photo(YEAR, f"IMG_{number}.jpg", b"second %d" % number, taken=TAKEN, counter=1)
        builder.media(YEAR, f"IMG_{number}.MOV", b"movie %d" % number)
    builder.media(YEAR, "title & co.jpg", b"named otherwise")
    builder.file(f"{YEAR}/another file name.json", sidecar("title & co.jpg", TAKEN))
    builder.write_zip(root / FIRST)
    whole = listed(root, cache="whole")
    monkeypatch.setattr("syncengine_plugins.sources.takeout.matching._MOST_AT_ONCE", 10)
    assert listed(root, cache="pieces") == whole
    assert whole[1].counts["media without sidecar"] == 0


def test_what_the_system_put_there_is_no_photo(root: Path) -> None:
    builder = TakeoutBuilder()
    builder.photo(YEAR, "IMG_1.jpg", taken=TAKEN)
    for junk in ("@eaDir/IMG_1.jpg/SYNOFILE_THUMB_M.jpg", "._IMG_1.jpg", "._IMG_1.jpg.json", ".DS_Store", "Thumbs.db"):
        builder.file(f"{YEAR}/{junk}", b"\0\5\x16\7")
    builder.members.append(Member(f"__MACOSX/Takeout/Google Photos/{YEAR}/IMG_2.jpg", b"double"))
    builder.write_zip(root / FIRST)
    items, inventory = listed(root)
    assert [item.name for item in items] == ["IMG_1.jpg"]
    assert inventory.counts["other"] == 6
    assert inventory.warnings == ()
    (root / FIRST).unlink()
    builder.write_folder(root)
    items, inventory = listed(root)
    assert [item.name for item in items] == ["IMG_1.jpg"]
    assert inventory.warnings == ()


def test_a_movie_takes_the_sidecar_that_its_still_had_to_borrow(root: Path) -> None:
    builder = TakeoutBuilder()
    builder.photo("Rome", "IMG_1.HEIC", b"still", taken=TAKEN)
    builder.media(YEAR, "IMG_1.HEIC", b"still")
    builder.media(YEAR, "IMG_1.MOV", b"movie")
    builder.write_zip(root / FIRST)
    items = items_of(root)
    assert items["IMG_1.MOV"].taken == items["IMG_1.HEIC"].taken is not None
    assert items["IMG_1.MOV"].paired_with == items["IMG_1.HEIC"].id
    assert items["IMG_1.HEIC"].paired_with == items["IMG_1.MOV"].id
    assert items["IMG_1.MOV"].notes == ("sidecar borrowed from its still",)
