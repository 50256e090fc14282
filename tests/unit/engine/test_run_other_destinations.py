"""Another destination, a lost state, and profiles that share a destination."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from syncengine.api import AlbumRef
from syncengine.testing.memory.destination import MemoryDestination, MemoryDestinationOptions
from syncengine_plugins.destinations.filesystem import FilesystemDestination, FilesystemOptions
from tests.unit.engine.conftest import Backup
from tests.unit.engine.photos import ROME, Stamp, assert_checksums_hold, checksums, photo, put
from tests.unit.engine.test_run_odd_items import on_disk

PARIS = AlbumRef("p", "Paris")


@pytest.fixture
def other(backup: Backup, tmp_path: Path) -> Backup:
    """Another profile with the same destination and the same state."""
    directory = tmp_path / "other"
    directory.mkdir()
    (directory / "state").symlink_to(tmp_path / "state")
    made = Backup(directory)
    made.destination, made.profile, made.runs = backup.destination, "other", 500
    return made


def meanwhile(backup: Backup, other: Backup) -> None:
    """Have the other profile run when a batch is matched and not yet placed, which is when no lock is held."""
    has_run = []

    @contextlib.contextmanager
    def exclusive() -> Iterator[None]:
        if not has_run:
            has_run.append(other.run())
        yield

    backup.exclusive = exclusive


def albums_of(backup: Backup, path: str) -> set[str]:
    return {album["title"] for album in backup.document(path)["albums"]}


def test_what_two_profiles_find_at_the_same_time_is_stored_once(backup, other):
    backup.library.add(photo("a.jpg", albums=(ROME,), origins=("x",)), b"same")
    other.library.add(photo("b.jpg", albums=(PARIS,), origins=("y",)), b"same")
    meanwhile(backup, other)
    report = backup.run()
    assert (report.outcomes["duplicate"], backup.files()) == (1, {"photos/2019/05/b.jpg": b"same"})
    assert albums_of(backup, "photos/2019/05/b.jpg") == {"Rome", "Paris"}
    assert {"albums/Rome/b.jpg", "albums/Paris/b.jpg"} <= set(backup.files("albums"))
    assert_checksums_hold(backup)
    assert backup.run().outcomes["unchanged"] == 1
    assert other.run().outcomes["unchanged"] == 1


def test_two_contents_of_one_name_that_two_profiles_find_at_the_same_time_are_both_stored(backup, other):
    backup.library.add(photo("a.jpg"), b"one")
    other.library.add(photo("a.jpg"), b"two")
    meanwhile(backup, other)
    backup.run()
    assert sorted(backup.files().values()) == [b"one", b"two"]
    assert_checksums_hold(backup)


def test_copies_that_two_profiles_find_at_the_same_time_are_both_remembered(backup, other):
    backup.library.add(photo("a.jpg"), b"same")
    backup.run()
    backup.library.add(photo("copy-1.jpg", albums=(ROME,)), b"same")
    other.library.add(photo("copy-2.jpg", albums=(PARIS,)), b"same")
    meanwhile(backup, other)
    backup.run()
    (group,) = msgspec.json.decode(backup.read("metadata/deduplication.json"))["groups"]
    assert {copy["id"] for copy in group["copies"]} == {"copy-1.jpg", "copy-2.jpg"}
    assert albums_of(backup, "photos/2019/05/a.jpg") == {"Rome", "Paris"}


def test_metadata_are_those_of_the_profile_that_stored_the_file(backup, other):
    backup.library.add(photo("a.jpg", metadata_token="1", description="first"), b"a")
    backup.run()
    other.library.add(photo("a.jpg", description="not this one"), b"a")
    other.run()
    backup.library.add(photo("a.jpg", metadata_token="2", description="second"), b"a")
    backup.run()
    assert backup.document("photos/2019/05/a.jpg")["description"] == "second"
    assert_checksums_hold(backup)


def test_profiles_that_do_not_deduplicate_and_know_an_item_by_the_same_id_share_its_file(backup, other):
    backup.dedups = other.dedups = lambda: ()
    backup.library.add(photo("a.jpg"), b"a")
    other.library.add(photo("a.jpg"), b"a")
    backup.run()
    other.run()
    assert set(backup.files().values()) == {b"a"}
    assert backup.run().outcomes["unchanged"] == 1
    assert other.run().outcomes["unchanged"] == 1
    assert_checksums_hold(backup)


def test_another_destination_gets_everything_and_keeps_what_it_has(backup):
    backup.library.add(photo("a.jpg"), b"ours")
    backup.run()
    backup.destination = MemoryDestination(MemoryDestinationOptions())
    backup.destination.open()
    put(backup.destination, "photos/2019/05/a.jpg", b"theirs")
    assert backup.run().outcomes["stored"] == 1
    assert sorted(backup.files().values()) == [b"ours", b"theirs"]
    assert list(checksums(backup).values()) != []


def test_a_lost_state_is_found_again_file_by_file(backup):
    backup.transforms = (Stamp(extension=".png", keep=True),)
    backup.metadata = ("json", "xmp")
    for number in range(6):
        albums = (AlbumRef(str(number % 2), "Rome"),)
        backup.library.add(photo(str(number), name="IMG.heic", albums=albums), b"%d" % (number // 2))
    backup.run()
    before = backup.files("")
    shutil.rmtree(backup.directory / "state")
    report = backup.run()
    assert report.bytes_written == 0
    runs_own = ("logs/", "metadata/catalog/")
    assert {path for path in backup.files("") if not path.startswith(runs_own)} == {
        path for path in before if not path.startswith(runs_own)
    }
    assert backup.read("metadata/checksums.sha256") == before["metadata/checksums.sha256"]


def test_album_links_that_a_copy_of_the_destination_made_files_of_are_not_linked_again(backup):
    on_disk(backup)
    for number in range(3):
        backup.library.add(photo(f"{number}.jpg", albums=(ROME,)), b"%d" % number)
    backup.run()
    backup.destination.close()
    shutil.copytree(backup.directory / "disk", backup.directory / "copy")
    backup.destination = FilesystemDestination(FilesystemOptions(path=str(backup.directory / "copy")))
    backup.destination.open()
    backup.library.add(photo("3.jpg", albums=(ROME,)), b"3")
    backup.run()
    assert set(backup.files("albums")) == {
        "albums/Rome/album.json", *(f"albums/Rome/{number}.jpg" for number in range(4)),
    }  # fmt: skip


def test_a_library_that_moved_to_another_profile_name_is_not_stored_again(backup, other):
    backup.library.add(photo("a.jpg"), b"a")
    backup.run()
    other.library = backup.library
    report: Any = other.run()
    assert (report.outcomes["duplicate"], report.bytes_written) == (1, 0)


def test_what_two_profiles_put_back_at_the_same_time_is_put_back_once(backup, other):
    for one, album in ((backup, ROME), (other, PARIS)):
        one.metadata = ("json", "xmp")
        one.library.add(photo(f"{album.id}.jpg", albums=(album,)), b"same")
        one.run()
    (path,) = [path for path in backup.files() if not path.endswith(".xmp")]
    backup.destination.remove(path)
    other.library.add(photo("p.jpg", albums=(PARIS, AlbumRef("s", "Sea"))), b"same")
    meanwhile(backup, other)
    backup.run()
    assert set(backup.files()) == {path, f"{path}.xmp"}
    assert albums_of(backup, path) == {"Rome", "Paris", "Sea"}
    assert_checksums_hold(backup)
    assert backup.run().outcomes["unchanged"] == 1


def test_an_original_whose_transform_two_profiles_try_again_at_the_same_time_is_transformed_once(backup, other):
    stamp = Stamp(extension=".png", broken=True)
    for one, album in ((backup, ROME), (other, PARIS)):
        one.transforms = (stamp,)
        one.library.add(photo("a.heic", albums=(album,)), b"raw")
        one.run()
    stamp.broken = False
    meanwhile(backup, other)
    backup.run()
    assert backup.files() == {"photos/2019/05/a.heic": b"raw", "photos/2019/05/a.png": b"stamped raw"}
    assert albums_of(backup, "photos/2019/05/a.png") == {"Rome", "Paris"}
    assert_checksums_hold(backup)
