"""A changed layout: what is there stays, until a run is told to move it."""

from __future__ import annotations

import itertools
from contextlib import suppress
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from syncengine.api import AlbumRef, CaptureTime
from syncengine.records import StateBatch
from syncengine.state.store import ProfileState, StateStore
from syncengine.testing.faults import Fault, Faults, FaultyDestination
from syncengine.testing.memory.destination import MemoryDestination, MemoryDestinationOptions
from tests.unit.engine.photos import ROME, Stamp, assert_checksums_hold, photo, put

SEA = AlbumRef("s", "Sea")


def relaid(backup: Any, **facts: Any) -> Any:
    """Run once with ``relayout``, after changing some of the profile; then once more, which changes nothing."""
    for name, value in facts.items():
        setattr(backup, name, value)
    backup.relayout = True
    report = backup.run()
    assert report.complete
    before = everything(backup)
    again = backup.run()
    assert (again.outcomes["unchanged"], again.warnings) == (len(backup.library.items), ())
    assert everything(backup) == before
    backup.relayout = False
    return report


def everything(backup: Any) -> dict[str, bytes]:
    """Return every file of the destination but the runs' own papers."""
    found = {stat.path: backup.read(stat.path) for stat in backup.destination.list("")}
    return {path: content for path, content in found.items() if not path.startswith(("logs/", "metadata/catalog/"))}


def test_what_is_there_stays_and_the_run_says_so(backup: Any) -> None:
    backup.library.add(photo("1.jpg"), b"one")
    backup.run()
    backup.layout = "{taken:%Y}/{name}"
    backup.library.add(photo("2.jpg"), b"two")
    report = backup.run()
    assert set(backup.files("")) >= {"photos/2019/05/1.jpg", "2019/2.jpg"}
    assert report.warnings == ("1 files lie by another layout and stay there; run with --relayout to move them",)
    assert backup.run().warnings == report.warnings
    backup.layout = "photos/{taken:%Y}/{taken:%m}/{name}"
    assert backup.run().warnings == ("1 files lie by another layout and stay there; run with --relayout to move them",)


def test_everything_that_belongs_to_a_file_moves_with_it(backup: Any) -> None:
    backup.metadata, backup.transforms = ("json", "xmp"), (Stamp(extension=".png", keep=True),)
    backup.library.add(photo("1.jpg", albums=(ROME,)), b"one")
    backup.run()
    relaid(backup, layout="{taken:%Y}/{stem} {id}.{ext}")
    assert set(everything(backup)) == {
        "2019/1 1.jpg.png",
        "2019/1 1.jpg.png.xmp",
        "2019/1 1.jpg.jpg",
        "albums/Rome/1 1.jpg.png",
        "albums/Rome/album.json",
        "metadata/2019/1 1.jpg.png.json",
        "metadata/checksums.sha256",
        "metadata/deduplication.json",
    }
    document = backup.document("2019/1 1.jpg.png")
    assert (document["stored"]["path"], document["original"]["path"]) == ("2019/1 1.jpg.png", "2019/1 1.jpg.jpg")
    members = msgspec.json.decode(backup.read("albums/Rome/album.json"))["members"]
    assert [member["path"] for member in members] == ["2019/1 1.jpg.png"]


def test_files_can_swap_their_names(backup: Any) -> None:
    backup.layout = "x/{id}"
    backup.library.add(photo("a.jpg", name="b.jpg"), b"one")
    backup.library.add(photo("b.jpg", name="c.jpg"), b"two")
    backup.library.add(photo("c.jpg", name="a.jpg"), b"three")
    backup.library.add(photo("d.jpg", name="d.jpg"), b"four")
    backup.run()
    report = relaid(backup, layout="x/{name}")
    assert backup.files("x") == {"x/b.jpg": b"one", "x/c.jpg": b"two", "x/a.jpg": b"three", "x/d.jpg": b"four"}
    assert report.warnings == ("3 files were moved to where the layout wants them",)


@pytest.mark.parametrize("case_sensitive", [True, False])
def test_a_name_that_changes_its_case_only_is_changed(backup: Any, case_sensitive: bool) -> None:
    backup.destination = MemoryDestination(MemoryDestinationOptions(case_sensitive=case_sensitive))
    backup.destination.open()
    backup.layout = "photos/{name}"
    backup.library.add(photo("1.jpg"), b"one")
    backup.run()
    relaid(backup, layout="Photos/{name}")
    assert backup.files("Photos") == {"Photos/1.jpg": b"one"}


