"""No space left: at the destination, in staging, or where the run keeps its own papers."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest

from syncengine.api import FatalError
from syncengine.engine import fetching, planning, runner, spool
from syncengine.engine.papers import Papers
from syncengine.state.store import ProfileState
from tests.unit.engine.photos import ROME, Obstructed, assert_checksums_hold, photo


def no_space(*_: object) -> Any:
    raise OSError(errno.ENOSPC, "No space left on device", "state/file")


def test_what_fits_before_the_destination_is_full_is_stored(backup, monkeypatch):
    monkeypatch.setattr(planning, "BATCH_ITEMS", 1)
    monkeypatch.setattr(fetching, "SPACE_RESERVE", 0)
    backup.library.add(photo("small.jpg", size=10), b"s" * 10)
    backup.library.add(photo("large.jpg", size=100_000), b"l" * 100_000)
    with monkeypatch.context() as patched:
        patched.setattr(type(backup.destination), "free_space", lambda self: 50_000)
        report = backup.run()
    assert (report.ended, list(backup.files())) == ("stopped", ["photos/2019/05/small.jpg"])
    assert "large.jpg does not fit" in report.reason
    assert backup.run().outcomes["stored"] == 1
    assert_checksums_hold(backup)


@pytest.mark.parametrize("paper", ["metadata/checksums.sha256", "metadata/deduplication.json"])
def test_a_full_staging_while_the_listings_are_written_stops_the_run(backup, monkeypatch, paper):
    backup.library.add(photo("a.jpg"), b"a")
    stage = Papers.stage

    def full(self: Papers, path: str) -> Path:
        return Path("/dev/full") if path == paper else stage(self, path)

    with monkeypatch.context() as patched:
        patched.setattr(Papers, "stage", full)
        report = backup.run()
    assert report.ended == "stopped"
    assert "No space left" in report.reason
    assert backup.run().complete
    assert_checksums_hold(backup)


def test_a_full_disk_under_the_ledger_stops_the_run_and_says_so(backup):
    backup.library.add(photo("a.jpg"), b"a")
    with backup.parts() as parts:
        (parts.spool / spool.LEDGER).symlink_to("/dev/full")
        report = runner.run(parts)
    assert report.ended == "stopped"
    assert "No space left" in report.reason
    assert backup.run().complete
    assert_checksums_hold(backup)


def test_a_full_disk_under_the_intents_stops_the_run_before_anything_is_placed(backup, monkeypatch):
    backup.library.add(photo("a.jpg"), b"a")
    with monkeypatch.context() as patched:
        patched.setattr("syncengine.engine.intents.Intents.write", no_space)
        report = backup.run()
    assert (report.ended, backup.files()) == ("stopped", {})
    assert "state/file: No space left" in report.reason


def test_a_state_that_takes_nothing_any_more_stops_the_run_and_what_was_placed_is_known_again(backup, monkeypatch):
    backup.library.add(photo("a.jpg", albums=(ROME,)), b"a")

    def full(*_: object) -> None:
        raise FatalError("the state cannot be written: no space left")

    with monkeypatch.context() as patched:
        for method in ("commit", "save_run"):
            patched.setattr(ProfileState, method, full)
        report = backup.run()
    assert (report.ended, report.reason) == ("stopped", "the state cannot be written: no space left")
    report = backup.run()
    assert (report.outcomes["stored"], report.bytes_written) == (1, 0)
    assert_checksums_hold(backup)


def test_an_account_that_cannot_be_remembered_says_so(backup, monkeypatch):
    backup.library.add(photo("a.jpg"), b"a")
    monkeypatch.setattr(ProfileState, "save_run", no_space)
    report = backup.run()
    assert (report.ended, report.complete) == ("stopped", False)
    assert "make room" in report.reason


def test_papers_that_the_destination_does_not_take_are_not_called_delivered(backup):
    backup.library.add(photo("a.jpg"), b"a")
    good = backup.destination
    backup.destination = Obstructed(good, "logs/", FatalError("the disk is full"))
    report = backup.run()
    assert (report.ended, report.reason, report.complete) == ("stopped", "the disk is full", False)
    backup.destination = good
    backup.run()
    assert {f"logs/backup_report_{report.run}.json", f"logs/ledger_{report.run}.jsonl"} <= set(backup.files("logs"))
