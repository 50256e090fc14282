"""Bringing back what is in the trash."""

from __future__ import annotations

import re
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from syncengine.api import AlbumRef, CaptureTime, Kind, MediaItem
from syncengine.engine import trash
from syncengine.engine.recording import Journal
from syncengine.engine.removals import Mirror
from syncengine.engine.restoring import Restored, Restorer
from syncengine.testing.contracts.destination_base import store
from syncengine_plugins.destinations.filesystem import FilesystemDestination, FilesystemOptions

MAY = CaptureTime(origin="source", instant=1_558_000_000_000)
NOW = "2026-01-01T00:00:00+00:00"
A = "photos/2019/05/a.jpg"


def photo(identity: str) -> MediaItem:
    return MediaItem(
        id=identity,
        name=f"{identity}.jpg",
        kind=Kind.PHOTO,
        content_token="1",
        taken=MAY,
        albums=(AlbumRef("r", "Rome"),),
    )


@pytest.fixture
def emptied(backup: Any) -> Any:
    """A backup of two photos, one of which a mirror run has removed."""
    backup.mirror = Mirror(budget=None)
    for name in "ab":
        backup.library.add(photo(name), f"content {name}".encode())
    backup.run()
    backup.library.remove("a")
    assert backup.run().removed == 1
    return backup


def restore(backup: Any) -> list[Restored]:
    """Bring everything back, as the command does it."""
    with backup.parts() as parts, closing(Journal(parts.spool, parts.state, parts.profile)) as journal:
        restorer = Restorer(parts, journal, NOW)
        done = restorer.restore(list(trash.contents(parts.destination)))
        assert restorer.finish() == []
        return done


def rewrite_entries(backup: Any, before: bytes, after: bytes) -> None:
    """Edit the trash's entries by hand, as somebody who leaves out the checksum."""
    (path,) = [path for path in backup.files(trash.TRASH) if path.endswith("/entries.jsonl")]
    lines = re.sub(rb'(?m)^{"sum":"[0-9a-f]{8}",', b"{", backup.read(path))
    assert before in lines
    backup.destination.remove(path)
    store(backup.destination, path, lines.replace(before, after))


def test_what_is_there_now_is_never_replaced(emptied: Any) -> None:
    store(emptied.destination, A, b"somebody else's")
    (done,) = restore(emptied)
    assert done.path != A
    assert emptied.read(A) == b"somebody else's"
    assert emptied.read(done.path) == b"content a"
    document = emptied.document(done.path)
    assert document["stored"]["path"] == done.path
    name = done.path.rpartition("/")[2]
    assert emptied.read(f"albums/Rome/{name}") == b"content a"
    assert done.path.encode() in emptied.read("metadata/checksums.sha256")
    report = emptied.run()
    assert (report.removed, report.bytes_written) == (0, 0)


def test_what_a_person_brought_back_stays_whatever_comes_and_goes(emptied: Any) -> None:
    restore(emptied)
    emptied.library.add(photo("copy"), b"content a")
    report = emptied.run()
    assert report.outcomes["duplicate"] == 1  # It is known again by its fingerprint.
    emptied.library.remove("copy")
    assert emptied.run().removed == 0
    assert emptied.read(A) == b"content a"


def test_an_item_that_came_back_is_known_again(emptied: Any) -> None:
    restore(emptied)
    emptied.library.add(photo("a"), b"content a")
    report = emptied.run()
    assert (report.outcomes["failed"], report.bytes_written) == (0, 0)
    assert set(emptied.files()) == {A, "photos/2019/05/b.jpg"}
    assert emptied.run().outcomes["unchanged"] == 2


def test_what_the_source_brought_back_is_not_doubled(emptied: Any) -> None:
    emptied.library.add(photo("a"), b"content a")
    emptied.run()
    (done,) = restore(emptied)
    assert (done.path, "already" in done.problem) == (A, True)
    assert set(emptied.files()) == {A, "photos/2019/05/b.jpg"}