def test_a_file_of_somebody_else_is_never_overwritten(backup: Any) -> None:
    backup.library.add(photo("1.jpg"), b"one")
    backup.run()
    put(backup.destination, "new/1.jpg", b"not ours")
    put(backup.destination, "new/1.jpg.xmp", b"not ours either")
    relaid(backup, layout="new/{name}", metadata=("json", "xmp"))
    (record,) = backup.contents()
    assert backup.read("new/1.jpg") == b"not ours"
    assert backup.read("new/1.jpg.xmp") == b"not ours either"
    assert backup.read(record.path) == b"one"
    assert record.path != "new/1.jpg"


def test_two_that_want_one_name_both_get_one(backup: Any) -> None:
    backup.layout = "x/{id}/{name}"
    for number in range(3):
        backup.library.add(photo(str(number), name=("a.jpg", "A.jpg", "a.JPG")[number]), b"%d" % number)
    backup.run()
    relaid(backup, layout="x/{name}")
    paths = list(backup.files("x"))
    assert len({path.lower() for path in paths}) == 3
    assert sum("~" in path for path in paths) == 2
    relaid(backup, layout="x/{id}/{name}")
    assert set(backup.files("x")) == {"x/0/a.jpg", "x/1/A.jpg", "x/2/a.JPG"}


STYLES = ["hardlink", "symlink", "copy", "manifest", "none"]
QUICK = [("hardlink", "symlink"), ("symlink", "copy"), ("copy", "hardlink"), ("manifest", "none"), ("none", "hardlink")]


@pytest.mark.parametrize(
    ("before", "style"),
    [
        pytest.param(before, style, marks=() if (before, style) in QUICK else pytest.mark.slow)
        for before in STYLES
        for style in STYLES
    ],
)
def test_albums_are_shown_as_the_profile_wants_them_now(backup: Any, before: Any, style: Any) -> None:
    backup.albums = before
    backup.library.add(photo("1.jpg", name="same.jpg", albums=(ROME, SEA)), b"one")
    backup.library.add(photo("2.jpg", name="same.jpg", albums=(ROME,)), b"two")
    backup.run()
    relaid(backup, albums=style)
    relaid(backup, layout="{id}/{name}")
    entries = backup.destination.storage.entries
    shown = {path: entry for path, entry in entries.items() if path.startswith("albums/") and "album.json" not in path}
    kinds = {"hardlink": "StoredFile", "copy": "StoredFile", "symlink": "StoredLink"}
    assert [type(entry).__name__ for entry in shown.values()] == [kinds[style]] * 3 if style in kinds else not shown
    files = [entry for path, entry in entries.items() if path.startswith(("1.jpg/", "2.jpg/"))]
    assert all((entry in files) == (style == "hardlink") for entry in shown.values())
    assert all(entry.target in entries for entry in shown.values() if style == "symlink")
    assert ("albums/Rome/album.json" in entries) == (style != "none")


def test_metadata_formats_come_and_go(backup: Any) -> None:
    backup.library.add(photo("1.jpg", description="a dog"), b"one")
    backup.run()
    json = backup.read("metadata/photos/2019/05/1.jpg.json")
    backup.metadata = ("json", "xmp")
    assert backup.run().warnings == (
        "layout.metadata changed; what is there stays as it is; run with --relayout to bring it up to date",
    )
    relaid(backup)
    assert b"a dog" in backup.read("photos/2019/05/1.jpg.xmp")
    assert_checksums_hold(backup)
    relaid(backup, metadata=("json",))
    assert set(backup.files()) == {"photos/2019/05/1.jpg"}
    relaid(backup, metadata=())
    assert backup.files("metadata/photos") == {}
    relaid(backup, metadata=("json",))
    assert backup.read("metadata/photos/2019/05/1.jpg.json") == json


