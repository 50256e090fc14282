"""Each way back, in the order in which it costs more, and what is said where there is none."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

import pytest

from syncengine.errors import FatalError
from syncengine.testing.memory.source import MemoryLibrary
from syncengine_plugins.destinations.filesystem import FilesystemDestination, FilesystemOptions
from tests.unit.engine.photos import Stamp, assert_checksums_hold, photo
from tests.unit.engine.verification.test_verifier import PLACE, disk, fill, kinds

TRASH = ".syncengine/trash/repair"


def flip(path):
    """Change one bit where the file lies: other names of it change as well."""
    with path.open("r+b") as stream:
        first = stream.read(1)[0]
        stream.seek(0)
        stream.write(bytes([first ^ 1]))


def replaced(path):
    """Put another file of the same size in a file's place, as a photo program does."""
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content[::-1])


def assert_all_well(backup, verified):
    assert list((backup.directory / "spool").iterdir()) == []
    found = verified()
    assert (found.findings, found.is_proof) == ([], True)
    assert_checksums_hold(backup)
    report = backup.run()
    assert report.outcomes["unchanged"] == report.listed


def no_source(ids):
    raise AssertionError("the source was asked")


def test_every_damage_is_repaired_from_the_source(backup, verified, repaired):
    fill(backup)
    flip(disk(backup, f"{PLACE}/0.jpg"))
    disk(backup, f"{PLACE}/2.jpg").write_bytes(b"")
    disk(backup, f"{PLACE}/3.jpg").write_bytes(b"bytes of 3 and more")
    disk(backup, f"{PLACE}/4.jpg").unlink()
    before = backup.files("photos")
    assert repaired() == {f"{PLACE}/{number}.jpg": "+from the source" for number in (0, 2, 3, 4)}
    assert backup.files(TRASH) == {
        f"{TRASH}/{PLACE}/0.jpg": before[f"{PLACE}/0.jpg"],
        f"{TRASH}/albums/Rome/0.jpg": before[f"{PLACE}/0.jpg"],
        f"{TRASH}/{PLACE}/2.jpg": b"",
        f"{TRASH}/{PLACE}/3.jpg": b"bytes of 3 and more",
    }
    assert sorted(os.listdir(disk(backup, "albums/Rome"))) == ["0.jpg", "1.jpg", "album.json"]
    assert_all_well(backup, verified)


def test_a_file_that_was_renamed_gets_its_name_back(backup, verified, repaired):
    fill(backup)
    disk(backup, f"{PLACE}/4.jpg").rename(disk(backup, "photos/holiday.jpg"))
    disk(backup, f"{PLACE}/4.jpg").symlink_to("/etc/hostname")
    assert repaired(fetch_again=no_source) == {f"{PLACE}/4.jpg": "+moved back from photos/holiday.jpg"}
    assert not disk(backup, f"{PLACE}/4.jpg").is_symlink()
    assert_all_well(backup, verified)


@pytest.mark.parametrize("style", ["hardlink", "copy"])
def test_the_name_in_an_album_holds_the_good_bytes_still(backup, verified, repaired, style):
    backup.albums = style
    fill(backup)
    replaced(disk(backup, f"{PLACE}/0.jpg"))
    disk(backup, f"{PLACE}/1.jpg").unlink()
    assert repaired(fetch_again=no_source) == {
        f"{PLACE}/0.jpg": "+from albums/Rome/0.jpg",
        f"{PLACE}/1.jpg": "+from albums/Rome/1.jpg",
    }
    same = disk(backup, f"{PLACE}/0.jpg").samefile(disk(backup, "albums/Rome/0.jpg"))
    assert same == (style == "hardlink")
    assert_all_well(backup, verified)


def test_the_kept_original_serves_where_nothing_was_changed_in_it(backup, verified, repaired):
    backup.transforms = (Stamp(keep=True, extension=".png"),)
    backup.library.add(photo("a.jpg"), b"a")
    fill(backup, 1)
    flip(disk(backup, f"{PLACE}/a.png"))
    flip(disk(backup, f"{PLACE}/a.jpg"))
    assert repaired() == {f"{PLACE}/a.jpg": "+from the source", f"{PLACE}/a.png": "+from the source"}
    assert_all_well(backup, verified)


