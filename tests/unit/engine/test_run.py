"""The engine as a whole: what a run leaves behind, and what the next one makes of it."""

from __future__ import annotations

import hashlib

import msgspec

from syncengine.api import AlbumRef, CaptureTime, Kind, MediaItem

MAY = CaptureTime(origin="source", instant=1_558_000_000_000)


def photo(id_: str, **facts: object) -> MediaItem:
    fields: dict[str, object] = {"id": id_, "name": id_, "kind": Kind.PHOTO, "taken": MAY, "content_token": "1"}
    return MediaItem(**{**fields, **facts})  # type: ignore[arg-type]


def test_a_first_run_stores_everything_and_says_so(backup):
    backup.library.add(photo("a.jpg"), b"aaa")
    backup.library.add(photo("b.jpg", taken=None), b"bbb")
    report = backup.run()
    assert backup.files() == {"photos/2019/05/a.jpg": b"aaa", "photos/undated/b.jpg": b"bbb"}
    assert report.outcomes["stored"] == 2
    assert report.complete
    assert report.bytes_written == 6
    assert [line.outcome for line in backup.ledger(report)] == ["stored", "stored"]


def test_the_stored_file_carries_the_capture_time(backup):
    backup.library.add(photo("a.jpg"), b"aaa")
    backup.run()
    assert backup.destination.stat("photos/2019/05/a.jpg").mtime == 1_558_000_000


def test_a_second_run_changes_nothing(backup):
    backup.library.add(photo("a.jpg", albums=(AlbumRef("r", "Rome"),)), b"aaa")
    backup.run()
    before = backup.files("")
    report = backup.run()
    after = backup.files("")
    assert report.outcomes["unchanged"] == 1
    assert {path: content for path, content in after.items() if not path.startswith("logs/")} == {
        path: content for path, content in before.items() if not path.startswith("logs/")
    }


def test_equal_bytes_are_stored_once_and_albums_unite(backup):
    backup.library.add(photo("a.jpg", albums=(AlbumRef("r", "Rome"),), origins=("x/a.jpg",)), b"same")
    backup.library.add(photo("b.jpg", albums=(AlbumRef("p", "Paris"),), origins=("y/b.jpg",)), b"same")
    report = backup.run()
    assert list(backup.files()) == ["photos/2019/05/a.jpg"]
    assert report.outcomes["duplicate"] == 1
    assert report.duplicates == {"sha256": 1}
    document = backup.document("photos/2019/05/a.jpg")
    assert [album["title"] for album in document["albums"]] == ["Rome", "Paris"]
    assert document["source"]["origins"] == ["x/a.jpg", "y/b.jpg"]
    assert set(backup.files("albums")) == {
        "albums/Rome/a.jpg", "albums/Rome/album.json", "albums/Paris/a.jpg", "albums/Paris/album.json",
    }  # fmt: skip


def test_a_duplicate_that_comes_in_a_later_run_unites_as_well(backup):
    backup.library.add(photo("a.jpg", albums=(AlbumRef("r", "Rome"),)), b"same")
    backup.run()
    backup.library.add(photo("b.jpg", albums=(AlbumRef("p", "Paris"),)), b"same")
    report = backup.run()
    assert (report.outcomes["duplicate"], report.outcomes["unchanged"]) == (1, 1)
    assert [album["title"] for album in backup.document("photos/2019/05/a.jpg")["albums"]] == ["Rome", "Paris"]
    groups = msgspec.json.decode(backup.read("metadata/deduplication.json"))["groups"]
    assert [(group["kept"]["path"], [copy["id"] for copy in group["copies"]]) for group in groups] == [
        ("photos/2019/05/a.jpg", ["b.jpg"])
    ]


def test_without_deduplication_equal_bytes_are_both_stored(backup):
    backup.dedups = lambda: ()
    backup.library.add(photo("a.jpg"), b"same")
    backup.library.add(photo("b.jpg"), b"same")
    backup.run()
    assert list(backup.files()) == ["photos/2019/05/a.jpg", "photos/2019/05/b.jpg"]
    assert backup.run().outcomes["unchanged"] == 2


def test_two_contents_of_one_name_are_both_stored(backup):
    backup.library.add(photo("1", name="a.jpg"), b"one")
    backup.library.add(photo("2", name="A.JPG"), b"two")
    backup.run()
    suffix = hashlib.sha256(b"two").hexdigest()[:6]
    assert backup.files() == {"photos/2019/05/a.jpg": b"one", f"photos/2019/05/A~{suffix}.JPG": b"two"}


