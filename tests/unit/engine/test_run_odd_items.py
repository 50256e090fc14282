"""Names, texts, times and sizes that no careful person would choose and every large library has."""

from __future__ import annotations

from typing import Any

import pytest

from syncengine.api import AlbumRef, CaptureTime, ItemError, PluginOptions
from syncengine_plugins.destinations.filesystem import FilesystemDestination, FilesystemOptions
from tests.unit.engine.conftest import ExactDedup
from tests.unit.engine.photos import assert_checksums_hold, photo

HALF = "half of a pair \ud83d.jpg"


def on_disk(backup: Any) -> None:
    """Let the backup go to a directory instead of memory."""
    backup.destination.close()
    backup.destination = FilesystemDestination(FilesystemOptions(path=str(backup.directory / "disk")))
    backup.destination.open()


@pytest.mark.parametrize(
    "facts",
    [
        {"id_": HALF},
        {"name": HALF},
        {"description": HALF},
        {"people": (HALF,)},
        {"origins": (HALF,)},
        {"albums": (AlbumRef(HALF, HALF),)},
        {"notes": (HALF,)},
        {"raw": {HALF: [HALF]}},
    ],
    ids=lambda facts: next(iter(facts)),
)
def test_a_text_that_is_no_unicode_costs_nothing(backup, facts):
    backup.metadata = ("json", "xmp")
    backup.library.add(photo(**{"id_": "a.jpg", **facts}), b"a")
    backup.library.add(photo("ok.jpg"), b"ok")
    report = backup.run()
    assert (report.complete, report.outcomes["stored"]) == (True, 2)
    assert backup.run().outcomes["unchanged"] == 2
    assert_checksums_hold(backup)


def test_an_id_as_long_as_a_book_is_an_id(backup):
    backup.layout = "photos/{id}"
    backup.library.add(photo("x" * 100_000, name="a.jpg"), b"a")
    backup.library.add(photo("x" * 100_000 + "y", name="b\n.jpg"), b"b")
    assert backup.run().complete
    assert backup.run().outcomes["unchanged"] == 2
    assert len(backup.files()) == 2


@pytest.mark.parametrize(
    "taken",
    [
        CaptureTime(origin="exif", wall="2019-02-30T25:00:00"),
        CaptureTime(origin="exif", wall="2019-02-20T05:00:00", offset=100_000),
        CaptureTime(origin="exif", wall="yesterday"),
    ],
)
def test_a_time_that_no_calendar_has_fails_its_item_alone(backup, taken):
    backup.library.add(photo("bad.jpg", taken=taken), b"bad")
    backup.library.add(photo("ok.jpg"), b"ok")
    report = backup.run()
    assert (report.outcomes["stored"], report.outcomes["failed"]) == (1, 1)
    assert "its capture time makes no sense" in report.failures[0]["reason"]


@pytest.mark.parametrize(
    "taken",
    [
        CaptureTime(origin="exif", wall="0001-01-01T00:00:00", offset=840),
        CaptureTime(origin="exif", wall="9999-12-31T23:59:59", offset=-840),
        CaptureTime(origin="source", instant=-(10**17)),
        CaptureTime(origin="source", instant=10**17),
    ],
)
def test_a_time_at_the_ends_of_the_calendar_is_a_time(backup, taken):
    backup.library.add(photo("a.jpg", taken=taken), b"a")
    assert backup.run().outcomes["stored"] == 1
    assert backup.run().outcomes["unchanged"] == 1


def test_json_of_the_source_that_is_too_deep_to_write_is_left_out_and_said(backup):
    raw: Any = 1
    for _ in range(3000):
        raw = [raw]
    backup.library.add(photo("deep.jpg", raw=raw), b"a")
    assert backup.run().outcomes["stored"] == 1
    document = backup.document("photos/2019/05/deep.jpg")
    assert document["raw"] is None
    assert document["notes"] == ["the source's own JSON could not be kept as it was"]


def test_empty_files_are_files(backup):
    backup.library.add(photo("a.jpg", taken=None, size=None), b"")
    backup.library.add(photo("b.jpg", taken=None, size=0), b"")
    report = backup.run()
    assert (report.outcomes["stored"], report.outcomes["duplicate"]) == (1, 1)
    assert backup.files() == {"photos/undated/a.jpg": b""}
    assert_checksums_hold(backup)
    assert backup.run().outcomes["unchanged"] == 2


def test_names_that_are_one_name_to_some_file_system_are_kept_apart_on_all(backup):
    on_disk(backup)
    names = ["A.JPG", "a.jpg", "a.JPG", "\u00e9.jpg", "e\u0301.jpg", "\u00c9.JPG", "ß.jpg", "SS.jpg"]
    for number, name in enumerate(names):
        backup.library.add(photo(str(number), name=name), b"%d" % number)
    backup.run()
    assert sorted(backup.files().values()) == [b"%d" % number for number in range(len(names))]
    assert len({path.casefold() for path in backup.files()}) == len(names)
    assert_checksums_hold(backup)
    assert backup.run().outcomes["unchanged"] == len(names)


@pytest.mark.parametrize("length", [255, 250, 240])
def test_the_longest_names_leave_room_for_sidecars_and_metadata(backup, length):
    on_disk(backup)
    backup.metadata = ("json", "xmp")
    backup.library.add(photo("1", name="x" * (length - 4) + ".jpg"), b"a")
    backup.library.add(photo("2", name="写" * (length // 3) + ".jpg"), b"b")
    report = backup.run()
    assert (report.outcomes["stored"], report.failures, report.warnings) == (2, (), ())
    assert_checksums_hold(backup)


@pytest.mark.parametrize("name", ["metadata", "logs", "albums", ".syncengine", "METADATA"])
def test_no_item_can_take_the_name_of_a_directory_of_the_engine(backup, name):
    on_disk(backup)
    backup.layout = "{name}"
    backup.library.add(photo("1", name=name), b"theirs")
    report = backup.run()
    assert (report.outcomes["stored"], report.warnings) == (1, ())
    assert backup.read(f"_{name}") == b"theirs"
    assert backup.destination.stat(f"logs/backup_report_{report.run}.json") is not None


@pytest.mark.parametrize("album", ["metadata", "Logs", "albums"])
def test_an_album_that_is_called_like_a_directory_of_the_engine_is_not_written_into_it(backup, album):
    backup.layout = "{album}/{name}"
    backup.albums = "manifest"
    backup.library.add(photo("1", name="checksums.sha256", albums=(AlbumRef("m", album),)), b"theirs")
    assert backup.run().outcomes["stored"] == 1
    assert backup.read(f"_{album}/checksums.sha256") == b"theirs"
    assert backup.run().outcomes["unchanged"] == 1


class BlindDedup(ExactDedup):
    """Cannot look at one file."""

    def fingerprint(self, asset: Any) -> bytes | None:
        if asset.name == "bad.jpg":
            raise ItemError("cannot look at it")
        return super().fingerprint(asset)


def test_a_fingerprint_that_cannot_be_taken_fails_its_item_alone(backup):
    backup.dedups = lambda: (BlindDedup(PluginOptions()),)
    backup.library.add(photo("bad.jpg"), b"bad")
    backup.library.add(photo("ok.jpg"), b"ok")
    report = backup.run()
    assert (report.outcomes["stored"], report.failures[0]["reason"]) == (1, "cannot look at it")
    assert backup.files() == {"photos/2019/05/ok.jpg": b"ok"}
