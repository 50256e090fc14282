"""What stands in the way at the destination, and calls of it that fail."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from syncengine.api import FatalError, ItemError, RetryableError
from syncengine.engine import planning, retrying
from syncengine.testing.faults import Fault, Faults, FaultyDestination, FaultySource
from tests.unit.engine.photos import ROME, Obstructed, assert_checksums_hold, photo, put
from tests.unit.engine.test_run_odd_items import on_disk


def test_a_metadata_file_that_cannot_be_written_takes_its_photo_with_it(backup, monkeypatch):
    monkeypatch.setattr(planning, "BATCH_ITEMS", 1)
    backup.library.add(photo("1", name="a.jpg"), b"one")
    backup.library.add(photo("2", name="A.jpg"), b"two")
    good = backup.destination
    backup.destination = Obstructed(good, "metadata/photos/2019/05/a.jpg.json")
    report = backup.run()
    assert (report.outcomes["stored"], report.outcomes["failed"]) == (1, 1)
    assert report.failures[0]["reason"] == "cannot be stored: no permission"
    assert list(backup.files().values()) == [b"two"]
    backup.destination = good
    backup.run()
    assert sorted(backup.files().values()) == [b"one", b"two"]
    assert_checksums_hold(backup)


def test_a_metadata_file_that_cannot_be_read_fails_the_copy_that_would_change_it(backup):
    backup.library.add(photo("a.jpg"), b"same")
    backup.run()
    backup.library.add(photo("copy.jpg"), b"same")
    backup.library.add(photo("other.jpg"), b"other")
    good = backup.destination

    class Unreadable(FaultyDestination):
        def read(self, path: str) -> Any:
            if path == "metadata/photos/2019/05/a.jpg.json":
                raise ItemError("no permission")
            return super().read(path)

    backup.destination = Unreadable(good, Faults(()))
    report = backup.run()
    assert (report.outcomes["stored"], report.outcomes["failed"]) == (1, 1)
    backup.destination = good
    assert backup.run().outcomes["duplicate"] == 1


def test_a_metadata_file_that_is_damaged_is_written_anew(backup):
    backup.library.add(photo("a.jpg", metadata_token="1", albums=(ROME,), origins=("x",)), b"a")
    backup.run()
    put(backup.destination, "metadata/photos/2019/05/a.jpg.json", b'{"version": 1')
    backup.library.add(photo("a.jpg", metadata_token="2", origins=("y",)), b"a")
    assert backup.run().outcomes["updated"] == 1
    document = backup.document("photos/2019/05/a.jpg")
    assert sorted(document["source"]["origins"]) == ["x", "y"]
    assert [album["title"] for album in document["albums"]] == ["Rome"]


def test_copies_of_a_file_that_could_not_be_put_back_are_not_called_stored(backup, monkeypatch):
    monkeypatch.setattr(planning, "BATCH_ITEMS", 1)
    backup.library.add(photo("a.jpg"), b"same")
    backup.library.add(photo("b.jpg"), b"same")
    backup.run()
    backup.destination.remove("photos/2019/05/a.jpg")
    good = backup.destination
    backup.destination = Obstructed(good, "photos/")
    report = backup.run()
    assert report.outcomes["failed"] == 2
    backup.destination = good
    report = backup.run()
    assert (report.outcomes["failed"], backup.files()) == (0, {"photos/2019/05/a.jpg": b"same"})
    assert backup.run().outcomes["unchanged"] == 2


def test_the_file_that_is_kept_is_never_among_its_own_copies(backup):
    backup.library.add(photo("b.jpg"), b"same")
    backup.run()
    backup.library.remove("b.jpg")
    backup.library.add(photo("a.jpg"), b"same")
    backup.library.add(photo("b.jpg"), b"same")
    backup.run()
    backup.destination.remove("photos/2019/05/b.jpg")
    backup.run()
    (group,) = msgspec.json.decode(backup.read("metadata/deduplication.json"))["groups"]
    assert [copy["id"] for copy in group["copies"]] not in ([], [group["kept"]["id"]])
    assert group["kept"]["id"] not in [copy["id"] for copy in group["copies"]]


def test_a_file_where_an_album_should_be_costs_the_album_alone_and_is_tried_again(backup):
    on_disk(backup)
    albums = backup.directory / "disk" / "albums"
    albums.mkdir(exist_ok=True)
    (albums / "Rome").write_bytes(b"theirs")
    backup.library.add(photo("a.jpg", albums=(ROME,)), b"a")
    report = backup.run()
    assert report.outcomes["stored"] == 1
    assert any("albums/Rome" in warning for warning in report.warnings)
    assert (albums / "Rome").read_bytes() == b"theirs"
    (albums / "Rome").unlink()
    backup.run()
    assert set(backup.files("albums")) == {"albums/Rome/a.jpg", "albums/Rome/album.json"}


@pytest.mark.parametrize("directory", ["logs", "metadata", "albums", "photos"])
def test_a_link_where_a_directory_should_be_is_never_followed(backup, directory):
    on_disk(backup)
    elsewhere = backup.directory / "elsewhere"
    elsewhere.mkdir()
    place: Path = backup.directory / "disk" / directory
    if place.is_dir():
        place.rmdir()
    place.symlink_to(elsewhere)
    backup.library.add(photo("a.jpg", albums=(ROME,)), b"a")
    report = backup.run()
    assert list(elsewhere.iterdir()) == []
    assert report.ended == "stopped" or report.outcomes["failed"] or report.warnings


def test_totals_that_the_source_cannot_tell_leave_the_account_incomplete(backup):
    backup.library.add(photo("a.jpg"), b"a")
    make = backup.source
    backup.source = lambda: FaultySource(make(), Faults([Fault("inventory", FatalError("timed out"))]))
    report = backup.run()
    assert (report.outcomes["stored"], report.complete) == (1, False)
    assert report.missing == ("the source's totals: timed out",)


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(retrying, "_FIRST_WAIT", 0.001)


CALLS = ["place", "flush", "missing", "read", "stat", "link", "free_space"]


def library_with_copies(backup: Any) -> None:
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        backup.library.add(photo(name, albums=(ROME,)), name.encode())
    backup.library.add(photo("d.jpg"), b"a.jpg")


@pytest.mark.parametrize("method", CALLS)
@pytest.mark.parametrize("at", [1, 2, 4])
def test_a_call_that_fails_in_passing_is_not_even_noticed(backup, quick, method, at):
    library_with_copies(backup)
    good = backup.destination
    faults = Faults([Fault(method, RetryableError("timed out"), at=at, times=2)])
    backup.destination = FaultyDestination(good, faults)
    report = backup.run()
    backup.destination = good
    assert (report.complete, report.warnings, report.failures) == (True, (), ())
    assert (report.outcomes["stored"], report.outcomes["duplicate"]) == (3, 1)
    assert_checksums_hold(backup)
    assert {f"albums/Rome/{name}.jpg" for name in "abc"} <= set(backup.files("albums"))


@pytest.mark.parametrize("method", CALLS)
@pytest.mark.parametrize("at", [1, 2, 4])
def test_a_call_that_never_passes_claims_nothing_and_the_next_run_completes(backup, quick, method, at):
    library_with_copies(backup)
    good = backup.destination
    faults = Faults([Fault(method, RetryableError("timed out", advice="wait"), at=at, times=None)])
    backup.destination = FaultyDestination(good, faults)
    report = backup.run()
    if report.ended == "stopped":
        assert "timed out" in report.reason
        assert not report.complete
    backup.destination = good
    assert backup.run().complete
    assert_checksums_hold(backup)
    assert {f"albums/Rome/{name}.jpg" for name in "abc"} <= set(backup.files("albums"))
    assert backup.run().outcomes["unchanged"] == 4