def test_a_foreign_file_in_the_way_is_never_overwritten(backup):
    upload = backup.destination.begin("photos/2019/05/a.jpg")
    upload.write(b"theirs")
    upload.commit()
    backup.library.add(photo("a.jpg"), b"ours")
    backup.run()
    path = f"photos/2019/05/a~{hashlib.sha256(b'ours').hexdigest()[:6]}.jpg"
    assert backup.files() == {"photos/2019/05/a.jpg": b"theirs", path: b"ours"}
    assert backup.document(path)["stored"]["path"] == path


def test_a_file_that_a_crash_left_without_a_record_is_recognised(backup):
    upload = backup.destination.begin("photos/2019/05/a.jpg")
    upload.write(b"ours")
    upload.commit()
    backup.library.add(photo("a.jpg"), b"ours")
    report = backup.run()
    assert backup.files() == {"photos/2019/05/a.jpg": b"ours"}
    assert (report.outcomes["stored"], report.bytes_written) == (1, 0)
    assert backup.ledger(report)[0].reason == "new; the same file was at the destination already"


def test_changed_bytes_are_stored_beside_the_old_ones(backup):
    backup.library.add(photo("a.jpg"), b"old")
    backup.run()
    backup.library.remove("a.jpg")
    backup.library.add(photo("a.jpg", content_token="2"), b"new")
    report = backup.run()
    assert report.outcomes["stored"] == 1
    assert sorted(backup.files().values()) == [b"new", b"old"]
    assert backup.run().outcomes["unchanged"] == 1


def test_changed_metadata_rewrites_the_metadata_file_and_the_time(backup):
    backup.library.add(photo("a.jpg", metadata_token="1", description="old"), b"aaa")
    backup.run()
    backup.library.remove("a.jpg")
    later = CaptureTime(origin="source", instant=1_558_000_060_000)
    backup.library.add(
        photo("a.jpg", metadata_token="2", description="new", taken=later, albums=(AlbumRef("r", "Rome"),)), b"aaa"
    )
    report = backup.run()
    assert (report.outcomes["updated"], report.bytes_read) == (1, 0)
    assert backup.document("photos/2019/05/a.jpg")["description"] == "new"
    assert backup.destination.stat("photos/2019/05/a.jpg").mtime == 1_558_000_060
    assert "albums/Rome/a.jpg" in backup.files("albums")
    assert backup.run().outcomes["unchanged"] == 1


def test_changed_metadata_that_the_scan_leaves_out_is_asked_for(backup):
    backup.library.add(photo("a.jpg", metadata_token="1"), b"aaa", described=photo("a.jpg", description="old"))
    backup.run()
    described = photo("a.jpg", metadata_token="2", description="new")
    backup.library.add(photo("a.jpg", metadata_token="2"), b"aaa", described=described)
    report = backup.run()
    assert (report.outcomes["updated"], report.bytes_read) == (1, 0)
    assert backup.document("photos/2019/05/a.jpg")["description"] == "new"


def test_what_vanished_at_the_destination_is_stored_again(backup):
    backup.library.add(photo("a.jpg"), b"aaa")
    backup.run()
    backup.destination.remove("photos/2019/05/a.jpg")
    report = backup.run()
    assert report.outcomes["stored"] == 1
    assert backup.files() == {"photos/2019/05/a.jpg": b"aaa"}


def test_the_checksums_are_those_of_sha256sum(backup):
    backup.library.add(photo("b.jpg"), b"bbb")
    backup.library.add(photo("a.jpg"), b"aaa")
    backup.run()
    assert backup.read("metadata/checksums.sha256").decode().splitlines() == [
        f"{hashlib.sha256(content).hexdigest()}  photos/2019/05/{name}.jpg"
        for name, content in (("a", b"aaa"), ("b", b"bbb"))
    ]


def test_a_limit_leaves_the_rest_for_later_and_accounts_for_it(backup):
    for number in range(3):
        backup.library.add(photo(f"{number}.jpg"), b"%d" % number)
    backup.limit = 2
    report = backup.run()
    assert (report.outcomes["stored"], report.filtered) == (2, {"--limit": 1})
    backup.limit = None
    assert backup.run().outcomes["stored"] == 1


def test_a_rehearsal_writes_nothing(backup):
    backup.library.add(photo("a.jpg"), b"aaa")
    report = backup.run(rehearse=True)
    assert (report.dry_run, report.outcomes["stored"], backup.files("")) == (True, 1, {})