def test_an_original_that_was_kept_because_its_transform_failed_comes_back(backup, verified, repaired):
    backup.transforms = (Stamp(broken=True),)
    fill(backup, 1)
    disk(backup, f"{PLACE}/0.jpg").write_bytes(b"")
    assert repaired() == {f"{PLACE}/0.jpg": "+from the source"}
    assert verified().is_proof


def test_another_content_of_the_same_stored_bytes_serves(backup, verified, repaired):
    backup.dedups = lambda: ()
    fill(backup)
    backup.library.add(photo("again.jpg"), b"bytes of 3")
    backup.run()
    flip(disk(backup, f"{PLACE}/3.jpg"))
    assert repaired(fetch_again=no_source) == {f"{PLACE}/3.jpg": f"+from {PLACE}/again.jpg"}
    assert_all_well(backup, verified)


@pytest.fixture
def elsewhere(tmp_path):
    """A directory that another profile has backed up to."""
    destination = FilesystemDestination(FilesystemOptions(path=str(tmp_path / "elsewhere")))
    destination.open()
    yield destination
    destination.close()


def listed(destination, files):
    """Put files and their list of checksums into a destination."""
    lines = "".join(f"{sha256(content).hexdigest()}  {path}\n" for path, content in files.items())
    for path, content in {**files, "metadata/checksums.sha256": lines.encode()}.items():
        upload = destination.begin(path)
        upload.write(content)
        upload.commit(replace=True)


def test_another_destination_serves_and_is_only_read(backup, verified, repaired, elsewhere):
    fill(backup)
    listed(elsewhere, {"all/x.jpg": b"bytes of 3", "all/y.jpg": b"bytes of 4"})
    before = {stat.path: stat for stat in elsewhere.list("")}
    flip(disk(backup, f"{PLACE}/3.jpg"))
    mtime = disk(backup, f"{PLACE}/3.jpg").stat().st_mtime
    assert repaired(elsewhere, fetch_again=no_source) == {f"{PLACE}/3.jpg": "+from all/x.jpg of elsewhere"}
    assert {stat.path: stat for stat in elsewhere.list("")} == before
    assert disk(backup, f"{PLACE}/3.jpg").stat().st_mtime != mtime
    assert_all_well(backup, verified)


def test_a_copy_elsewhere_that_is_damaged_as_well_is_not_taken(backup, verified, repaired, elsewhere):
    fill(backup)
    listed(elsewhere, {"x.jpg": b"bytes of 3"})
    flip(elsewhere_path(elsewhere, "x.jpg"))
    flip(disk(backup, f"{PLACE}/3.jpg"))
    damaged = disk(backup, f"{PLACE}/3.jpg").read_bytes()
    backup.library = MemoryLibrary()
    assert repaired(elsewhere) == {f"{PLACE}/3.jpg": "not repaired: x.jpg of elsewhere is damaged as well"}
    assert disk(backup, f"{PLACE}/3.jpg").read_bytes() == damaged
    assert backup.files(TRASH) == {}


def elsewhere_path(destination, path):
    return Path(destination.location) / path


def test_a_list_of_checksums_that_leads_out_is_not_followed(backup, repaired, elsewhere, tmp_path):
    fill(backup)
    (tmp_path / "outside.jpg").write_bytes(b"bytes of 3")
    listed(elsewhere, {"x.jpg": b"bytes of 3"})
    file = elsewhere_path(elsewhere, "metadata/checksums.sha256")
    file.write_text(file.read_text().replace("x.jpg", "../outside.jpg"))
    flip(disk(backup, f"{PLACE}/3.jpg"))
    assert repaired(elsewhere) == {f"{PLACE}/3.jpg": "+from the source"}


