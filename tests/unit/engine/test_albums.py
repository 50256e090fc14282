"""Albums at the destination: their directories, their links, their ``album.json``."""

from __future__ import annotations

import msgspec
import pytest

from syncengine.api import Album, AlbumRef, CaptureTime
from syncengine.testing.memory.destination import MemoryDestination, MemoryDestinationOptions
from syncengine.testing.memory.storage import StoredLink
from tests.unit.engine.photos import ROME, Obstructed, photo, put
from tests.unit.engine.test_run_odd_items import on_disk

LINK = "albums/Rome/a.jpg"


def album(backup, directory="Rome"):
    return msgspec.json.decode(backup.read(f"albums/{directory}/album.json"))


def directories(backup):
    return sorted({path.split("/")[1] for path in backup.files("albums")})


def able_to(backup, **options):
    backup.destination = MemoryDestination(MemoryDestinationOptions(**options))
    backup.destination.open()


def entry(backup, path):
    return backup.destination.storage.entries.get(path)


@pytest.mark.parametrize(
    ("style", "able", "shown"),
    [
        ("auto", {}, "hardlink"),
        ("auto", {"hardlinks": False}, "symlink"),
        ("auto", {"hardlinks": False, "symlinks": False}, None),
        ("hardlink", {}, "hardlink"),
        ("symlink", {}, "symlink"),
        ("copy", {"hardlinks": False, "symlinks": False}, "copy"),
        ("manifest", {}, None),
    ],
)
def test_a_member_is_shown_as_the_profile_wants_and_the_destination_can(backup, style, able, shown):
    able_to(backup, **able)
    backup.albums = style
    backup.library.add(photo("a.jpg", albums=(ROME,)), b"a")
    backup.run()
    found, file = entry(backup, LINK), entry(backup, "photos/2019/05/a.jpg")
    if shown is None:
        assert found is None
    elif shown == "hardlink":
        assert found is file
    elif shown == "symlink":
        assert found == StoredLink("photos/2019/05/a.jpg")
    else:
        assert found is not file
        assert (found.content, found.mtime) == (b"a", file.mtime)
    assert [member["path"] for member in album(backup)["members"]] == ["photos/2019/05/a.jpg"]


def test_without_albums_there_are_none(backup):
    backup.albums = "none"
    backup.library.add(photo("a.jpg", albums=(ROME,)), b"a")
    backup.run()
    assert backup.files("albums") == {}


def test_a_copy_that_is_there_is_not_copied_again_or_beside(backup):
    backup.albums = "copy"
    backup.library.add(photo("a.jpg", albums=(ROME,)), b"a")
    backup.run()
    backup.library.add(photo("b.jpg", albums=(ROME,)), b"b")
    backup.run()
    assert set(backup.files("albums")) == {LINK, "albums/Rome/b.jpg", "albums/Rome/album.json"}


def test_links_that_a_destination_does_not_have_are_warned_of_and_the_album_is_written(backup):
    able_to(backup, symlinks=False)
    backup.albums = "symlink"
    backup.library.add(photo("a.jpg", albums=(ROME,)), b"a")
    report = backup.run()
    assert report.warnings == (f"{LINK} could not be linked: the memory destination has no symlinks",)
    assert len(album(backup)["members"]) == 1


def test_members_are_ordered_by_time_then_path_and_undated_ones_stand_last(backup):
    for name, instant in (("late.jpg", 2_000), ("undated.jpg", None), ("b.jpg", 1_000), ("a.jpg", 1_000)):
        taken = CaptureTime(origin="source", instant=instant) if instant is not None else None
        backup.library.add(photo(name, taken=taken, albums=(ROME,)), name.encode())
    backup.run()
    assert [member["name"] for member in album(backup)["members"]] == ["a.jpg", "b.jpg", "late.jpg", "undated.jpg"]
    assert album(backup)["members"][-1]["taken"] is None


def test_an_album_file_says_what_the_source_knows(backup):
    raw = {"title": "Rome", "access": ["x"]}
    backup.library.albums["r"] = Album(id="r", title="Rome", description="a trip", raw=raw)
    backup.library.add(photo("a.jpg", albums=(ROME,)), b"a")
    backup.run()
    found = album(backup)
    assert (found["id"], found["title"], found["description"], found["raw"]) == ("r", "Rome", "a trip", raw)


def test_an_album_whose_description_changed_is_written_again(backup):
    backup.library.add(photo("a.jpg", albums=(ROME,)), b"a")
    backup.run()
    backup.library.albums["r"] = Album(id="r", title="Rome", description="a trip")
    backup.run()
    assert album(backup)["description"] == "a trip"


