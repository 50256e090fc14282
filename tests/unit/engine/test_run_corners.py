"""Decisions that few libraries ever ask for."""

from __future__ import annotations

import errno
import hashlib
import os
from typing import Any

import pytest

from syncengine.api import FatalError, ItemError
from syncengine.engine.absent import AbsentDestination
from syncengine.engine.staging import HashingSink, staging_failed
from syncengine.engine.throttle import Throttle
from syncengine.errors import InterruptedRunError
from syncengine.testing.faults import Fault, Faults, FaultySource
from syncengine.testing.memory.destination import MemoryDestination, MemoryDestinationOptions
from tests.unit.engine.photos import ROME, Stamp, assert_checksums_hold, photo, put
from tests.unit.engine.test_run_failures import LooksAlike


def names_of(content: bytes, stem: str = "photos/2019/05/a", extension: str = ".jpg") -> list[str]:
    """Return every name that a content may take, in order."""
    digits = hashlib.sha256(content).hexdigest()
    return [stem + extension, *(f"{stem}~{digits[:count]}{extension}" for count in (6, 16, 64))]


def test_an_original_that_finds_its_name_taken_takes_another_and_the_papers_say_so(backup):
    backup.transforms = (Stamp(extension=".png", keep=True),)
    put(backup.destination, "photos/2019/05/a.heic", b"theirs")
    backup.library.add(photo("a.heic"), b"raw")
    backup.run()
    (record,) = backup.contents()
    assert record.original_path == names_of(b"raw", extension=".heic")[1]
    assert backup.read(record.original_path) == b"raw"
    assert backup.document(record.path)["original"]["path"] == record.original_path
    assert backup.read("photos/2019/05/a.heic") == b"theirs"


def test_a_photo_to_which_no_name_is_left_fails_alone(backup):
    for name in names_of(b"ours"):
        put(backup.destination, name, b"theirs")
    backup.library.add(photo("a.jpg"), b"ours")
    backup.library.add(photo("b.jpg"), b"b")
    report = backup.run()
    assert (report.outcomes["stored"], report.outcomes["failed"]) == (1, 1)
    assert "every name that it could take" in report.failures[0]["reason"]
    assert [path for path, content in backup.files("metadata/photos").items()] == ["metadata/photos/2019/05/b.jpg.json"]


def test_a_member_to_which_no_name_is_left_in_its_album_is_warned_of(backup):
    for name in names_of(b"a", "albums/Rome/a"):
        put(backup.destination, name, b"theirs")
    backup.library.add(photo("a.jpg", albums=(ROME,)), b"a")
    report = backup.run()
    assert report.warnings == ("albums/Rome/a.jpg: every name that it could take is taken by another file",)


def test_an_item_whose_metadata_changed_and_whose_file_vanished_is_stored_with_the_new_ones(backup):
    backup.library.add(photo("a.jpg", metadata_token="1", description="old"), b"a")
    backup.run()
    backup.destination.remove("photos/2019/05/a.jpg")
    backup.library.add(photo("a.jpg", metadata_token="2", description="new"), b"a")
    report = backup.run()
    assert (report.outcomes["stored"], backup.files()) == (1, {"photos/2019/05/a.jpg": b"a"})
    assert backup.document("photos/2019/05/a.jpg")["description"] == "new"


def test_metadata_that_changed_of_a_file_that_only_looks_like_ours_are_not_written_beside_it(backup):
    backup.library.add(photo("a.jpg", metadata_token="1"), b"ours")
    backup.run()
    backup.destination = MemoryDestination(MemoryDestinationOptions())
    backup.destination.open()
    put(backup.destination, "photos/2019/05/a.jpg", b"theirs")
    backup.library.add(photo("a.jpg", metadata_token="2"), b"ours")
    for _ in range(2):
        report = backup.run()
    assert report.complete
    assert sorted(backup.files().values()) == [b"ours", b"theirs"]
    assert backup.files("metadata/photos/2019/05/a.jpg.json") == {}


class Moody(LooksAlike):
    """Cannot look at some files, and does not cover others."""

    def fingerprint(self, asset: Any) -> bytes | None:
        content = asset.path.read_bytes()
        if content.startswith(b"bad"):
            raise ItemError("cannot look at it")
        return None if content.startswith(b"movie") else content[:1]


def test_what_a_method_does_not_cover_is_stored_and_what_it_cannot_look_at_fails_alone(backup):
    exact = backup.dedups
    backup.dedups = lambda: (*exact(), Moody(skip=True))
    for name in ("movie-1", "movie-2", "bad", "x1", "x2"):
        backup.library.add(photo(f"{name}.jpg"), name.encode())
    report = backup.run()
    assert (report.outcomes["stored"], report.outcomes["failed"], report.duplicates) == (3, 1, {"looks-1": 1})
    assert report.failures[0]["reason"] == "cannot look at it"
    assert_checksums_hold(backup)


def test_a_look_alike_of_a_file_that_vanished_is_stored_itself(backup):
    exact = backup.dedups
    backup.dedups = lambda: (*exact(), LooksAlike(skip=True))
    backup.library.add(photo("a.jpg"), b"x1")
    backup.run()
    backup.destination.remove("photos/2019/05/a.jpg")
    backup.library.remove("a.jpg")
    backup.library.add(photo("b.jpg"), b"x2")
    assert backup.run().outcomes["stored"] == 1
    assert backup.files() == {"photos/2019/05/b.jpg": b"x2"}


def test_a_source_that_was_asked_to_stop_interrupts_the_run(backup):
    backup.library.add(photo("a.jpg"), b"a")
    make = backup.source
    backup.source = lambda: FaultySource(make(), Faults([Fault("scan", InterruptedRunError("asked to stop"))]))
    report = backup.run()
    assert (report.ended, report.complete) == ("interrupted", False)


@pytest.mark.parametrize(("number", "words"), [(errno.ENOSPC, "no space left"), (errno.EIO, "cannot write")])
def test_a_staging_that_takes_no_more_ends_the_run_and_says_why(tmp_path, monkeypatch, number, words):
    def fail(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    sink = HashingSink(tmp_path / "new", Throttle(None))
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", fail)
        with pytest.raises(FatalError, match=words):
            sink.write(b"content")
    sink.close()


def test_a_file_in_staging_is_never_written_over(tmp_path):
    (tmp_path / "there").write_bytes(b"theirs")
    with pytest.raises(FatalError, match="cannot write"):
        HashingSink(tmp_path / "there", Throttle(None))
    assert staging_failed(OSError(errno.EDQUOT, "quota"), tmp_path / "new").advice.startswith("make room")


def test_a_destination_that_is_not_there_yet_holds_nothing_and_takes_nothing():
    absent = AbsentDestination("/mnt/nas")
    absent.open()
    assert absent.location == "/mnt/nas"
    assert absent.missing(["a", "b"]) == {"a", "b"}
    assert (absent.stat("a"), list(absent.list("")), absent.free_space()) == (None, [], None)
    absent.flush()
    with pytest.raises(FileNotFoundError):
        absent.read("a")
    for call in (
        lambda: absent.begin("a"),
        lambda: absent.link("a", "b", kind="symlink"),
        lambda: absent.move("a", "b"),
        lambda: absent.remove("a"),
    ):
        with pytest.raises(FatalError, match="/mnt/nas is not there"):
            call()