def test_what_the_source_has_no_more_is_put_back_and_said(backup, verified, repaired):
    fill(backup)
    flip(disk(backup, f"{PLACE}/0.jpg"))
    disk(backup, f"{PLACE}/3.jpg").unlink()
    damaged = disk(backup, f"{PLACE}/0.jpg").read_bytes()
    backup.library = MemoryLibrary()
    no_more = "not repaired: the source does not have these bytes any more, and no other copy was found"
    assert repaired() == {f"{PLACE}/0.jpg": no_more, f"{PLACE}/3.jpg": no_more}
    assert disk(backup, f"{PLACE}/0.jpg").read_bytes() == damaged
    assert disk(backup, "albums/Rome/0.jpg").read_bytes() == damaged
    assert backup.files(TRASH) == {}
    assert set(kinds(verified())) >= {f"{PLACE}/0.jpg", f"{PLACE}/3.jpg"}


def test_a_source_that_cannot_be_reached_costs_nothing(backup, repaired):
    fill(backup)
    flip(disk(backup, f"{PLACE}/0.jpg"))
    disk(backup, "albums/Rome/1.jpg").unlink()
    damaged = disk(backup, f"{PLACE}/0.jpg").read_bytes()

    def away():
        raise FatalError("the library is away")

    backup.source = away
    assert repaired() == {
        f"{PLACE}/0.jpg": "not repaired: the library is away",
        "albums/Rome/1.jpg": "+written again",
    }
    assert disk(backup, f"{PLACE}/0.jpg").read_bytes() == damaged


def test_what_another_profile_stored_is_its_to_repair(backup, repaired):
    fill(backup)
    disk(backup, f"{PLACE}/3.jpg").unlink()
    backup.profile = "other"
    said = repaired(fetch_again=no_source)
    assert said[f"{PLACE}/3.jpg"] == "not repaired: no copy of it was found; profile test has stored it"


def test_lost_papers_are_written_again(backup, verified, repaired):
    backup.metadata = ("json", "xmp")
    fill(backup)
    disk(backup, f"metadata/{PLACE}/0.jpg.json").unlink()
    disk(backup, f"metadata/{PLACE}/2.jpg.json").write_text("{")
    disk(backup, f"{PLACE}/1.jpg.xmp").unlink()
    disk(backup, "albums/Rome/album.json").unlink()
    disk(backup, "albums/Rome/1.jpg").unlink()
    disk(backup, "metadata/checksums.sha256").unlink()
    said = repaired(fetch_again=no_source)
    assert said == {
        f"metadata/{PLACE}/0.jpg.json": "+written again from the state",
        f"metadata/{PLACE}/2.jpg.json": "+written again from the state",
        f"{PLACE}/1.jpg.xmp": "+made again from its metadata file",
        "albums/Rome/album.json": "+written again",
        "albums/Rome/1.jpg": "+written again",
        "metadata/checksums.sha256": "+written again",
    }
    document = backup.document(f"{PLACE}/0.jpg")
    assert (document["albums"], document["name"]) == ([{"id": "r", "title": "Rome"}], "0.jpg")
    assert_all_well(backup, verified)


def test_links_in_albums_lead_to_their_files_again(backup, verified, repaired):
    backup.albums = "symlink"
    fill(backup)
    disk(backup, "albums/Rome/0.jpg").unlink()
    disk(backup, "albums/Rome/1.jpg").unlink()
    disk(backup, "albums/Rome/1.jpg").symlink_to("/etc/hostname")
    said = repaired(fetch_again=no_source)
    assert said == {"albums/Rome/0.jpg": "+written again", "albums/Rome/1.jpg": "+written again"}
    assert sorted(os.listdir(disk(backup, "albums/Rome"))) == ["0.jpg", "1.jpg", "album.json"]
    assert_all_well(backup, verified)