@pytest.mark.parametrize("lost", ["metadata/photos/2019/05/1.jpg.json", "photos/2019/05/1.jpg.xmp"])
@pytest.mark.parametrize("listed", [True, False])
def test_a_metadata_file_that_was_lost_is_written_again(backup: Any, lost: str, listed: bool) -> None:
    backup.metadata = ("json", "xmp")
    full = photo("1.jpg", description="a dog", camera="Pixel 4", people=("Ada",))
    backup.library.add(photo("1.jpg"), b"one", described=full)
    backup.run()
    before = backup.read(lost)
    backup.destination.remove(lost)
    if not listed:
        backup.library.remove("1.jpg")
    relaid(backup)
    assert listed <= (backup.read(lost) == before)
    assert backup.document("photos/2019/05/1.jpg")["camera"] == "Pixel 4"


def test_what_left_the_source_moves_as_well_and_albums_and_limits_narrow_it(backup: Any) -> None:
    backup.library.add(photo("1.jpg", albums=(ROME,)), b"one")
    backup.library.add(photo("2.jpg"), b"two")
    backup.library.add(photo("3.jpg"), b"three")
    backup.run()
    backup.library.remove("3.jpg")
    backup.layout, backup.relayout = "x/{name}", True
    backup.select = msgspec.structs.replace(backup.select, albums=("Rome",))
    backup.run()
    assert set(backup.files("x")) == {"x/1.jpg"}
    backup.select, backup.limit = msgspec.structs.replace(backup.select, albums=()), 1
    backup.run()
    assert len(backup.files("x")) == 2
    backup.limit = None
    relaid(backup)
    assert set(backup.files("x")) == {"x/1.jpg", "x/2.jpg", "x/3.jpg"}
    assert backup.files() == {}


def test_a_rehearsal_says_what_would_be_moved(backup: Any) -> None:
    backup.library.add(photo("1.jpg"), b"one")
    backup.run()
    backup.layout, backup.relayout = "x/{name}", True
    assert backup.run(rehearse=True).warnings == ("1 files would be moved: they lie by another layout",)
    assert set(backup.files()) == {"photos/2019/05/1.jpg"}


def test_another_profile_finds_what_was_moved_without_fetching_it(backup: Any) -> None:
    backup.library.add(photo("1.jpg"), b"one")
    backup.run()
    backup.profile = "other"
    backup.run()
    backup.profile = "test"
    relaid(backup, layout="x/{name}")
    backup.profile = "other"
    report = backup.run()
    assert (report.bytes_read, report.outcomes["unchanged"]) == (0, 1)
    assert backup.run().outcomes["unchanged"] == 1
    backup.relayout, backup.layout = True, "y/{name}"
    backup.run()
    assert set(backup.files("x")) == {"x/1.jpg"}


