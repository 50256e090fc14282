"""What crash tests of the whole command have found, each small enough to be read."""

from __future__ import annotations

import errno
import os

import pytest

from syncengine.api import FatalError
from syncengine.testing.faults import Fault, Faults, FaultyDestination
from tests.unit.engine.photos import ROME, Stamp, assert_checksums_hold, photo


def test_a_lost_original_is_put_back_in_the_run_that_learns_something_new_of_its_photo(backup):
    backup.transforms = (Stamp(extension=".png", keep=True),)
    backup.library.add(photo("a.jpg"), b"a")
    backup.run()
    backup.destination.remove("photos/2019/05/a.jpg")
    backup.library.add(photo("a.jpg", metadata_token="2", description="new"), b"a")
    backup.run()
    assert set(backup.files()) == {"photos/2019/05/a.jpg", "photos/2019/05/a.png"}
    assert backup.document("photos/2019/05/a.png")["description"] == "new"
    assert backup.run().outcomes["unchanged"] == 1


def test_a_file_that_stays_when_its_original_is_put_back_is_not_taken_for_what_would_be_made_now(backup):
    backup.transforms, backup.recipe = (Stamp(extension=".png", keep=True),), '[["stamp",{"ink":"red"}]]'
    backup.library.add(photo("a.jpg"), b"a")
    backup.run()
    (before,) = backup.contents()
    document = backup.document("photos/2019/05/a.png")
    backup.destination.remove("photos/2019/05/a.jpg")
    backup.transforms, backup.recipe = (Stamp(extension=".png", keep=True, ink=b"blue"),), '[["stamp",{"ink":"blue"}]]'
    backup.run()
    assert set(backup.files()) == {"photos/2019/05/a.jpg", "photos/2019/05/a.png"}
    assert backup.contents() == [before]
    assert backup.document("photos/2019/05/a.png")["stored"] == document["stored"]


@pytest.mark.parametrize("killed", ["first", "second"])
def test_a_sidecar_that_a_killed_run_has_written_is_known_again_though_the_source_has_changed(backup, killed):
    backup.metadata = ("json", "xmp")
    good = backup.destination
    backup.library.add(photo("a.jpg"), b"a")
    if killed == "second":
        backup.run()
        backup.library.add(photo("a.jpg", metadata_token="2", albums=(ROME,)), b"a")
    backup.destination = FaultyDestination(good, Faults([Fault("flush", FatalError("gone"), at=2)]))
    backup.run()
    backup.destination = good
    backup.library.add(photo("a.jpg", metadata_token="3", description="new"), b"a")
    backup.run()
    assert b"new" in backup.read("photos/2019/05/a.jpg.xmp")
    assert_checksums_hold(backup)


def test_a_file_that_the_file_system_cannot_hold_costs_itself_alone(backup, monkeypatch):
    backup.library.add(photo("film.mp4"), b"f" * 5000)
    backup.library.add(photo("a.jpg"), b"a")
    write = os.write

    def on_fat32(file: int, data: memoryview) -> int:
        if len(data) > 4000:
            raise OSError(errno.EFBIG, "File too large")
        return write(file, data)

    monkeypatch.setattr(os, "write", on_fat32)
    report = backup.run()
    assert (report.ended, list(backup.files())) == ("completed", ["photos/2019/05/a.jpg"])
    (failure,) = report.failures
    assert "larger than the destination's file system can hold; FAT32 ends at 4 GiB" in failure["reason"]


def test_a_member_of_an_album_that_nobody_can_bring_back_keeps_no_run_busy(backup):
    backup.library.add(photo("a.jpg", albums=(ROME,)), b"a")
    backup.library.add(photo("b.jpg", albums=(ROME,)), b"b")
    backup.run()
    backup.library.remove("a.jpg")
    for path in ("photos/2019/05/a.jpg", "albums/Rome/a.jpg"):
        backup.destination.remove(path)
    good = backup.destination
    backup.destination = FaultyDestination(good, Faults([Fault("missing", SystemExit())]))
    with pytest.raises(SystemExit):
        backup.run()
    backup.destination = good
    assert backup.run().warnings == ()
    assert not list((backup.directory / "spool").iterdir())
    assert set(backup.files("albums/Rome")) == {"albums/Rome/b.jpg", "albums/Rome/album.json"}


def test_a_failing_disk_under_the_runs_own_papers_is_not_called_full(backup, monkeypatch):
    backup.library.add(photo("a.jpg"), b"a")

    def fail(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr("syncengine.engine.spool.sync", fail)
        report = backup.run()
    assert report.ended == "stopped"
    assert report.reason.startswith(f"{backup.directory}/spool/run-001: Input/output error; check the disk")
    assert backup.run().complete


@pytest.mark.parametrize("style", ["hardlink", "symlink", "copy"])
def test_an_album_shows_a_photo_once_whose_transform_failed_at_first(backup, style):
    transform = Stamp(extension=".png", broken=True)
    backup.transforms, backup.albums = (transform,), style
    backup.library.add(photo("a.jpg", albums=(ROME,)), b"a")
    backup.run()
    transform.broken = False
    backup.run()
    names = {path for path in backup.destination.storage.entries if path.startswith("albums/")}
    assert names == {"albums/Rome/a.png", "albums/Rome/album.json"}
    assert set(backup.files()) == {"photos/2019/05/a.jpg", "photos/2019/05/a.png"}