def test_what_was_removed_twice_comes_back_once(emptied: Any) -> None:
    emptied.library.add(photo("a"), b"content a")
    emptied.run()
    emptied.library.remove("a")
    assert emptied.run().removed == 1
    done = restore(emptied)
    assert [one.path for one in done] == [A, A]
    assert sorted(bool(one.problem) for one in done) == [False, True]
    assert set(emptied.files()) == {A, "photos/2019/05/b.jpg"}
    assert [held.entry.name for held in trash.contents(emptied.destination)] == ["a.jpg"]
    assert emptied.run().bytes_written == 0


def test_a_file_without_an_entry_comes_back_beside_what_is_there(emptied: Any) -> None:
    held = f"{trash.TRASH}/run-001/photos/b.jpg"
    store(emptied.destination, held, b"set aside")
    store(emptied.destination, "photos/b.jpg", b"the good one")
    done = {one.path for one in restore(emptied)}
    assert done == {A, "photos/b~2.jpg"}
    assert emptied.read("photos/b.jpg") == b"the good one"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'"path":"photos/2019/05/a.jpg"', b'"path":"../../escaped.jpg"'),
        (b'"path":"photos/2019/05/a.jpg"', b'"path":"photos/../../escaped.jpg"'),
        (b'"path":"photos/2019/05/a.jpg"', b'"path":".syncengine/format.json"'),
        (b'"path":"photos/2019/05/a.jpg"', b'"path":"metadata/checksums.sha256"'),
        (b'"path":"photos/2019/05/a.jpg"', b'"path":"/tmp/escaped.jpg"'),
        (b'"trashed":".syncengine/trash/', b'"trashed":"photos/../.syncengine/trash/'),
        (b'"trashed":".syncengine/trash/run-002/', b'"trashed":".syncengine/trash/run-002/../../../photos/'),
        (b'"trashed":".syncengine/trash/run-002/photos/2019/05/a.jpg"', b'"trashed":"photos/2019/05/b.jpg"'),
    ],
)
def test_an_entry_that_leaves_its_trash_or_the_library_is_not_believed(
    emptied: Any, before: bytes, after: bytes
) -> None:
    rewrite_entries(emptied, before, after)
    held = list(trash.contents(emptied.destination))
    assert [one.record for one in held] == [None, None]  # Files that no entry tells of.
    files = set(emptied.files(""))
    for one in held:
        trash.drop(emptied.destination, one)
    assert all(path.startswith(trash.TRASH) for path in files - set(emptied.files("")))
    assert emptied.read("photos/2019/05/b.jpg") == b"content b"


def test_a_planted_path_into_the_engine_s_own_directory_is_refused(emptied: Any) -> None:
    store(emptied.destination, f"{trash.TRASH}/run-009/.syncengine/format.json", b"{}")
    problems = [one.problem for one in restore(emptied) if one.problem]
    assert problems == [".syncengine/format.json is no path of the library"]
    assert emptied.destination.stat(".syncengine/format.json") is None


def test_links_in_the_trash_are_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "id").write_bytes(b"secret")
    (secret / "entries.jsonl").write_bytes(b"{}\n")
    root = tmp_path / "backup"
    with closing(FilesystemDestination(FilesystemOptions(path=str(root)))) as made:
        made.open()
        store(made, f"{trash.TRASH}/run-1/photos/a.jpg", b"a")
        (root / trash.TRASH / "run-1/photos/link.jpg").symlink_to(secret / "id")
        (root / trash.TRASH / "run-1/entries.jsonl").symlink_to(secret / "entries.jsonl")
        (root / trash.TRASH / "run-0").symlink_to(secret)
        found = list(trash.contents(made))
        assert [held.files[0].path for held in found] == ["photos/a.jpg"]
        for held in found:
            trash.drop(made, held)
        trash.tidy(made, "run-1")
    assert (secret / "id").read_bytes() == b"secret"
    assert (secret / "entries.jsonl").read_bytes() == b"{}\n"


def test_a_record_can_be_read_back(emptied: Any) -> None:
    (held,) = trash.contents(emptied.destination)
    assert held.record is not None
    assert (held.record.item, held.record.path) == ("a", A)
    assert [print_[0] for print_ in held.fingerprints] == ["sha256"]
    lines = [msgspec.json.decode(line) for line in held.entry.records]
    assert [line["item"]["id"] for line in lines if "item" in line] == ["a"]
