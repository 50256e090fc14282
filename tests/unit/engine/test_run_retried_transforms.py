"""Transforms that failed once, originals that are kept, and what vanished of either."""

from __future__ import annotations

import pytest

from syncengine.engine import planning
from tests.unit.engine.photos import Obstructed, Stamp, assert_checksums_hold, photo


def only_content(backup):
    (record,) = backup.contents()
    return record


@pytest.mark.parametrize("keep", [False, True])
def test_a_transform_that_keeps_the_name_and_works_the_next_time_loses_nothing(backup, keep):
    stamp = Stamp(keep=keep, broken=True)
    backup.transforms = (stamp,)
    backup.library.add(photo("a.jpg"), b"raw")
    backup.run()
    assert backup.files() == {"photos/2019/05/a.jpg": b"raw"}
    stamp.broken = False
    assert backup.run().outcomes["stored"] == 1
    record = only_content(backup)
    assert (backup.read(record.path), backup.read(record.original_path)) == (b"stamped raw", b"raw")
    assert len(backup.files()) == 2
    assert_checksums_hold(backup)
    assert backup.run().outcomes["unchanged"] == 1


def test_a_file_that_vanished_and_cannot_be_made_again_is_tried_again_by_every_run(backup):
    stamp = Stamp()
    backup.transforms = (stamp,)
    backup.library.add(photo("a.jpg"), b"raw")
    backup.run()
    backup.destination.remove("photos/2019/05/a.jpg")
    stamp.broken = True
    assert backup.run().outcomes["failed"] == 1
    assert b"raw" in backup.files().values()
    assert backup.run().outcomes["failed"] == 1
    stamp.broken = False
    assert backup.run().outcomes["stored"] == 1
    assert b"stamped raw" in backup.files().values()
    assert_checksums_hold(backup)


@pytest.mark.parametrize("vanished", [["a.heic"], ["a.png"], ["a.heic", "a.png"]])
def test_what_vanished_of_a_file_and_its_original_is_put_back(backup, vanished):
    backup.transforms = (Stamp(extension=".png", keep=True),)
    backup.library.add(photo("a.heic"), b"raw")
    backup.run()
    before = backup.files()
    for name in vanished:
        backup.destination.remove(f"photos/2019/05/{name}")
    report = backup.run()
    assert (report.outcomes["stored"], report.outcomes["failed"]) == (1, 0)
    assert backup.files() == before
    assert_checksums_hold(backup)


def test_another_version_of_a_transform_leaves_what_is_stored_and_says_what_it_is(backup):
    backup.transforms = (Stamp(extension=".png", keep=True),)
    backup.library.add(photo("a.heic"), b"raw")
    backup.run()
    backup.destination.remove("photos/2019/05/a.heic")

    class NewStamp(Stamp):
        def apply(self, asset, workdir):
            made = super().apply(asset, workdir)
            made.path.write_bytes(b"newly " + made.path.read_bytes())
            return made

    backup.transforms = (NewStamp(extension=".png", keep=True),)
    backup.run()
    assert backup.files() == {"photos/2019/05/a.heic": b"raw", "photos/2019/05/a.png": b"stamped raw"}
    assert_checksums_hold(backup)


def test_a_transform_and_a_destination_that_both_fail_do_not_claim_that_the_original_is_kept(backup):
    backup.transforms = (Stamp(broken=True),)
    backup.library.add(photo("a.jpg"), b"raw")
    backup.destination = Obstructed(backup.destination, "photos/")
    report = backup.run()
    assert (report.outcomes["failed"], report.bytes_written, backup.files()) == (1, 0, {})
    assert "kept as" not in report.failures[0]["reason"]


def test_the_notes_say_why_the_original_is_all_there_is(backup):
    backup.transforms = (Stamp(broken=True),)
    backup.library.add(photo("a.jpg"), b"raw")
    backup.run()
    assert backup.document("photos/2019/05/a.jpg")["notes"] == ["the stamp is broken"]


def test_deduplication_that_was_switched_off_puts_back_what_is_missing_under_its_own_name(backup):
    backup.library.add(photo("a.jpg"), b"a")
    backup.run()
    backup.dedups = lambda: ()
    backup.destination.remove("photos/2019/05/a.jpg")
    assert backup.run().outcomes["stored"] == 1
    assert backup.files() == {"photos/2019/05/a.jpg": b"a"}
    assert_checksums_hold(backup)


def test_an_original_is_kept_once_whatever_its_copies_are_called(backup, monkeypatch):
    monkeypatch.setattr(planning, "BATCH_ITEMS", 1)
    stamp = Stamp(extension=".png", broken=True)
    backup.transforms = (stamp,)
    for name in ("a.jpg", "b.heic", "c.jpg"):
        backup.library.add(photo(name), b"raw")
    for _ in range(2):
        assert backup.run().outcomes["failed"] == 3
        assert backup.files() == {"photos/2019/05/a.jpg": b"raw"}
    stamp.broken = False
    backup.run()
    assert sorted(backup.files().values()) == [b"raw", b"stamped raw"]
    assert_checksums_hold(backup)