def test_what_only_the_source_knew_is_in_the_metadata_file_again_after_the_next_run(backup, verified, repaired):
    fill(backup, 1)
    backup.library.add(photo("a.jpg", metadata_token="m", description="a caption"), b"a")
    backup.run()
    disk(backup, f"metadata/{PLACE}/a.jpg.json").unlink()
    repaired(fetch_again=no_source)
    assert backup.document(f"{PLACE}/a.jpg")["description"] == ""
    assert backup.run().outcomes["updated"] == 1
    assert backup.document(f"{PLACE}/a.jpg")["description"] == "a caption"
    assert_all_well(backup, verified)


def test_a_sidecar_that_a_photo_program_has_written_into_is_left(backup, repaired):
    backup.metadata = ("json", "xmp")
    fill(backup)
    disk(backup, f"{PLACE}/1.jpg.xmp").write_text("edited")
    assert repaired(fetch_again=no_source) == {
        f"{PLACE}/1.jpg.xmp": "not repaired: photo programs write into sidecars, so it is left as it is"
    }
    assert disk(backup, f"{PLACE}/1.jpg.xmp").read_text() == "edited"


def test_an_album_that_became_a_link_is_no_place_to_take_from_or_write_to(backup, repaired, tmp_path):
    fill(backup)
    disk(backup, "albums/Rome").rename(tmp_path / "Rome")
    disk(backup, "albums/Rome").symlink_to(tmp_path / "Rome")
    backup.destination.close()
    backup.destination.open()
    disk(backup, f"{PLACE}/0.jpg").unlink()
    before = sorted(os.listdir(tmp_path / "Rome"))
    said = repaired()
    assert said[f"{PLACE}/0.jpg"] == "+from the source"
    assert said["albums/Rome/1.jpg"].startswith("not repaired: ")
    assert sorted(os.listdir(tmp_path / "Rome")) == before


def test_something_that_is_no_file_in_its_place_is_left_and_gone_around(backup, verified, repaired):
    fill(backup)
    disk(backup, f"{PLACE}/3.jpg").unlink()
    os.mkfifo(disk(backup, f"{PLACE}/3.jpg"))
    (said,) = repaired().values()
    assert said.startswith(f"+from the source, as {PLACE}/3~")
    assert disk(backup, f"{PLACE}/3.jpg").is_fifo()
    assert_all_well(backup, verified)


def test_files_that_nobody_recorded_are_never_touched(backup, repaired):
    fill(backup)
    disk(backup, f"{PLACE}/mine.jpg").write_bytes(b"mine")
    disk(backup, f"{PLACE}/3.jpg").unlink()
    assert set(repaired()) == {f"{PLACE}/3.jpg"}
    assert disk(backup, f"{PLACE}/mine.jpg").read_bytes() == b"mine"


def test_where_there_is_no_room_nothing_is_copied(backup, repaired, elsewhere, monkeypatch):
    fill(backup)
    listed(elsewhere, {"x.jpg": b"bytes of 3"})
    flip(disk(backup, f"{PLACE}/3.jpg"))
    damaged = disk(backup, f"{PLACE}/3.jpg").read_bytes()
    monkeypatch.setattr(FilesystemDestination, "free_space", lambda self: 1000)
    (said,) = repaired(elsewhere).values()
    assert said.startswith("not repaired: the destination has 0 MiB free")
    assert disk(backup, f"{PLACE}/3.jpg").read_bytes() == damaged


def test_what_a_run_stored_again_meanwhile_needs_nothing(backup, verified, repaired, watched):
    fill(backup)
    disk(backup, f"{PLACE}/3.jpg").unlink()
    found = verified()
    assert kinds(found) == {f"{PLACE}/3.jpg": "missing"}
    backup.run()
    assert repaired(fetch_again=no_source) == {}


def test_stopped_it_says_what_it_did_not_come_to(backup, repaired):
    fill(backup)
    disk(backup, f"{PLACE}/3.jpg").unlink()

    def stop(text):
        backup.stop.set()

    assert repaired(note=stop, fetch_again=no_source) == {f"{PLACE}/3.jpg": "not repaired: interrupted before its turn"}
