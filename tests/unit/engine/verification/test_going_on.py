"""An interrupted verification, and what the next one makes of it."""

from __future__ import annotations

import pytest

from syncengine.engine.verification import reading
from syncengine.engine.verification.selection import Selection
from tests.unit.engine.photos import photo
from tests.unit.engine.test_run_odd_items import on_disk
from tests.unit.engine.verification.test_verifier import PLACE, disk, fill, kinds

#: More than a few batches of files, so that some of them are still ahead.
MANY = 60


@pytest.fixture
def interrupted(backup, verified, watched, monkeypatch):
    """A verification of many files, stopped in its midst; returns its account."""
    monkeypatch.setattr(reading, "_BATCH_FILES", 4)

    def run(**changes):
        watched.after = lambda count: backup.stop.set() if count == 10 else None
        found = verified(**changes)
        backup.stop.clear()
        watched.after = lambda count: None
        watched.files = watched.skips = 0
        return found

    return run


def test_it_goes_on_from_there_and_the_account_covers_both_parts(backup, verified, watched, interrupted):
    fill(backup, MANY)
    first = interrupted()
    assert (first.ended, first.is_proof) == ("interrupted", False)
    assert 10 <= first.checked < MANY
    second = verified()
    assert (second.ended, second.checked, second.intact, second.is_proof) == ("completed", MANY, MANY, True)
    assert (second.earlier, watched.files) == (first.checked, MANY - first.checked)
    assert (second.started, bool(second.continued)) == (first.started, True)
    assert second.bytes_read + first.bytes_read == second.bytes_checked
    assert not (backup.directory / "verify.jsonl").exists()
    assert verified().earlier == 0


def test_what_was_damaged_is_read_again_and_reported_at_the_end(backup, verified, interrupted):
    fill(backup, MANY)
    disk(backup, f"{PLACE}/1.jpg").write_bytes(b"bytes of X")
    first = interrupted()
    assert kinds(first) == {f"{PLACE}/1.jpg": "flipped"}
    second = verified()
    assert kinds(second) == {f"{PLACE}/1.jpg": "flipped"}
    assert (second.checked, second.intact) == (MANY, MANY - 1)


def test_what_a_run_changed_since_is_read_again(backup, verified, watched, interrupted):
    fill(backup, MANY)
    first = interrupted()
    backup.library.add(photo("0000.jpg"), b"it is new, and comes first")
    backup.run()
    second = verified()
    assert (second.checked, second.recorded, second.is_proof) == (MANY + 1, MANY + 1, True)
    assert watched.files == MANY + 1 - first.checked


@pytest.mark.parametrize("changes", [{"restart": True}, {"selection": Selection(sample=0.5, seed=1)}])
def test_it_begins_anew_when_asked_to_or_asked_for_something_else(backup, verified, interrupted, changes):
    fill(backup, MANY)
    interrupted()
    found = verified(**changes)
    assert (found.earlier, found.continued, found.checked) == (0, "", found.selected)
    assert len(found.notes) == (0 if "restart" in changes else 1)


def test_a_sample_that_was_interrupted_stays_the_same_sample(backup, verified, interrupted):
    fill(backup, MANY)
    first = interrupted(selection=Selection(sample=0.9, seed=1))
    second = verified(selection=Selection(sample=0.9, seed=2))
    assert second.selection == {"kind": "sample", "sample": 0.9, "seed": 1}
    assert (second.earlier, second.checked) == (first.checked, 54)


def test_of_another_destination_nothing_is_taken_over(backup, verified, interrupted):
    fill(backup, MANY)
    interrupted()
    backup.directory.joinpath("disk").rename(backup.directory / "old")
    on_disk(backup)
    backup.run()
    assert verified().earlier == 0


@pytest.mark.parametrize("end", [b"", b"half a li", b'{"surprise": 1}\n', b"\n\n"])
def test_a_file_that_a_kill_left_half_is_believed_as_far_as_it_goes(backup, verified, interrupted, end):
    fill(backup, MANY)
    first = interrupted()
    with (backup.directory / "verify.jsonl").open("ab") as stream:
        stream.write(end)
    second = interrupted()
    assert second.earlier == first.checked
    found = verified()
    assert (found.is_proof, found.earlier) == (True, second.checked)


@pytest.mark.parametrize("content", [b"", b"{", b'{"version": 1}\n', b"\xff\xff\n"])
def test_a_file_that_makes_no_sense_is_no_beginning(backup, verified, content):
    fill(backup)
    (backup.directory / "verify.jsonl").write_bytes(content)
    found = verified()
    assert (found.is_proof, found.earlier) == (True, 0)


def test_a_line_that_somebody_made_up_is_no_proof_of_another_file(backup, verified, interrupted):
    fill(backup, MANY)
    interrupted()
    file = backup.directory / "verify.jsonl"
    head = file.read_bytes().splitlines(keepends=True)[0]
    file.write_bytes(head + b"photos/2019/05/1.jpg\0\n")
    assert verified().earlier == 0
