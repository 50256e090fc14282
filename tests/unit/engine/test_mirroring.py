"""Mirror runs: what left the source goes to the trash, and only that, and only when it is certain."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from syncengine.api import AlbumRef, CaptureTime, Inventory, ItemError, Kind, MediaItem, Selection, Sink
from syncengine.engine import trash
from syncengine.engine.removals import Budget, Mirror
from syncengine.records import ItemRecord, StateBatch
from syncengine.testing.faults import Fault, Faults, FaultyDestination, FaultySource
from syncengine.testing.memory.source import MemorySource, MemorySourceOptions
from syncengine_plugins.destinations.filesystem import FilesystemDestination, FilesystemOptions

MAY = CaptureTime(origin="source", instant=1_558_000_000_000)
ROME = AlbumRef("r", "Rome")
ALL = Mirror(budget=None)


def photo(identity: str, *albums: AlbumRef, name: str = "") -> MediaItem:
    return MediaItem(
        id=identity,
        name=name or f"{identity}.jpg",
        kind=Kind.PHOTO,
        content_token="1",
        taken=MAY,
        albums=albums,
    )


@pytest.fixture
def mirrored(backup: Any) -> Any:
    """A backup of five photos, three of them in an album."""
    for name in "abcde":
        backup.library.add(photo(name, *([ROME] if name in "abc" else [])), f"content {name}".encode())
    backup.run()
    backup.mirror = ALL
    return backup


def trashed(backup: Any, report: Any) -> set[str]:
    """Return what a run put into the trash."""
    return set(backup.files(f".syncengine/trash/{report.run}")) - {f".syncengine/trash/{report.run}/entries.jsonl"}


def test_what_left_the_source_goes_to_the_trash_with_its_papers(mirrored: Any) -> None:
    mirrored.library.remove("a")
    report = mirrored.run()
    assert report.complete
    assert (report.removed, report.removal_refused) == (1, "")
    path = "photos/2019/05/a.jpg"
    assert report.removals == ({"id": "a", "name": "a.jpg", "path": path, "reason": "left the source"},)
    held = f".syncengine/trash/{report.run}"
    assert trashed(mirrored, report) == {f"{held}/{path}", f"{held}/metadata/{path}.json"}
    assert mirrored.read(f"{held}/{path}") == b"content a"
    assert set(mirrored.files()) == {f"photos/2019/05/{name}.jpg" for name in "bcde"}
    assert path.encode() not in mirrored.read("metadata/checksums.sha256")
    album = msgspec.json.decode(mirrored.read("albums/Rome/album.json"))
    assert [member["name"] for member in album["members"]] == ["b.jpg", "c.jpg"]
    assert mirrored.destination.stat("albums/Rome/a.jpg") is None
    assert len(mirrored.contents()) == 4
    again = mirrored.run()
    assert (again.removed, again.outcomes["unchanged"]) == (0, 4)


def test_removals_are_in_none_of_the_classes(mirrored: Any) -> None:
    mirrored.library.remove("a")
    report = mirrored.run()
    assert report.listed == sum(report.outcomes.values()) == 4
    assert len(mirrored.ledger(report)) == 4


def test_an_additive_run_removes_nothing(mirrored: Any) -> None:
    mirrored.mirror = None
    mirrored.library.remove("a")
    report = mirrored.run()
    assert (report.removed, report.removal_refused) == (0, "")
    assert len(mirrored.files()) == 5


def test_a_rehearsal_says_what_would_go_and_leaves_it(mirrored: Any) -> None:
    mirrored.library.remove("a")
    report = mirrored.run(rehearse=True)
    assert (report.dry_run, report.removed) == (True, 1)
    assert report.removals[0]["path"] == "photos/2019/05/a.jpg"
    assert len(mirrored.files()) == 5


def test_an_empty_source_is_refused(mirrored: Any) -> None:
    for name in "abcde":
        mirrored.library.remove(name)
    report = mirrored.run()
    assert "the source is empty" in report.removal_refused
    assert len(mirrored.files()) == 5


def test_an_incomplete_inventory_is_refused(mirrored: Any) -> None:
    mirrored.library.remove("a")
    mirrored.library.missing = ("part-002.zip is damaged",)
    report = mirrored.run()
    assert "part-002.zip" in report.removal_refused
    assert len(mirrored.files()) == 5


def test_a_partial_listing_is_refused(mirrored: Any) -> None:
    class Part(MemorySource):
        def inventory(self) -> Inventory:
            return msgspec.structs.replace(super().inventory(), partial=True)

    mirrored.source = lambda: Part(MemorySourceOptions(), mirrored.library)
    mirrored.library.remove("a")
    report = mirrored.run()
    assert "a part of the library" in report.removal_refused
    assert len(mirrored.files()) == 5


def test_numbers_that_do_not_agree_are_refused(mirrored: Any) -> None:
    class Odd(MemorySource):
        def inventory(self) -> Inventory:
            return msgspec.structs.replace(super().inventory(), counts={"items": 5})

    mirrored.source = lambda: Odd(MemorySourceOptions(), mirrored.library)
    mirrored.library.remove("a")
    report = mirrored.run()
    assert "do not agree" in report.removal_refused
    assert len(mirrored.files()) == 5


def test_a_source_that_lets_go_of_what_is_backed_up_tells_nothing(mirrored: Any) -> None:
    class Releasing(MemorySource):
        lets_go = True

    mirrored.source = lambda: Releasing(MemorySourceOptions(), mirrored.library)
    mirrored.library.remove("a")
    assert "lets go" in mirrored.run(rehearse=True).removal_refused
    assert "lets go" in mirrored.run().removal_refused
    assert len(mirrored.files()) == 5


def test_an_interrupted_run_removes_nothing(mirrored: Any) -> None:
    mirrored.library.remove("a")
    mirrored.stop.set()
    assert mirrored.run().ended == "interrupted"
    mirrored.stop.clear()
    assert len(mirrored.files()) == 5


def test_a_budget_that_is_passed_lets_everything_stay(mirrored: Any) -> None:
    mirrored.mirror = Mirror(budget=Budget())
    mirrored.library.remove("a")
    mirrored.library.remove("b")
    report = mirrored.run()
    assert report.complete
    assert report.removed == 0
    assert "2 of 5 stored files left the source" in report.removal_refused
    assert "--max-delete 2" in report.removal_refused
    assert [removal["name"] for removal in report.removals] == ["a.jpg", "b.jpg"]
    assert len(mirrored.files()) == 5
    mirrored.library.add(photo("b", ROME), b"content b")
    assert mirrored.run().removed == 1  # One percent is rounded up.


@pytest.mark.parametrize(
    ("budget", "stored", "most"),
    [
        (Budget(), 10, 1),
        (Budget(), 1000, 10),
        (Budget(), 200_000, 50),
        (Budget(), 0, 0),
        (Budget(count=None, percent=10), 200_000, 20_000),
        (Budget(count=300, percent=None), 1000, 300),
        (Budget(count=0, percent=None), 1000, 0),
        (Budget(count=None, percent=100), 7, 7),
        (Budget(count=None, percent=0.1), 3000, 3),
    ],
)
def test_the_smaller_limit_holds(budget: Budget, stored: int, most: int) -> None:
    assert budget.most(stored) == most


def test_what_is_filtered_is_still_listed(mirrored: Any) -> None:
    mirrored.select = Selection(exclude_names=("a.jpg",))
    report = mirrored.run()
    assert (report.outcomes["filtered"], report.removed) == (1, 0)
    assert len(mirrored.files()) == 5


def test_a_photo_under_another_id_is_not_gone(mirrored: Any) -> None:
    mirrored.library.remove("a")
    mirrored.library.add(photo("new", ROME, name="renamed.jpg"), b"content a")
    report = mirrored.run()
    assert (report.removed, report.outcomes["duplicate"]) == (0, 1)
    (record,) = [record for record in mirrored.contents() if record.path.endswith("/a.jpg")]
    assert (record.item, record.name, record.copies) == ("new", "renamed.jpg", ())
    assert mirrored.run().removed == 0
    document = mirrored.document("photos/2019/05/a.jpg")
    assert (document["source"]["id"], document["name"]) == ("new", "renamed.jpg")
    last = mirrored.run()
    assert (last.outcomes["unchanged"], last.bytes_written) == (5, 0)


def test_a_photo_that_failed_under_its_new_id_keeps_the_old_file(mirrored: Any) -> None:
    mirrored.library.remove("a")
    mirrored.library.add(photo("moved/a", name="a.jpg"), b"content a")
    faults = Faults([Fault("fetch", ItemError("damaged"))])
    mirrored.source = lambda: FaultySource(MemorySource(MemorySourceOptions(), mirrored.library), faults)
    report = mirrored.run()
    assert (report.outcomes["failed"], report.removed) == (1, 0)
    assert any("stay for now" in warning for warning in report.warnings)
    assert len(mirrored.files()) == 5
    report = mirrored.run()
    assert (report.outcomes["duplicate"], report.removed) == (1, 0)


def test_a_file_that_another_item_holds_stays(mirrored: Any) -> None:
    mirrored.library.add(photo("copy"), b"content a")
    mirrored.run()
    mirrored.library.remove("a")
    report = mirrored.run()
    assert (report.removed, len(mirrored.files())) == (0, 5)
    assert b'"copies"' not in mirrored.read("metadata/deduplication.json")
    mirrored.library.remove("copy")
    assert mirrored.run().removed == 1


def test_what_only_looks_like_a_file_holds_it_and_does_not_pass_for_it(mirrored: Any) -> None:
    (record,) = [record for record in mirrored.contents() if record.item == "a"]
    mirrored.library.add(photo("like"), b"other bytes")
    listed = ItemRecord("1", "", record.content, outcome="duplicate", path=record.path, method="looks")
    with mirrored.parts() as parts:
        like = msgspec.structs.replace(record, copies=(("test", "like", "like.jpg", "looks", 2),))
        parts.state.commit(StateBatch(items=[("like", listed)], contents=[like]))
    mirrored.library.remove("a")
    assert mirrored.run().removed == 0
    assert mirrored.run().removed == 0
    (now,) = [one for one in mirrored.contents() if one.content == record.content]
    assert (now.item, now.name, now.copies) == ("a", "a.jpg", like.copies)
    assert mirrored.document(record.path)["name"] == "a.jpg"
    mirrored.library.remove("like")
    assert mirrored.run().removed == 1


def test_a_file_that_another_profile_holds_stays(mirrored: Any) -> None:
    mirrored.profile, mirrored.mirror = "other", None
    mirrored.run()
    mirrored.profile, mirrored.mirror = "test", ALL
    mirrored.library.remove("a")
    assert mirrored.run().removed == 0
    assert len(mirrored.files()) == 5
    (record,) = [record for record in mirrored.contents() if record.path.endswith("/a.jpg")]
    assert (record.profile, record.item) == ("other", "a")
    mirrored.profile = "other"
    assert mirrored.run().removed == 1


def test_who_stored_a_file_holds_it_still_when_another_profile_stores_it_again(mirrored: Any) -> None:
    mirrored.destination.remove("photos/2019/05/a.jpg")
    mirrored.profile = "other"
    mirrored.run()
    mirrored.library.remove("a")
    assert mirrored.run().removed == 0
    assert len(mirrored.files()) == 5
    mirrored.profile = "test"
    assert mirrored.run().removed == 1


def test_without_deduplication_a_file_that_two_profiles_list_is_held_by_both(mirrored: Any) -> None:
    mirrored.dedups = tuple
    mirrored.library.add(photo("f"), b"content f")
    mirrored.run()
    mirrored.profile = "other"
    mirrored.run()
    mirrored.library.remove("f")
    assert mirrored.run().removed == 0
    mirrored.profile = "test"
    assert mirrored.run().removed == 1


def test_an_item_that_failed_holds_what_its_copy_stored_again(mirrored: Any) -> None:
    mirrored.library.add(photo("copy"), b"content a")
    mirrored.run()
    mirrored.destination.remove("photos/2019/05/a.jpg")
    mirrored.source = lambda: _WithoutA(MemorySourceOptions(), mirrored.library)
    assert mirrored.run().outcomes["failed"] == 1
    mirrored.library.remove("copy")
    assert (mirrored.run().removed, len(mirrored.files())) == (0, 5)


class _WithoutA(MemorySource):
    def fetch(self, item: MediaItem, into: Sink) -> None:
        if item.id == "a":
            raise ItemError("not now")
        super().fetch(item, into)


def test_what_was_brought_back_stays_when_it_was_stored_again_since(mirrored: Any) -> None:
    with mirrored.parts() as parts:
        records = [msgspec.structs.replace(record, restored="2026-01-01") for record in parts.state.all_contents()]
        parts.state.commit(StateBatch(contents=records))
    mirrored.destination.remove("photos/2019/05/a.jpg")
    mirrored.run()
    mirrored.library.remove("a")
    assert (mirrored.run().removed, len(mirrored.files())) == (0, 5)


def test_a_file_that_was_changed_at_the_destination_stays(mirrored: Any) -> None:
    path = "photos/2019/05/a.jpg"
    mirrored.destination.remove(path)
    upload = mirrored.destination.begin(path)
    upload.write(b"edited by hand")
    upload.commit()
    mirrored.library.remove("a")
    report = mirrored.run()
    assert report.removed == 0
    assert any("has been changed" in warning for warning in report.warnings)
    assert mirrored.read(path) == b"edited by hand"


def test_a_file_that_is_not_there_is_forgotten(mirrored: Any) -> None:
    mirrored.destination.remove("photos/2019/05/e.jpg")
    mirrored.library.remove("e")
    mirrored.run()
    assert len(mirrored.contents()) == 4
    assert mirrored.run().outcomes["unchanged"] == 4


def test_an_album_that_left_with_its_photos_goes(mirrored: Any) -> None:
    for name in "abc":
        mirrored.library.remove(name)
    del mirrored.library.albums["r"]
    mirrored.run()
    assert mirrored.files("albums") == {}


def test_an_empty_album_that_is_still_there_stays(mirrored: Any) -> None:
    for name in "abc":
        mirrored.library.remove(name)
    mirrored.run()
    assert set(mirrored.files("albums")) == {"albums/Rome/album.json"}


@pytest.mark.parametrize("style", ["hardlink", "symlink", "copy", "manifest", "none"])
def test_links_go_with_their_file(backup: Any, style: Any) -> None:
    backup.albums, backup.mirror = style, ALL
    for name in "ab":
        backup.library.add(photo(name, ROME), name.encode())
    backup.run()
    before = set(backup.destination.storage.entries)
    backup.library.remove("a")
    assert backup.run().removed == 1
    left = {path for path in before if path.endswith(("a.jpg", "a.jpg.json"))}
    assert not left & set(backup.destination.storage.entries)
    assert ("albums/Rome/b.jpg" in backup.destination.storage.entries) == (style not in ("manifest", "none"))


def test_expired_entries_are_emptied_and_nothing_else(mirrored: Any) -> None:
    mirrored.library.remove("a")
    first = mirrored.run()
    held = f".syncengine/trash/{first.run}"
    entries = mirrored.read(f"{held}/entries.jsonl")
    upload = mirrored.destination.begin(f"{held}/mine.txt")
    upload.write(b"put here by hand")
    upload.commit()
    assert mirrored.run().trash_emptied == 0
    mirrored.destination.remove(f"{held}/entries.jsonl")
    upload = mirrored.destination.begin(f"{held}/entries.jsonl")
    upload.write(re.sub(rb'(?m)^{"sum":"[0-9a-f]{8}",', b"{", entries).replace(b'"when":"20', b'"when":"19'))
    upload.commit()
    report = mirrored.run()
    assert report.trash_emptied == 1
    assert set(mirrored.files(".syncengine/trash")) == {f"{held}/mine.txt", f"{held}/entries.jsonl"}


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"[]",
        pytest.param(b'{"raw":' * 50_000, id="nested"),
        b'{"id":"x","name":"x","when":"1999-01-01","why":"x"}',
    ],
)
def test_lines_that_make_no_sense_are_passed_over(mirrored: Any, line: bytes) -> None:
    mirrored.library.remove("a")
    report = mirrored.run()
    path = f".syncengine/trash/{report.run}/entries.jsonl"
    entries = mirrored.read(path)
    upload = mirrored.destination.begin(path)
    upload.write(line + b"\n" + entries)
    upload.commit(replace=True)
    assert [held.entry.name for held in trash.entries(mirrored.destination, report.run)] == ["a.jpg"]


def test_when_the_trash_takes_nothing_the_library_stays_as_it_is(mirrored: Any) -> None:
    good = mirrored.destination
    mirrored.library.remove("a")
    mirrored.destination = FaultyDestination(good, Faults([Fault("move", ItemError("no permission"), times=None)]))
    report = mirrored.run()
    assert report.removed == 0
    assert any("could not be moved to the trash" in warning for warning in report.warnings)
    mirrored.destination = good
    assert set(mirrored.files()) == {f"photos/2019/05/{name}.jpg" for name in "abcde"}
    assert good.stat("albums/Rome/a.jpg") is not None
    assert mirrored.run().removed == 1


@pytest.mark.parametrize("planted", [".syncengine/trash", "photos/2019", "albums/Rome", "metadata/photos/2019"])
def test_a_planted_link_costs_no_run_and_no_photo(backup: Any, tmp_path: Path, planted: str) -> None:
    root, elsewhere = tmp_path / "backup", tmp_path / "elsewhere"
    with contextlib.closing(FilesystemDestination(FilesystemOptions(path=str(root)))) as made:
        made.open()
        backup.destination, backup.mirror = made, ALL
        for name in "abc":
            backup.library.add(photo(name, ROME), name.encode())
        backup.run()
        if (root / planted).exists():
            (root / planted).rename(elsewhere)
        else:
            elsewhere.mkdir()
        (root / planted).symlink_to(elsewhere)
        made.close()
        made.open()
        before = {path: path.read_bytes() for path in elsewhere.rglob("*") if path.is_file()}
        backup.library.remove("a")
        report = backup.run()
        assert report.ended == "completed", report.reason
        assert report.removal_refused or report.warnings or planted.startswith("metadata")
        assert {path: path.read_bytes() for path in elsewhere.rglob("*") if path.is_file()} == before
        photos = {path.read_bytes() for path in tmp_path.rglob("*.jpg") if path.is_file()}
        assert photos == {b"a", b"b", b"c"}