def test_an_album_that_was_renamed_keeps_its_directory_and_has_one_name_everywhere(backup):
    backup.library.add(photo("a.jpg", metadata_token="1", albums=(ROME,)), b"a")
    backup.run()
    backup.library.albums["r"] = Album(id="r", title="Roma")
    backup.library.add(photo("a.jpg", metadata_token="2", albums=(AlbumRef("r", "Roma"),)), b"a")
    backup.run()
    assert album(backup, "Rome")["title"] == "Roma"
    assert directories(backup) == ["Rome"]
    assert [entry["title"] for entry in backup.document("photos/2019/05/a.jpg")["albums"]] == ["Roma"]


def test_albums_of_one_title_have_two_directories_whichever_comes_first(backup):
    for id_ in ("1", "2"):
        backup.library.add(photo(f"{id_}.jpg", albums=(AlbumRef(id_, "Rome"),)), id_.encode())
    backup.run()
    first, second = directories(backup)
    assert first == "Rome"
    assert second.startswith("Rome~")
    assert {member["name"] for member in album(backup, second)["members"]} == {"2.jpg"}
    backup.library.add(photo("3.jpg", albums=(AlbumRef("2", "Rome"),)), b"3")
    backup.run()
    assert directories(backup) == [first, second]


@pytest.mark.parametrize("title", ["写" * 90, "x" * 300])
def test_long_titles_that_differ_only_at_their_end_have_two_directories_that_fit(backup, title):
    on_disk(backup)
    albums = (AlbumRef("1", title + "a"), AlbumRef("2", title + "b"))
    backup.library.add(photo("a.jpg", albums=albums), b"a")
    report = backup.run()
    assert (report.outcomes["stored"], report.warnings) == (1, ())
    assert len(directories(backup)) == 2
    assert {album(backup, directory)["title"] for directory in directories(backup)} == {title + "a", title + "b"}


@pytest.mark.parametrize(
    ("title", "directory"), [("", "Untitled"), ("  ", "Untitled"), ("a/b: c?", "a_b_ c_"), ("..", "Untitled")]
)
def test_any_title_is_a_directory(backup, title, directory):
    backup.library.add(photo("a.jpg", albums=(AlbumRef("r", title),)), b"a")
    backup.run()
    assert directories(backup) == [directory]


def test_members_of_one_name_are_all_shown(backup):
    for id_ in ("1", "2"):
        taken = CaptureTime(origin="source", instant=int(id_) * 10**11)
        backup.library.add(photo(id_, name="a.jpg", taken=taken, albums=(ROME,)), id_.encode())
    backup.run()
    shown = {path: content for path, content in backup.files("albums").items() if not path.endswith(".json")}
    assert sorted(shown.values()) == [b"1", b"2"]


def test_a_file_of_somebody_else_in_an_album_is_never_touched(backup):
    put(backup.destination, LINK, b"theirs")
    backup.library.add(photo("a.jpg", albums=(ROME,)), b"a")
    backup.run()
    assert backup.read(LINK) == b"theirs"
    assert sorted(backup.files("albums").values())[:2] == sorted([b"a", b"theirs"])


def test_a_member_that_was_put_back_is_shown_once(backup):
    on_disk(backup)
    backup.library.add(photo("a.jpg", albums=(ROME,)), b"a")
    backup.run()
    backup.destination.remove("photos/2019/05/a.jpg")
    assert backup.run().warnings == ()
    assert set(backup.files("albums")) == {LINK, "albums/Rome/album.json"}


def test_an_album_file_that_cannot_be_written_is_warned_of_and_written_by_the_next_run(backup):
    backup.library.add(photo("a.jpg", albums=(ROME,)), b"a")
    good = backup.destination
    backup.destination = Obstructed(good, "albums/Rome/album.json")
    report = backup.run()
    assert report.warnings == ("albums/Rome/album.json could not be written: no permission",)
    assert report.outcomes["stored"] == 1
    backup.destination = good
    backup.run()
    assert len(album(backup)["members"]) == 1


def test_an_item_that_left_an_album_at_the_source_stays_in_it(backup):
    backup.library.add(photo("a.jpg", metadata_token="1", albums=(ROME,)), b"a")
    backup.run()
    backup.library.add(photo("a.jpg", metadata_token="2"), b"a")
    backup.run()
    assert len(album(backup)["members"]) == 1
    assert LINK in backup.files("albums")


@pytest.mark.parametrize("style", ["copy", "hardlink"])
def test_a_link_that_an_older_profile_has_made_is_a_members_name(backup, style):
    backup.albums = "symlink"
    backup.library.add(photo("a.jpg", albums=(ROME,)), b"a")
    backup.run()
    backup.albums = style
    backup.library.add(photo("b.jpg", albums=(ROME,)), b"b")
    backup.run()
    shown = [path for path in backup.destination.storage.entries if path.startswith("albums/")]
    assert sorted(shown) == ["albums/Rome/a.jpg", "albums/Rome/album.json", "albums/Rome/b.jpg"]