@pytest.mark.parametrize("method", ["move", "place", "flush"])
@pytest.mark.parametrize("at", [1, 2, 4, 7])
@pytest.mark.parametrize("power_cut", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_the_next_run_finishes_what_a_killed_one_was_moving(backup: Any, method: str, at: int, power_cut: bool) -> None:
    backup.layout = "photos/{id}"
    names = {"a.jpg": "b.jpg", "b.jpg": "c.jpg", "c.jpg": "a.jpg", "d.jpg": "e.jpg"}
    for id_, name in names.items():
        backup.library.add(photo(id_, name=name, albums=(ROME,)), id_.encode())
    backup.run()
    backup.layout, backup.relayout = "photos/{name}", True
    good = backup.destination
    backup.destination = FaultyDestination(good, Faults([Fault(method, SystemExit(), at=at)]))
    with suppress(SystemExit):
        backup.run()
    if power_cut:
        good.storage.power_cut()
    backup.destination, backup.relayout = good, False
    report = backup.run()
    assert (report.complete, report.outcomes["unchanged"], report.bytes_read) == (True, 4, 0)
    assert {record.path: record.item.encode() for record in backup.contents()} == backup.files()
    assert_checksums_hold(backup)
    for record in backup.contents():
        assert backup.document(record.path)["source"]["id"] == record.item
    shown = {content for path, content in backup.files("albums").items() if not path.endswith("album.json")}
    assert shown == {id_.encode() for id_ in names}
    assert backup.run().outcomes["unchanged"] == 4
    relaid(backup)
    assert backup.files() == {f"photos/{name}": id_.encode() for id_, name in names.items()}


@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_power_cut_between_moving_and_recording_doubles_and_loses_nothing(
    backup: Any, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    backup.layout = "photos/{id}"
    backup.library.add(photo("a.jpg", name="b.jpg"), b"one")
    backup.library.add(photo("b.jpg", name="a.jpg"), b"two")
    backup.run()
    backup.layout, backup.relayout = "photos/{name}", True
    commits = itertools.count(1)
    commit = ProfileState.commit

    def killed(state: ProfileState, batch: StateBatch) -> None:
        if next(commits) == at:
            raise SystemExit
        commit(state, batch)

    with monkeypatch.context() as patched, suppress(SystemExit):
        patched.setattr(ProfileState, "commit", killed)
        backup.run()
    backup.relayout = False
    report = backup.run()
    assert (report.outcomes["unchanged"], report.bytes_read) == (2, 0)
    assert backup.files() == {"photos/b.jpg": b"one", "photos/a.jpg": b"two"}
    assert backup.files("metadata/photos").keys() == {"metadata/photos/a.jpg.json", "metadata/photos/b.jpg.json"}


def test_a_run_that_is_killed_once_its_moves_are_recorded_costs_no_sidecar(backup: Any) -> None:
    backup.metadata = ("json", "xmp")
    backup.library.add(photo("1.jpg"), b"one")
    backup.run()
    backup.layout, backup.relayout = "photos/new/{name}", True
    good = backup.destination
    backup.destination = FaultyDestination(good, Faults([Fault("prune", SystemExit())]))
    with pytest.raises(SystemExit):
        backup.run()
    backup.destination, backup.relayout = good, False
    backup.run()
    assert set(backup.files()) == {"photos/new/1.jpg", "photos/new/1.jpg.xmp"}
    assert_checksums_hold(backup)


def test_when_nobody_knows_how_files_were_laid_out_they_are_looked_at_once(backup: Any) -> None:
    backup.transforms = (Stamp(),)
    backup.library.add(photo("1.jpg"), b"one")
    backup.run()
    (setup,) = backup.directory.glob("setup-*.json")
    setup.unlink()
    assert backup.run().warnings == ()
    assert setup.exists()
    setup.write_bytes(b"damaged")
    backup.layout = "x/{name}"
    assert backup.run().warnings == ("1 files lie by another layout and stay there; run with --relayout to move them",)
    relaid(backup)
    assert backup.files("x").keys() == {"x/1.jpg"}


def test_records_of_an_older_version_move_by_what_their_metadata_files_say(backup: Any) -> None:
    full = photo("1.jpg", name="a.heic", camera="Pixel 4")
    backup.transforms = (Stamp(extension=".jpg", keep=True),)
    backup.library.add(photo("1.jpg", name="a.heic"), b"one", described=full)
    backup.run()
    (record,) = backup.contents()
    with StateStore.open(backup.directory / "state") as store:
        older = msgspec.structs.replace(record, stored_name="", kind="", camera="", taken=None)
        store.bind(backup.profile, backup.destination.identity).commit(StateBatch(contents=[older]))
    relaid(backup, layout="{kind}/{camera}/{taken:%Y}/{name}")
    assert backup.files("photo").keys() == {"photo/Pixel 4/2019/a.jpg", "photo/Pixel 4/2019/a.heic"}
    assert backup.contents()[0].camera == "Pixel 4"


def test_another_time_zone_moves_and_dates_anew_what_knows_none_of_its_own(backup: Any, monkeypatch: Any) -> None:
    wall = CaptureTime(origin="exif", wall="2019-12-31T23:30:00")
    instant = CaptureTime(origin="source", instant=1_577_831_400_000)
    backup.library.add(photo("1.jpg", taken=wall), b"one")
    backup.library.add(photo("2.jpg", taken=instant), b"two")
    backup.run()
    assert backup.files().keys() == {"photos/2019/12/1.jpg", "photos/2019/12/2.jpg"}
    monkeypatch.setattr("tests.unit.engine.conftest.ROME", ZoneInfo("Asia/Tokyo"))
    backup.library.add(photo("3.jpg", taken=wall), b"three")
    relaid(backup)
    assert backup.files().keys() == {"photos/2019/12/1.jpg", "photos/2020/01/2.jpg", "photos/2019/12/3.jpg"}
    times = {stat.path: stat.mtime for stat in backup.destination.list("photos")}
    assert times["photos/2019/12/1.jpg"] == times["photos/2019/12/3.jpg"]
    local = [backup.document(f"photos/2019/12/{name}.jpg")["taken"]["local"] for name in ("1", "3")]
    assert local == ["2019-12-31T23:30:00+09:00"] * 2
